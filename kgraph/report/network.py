"""The call graph in the languages of graph tools: GraphML, node-link JSON, Graphviz dot.

Import this module only where you write one of them: importing networkx is slow.
"""

import json
from collections.abc import Callable, Iterator, Mapping

from kgraph.graph.nx import NetworkxGraph, iter_graphml, make_node_link
from kgraph.model.resolution import EdgeKind
from kgraph.report.picture.graph_text import DOT_STYLES, quote_dot
from kgraph.report.picture.layout import STROKES


def format_network(network: NetworkxGraph, form: str) -> Iterator[str]:
    """The lines of a graph in one of NETWORK_FORMATS."""
    return NETWORK_FORMATS[form](network)


def _format_node_link(network: NetworkxGraph) -> Iterator[str]:
    yield json.dumps(make_node_link(network))


def _format_dot(network: NetworkxGraph) -> Iterator[str]:
    """A digraph. A node shows where its function is defined, an edge what the call goes through."""
    yield "digraph kgraph {"
    yield '  node [shape=box, fontname="monospace"];'
    for node, attributes in network.nodes(data=True):
        yield f"  {quote_dot(node)} [label={quote_dot(attributes['name'], _cite(attributes))}];"
    for caller, callee, attributes in network.edges(data=True):
        stroke = STROKES[EdgeKind(attributes["kind"])]
        label = f"label={quote_dot(attributes['slot'])}, " if "slot" in attributes else ""
        yield (f"  {quote_dot(caller)} -> {quote_dot(callee)} [{label}style={DOT_STYLES[stroke]},"
               f" tooltip={quote_dot(_cite(attributes))}];")
    yield "}"


def _cite(attributes: Mapping[str, object]) -> str:
    return f"{attributes['file']}:{attributes['line']}" if "file" in attributes else ""


NETWORK_FORMATS: dict[str, Callable[[NetworkxGraph], Iterator[str]]] = {
    "graphml": iter_graphml, "node-link": _format_node_link, "dot": _format_dot,
}
