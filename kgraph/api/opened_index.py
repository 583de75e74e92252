"""An open index as an object: every question is a method that takes names and returns records."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from msgspec import Struct
from msgspec.structs import replace

from kgraph.api import exporting, paths, questions
from kgraph.api.opening import Remark, ignore_remark, open_graph
from kgraph.api.paths import PathResult
from kgraph.model.results import (
    Finding,
    Frontier,
    IndexDescription,
    KnownFunction,
    Neighbours,
    OpsRow,
    RequiredAnswer,
    SiteAnswer,
)

if TYPE_CHECKING:
    from kgraph.check.document.subjects import Subject
    from kgraph.graph import CallGraph
    from kgraph.graph.nx import NetworkxGraph
    from kgraph.graph.parts import CallArrays


def open_index(path: Path | str | None = None, *, remark: Remark = ignore_remark) -> "Index":
    """Open an index for questions. Close it when you are done, or use it in a `with` block.

    Without `path` the choice is that of the command line: KGRAPH_INDEX, else the index of the tree
    that holds the current folder, else the one that was built last, else mini-linux, which is
    indexed if necessary. `remark` receives which index was chosen, where you did not choose it.

    Raises StoreError where there is no index, or it is damaged or of another version.
    """
    return Index(open_graph(path, remark=remark))


class PathConstraints(TypedDict, total=False):
    """What a path is to do. See PathQuestion."""

    via: tuple[str, ...]
    avoid: tuple[str, ...]
    bind: tuple[str, ...]
    count: int
    max_hops: int | None
    deferred: bool
    types: bool
    prune: bool


class Reachability(Struct, frozen=True):
    """Whether one function reaches another. It is true if it does; `finding` tells "proved none"
    from "could not tell", and `frontier` says how far the search came.
    """

    finding: Finding
    frontier: Frontier | None = None

    def __bool__(self) -> bool:
        return self.finding is Finding.FOUND


class ReachedFunction(Struct, frozen=True):
    """A function that calls lead to, and the fewest calls that do."""

    function: KnownFunction
    distance: int


class Index:
    """An open index. `open_index()` makes one.

    Names are as you write them on the command line: `name`, `path:name` where several functions
    have it, `syscall:sendto`. Every method raises LookupFailed for a name that is unknown or
    ambiguous (`error.message`, `error.hint`), and StoreError if the file is damaged. Examples here
    ask mini-linux, the small kernel that comes with kgraph.

    >>> str(index.function("veth_xmit").location)
    'drivers/net/veth.c:17'
    """

    def __init__(self, graph: "CallGraph") -> None:
        self.graph = graph

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<kgraph.Index of {self.description.tree}, {len(self.graph)} functions>"

    def close(self) -> None:
        """Close the index file. Records that you have stay valid."""
        self.graph.close()

    @property
    def description(self) -> IndexDescription:
        """What was indexed: tree, release, configuration."""
        return self.graph.description

    def function(self, name: str) -> KnownFunction:
        """The function that a name means; an alias leads to the function that it stands for.

        >>> str(index.function("sys_sendto"))
        'SyS_sendto'
        """
        from kgraph.query import find_function

        return find_function(self.graph, name)

    def functions(self, pattern: str = "*") -> list[KnownFunction]:
        """The defined functions whose names match a shell pattern (`tcp_*`), a regular expression,
        or have a text in them; `FOLDER:PATTERN` limits it to a folder or file. [] if none does.

        >>> [str(each) for each in index.functions("veth_[dx]*")]
        ['veth_dev_init', 'veth_xmit']
        """
        from kgraph.query.find import find_matching_functions

        return find_matching_functions(self.graph, pattern)

    def syscalls(self) -> list[KnownFunction]:
        """The entries of all system calls.

        >>> "SyS_sendto" in map(str, index.syscalls())
        True
        """
        return self.functions("syscall:*")

    def callers(
        self, name: str, *, types: bool = False, deferred: bool = True, folder: str = ""
    ) -> Neighbours:
        """The calls that reach a function: a hop for each caller, kind of call and slot.

        `types` adds unresolved calls that the function only fits by its type. Without `deferred`
        calls that are registered in one place and run later are left out. `folder`: only calls by
        functions that are defined there.

        >>> [(str(hop.caller), hop.kind.value, hop.site.holder)
        ...  for hop in index.callers("veth_xmit").hops]
        [('__netdev_start_xmit', 'ops', 'net_device_ops.ndo_start_xmit')]
        """
        return questions.callers(
            self.graph, name, types=types, deferred=deferred, folder=folder)

    def callees(
        self, name: str, *, depth: int = 1, types: bool = False, deferred: bool = True
    ) -> Neighbours:
        """The calls that a function makes, in the order of its lines, `depth` calls deep.
        `open_sites` are its calls without a callee.

        >>> [str(hop.callee) for hop in index.callees("netdev_start_xmit").hops]
        ['__netdev_start_xmit']
        """
        return questions.callees(
            self.graph, name, depth=depth, types=types, deferred=deferred)

    def paths(
        self, caller: str, callee: str, *, scenario: str | None = None, documented: bool = True,
        **constraints: Unpack[PathConstraints],
    ) -> PathResult:
        """How one function reaches another: `result.answer.paths`, best first, or
        `result.answer.frontier`, why there is none.

        `via`, `avoid` and `bind` are tuples as --via, --avoid and --bind; `count` is -k. `scenario`
        names a query whose pins are used; unless `documented` is false, the query that documents
        the path is used without that. Raises DocumentError for an unknown `scenario`.

        >>> result = index.paths("SyS_sendto", "veth_xmit", count=2)
        >>> result.answer.finding.value, str(result.answer.paths[0].hops[-1].callee)
        ('found', 'veth_xmit')
        """
        from kgraph.query.paths.question import PathQuestion

        return paths.path(self.graph, PathQuestion(caller, callee, **constraints), scenario,
                          documented=documented)

    def required(
        self, caller: str, callee: str, **constraints: Unpack[PathConstraints]
    ) -> RequiredAnswer:
        """The functions that every path passes, in order (`avoid`, `bind`, `deferred`, `types`).

        >>> [str(each.function) for each in index.required("xmit_one", "veth_xmit").functions]
        ['xmit_one', 'netdev_start_xmit', '__netdev_start_xmit', 'veth_xmit']
        """
        from kgraph.query.paths.question import PathQuestion

        return paths.required(self.graph, PathQuestion(caller, callee, **constraints))

    def reachable(
        self, caller: str, callee: str, **constraints: Unpack[PathConstraints]
    ) -> Reachability:
        """Whether one function reaches another by a path, as `paths` finds them.

        >>> index.reachable("veth_xmit", "SyS_sendto").finding.value
        'proved none'
        >>> bool(index.reachable("SyS_sendto", "veth_xmit"))
        True
        """
        from kgraph.query.paths.question import PathQuestion

        question = PathQuestion(caller, callee, **constraints)
        answer = paths.path(
            self.graph, replace(question, count=1, count_others=False), documented=False).answer
        return Reachability(answer.finding, answer.frontier)

    def reached(
        self, name: str, *, upwards: bool = False, depth: int | None = None
    ) -> list[ReachedFunction]:
        """Every function that calls lead to from a function (`upwards`: from which calls lead to
        it), nearest first. Calls are taken whether they can follow each other or not, so none is
        missing that a path would reach; ask `reachable` about one.

        >>> [(str(each.function), each.distance)
        ...  for each in index.reached("veth_xmit", upwards=True, depth=1)]
        [('veth_xmit', 0), ('__netdev_start_xmit', 1)]
        """
        distances = self.arrays().find_distances(
            (self.function(name).number,), depth, upwards=upwards)
        self.graph.load_all_functions()
        return [ReachedFunction(self.graph.function(number), distance)
                for number, distance in distances.items()]

    def ops(self, name: str) -> list[OpsRow]:
        """What is bound in an ops table, a struct or a slot, or where a function is bound.

        >>> [(row.slot, str(row.bound)) for row in index.ops("veth_netdev_ops")][:2]
        [('net_device_ops.ndo_init', 'veth_dev_init'), ('net_device_ops.ndo_open', 'veth_open')]
        """
        return questions.ops(self.graph, name)

    def site(self, place: str) -> list[SiteAnswer]:
        """What is called at FILE:LINE, in FILE or in a function, every candidate with evidence.

        >>> [len(site.candidates) for site in index.site("net/ipv4/af_inet.c:37")]
        [4]
        """
        return questions.site(self.graph, place)

    def check(
        self, subject: "Subject | str", scenario: str | None = None
    ) -> questions.CheckResult:
        """The verdict on every line of a document (a file, or a query by its name).

        Raises DocumentError for an unknown or unreadable document or scenario.

        >>> index.check("veth").check.claims[0].verdict.value
        'stands'
        """
        return questions.check(self.graph, subject, scenario)

    def arrays(self) -> "CallArrays":
        """The calls of all functions as arrays, for searches of your own over the whole kernel.

        >>> calls, function = index.arrays(), index.function("veth_xmit")
        >>> [str(index.graph.function(number)) for number in calls.callers_of(function.number)]
        ['__netdev_start_xmit']
        """
        from kgraph.graph.parts import CallArrays

        return CallArrays(self.graph)

    def to_networkx(
        self, *, folder: str = "", around: Iterable[str] = (),
        between: tuple[str, str] | None = None, depth: int | None = None,
    ) -> "NetworkxGraph":
        """The graph, or a part of it, as a networkx.MultiDiGraph: a node a function, an edge a
        candidate of a call site. See PartQuestion for the parts, and kgraph.graph.nx for the
        attributes.

        >>> sorted(index.to_networkx(around=["veth_xmit"]))[:2]
        ['__netdev_start_xmit', 'dev_forward_skb']
        """
        return exporting.network(self.graph, exporting.PartQuestion(
            folder, tuple(around), between, depth))

    def paths_to_networkx(self, result: PathResult) -> "NetworkxGraph":
        """The functions and calls of the paths of `paths` alone.

        >>> result = index.paths("SyS_sendto", "veth_xmit")
        >>> len(index.paths_to_networkx(result)) == len(result.answer.paths[0].hops) + 1
        True
        """
        return exporting.network_of_paths(self.graph, result.answer.paths)
