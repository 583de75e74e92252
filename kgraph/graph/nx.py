"""The call graph of an index, or a part of it, as a networkx graph.

Import this module only where you need such a graph: importing networkx is slow. Owns the attributes
of nodes and edges. Must not know what a graph is written as.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx

from kgraph.graph.callgraph import CallGraph
from kgraph.model.ids import VMLINUX, FunctionId
from kgraph.model.resolution import Evidence
from kgraph.model.results import KnownFunction, KnownSite

NetworkxGraph: TypeAlias = nx.MultiDiGraph  # for those who may not import networkx
_BATCH = 2000  # call sites that are read at once


@dataclass(frozen=True, slots=True)
class GraphPart:
    """Which functions a graph has: those that meet every condition that is given, all by default.

    `functions` are numbers. `folder` is a path of the tree: functions defined in or below it.
    `around` are numbers of functions: they, and what reaches one of them or is reached from one in
    at most `depth` calls.
    """

    functions: frozenset[int] | None = None
    folder: str = ""
    around: tuple[int, ...] = ()
    depth: int = 1


def to_networkx(graph: CallGraph, part: GraphPart | None = None) -> NetworkxGraph:
    """A graph with a node for each function, and an edge for each candidate of each call site.

    A node is the function as kgraph's commands take it: its name or, where several functions have
    that name, `scope:name` (before it the image, if that is not vmlinux). Its attributes are
    `name`, `scope`, `image`, and `file` and `line` of its definition, if the index has one.

    The key of an edge is its number in the index. Its attributes are `kind`; `file`, `line`,
    `column` and `ordinal` of the call site; `text`, the callee as the call writes it; `macro`;
    `slot`, what an indirect call goes through; `candidates`, how many callees the call site has;
    and `evidence` ("binding net/ipv4/af_inet.c:925 proto_ops.sendmsg; install ..."). All are texts
    and numbers, and empty ones are left out, as are edges to functions outside the part.

    linux-4.6.2 takes 10 s of CPU and 400 MB. Raises StoreError if the index is damaged.
    """
    numbers = _select_functions(graph, part or GraphPart())
    functions = graph.load_functions(numbers)
    names = _name_nodes(graph, functions)
    about = graph.description
    result: NetworkxGraph = nx.MultiDiGraph(tree=about.tree, release=about.release)
    for function in functions:
        result.add_node(names[function.number], **_node_attributes(function))
    for site in _iter_sites(graph, numbers):
        for edge in graph.edges_of(site.number):
            callee = names.get(graph.edge_callee[edge])
            if callee is not None:
                result.add_edge(names[site.caller], callee, edge,
                                **_edge_attributes(graph, site, edge))
    return result


def _select_functions(graph: CallGraph, part: GraphPart) -> list[int]:
    """The numbers of the functions of a part, ascending."""
    chosen = set(range(len(graph)))
    if part.functions is not None:
        chosen &= part.functions
    if part.around:
        chosen &= _find_neighbourhood(graph, part.around, part.depth)
    if part.folder:
        chosen &= {function.number for function in graph.find_functions_in(part.folder)}
    return sorted(chosen)


def _find_neighbourhood(graph: CallGraph, centres: Iterable[int], depth: int) -> set[int]:
    """The functions that reach one of `centres`, or are reached from one, in `depth` calls."""
    return {*_reach(graph.callers_of, centres, depth), *_reach(graph.callees_of, centres, depth)}


def _reach(
    neighbours: Callable[[int], Iterable[int]], centres: Iterable[int], depth: int
) -> set[int]:
    found = set(centres)
    layer = found
    for _ in range(depth):
        layer = {other for number in layer for other in neighbours(number)} - found
        found |= layer
    return found


def _name_nodes(graph: CallGraph, functions: Iterable[KnownFunction]) -> dict[int, str]:
    """Function -> the name of its node, which does not depend on the part that is drawn."""
    shared = graph.find_shared_names()
    return {function.number: _qualify(function.id) if function.id.name in shared
            else function.id.name for function in functions}


def _qualify(function: FunctionId) -> str:
    image = "" if function.image == VMLINUX else function.image
    return ":".join(filter(None, (image, function.scope, function.name)))


def _iter_sites(graph: CallGraph, callers: list[int]) -> Iterator[KnownSite]:
    """The call sites of some functions, ascending, read in batches."""
    waiting: list[int] = []
    for caller in callers:
        waiting += range(graph.site_start[caller], graph.site_start[caller + 1])
        if len(waiting) >= _BATCH:
            yield from graph.load_sites(waiting)
            waiting.clear()
    yield from graph.load_sites(waiting)


def _node_attributes(function: KnownFunction) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "name": function.id.name, "scope": function.id.scope, "image": function.id.image}
    if function.location is not None:
        attributes |= {"file": function.location.path, "line": function.location.line}
    return {name: value for name, value in attributes.items() if value != ""}


def _edge_attributes(graph: CallGraph, site: KnownSite, edge: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "kind": graph.kind(edge).value, "file": site.location.path, "line": site.location.line,
        "column": site.location.column, "ordinal": site.ordinal, "text": site.expression,
        "macro": site.macro, "slot": site.holder, "candidates": graph.count_candidates(edge),
        "evidence": "; ".join(map(_describe, graph.evidence(edge))),
    }
    return {name: value for name, value in attributes.items() if value != ""}


def _describe(item: Evidence) -> str:
    return f"{item.role.value} {item.location} {item.holder}".rstrip()


def make_node_link(network: NetworkxGraph) -> dict[str, Any]:
    """A graph in networkx's node-link form, for JSON; `networkx.node_link_graph` reads it with
    `edges="edges"`."""
    data: dict[str, Any] = nx.node_link_data(network, edges="edges")
    return data
