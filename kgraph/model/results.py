"""Results: what a question to an index returns, and what is known of an index itself.

A record holds everything that is needed to show it; rendering asks nothing more.
"""

import pathlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import MAX_GUARDS, Extent, Guard, Location
from kgraph.model.resolution import EdgeKind, Evidence, SiteStatus
from kgraph.model.units import ModuleFolder
from kgraph.textfile import unescape_name


class KnownFunction(Struct, frozen=True, gc=False):
    """A function of the index, and its number there. `location` is None if the index has no
    definition of it; else the definition ends at `end_line`. `address_taken`: its name is used as a
    value somewhere.
    """

    number: int
    id: FunctionId
    location: Location | None
    parameters: tuple[str, ...] = ()
    alias_of: str = ""
    macro: str = ""
    address_taken: bool = False
    end_line: int = 0

    def __str__(self) -> str:
        return self.id.name


class KnownMacro(Struct, frozen=True, gc=False):
    """A macro: where it is defined, and its definition on one line, which may be cut off. None and
    "" if only calls in the index name it.
    """

    name: str
    location: Location | None = None
    text: str = ""

    def __str__(self) -> str:
        return self.name


class KnownObject(Struct, frozen=True, gc=False):
    """An object with static storage of the index, and its number there."""

    number: int
    id: ObjectId
    location: Location | None
    type: str = ""


class NamedThing(Struct, frozen=True, gc=False):
    """What has a name that was looked for: a function, macro, table or slot (`kind`). A slot has no
    location, but the number of its `bindings`; a table has its `type`.
    """

    kind: str
    name: str
    location: Location | None = None
    image: str = ""
    type: str = ""
    bindings: int = 0


class KnownSite(Struct, frozen=True, gc=False):
    """A call site of the index, and its number there. `holder` is what an indirect call goes
    through, "" for a direct call; `callback` is the index of the caller's parameter that it goes
    through; `proof` is the number of the evidence that it is empty.
    """

    number: int
    caller: int
    location: Location
    extent: Extent
    ordinal: int
    expression: str
    macro: str
    status: SiteStatus
    holder: str = ""
    rule: str = ""
    reason: str = ""
    guards: tuple[Guard, ...] = ()
    callback: int | None = None
    proof: int | None = None

    @property
    def may_have_more_guards(self) -> bool:
        """Whether there may be further conditions around those in `guards` (see MAX_GUARDS)."""
        return len(self.guards) >= MAX_GUARDS


class Hop(Struct, frozen=True, gc=False):
    """A call from a function, at a call site, to a function.

    `candidates` counts the callees that the call site has here: 1 if a scenario or a forwarded
    callback leaves one. `sites` are the other call sites of the same edge.
    """

    caller: KnownFunction
    callee: KnownFunction
    site: KnownSite
    kind: EdgeKind
    candidates: int = 1
    evidence: tuple[Evidence, ...] = ()
    sites: tuple[Location, ...] = ()


class Path(Struct, frozen=True, gc=False):
    """A path through the graph. Each hop starts where the one before it ends."""

    hops: tuple[Hop, ...]


class OpenRequest(Struct, frozen=True, gc=False):
    """A request at a call site to run something of a kind later, for which no callee was found:
    `requested` is what it requests, `reason` why nothing was found.
    """

    kind: str
    reason: str
    requested: str = ""


class SiteAnswer(Struct, frozen=True, gc=False):
    """A call site with every candidate. For an unresolved one `by_type` counts the functions of its
    type; for an empty one `proof` cites everything that is put into its holder. `requests` are its
    requests to run something later that have no callee.
    """

    caller: KnownFunction
    site: KnownSite
    candidates: tuple[Hop, ...]
    by_type: int = 0
    proof: tuple[Evidence, ...] = ()
    requests: tuple[OpenRequest, ...] = ()


class Reference(Struct, frozen=True, order=True, gc=False):
    """A place that names something. `function` is what it names, or the function around it ("" at
    file scope).
    """

    location: Location
    function: str = ""


class Install(Struct, frozen=True, gc=False):
    """A place that puts a table where it is called from. `is_argument`: the table is an argument of
    a call there. `is_copy`: it is copied there from where it was put.
    """

    holder: str
    location: Location
    is_argument: bool = False
    is_copy: bool = False


class OpsRow(Struct, frozen=True, gc=False):
    """A function, or the address of an object, that is bound to a slot. `table` is None for an
    assignment. If it comes into the slot by copies, these are the `evidence`, and the last of them
    is at `location`; unless `is_complete`, copies may bring more into the slot than kgraph could
    follow.
    """

    table: KnownObject | None
    slot: str
    bound: KnownFunction | KnownObject
    location: Location
    installs: tuple[Install, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    is_complete: bool = True


class AssemblerStore(Struct, frozen=True, gc=False):
    """A place that puts a function into a variable, from which assembler goes on to it."""

    function: KnownFunction
    holder: str
    location: Location


class Reach(Struct, frozen=True, gc=False):
    """How far a search came from one end: how many functions it reached, the deepest of them, and,
    nearest first, what keeps the answer open: unresolved call sites, and functions without a
    definition, that might lead to the other end. A search from the callee has neither.
    """

    functions: int
    deepest: tuple[KnownFunction, ...] = ()
    unresolved: tuple[KnownSite, ...] = ()
    unresolved_count: int = 0
    undefined: tuple[KnownFunction, ...] = ()
    undefined_count: int = 0


class OpenCallers(Struct, frozen=True, gc=False):
    """What may call a function where kgraph cannot see what is called: unresolved call sites (the
    first, and how many), functions without a definition, a deferred request without a callee, or
    assembler that goes on to what is stored somewhere. False if nothing does.
    """

    unresolved: tuple[KnownSite, ...] = ()
    unresolved_count: int = 0
    undefined_count: int = 0
    by_request: bool = False
    by_assembler: bool = False

    def __bool__(self) -> bool:
        return bool(self.unresolved_count or self.undefined_count
                    or self.by_request or self.by_assembler)


class Frontier(Struct, frozen=True, gc=False):
    """Why no path leads from `caller` to `callee`, the ends of the leg that fails.

    `by_type`: unresolved call sites might make a path. `is_connected`: calls lead from one to the
    other, but a path would need another callback than is handed on, or more hops than allowed.
    `by_request`: requests to run something later, whose callee kgraph cannot tell, might make a
    path. `assembler_stores`: what code puts where assembler goes on to it, which might make a path.
    `assembler_entries`: the functions in assembler that call `callee`, if nothing else does.
    `stopped_after`: how many calls and functions were looked at before the search was given up; 0
    if it was not.
    """

    caller: KnownFunction
    callee: KnownFunction
    forward: Reach
    backward: Reach
    by_type: bool
    is_connected: bool = False
    by_request: bool = False
    assembler_stores: tuple[AssemblerStore, ...] = ()
    assembler_entries: tuple[KnownFunction, ...] = ()
    stopped_after: int = 0

    @property
    def by_undefined(self) -> bool:
        """Whether functions without a definition might make a path."""
        return bool(self.forward.undefined_count)

    @property
    def is_open(self) -> bool:
        """Whether there might be a path that kgraph cannot see, or has not looked for."""
        return (self.by_type or self.by_request or self.by_undefined
                or bool(self.assembler_stores or self.stopped_after))


class CapabilityCheck(Struct, frozen=True, gc=False):
    """A call, in a function of a way, that asks whether the task may do this. `is_guard`: it stands
    in a condition around the call that goes on."""

    function: str
    location: Location
    is_guard: bool


class EntryVerdict(Struct, frozen=True, gc=False):
    """Whether a kind of entry points reaches a place. `verdict` is "reached", "proved not" or
    "undecided"; there are so many `entries` of the kind, and calls lead from `connected` of them.

    Reached: by `path` from `entry`; an entry that is the place itself has a path without hops.
    Undecided: by what the first `open_sites` (there are `open_count`), the functions `undefined`,
    which have no definition, or requests (`by_request`) might do, or because `untried` entries from
    which calls lead were not looked at, or because a search was given up (`is_stopped`).
    """

    kind: str
    verdict: str
    entries: int
    connected: int = 0
    entry: KnownFunction | None = None
    path: Path | None = None
    checks: tuple[CapabilityCheck, ...] = ()
    open_sites: tuple[KnownSite, ...] = ()
    open_count: int = 0
    undefined: tuple[KnownFunction, ...] = ()
    by_request: bool = False
    untried: int = 0
    is_stopped: bool = False


class ReachAnswer(Struct, frozen=True, gc=False):
    """What reaches a place: `targets` are the functions that it means, `verdicts` one a kind."""

    place: str
    targets: tuple[KnownFunction, ...]
    verdicts: tuple[EntryVerdict, ...]


class Contradiction(Struct, frozen=True, gc=False):
    """A path of calls that cannot all happen: `hop` contradicts what the hops before it fix, for
    this `reason`. Unless `is_certain` another object might be meant.
    """

    path: Path
    hop: Hop
    reason: str
    is_certain: bool = True


class DearHop(Struct, frozen=True, gc=False):
    """A hop that makes a path dear; `cost` is worth so many calls that are always made."""

    hop: Hop
    cost: float


class WhyNot(Struct, frozen=True, gc=False):
    """Why the path that is shown does not pass `function`: the cheapest `path` that does
    contradicts itself, or is dearer by so many hops. Without a path none passes it. `is_passed`:
    the shown one does.
    """

    function: KnownFunction
    path: Path | None = None
    contradiction: Contradiction | None = None
    more_hops: float = 0.0
    dear: tuple[DearHop, ...] = ()
    is_passed: bool = False


class Finding(StrEnum):
    """What a question came to. That there is none is proved, or it could not be told."""

    FOUND = "found"
    NONE = "proved none"
    OPEN = "could not tell"


class PathAnswer(Struct, frozen=True, gc=False):
    """How A reaches B: the best path and further ways, and how many others there are (with
    `others_at_least` there may be more); or the frontier, if there is none. `contradiction`
    is a cheaper path that cannot happen.
    """

    paths: tuple[Path, ...]
    others: int = 0
    frontier: Frontier | None = None
    others_at_least: bool = False
    contradiction: Contradiction | None = None

    @property
    def finding(self) -> Finding:
        """Whether there is a path. A path that only its tables refuse may be one after all."""
        if self.frontier is None:
            return Finding.FOUND
        is_sure = self.contradiction is None or self.contradiction.is_certain
        return Finding.NONE if is_sure and not self.frontier.is_open else Finding.OPEN


class RequiredFunction(Struct, frozen=True, gc=False):
    """A function that every way passes. Unless `is_certain` a call that kgraph cannot resolve might
    lead around it."""

    function: KnownFunction
    is_certain: bool = True


class RequiredAnswer(Struct, frozen=True, gc=False):
    """What every way from one function to another passes, in order, with both ends; or the
    frontier, if no calls lead from one to the other."""

    functions: tuple[RequiredFunction, ...]
    frontier: Frontier | None = None


class Alias(Struct, frozen=True, gc=False):
    """A name that was asked for is an alias of `function`; the result is about the function."""

    name: str
    function: KnownFunction


class OpenSite(Struct, frozen=True, gc=False):
    """A call site that is empty or unresolved. `by_type` counts the functions of its type."""

    site: KnownSite
    by_type: int


class Neighbours(Struct, frozen=True, gc=False):
    """The calls that reach a function, or that it makes. `open_sites` are the calls of a caller
    that have no callee. `remarks` say how its name was understood. For a macro the calls that come
    through it: of each function that uses it the first, or the first to each callee.
    """

    function: KnownFunction | KnownMacro
    hops: tuple[Hop, ...]
    alias: Alias | None = None
    open_sites: tuple[OpenSite, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_of_function(self) -> bool:
        """Whether these are calls of a function, not of a macro."""
        return isinstance(self.function, KnownFunction)


class IndexDescription(Struct, frozen=True, gc=False):
    """What was indexed. `tree` is an absolute path, `build` the folder of generated files, `only`
    what `--only` restricted the index to, `built` seconds since the epoch. `whole`: its units are
    all that Kbuild links into the kernel and its modules. `rust` names the functions that Rust code
    defines for C, which are not in the index. `modules` are the out-of-tree modules.
    """

    tree: str
    release: str
    config: str
    build: str = ""
    only: tuple[str, ...] = ()
    built: float = 0.0
    bundled: bool = False
    whole: bool = False
    rust: tuple[str, ...] = ()
    modules: tuple[ModuleFolder, ...] = ()

    def iter_places(self, path: str) -> Iterator[str]:
        """Where a file that a citation names so (without escapes) may be, the likeliest first."""
        yield from self.iter_module_places(path)
        for folder in filter(None, (self.tree, self.build)):
            yield f"{folder.rstrip('/')}/{path}"

    def iter_module_places(self, path: str) -> Iterator[str]:
        """Where a file is if it is a module's own; the build folder has a copy of it."""
        for module in self.modules:
            name = f"{unescape_name(module.name)}/"
            if path.startswith(name):
                yield f"{module.path}/{path[len(name):]}"

    def iter_folders(self) -> Iterator[tuple[str, str]]:
        """The folders of cited files, and what a citation puts before a path in them."""
        for module in self.modules:
            yield module.path, f"{unescape_name(module.name)}/"
        for folder in filter(None, (self.tree, self.build)):
            yield folder.rstrip("/"), ""


Number = int | float  # as it is stored: decoding to float alone would make a count 3.0
HolderStatistics = dict[str, Number | list[str]]


class SharedCandidates(Struct, frozen=True, gc=False):
    """Holders that have one set of so many `candidates`, of several `types`: it may be that a value
    passes between them that does not in truth. `holders` are the first by name, `count` is how many
    there are.
    """

    candidates: int
    types: int
    count: int
    holders: tuple[str, ...]


class Coverage(Struct, frozen=True, gc=False):
    """Totals of an index: units, functions, call sites by status.

    `resolved` has the numbers of call sites by rule, `empty` and `unresolved` by reason.
    `candidates` and `holders` have statistics of candidates by call site and by holder ("all", and
    "without" the heaviest); `shared` are the sets that several holders share though they are of
    several types. `deferred` has for each kind of request how many there are
    (`requests`), how many have a callee (`resolved`), why others have none (`without`), and how
    many callbacks are registered under an unknown key (its name in the index and in JSON is
    `untold`).
    """

    units: int
    errors: int
    failed: int
    functions: int
    direct: int
    indirect: int
    resolved: dict[str, int] = field(default_factory=dict)
    empty: dict[str, int] = field(default_factory=dict)
    unresolved: dict[str, int] = field(default_factory=dict)
    candidates: dict[str, Number] = field(default_factory=dict)
    holders: dict[str, HolderStatistics] = field(default_factory=dict)
    shared: tuple[SharedCandidates, ...] = ()
    deferred: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def parsed(self) -> int:
        """Units that were parsed, with or without errors."""
        return self.units - self.failed


class CachedIndex(Struct, frozen=True, gc=False):
    """An index in the cache folder, its size and that of its generated files in bytes. If it cannot
    be read, `trouble` says why, and nothing else is known.
    """

    path: pathlib.Path
    size: int
    generated: int
    description: IndexDescription | None
    coverage: Coverage | None
    trouble: str = ""


class UnusedFile(Struct, frozen=True, gc=False):
    """A file or folder that no index uses, its size in bytes, and why it is unused."""

    path: pathlib.Path
    size: int
    reason: str


class CacheInventory(Struct, frozen=True, gc=False):
    """The content of the cache folder. `busy` are the folders of active runs; nothing in them is
    unused.
    """

    indexes: tuple[CachedIndex, ...]
    unused: tuple[UnusedFile, ...]
    busy: tuple[pathlib.Path, ...]
