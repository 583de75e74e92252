"""The call graph in the languages of graph tools: GraphML, node-link JSON, Graphviz dot.

Import this module only where you write one of them: importing networkx is slow.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from kgraph.graph.nx import NetworkxGraph, make_node_link
from kgraph.model.resolution import EdgeKind
from kgraph.report.picture.drawing import STROKES
from kgraph.report.picture.graph_text import DOT_STYLES, quote_dot

_ATTRIBUTES = {
    "node": ("name", "scope", "image", "file", "line"),
    "edge": ("kind", "file", "line", "column", "ordinal", "text", "macro", "slot", "candidates",
             "evidence"),
}
_NUMBERS = {"line", "column", "ordinal", "candidates"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def format_network(network: NetworkxGraph, form: str) -> Iterator[str]:
    """The lines of a graph in one of NETWORK_FORMATS."""
    return NETWORK_FORMATS[form](network)


def _format_graphml(network: NetworkxGraph) -> Iterator[str]:
    """The lines of a graph as GraphML; `networkx.read_graphml` reads them.

    networkx would write the same, but from a tree of XML elements of the whole graph, which takes
    gigabytes for a kernel.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for of, names in _ATTRIBUTES.items():
        for name in names:
            kind = "int" if name in _NUMBERS else "string"
            yield f'  <key id="{of}.{name}" for="{of}" attr.name="{name}" attr.type="{kind}"/>'
    yield '  <graph edgedefault="directed">'
    for name, attributes in network.nodes(data=True):
        yield f'    <node id={_quote(name)}>{_encode_attributes("node", attributes)}</node>'
    for caller, callee, key, attributes in network.edges(keys=True, data=True):
        yield (f'    <edge id="{key}" source={_quote(caller)} target={_quote(callee)}>'
               f'{_encode_attributes("edge", attributes)}</edge>')
    yield "  </graph>"
    yield "</graphml>"


def _encode_attributes(of: str, attributes: dict[str, Any]) -> str:
    return "".join(f'<data key="{of}.{name}">{escape(_clean(value))}</data>'
                   for name, value in attributes.items())


def _quote(value: object) -> str:
    return quoteattr(_clean(value))


def _clean(value: object) -> str:
    """A text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))


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
    "graphml": _format_graphml, "node-link": _format_node_link, "dot": _format_dot,
}
