"""The callers and the callees of a function, and every hop of the graph."""

from collections.abc import Callable, Iterator

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop, KnownFunction

_DIRECT = {EdgeKind.DIRECT, EdgeKind.ASM}  # they go through no holder


def find_callers(
    graph: CallGraph, function: KnownFunction, *, types: bool = False, deferred: bool = True,
    most: int | None = None,
) -> list[Hop]:
    """The calls that reach `function`, each caller once for each kind of call; with `types` also
    those that could not be resolved and that it fits by its type. Only the first `most` callers
    are looked at, if that is given.
    """
    unwanted = _excluded_kinds(types=types, deferred=deferred)
    found = []
    for caller in graph.callers_of(function.number)[:most]:
        edges = [e for e in graph.edges_from(caller) if graph.edge_callee[e] == function.number]
        found += _first_of_each_kind(graph, caller, edges, unwanted)
    hops = _hops(graph, found)
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
    """The calls that `function` makes, in the order of its lines; with `depth` above 1 followed by
    those of the functions it reaches, each function once, nearer ones first.
    """
    unwanted = _excluded_kinds(types=types, deferred=deferred)

    def calls_of(number: int) -> list[Hop]:
        hops = _calls_of(graph, number, unwanted)
        return hops + _by_type(graph, number) if types else hops

    return _search_breadth_first(function.number, depth, calls_of)


def _by_type(graph: CallGraph, function: int) -> list[Hop]:
    return [
        graph.hop_by_type(site, callee)
        for site in graph.by_type.sites_of(function)
        for callee in graph.by_type.callees(site)
    ]


def _excluded_kinds(*, types: bool, deferred: bool) -> set[EdgeKind]:
    """The kinds of edges to leave out."""
    choices = {EdgeKind.TYPE: types, EdgeKind.DEFERRED: deferred}
    return {kind for kind, wanted in choices.items() if not wanted}


def _search_breadth_first(
    start: int, depth: int, calls_of: Callable[[int], list[Hop]]
) -> list[Hop]:
    hops: list[Hop] = []
    seen, layer = {start}, [start]
    for _ in range(depth):
        if not layer:
            break
        following: list[int] = []
        for number in layer:
            found = calls_of(number)
            hops.extend(found)
            for hop in found:
                if hop.callee.number not in seen:
                    seen.add(hop.callee.number)
                    following.append(hop.callee.number)
        layer = following
    return hops


def _calls_of(graph: CallGraph, function: int, unwanted: set[EdgeKind]) -> list[Hop]:
    by_callee: dict[int, list[int]] = {}
    for edge in graph.edges_from(function):
        by_callee.setdefault(graph.edge_callee[edge], []).append(edge)
    found = [
        edge for edges in by_callee.values()
        for edge in _first_of_each_kind(graph, function, edges, unwanted)
    ]
    hops = _hops(graph, found)
    return sorted(hops, key=lambda hop: (hop.site.location, hop.site.ordinal, hop.callee.number))


def _hops(graph: CallGraph, edges: list[int]) -> list[Hop]:
    graph.preload(edges)
    return [graph.hop(edge) for edge in edges]


def _first_of_each_kind(
    graph: CallGraph, caller: int, edges: list[int], unwanted: set[EdgeKind]
) -> list[int]:
    """Of edges of one caller the first of each kind and holder: others are among its `sites`."""
    kinds = [graph.kind(edge) for edge in edges]
    through = {} if _DIRECT.issuperset(kinds) else graph.find_holders_from(caller)
    first: dict[tuple[EdgeKind, int | None], int] = {}
    for edge, kind in zip(edges, kinds, strict=True):
        if kind not in unwanted:
            first.setdefault((kind, through.get(graph.site_of(edge))), edge)
    return list(first.values())


def iter_hops(graph: CallGraph) -> Iterator[Hop]:
    """Every edge as a hop, one caller's after another's: by call site, then by callee."""
    for function in range(len(graph)):
        for edge in graph.edges_from(function):
            yield graph.hop(edge)
