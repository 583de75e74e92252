"""The callers and the callees of a function, its calls without a callee, and every hop."""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.location import Location
from kgraph.model.resolution import EdgeKind, SiteStatus
from kgraph.model.results import Hop, KnownFunction, OpenSite

_BATCH = 100  # functions whose calls are read together
_LEAN_BATCH = 2000
_WITHOUT_HOLDER = {EdgeKind.DIRECT, EdgeKind.ASM}


def find_callers(
    graph: CallGraph, function: KnownFunction, *, types: bool = False, deferred: bool = True,
    most: int | None = None,
) -> list[Hop]:
    """The calls that reach `function`: of each caller one hop for each kind of call and holder.

    `types` adds the unresolved calls that the function fits by its type. Only the first `most`
    callers are looked at.
    """
    kinds = Kinds(types=types, deferred=deferred)
    callers = graph.callers_of(function.number)[:most]
    hops = _make_hops(graph, list_caller_edges(graph, function.number, kinds, callers))
    if types:
        hops += find_callers_by_type(graph, function.number)
    return hops


def find_within(graph: CallGraph, folder: str) -> frozenset[int] | None:
    """The functions that are defined in a folder or file; None for all, if it is "".

    Raises LookupFailed if there is none.
    """
    if not folder:
        return None
    found = frozenset(each.number for each in graph.find_functions_in(folder))
    if not found:
        raise LookupFailed(f"no function is defined in {folder}",
                           "give a folder or file of the tree, as citations write it")
    return found


def select_within(numbers: Sequence[int], within: Collection[int] | None) -> Sequence[int]:
    """Those of some functions that are among others, all by default."""
    return numbers if within is None else [number for number in numbers if number in within]


def find_callers_by_type(graph: CallGraph, number: int) -> list[Hop]:
    """The unresolved calls that a function fits by its type."""
    return [graph.hop_by_type(site, number) for site in graph.by_type.sites_for(number)]


class Kinds(NamedTuple):
    """Which kinds of calls count besides those that are certain to be calls."""

    types: bool = False
    deferred: bool = True

    def list_excluded(self) -> set[EdgeKind]:
        """The kinds of edges to leave out."""
        choices = {EdgeKind.TYPE: self.types, EdgeKind.DEFERRED: self.deferred}
        return {kind for kind, wanted in choices.items() if not wanted}


def list_caller_edges(
    graph: CallGraph, number: int, kinds: Kinds, callers: Sequence[int]
) -> list[int]:
    """The edges from some callers to a function, of each the first of each kind and holder."""
    excluded, edges = kinds.list_excluded(), list[int]()
    for caller in callers:
        between = [e for e in graph.edges_from(caller) if graph.edge_callee[e] == number]
        edges += _select_first_of_each_kind(graph, caller, between, excluded)
    return edges


def list_callee_edges(graph: CallGraph, number: int, kinds: Kinds) -> list[int]:
    """The edges that leave a function, to each callee the first of each kind and holder."""
    return _select_calls(graph, number, kinds.list_excluded())


def find_callees(
    graph: CallGraph, function: KnownFunction, *, depth: int = 1, types: bool = False,
    deferred: bool = True,
) -> list[Hop]:
    """The calls that `function` makes (see CalleeWalk)."""
    return list(CalleeWalk(graph, function, depth=depth, types=types, deferred=deferred))


class CalleeWalk:
    """The calls that `function` makes, in the order of its lines.

    With a `depth` above 1 the calls of the functions that it reaches follow, nearest first and each
    function once. They can be many: each is given as soon as it is found. After the last
    `unfollowed` counts the functions that call something `depth` calls away.
    """

    def __init__(
        self, graph: CallGraph, function: KnownFunction, *, depth: int = 1, types: bool = False,
        deferred: bool = True,
    ) -> None:
        self.function = function
        self.unfollowed = 0
        self._graph = graph
        self._depth = depth
        self._excluded = Kinds(types, deferred).list_excluded()

    def __iter__(self) -> Iterator[Hop]:
        seen, layer = {self.function.number}, [self.function.number]
        for _ in range(self._depth):
            if not layer:
                break
            following: list[int] = []
            for first in range(0, len(layer), _BATCH):
                for hop in _iter_calls(self._graph, layer[first:first + _BATCH], self._excluded):
                    callee = hop.callee.number
                    if callee not in seen:
                        seen.add(callee)
                        following.append(callee)
                    yield hop
            layer = following
        self.unfollowed = sum(1 for callee in layer if self._graph.edges_from(callee))


def find_open_sites(graph: CallGraph, function: KnownFunction) -> tuple[OpenSite, ...]:
    """The calls of a function that have no callee, in the order of its lines."""
    return tuple(
        OpenSite(site, len(graph.by_type.callees(site.number))
                 if site.status is SiteStatus.UNRESOLVED else 0)
        for site in graph.find_sites_of(function.number)
        if site.status in (SiteStatus.UNRESOLVED, SiteStatus.EMPTY)
    )


Progress = Callable[[int, int], None]


class EdgeRow(NamedTuple):
    """An edge without its evidence: the first of its call sites, and how many it has."""

    caller: KnownFunction
    callee: KnownFunction
    kind: EdgeKind
    location: Location
    slot: str
    candidates: int
    sites: int


def _ignore(_done: int, _total: int) -> None:
    """Receive progress and do nothing."""


def iter_hops(
    graph: CallGraph, progress: Progress = _ignore, within: Collection[int] | None = None
) -> Iterator[Hop]:
    """Every edge as a hop, once, with its other call sites; caller by caller, by call site, then by
    callee. Callers of one file follow each other: who reads its source reads it once. `within`:
    only edges from these functions.
    """
    callers = select_within(graph.list_functions_by_place(), within)
    for first in range(0, len(callers), _BATCH):
        progress(first, len(callers))
        yield from _iter_calls(graph, callers[first:first + _BATCH], Kinds().list_excluded())


def iter_edge_rows(
    graph: CallGraph, progress: Progress = _ignore, within: Collection[int] | None = None
) -> Iterator[EdgeRow]:
    """Every edge once, caller by caller, without what takes long to read. `within`: only edges
    between these functions.
    """
    kinds = Kinds()
    every = range(len(graph)) if within is None else sorted(within)
    for first in range(0, len(every), _LEAN_BATCH):
        progress(first, len(every))
        edges = [edge for caller in every[first:first + _LEAN_BATCH]
                 for edge in list_callee_edges(graph, caller, kinds)
                 if within is None or graph.edge_callee[edge] in within]
        sites = {edge: graph.site_of(edge) for edge in edges}
        places = graph.load_site_places(set(sites.values()))
        graph.load_all_functions()
        for edge in edges:
            yield _make_row(graph, edge, places[sites[edge]])


def _make_row(graph: CallGraph, edge: int, place: tuple[Location, str]) -> EdgeRow:
    caller, callee = graph.caller_of(graph.site_of(edge)), graph.edge_callee[edge]
    return EdgeRow(
        graph.function(caller), graph.function(callee), graph.kind(edge), *place,
        graph.count_candidates(edge), graph.count_sites(caller, callee))


def _iter_calls(
    graph: CallGraph, callers: Sequence[int], excluded: set[EdgeKind]
) -> Iterator[Hop]:
    """The calls of some functions, whose records are read together."""
    selected = [_select_calls(graph, caller, excluded) for caller in callers]
    graph.preload(chain.from_iterable(selected))
    for caller, edges in zip(callers, selected, strict=True):
        yield from sorted(map(graph.hop, edges), key=lambda hop: (
            hop.site.location, hop.site.ordinal, hop.callee.number))
        if EdgeKind.TYPE not in excluded:
            yield from find_calls_by_type(graph, caller)


def _select_calls(graph: CallGraph, caller: int, excluded: set[EdgeKind]) -> list[int]:
    by_callee: dict[int, list[int]] = {}
    for edge in graph.edges_from(caller):
        by_callee.setdefault(graph.edge_callee[edge], []).append(edge)
    return [
        edge for edges in by_callee.values()
        for edge in _select_first_of_each_kind(graph, caller, edges, excluded)
    ]


def find_calls_by_type(graph: CallGraph, function: int) -> list[Hop]:
    """The calls that the unresolved call sites of a function make by type."""
    return [
        graph.hop_by_type(site, callee)
        for site in graph.by_type.sites_of(function)
        for callee in graph.by_type.callees(site)
    ]


def _select_first_of_each_kind(
    graph: CallGraph, caller: int, edges: list[int], excluded: set[EdgeKind]
) -> list[int]:
    """Of edges between two functions the first of each kind and holder. The others are cited as its
    `sites`.
    """
    kinds = [graph.kind(edge) for edge in edges]
    holders = {} if _WITHOUT_HOLDER.issuperset(kinds) else graph.find_holders_from(caller)
    first: dict[tuple[EdgeKind, int | None], int] = {}
    for edge, kind in zip(edges, kinds, strict=True):
        if kind not in excluded:
            first.setdefault((kind, holders.get(graph.site_of(edge))), edge)
    return list(first.values())


def _make_hops(graph: CallGraph, edges: list[int]) -> list[Hop]:
    graph.preload(edges)
    return [graph.hop(edge) for edge in edges]
