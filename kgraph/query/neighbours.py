"""The callers and the callees of a function, its calls without a callee, and every hop."""

from collections.abc import Callable, Iterator

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind, SiteStatus
from kgraph.model.results import Hop, KnownFunction, OpenSite

_WITHOUT_HOLDER = {EdgeKind.DIRECT, EdgeKind.ASM}


def find_callers(
    graph: CallGraph, function: KnownFunction, *, types: bool = False, deferred: bool = True,
    most: int | None = None,
) -> list[Hop]:
    """The calls that reach `function`: of each caller one hop for each kind of call and holder.

    `types` adds the unresolved calls that the function fits by its type. Only the first `most`
    callers are looked at.
    """
    excluded = _excluded_kinds(types=types, deferred=deferred)
    edges: list[int] = []
    for caller in graph.callers_of(function.number)[:most]:
        between = [e for e in graph.edges_from(caller) if graph.edge_callee[e] == function.number]
        edges += _select_first_of_each_kind(graph, caller, between, excluded)
    hops = _make_hops(graph, edges)
    if types:
        hops += [
            graph.hop_by_type(site, function.number)
            for site in graph.by_type.sites_for(function.number)
        ]
    return hops


def find_callees(
    graph: CallGraph, function: KnownFunction, *, depth: int = 1, types: bool = False,
    deferred: bool = True,
) -> list[Hop]:
    """The calls that `function` makes, in the order of its lines.

    With a `depth` above 1 the calls of the functions that it reaches follow, nearest first and each
    function once.
    """
    excluded = _excluded_kinds(types=types, deferred=deferred)

    def find_calls(number: int) -> list[Hop]:
        hops = _find_calls(graph, number, excluded)
        return hops + _find_calls_by_type(graph, number) if types else hops

    return _search_breadth_first(function.number, depth, find_calls)


def find_open_sites(graph: CallGraph, function: KnownFunction) -> tuple[OpenSite, ...]:
    """The calls of a function that have no callee, in the order of its lines."""
    return tuple(
        OpenSite(site, len(graph.by_type.callees(site.number))
                 if site.status is SiteStatus.UNRESOLVED else 0)
        for site in graph.find_sites_of(function.number)
        if site.status in (SiteStatus.UNRESOLVED, SiteStatus.EMPTY)
    )


def iter_hops(graph: CallGraph) -> Iterator[Hop]:
    """Every edge as a hop: caller by caller, by call site, then by callee."""
    for function in range(len(graph)):
        for edge in graph.edges_from(function):
            yield graph.hop(edge)


def _excluded_kinds(*, types: bool, deferred: bool) -> set[EdgeKind]:
    """The kinds of edges to leave out."""
    choices = {EdgeKind.TYPE: types, EdgeKind.DEFERRED: deferred}
    return {kind for kind, wanted in choices.items() if not wanted}


def _search_breadth_first(
    start: int, depth: int, find_calls: Callable[[int], list[Hop]]
) -> list[Hop]:
    hops: list[Hop] = []
    seen, layer = {start}, [start]
    for _ in range(depth):
        if not layer:
            break
        following: list[int] = []
        for number in layer:
            found = find_calls(number)
            hops.extend(found)
            for hop in found:
                if hop.callee.number not in seen:
                    seen.add(hop.callee.number)
                    following.append(hop.callee.number)
        layer = following
    return hops


def _find_calls(graph: CallGraph, function: int, excluded: set[EdgeKind]) -> list[Hop]:
    by_callee: dict[int, list[int]] = {}
    for edge in graph.edges_from(function):
        by_callee.setdefault(graph.edge_callee[edge], []).append(edge)
    selected = [
        edge for edges in by_callee.values()
        for edge in _select_first_of_each_kind(graph, function, edges, excluded)
    ]
    hops = _make_hops(graph, selected)
    return sorted(hops, key=lambda hop: (hop.site.location, hop.site.ordinal, hop.callee.number))


def _find_calls_by_type(graph: CallGraph, function: int) -> list[Hop]:
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
