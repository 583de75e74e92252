"""The call graph of an index, or a part of it, as a networkx graph.

Import this module only where you need such a graph: importing networkx is slow. Owns the attributes
of nodes and edges. Must not know what a graph is written as.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import networkx as nx

from kgraph.graph.callgraph import CallGraph
from kgraph.graph.parts import GraphPart, select_functions
from kgraph.model.ids import VMLINUX, FunctionId
from kgraph.model.resolution import Evidence
from kgraph.model.results import KnownFunction, KnownSite, Path

NetworkxGraph: TypeAlias = nx.MultiDiGraph  # for those who may not import networkx
_BATCH = 2000  # call sites that are read at once


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
    numbers = select_functions(graph, part or GraphPart())
    functions = graph.load_functions(numbers)
    names = _name_nodes(graph, functions)
    result = _make_network(graph, names, functions)
    for site in _iter_sites(graph, numbers):
        for edge in graph.edges_of(site.number):
            callee = names.get(graph.edge_callee[edge])
            if callee is not None:
                result.add_edge(names[site.caller], callee, edge,
                                **_edge_attributes(graph, site, edge))
    return result


def paths_to_networkx(graph: CallGraph, paths: Iterable[Path]) -> NetworkxGraph:
    """The functions and the calls of some paths alone, as for to_networkx. The key of an edge is
    the number of its call site; `candidates` and `evidence` are those of the path.
    """
    hops = [hop for path in paths for hop in path.hops]
    functions = {each.number: each for hop in hops for each in (hop.caller, hop.callee)}
    names = _name_nodes(graph, functions.values())
    result = _make_network(graph, names, functions.values())
    for hop in hops:
        result.add_edge(names[hop.caller.number], names[hop.callee.number], hop.site.number,
                        **_describe_edge(hop.site, hop.kind.value, hop.candidates, hop.evidence))
    return result


def find_dominators(pairs: Iterable[tuple[int, int]], first: int, last: int) -> list[int]:
    """The functions that every way from `first` to `last` passes, in their order, with both ends.
    Ways lead by `pairs` (caller, callee); there must be one.
    """
    above = nx.immediate_dominators(nx.DiGraph(pairs), first) if first != last else {}
    found = [last]
    while found[-1] != first:
        found.append(above[found[-1]])
    return found[::-1]


def _make_network(
    graph: CallGraph, names: dict[int, str], functions: Iterable[KnownFunction]
) -> NetworkxGraph:
    about = graph.description
    result: NetworkxGraph = nx.MultiDiGraph(tree=about.tree, release=about.release)
    for function in functions:
        result.add_node(names[function.number], **_node_attributes(function))
    return result


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
    return _describe_edge(
        site, graph.kind(edge).value, graph.count_candidates(edge), graph.evidence(edge))


def _describe_edge(
    site: KnownSite, kind: str, candidates: int, evidence: Iterable[Evidence]
) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "kind": kind, "file": site.location.path, "line": site.location.line,
        "column": site.location.column, "ordinal": site.ordinal, "text": site.expression,
        "macro": site.macro, "slot": site.holder, "candidates": candidates,
        "evidence": "; ".join(map(_describe, evidence)),
    }
    return {name: value for name, value in attributes.items() if value != ""}


def _describe(item: Evidence) -> str:
    return f"{item.role.value} {item.location} {item.holder}".rstrip()


def make_node_link(network: NetworkxGraph) -> dict[str, Any]:
    """A graph in networkx's node-link form, for JSON; `networkx.node_link_graph` reads it with
    `edges="edges"`."""
    data: dict[str, Any] = nx.node_link_data(network, edges="edges")
    return data
