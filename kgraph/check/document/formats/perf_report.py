"""Call graphs of `perf report --stdio`: a symbol with its share, and a tree of calls under it.

perf prints the tree from the symbol to its callers, or from the outermost caller to the symbol; the
symbol stands at the end where the tree begins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kgraph.check.document.formats.region import SURE, ReadCall, Region
from kgraph.check.document.formats.stack_frames import NAME

_HEADER = re.compile(
    rf"\s*\d+\.\d+%(?:\s+\d+\.\d+%)?\s+\S.*\s\[(?P<space>[k.gH])\]\s+{NAME}\s*$", re.ASCII)
_NODE = re.compile(
    rf"(?P<rails>[\s|]*?)(?P<branch>[-|]{{0,2}}-+(?:\d+\.\d+%-+)?|\|?-{{3}})?\s*{NAME}"
    r"(?:\s+\(inlined\))?\s*$", re.ASCII)
_RAILS = re.compile(r"[\s|]*$")


@dataclass(slots=True)
class _Node:
    """A function of the tree: the column and the place of its line."""

    column: int
    place: int
    name: str
    parent: int | None


class PerfReportReader:
    """Reads the call graphs of perf's report."""

    name = "report of perf"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """A share and a symbol, with rails under it."""
        text = texts[place]
        if "%" not in text or _HEADER.match(text) is None or place + 1 == len(texts):
            return 0
        following = texts[place + 1]
        return SURE if following.strip() in ("|", "") or "---" in following else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """One symbol with its tree."""
        header = _HEADER.match(texts[place])
        symbol = header["name"] if header else ""
        nodes: list[_Node] = []
        open_nodes: list[_Node] = []
        end = place + 1
        while end < len(texts) and not _HEADER.match(texts[end]):
            node = _parse_node(texts[end], end, open_nodes)
            if node is not None:
                nodes.append(node)
            elif not _RAILS.match(texts[end]) or (not texts[end].strip() and nodes):
                break
            end += 1
        if header is None or header["space"] != "k":
            return Region(end)
        return Region(end, _link_nodes(nodes, from_callee=bool(nodes) and nodes[0].name == symbol))


def _parse_node(text: str, place: int, open_nodes: list[_Node]) -> _Node | None:
    """The function of a line, under the last one at its column or to its left. A line with a share
    begins a branch; one without goes on with the chain at its column.
    """
    found = _NODE.match(text)
    is_drawn = found is not None and not text[:found.start("name")].isspace()
    if found is None or not (is_drawn or open_nodes):
        return None
    column = found.start("name")
    is_branch = bool(found["branch"])
    while open_nodes and (open_nodes[-1].column > column
                          or (is_branch and open_nodes[-1].column == column)):
        open_nodes.pop()
    parent = open_nodes[-1].place if open_nodes else None
    node = _Node(column, place, found["name"], parent)
    if open_nodes and open_nodes[-1].column == column:
        open_nodes[-1] = node
    else:
        open_nodes.append(node)
    return node


def _link_nodes(nodes: Sequence[_Node], *, from_callee: bool) -> dict[int, ReadCall]:
    """The claims of a tree. In one from the callee each node calls the one above it."""
    if not from_callee:
        return {node.place: ReadCall(node.name, caller=node.parent, is_frame=True)
                for node in nodes}
    names = {node.place: node.name for node in nodes}
    return {
        node.place: ReadCall(
            node.name, (names[node.parent],) if node.parent is not None else (), is_frame=True)
        for node in nodes
    }
