"""The callers or callees of a function as a tree, and the system calls that reach it."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct, field

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop, KnownFunction
from kgraph.query.neighbours import (
    Kinds,
    find_callers_by_type,
    find_calls_by_type,
    list_callee_edges,
    list_caller_edges,
    select_within,
)
from kgraph.query.spellings import iter_syscall_patterns

_MOST_LOOKED_AT = 20_000  # neighbours of one tree


class TreeNode(Struct):
    """A function in a call tree. `hop` is the call between it and the function above it, None at
    the top. `neighbours`: how many callers or callees it has; unless they are `below` it, it
    stands elsewhere in the tree (`is_repeated`), or they are left out.
    """

    function: KnownFunction
    hop: Hop | None = None
    neighbours: int = 0
    is_repeated: bool = False
    below: "list[TreeNode]" = field(default_factory=list)


class CallTree(Struct, frozen=True):
    """The callers or callees of a function. `shown` counts the calls in it, `left_out` those that
    its limit cut off, and `is_stopped` that further ones were not even counted."""

    top: TreeNode
    shown: int
    left_out: int
    is_stopped: bool = False

    def iter_hops(self) -> Iterator[Hop]:
        """The calls of the tree, nearest first."""
        layer = [self.top]
        while layer:
            layer = [below for node in layer for below in node.below]
            yield from (node.hop for node in layer if node.hop is not None)


class TreeRequest(Struct, frozen=True):
    """What a call tree shows: callers or callees, so many calls deep, at most `limit` calls of
    these kinds, between functions of `within` (all by default)."""

    callers: bool
    depth: int
    limit: int
    kinds: Kinds
    within: Collection[int] | None = None


def find_call_tree(graph: CallGraph, function: KnownFunction, request: TreeRequest) -> CallTree:
    """The tree of a function, nearest calls first. A function has those below it once."""
    return _TreeMaker(graph, request).make(function)


class _TreeMaker:
    """Makes one tree, layer by layer."""

    def __init__(self, graph: CallGraph, request: TreeRequest) -> None:
        self._graph = graph
        self._request = request
        self._shown = 0
        self._left_out = 0
        self._looked_at = 0

    def make(self, function: KnownFunction) -> CallTree:
        top = TreeNode(function)
        layer, expanded = [top], {function.number}
        for _ in range(self._request.depth):
            following: list[TreeNode] = []
            for node in layer:
                following += self._expand(node, expanded)
            layer = following
        for node in layer:
            node.neighbours = len(self._list_neighbours(node.function.number))
        return CallTree(top, self._shown, self._left_out, self._looked_at >= _MOST_LOOKED_AT)

    def _expand(self, node: TreeNode, expanded: set[int]) -> list[TreeNode]:
        """Hang the neighbours of a node below it; those of them that are to be expanded."""
        request, number = self._request, node.function.number
        room = request.limit - self._shown
        node.neighbours = len(self._list_neighbours(number))
        if not room or self._looked_at >= _MOST_LOOKED_AT:
            self._left_out += node.neighbours
            return []
        hops = self._list_hops(number, room)
        following = []
        for hop in hops:
            below = TreeNode(hop.caller if request.callers else hop.callee, hop)
            node.below.append(below)
            if below.function.number in expanded:
                below.is_repeated = True
            else:
                expanded.add(below.function.number)
                following.append(below)
        return following

    def _list_hops(self, number: int, room: int) -> list[Hop]:
        """The first calls below a function, in their order; the others are counted."""
        graph, request = self._graph, self._request
        if request.callers:
            edges = list_caller_edges(
                graph, number, request.kinds, self._list_neighbours(number))
        else:
            among = request.within
            edges = [edge for edge in list_callee_edges(graph, number, request.kinds)
                     if among is None or graph.edge_callee[edge] in among]
        shown = edges[:room]
        graph.preload(shown)
        hops = [graph.hop(edge) for edge in shown]
        if not request.callers:
            hops.sort(key=lambda hop: (hop.site.location, hop.site.ordinal, hop.callee.number))
        by_type = self._list_hops_by_type(number)
        self._looked_at += len(edges) + len(by_type)
        hops += by_type[:room - len(hops)]
        self._left_out += len(edges) + len(by_type) - len(hops)
        self._shown += len(hops)
        return hops

    def _list_hops_by_type(self, number: int) -> list[Hop]:
        if not self._request.kinds.types:
            return []
        find = find_callers_by_type if self._request.callers else find_calls_by_type
        return find(self._graph, number)

    def _list_neighbours(self, number: int) -> Sequence[int]:
        graph, request = self._graph, self._request
        numbers = graph.callers_of(number) if request.callers else graph.callees_of(number)
        return select_within(numbers, request.within)


class ReachingCall(Struct, frozen=True):
    """A system call from which calls lead to a function, the nearest in `distance` calls."""

    function: KnownFunction
    distance: int


def find_reaching_syscalls(
    graph: CallGraph, function: KnownFunction, *, deferred: bool = True
) -> list[ReachingCall]:
    """The system calls that reach a function, nearest first.

    Calls alone are followed, whatever they hand on and under whatever conditions: no system call
    that reaches it is missing, but not every one here need do so. A path search tells.
    """
    return find_syscalls_reaching(graph, [function.number], deferred=deferred)


def find_syscalls_reaching(
    graph: CallGraph, functions: Iterable[int], *, deferred: bool = True
) -> list[ReachingCall]:
    """The system calls that reach one of some functions, nearest first."""
    entries = {each.number: each for each in _iter_syscalls(graph)}
    found: list[ReachingCall] = []
    layer, distance = list(functions), 0
    seen = set(layer)
    while layer:
        found += (ReachingCall(entries[number], distance) for number in layer if number in entries)
        following: list[int] = []
        for number in layer:
            for caller in _iter_callers(graph, number, deferred=deferred):
                if caller not in seen:
                    seen.add(caller)
                    following.append(caller)
        layer, distance = following, distance + 1
    return sorted(found, key=lambda each: (each.distance, each.function.id))


def _iter_callers(graph: CallGraph, number: int, *, deferred: bool) -> Iterator[int]:
    for hop in graph.hops_to(number):
        if deferred or graph.kind(graph.hop_edge[hop]) is not EdgeKind.DEFERRED:
            yield graph.hop_caller[hop]


def _iter_syscalls(graph: CallGraph) -> Iterator[KnownFunction]:
    """The entries of system calls: a macro defines them, or a table has their address."""
    for pattern in iter_syscall_patterns():
        glob = pattern.pattern.replace("(.+)", "?*")
        for number in graph.find_functions_matching([glob]):
            function = graph.function(number)
            if function.location is not None and not function.alias_of and (
                    function.macro or function.address_taken):
                yield function
