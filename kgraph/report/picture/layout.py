"""Lays out a picture as swim lanes: one lane a layer of the kernel, time runs downwards.

The layout is a grid, so no layout engine is needed: a lane has a track for each way that parts
there, a row has functions that are equally far down. An arrow leaves its caller downwards and
arrives from the gap above its callee; between rows that are farther apart it goes down in the
margin beside a track. So no arrow crosses a box.

On a narrow screen the functions stand below one another, with the names of lanes between them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kgraph.model.resolution import EdgeKind
from kgraph.report.picture.drawing import (
    BOX,
    LETTER,
    SMALL,
    STROKES,
    Arrow,
    Box,
    Break,
    Column,
    Drawing,
    LaneTitle,
    describe_arrow,
    describe_key,
    make_legend,
)
from kgraph.report.picture.graph import (
    Link,
    Node,
    PictureGraph,
    Step,
    follow_steps,
    merge_ways,
)
from kgraph.report.picture.lanes import Lanes

_GAP, _BREAK, _MARGIN, _HEAD = 26, 30, 22, 34
_TRUNKS = 3
_ROUNDED = 2  # by so much boxes of one track may be apart
_NARROW, _NARROW_MARGIN, _NARROW_TITLE, _NARROW_TRUNKS = 330, 34, 26, 4


def draw_hops(title: str, steps: Iterable[Step], lanes: Lanes) -> Drawing | None:
    """The picture of the calls of a document, each with the target of a click on its callee; None
    without calls.
    """
    graph = follow_steps(steps, lanes)
    return _draw(title, graph) if graph.nodes else None


def draw_ways(title: str, ways: Sequence[Sequence[Step]], lanes: Lanes) -> Drawing | None:
    """The picture of some ways, merged where they are the same; None without calls."""
    graph = merge_ways(ways, lanes)
    return _draw(title, graph) if graph.nodes else None


def _draw(title: str, graph: PictureGraph) -> Drawing:
    return replace(_draw_wide(title, graph), narrow=_draw_narrow(title, graph))


def _draw_wide(title: str, graph: PictureGraph) -> Drawing:
    tracks = _Tracks(graph.nodes)
    tops, bottom = _place_rows(graph)
    boxes = tuple(
        Box(node.function.id.name, node.below, node.href, left, tops[node.row], width, node.lane,
            is_other=node.way > 0)
        for node in graph.nodes
        for left, width in [tracks.place(node)])
    arrows = tuple(_draw_arrow(link, boxes, graph, tracks) for link in graph.links)
    legend, needed, legend_height = make_legend(arrows, bottom)
    width = max(tracks.width, needed)
    breaks = tuple(_iter_breaks(graph, boxes, tops, width))
    return Drawing(title, graph.describe(), width, bottom + legend_height, tracks.columns, boxes,
                   arrows, breaks, legend)


class _Tracks:
    """Lanes from left to right, in the order in which the first way passes them, and their tracks:
    one for each way that parts in the lane where others have functions.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._track = self._assign(nodes)
        titles = list(dict.fromkeys(
            node.lane for node in sorted(nodes, key=lambda node: (node.way, node.row))))
        self._left: dict[tuple[str, int], int] = {}
        self._width: dict[tuple[str, int], int] = {}
        columns, left = [], 0
        for title in titles:
            first = left
            inside = [node for node in nodes if node.lane == title]
            for track in sorted({self._track[id(node)] for node in inside}):
                width = 2 * _MARGIN + max(
                    _measure(node) for node in inside if self._track[id(node)] == track)
                self._left[title, track], self._width[title, track] = left, width
                left += width
            needed = int(len(title) * LETTER) + 8 + 2 * _MARGIN
            if left - first < needed:
                self._width[title, max(t for lane, t in self._width if lane == title)] += (
                    needed - (left - first))
                left = first + needed
            columns.append(Column(title, first, left - first))
        self.columns, self.width = tuple(columns), left

    @staticmethod
    def _assign(nodes: Sequence[Node]) -> dict[int, int]:
        """Node -> its track in its lane. What a way adds to a lane stays together."""
        taken: set[tuple[str, int, int]] = set()
        found: dict[int, int] = {}
        groups: dict[tuple[int, str], list[Node]] = {}
        for node in nodes:
            groups.setdefault((node.way, node.lane), []).append(node)
        for (_, lane), group in sorted(groups.items(), key=lambda item: item[0][0]):
            rows = sorted(node.row for node in group)
            track = 0
            while any((lane, track, row) in taken for row in range(rows[0], rows[-1] + 1)):
                track += 1
            for node in group:
                found[id(node)] = track
                taken.add((lane, track, node.row))
        return found

    def place(self, node: Node) -> tuple[int, int]:
        """Left edge and width of a node's box."""
        key, width = (node.lane, self._track[id(node)]), _measure(node)
        return self._left[key] + (self._width[key] - width) // 2, width

    def margin(self, node: Node) -> int:
        """The left edge of a node's track."""
        return self._left[node.lane, self._track[id(node)]]


def _measure(node: Node) -> int:
    return int(max(len(node.function.id.name) * LETTER, len(node.below) * SMALL)) + 20


def _place_rows(graph: PictureGraph) -> tuple[list[int], int]:
    """The top of each row, and the bottom of all."""
    later = {graph.nodes[link.callee].row for link in graph.links
             if link.hop.kind is EdgeKind.DEFERRED}
    reached = {link.callee for link in graph.links}
    apart = {node.row for number, node in enumerate(graph.nodes)
             if number not in reached and node.row}
    tops, top = [], _HEAD + _GAP // 2
    for row in range(1 + max(node.row for node in graph.nodes)):
        top += _BREAK if row in later else _GAP if row in apart else 0
        tops.append(top)
        top += BOX + _GAP
    return tops, top


def _draw_arrow(
    link: Link, boxes: Sequence[Box], graph: PictureGraph, tracks: _Tracks
) -> Arrow:
    caller, callee = boxes[link.caller], boxes[link.callee]
    middle, target = caller.left + caller.width // 2, callee.left + callee.width // 2
    if abs(middle - target) <= _ROUNDED:
        target = middle
    aside = 4 * (link.caller % _TRUNKS - 1)
    above = callee.top - _GAP // 2 + aside
    line = f"M{middle} {caller.top + caller.height}"
    if graph.nodes[link.callee].row != graph.nodes[link.caller].row + 1:
        margin = tracks.margin(graph.nodes[link.callee]) + 6 + 5 * (link.caller % _TRUNKS)
        line += f"V{caller.top + caller.height + _GAP // 2 + aside}H{margin}"
    line += f"V{above}H{target}V{callee.top}"
    return Arrow(STROKES[link.hop.kind], line, link.caller, link.callee,
                 describe_arrow(link.hop), is_other=link.way > 0)


def _iter_breaks(
    graph: PictureGraph, boxes: Sequence[Box], tops: Sequence[int], width: int
) -> Iterable[Break]:
    """Lines above what runs later: through the whole picture if everything below does."""
    seen: set[tuple[int, str]] = set()
    for link in graph.links:
        if link.hop.kind is not EdgeKind.DEFERRED:
            continue
        row, box = graph.nodes[link.callee].row, boxes[link.callee]
        text = f"later: {describe_key(link.hop)}"
        if (row, text) in seen:
            continue
        seen.add((row, text))
        crossing = [other for other in graph.links
                    if graph.nodes[other.caller].row < row <= graph.nodes[other.callee].row]
        top = tops[row] - _BREAK
        if all(other.hop.kind is EdgeKind.DEFERRED for other in crossing):
            yield Break(0, width, top, text)
        else:
            left = max(0, box.left - 10)
            yield Break(left, max(box.width + 20, int(len(text) * SMALL) + 16), top, text)


def _draw_narrow(title: str, graph: PictureGraph) -> Drawing:
    """Functions below one another; calls to the next one run straight, others in the margin."""
    boxes: list[Box] = []
    titles: list[LaneTitle] = []
    breaks: list[Break] = []
    into = {link.callee: link.hop for link in reversed(graph.links)}
    top, lane = 8, ""
    for number, node in enumerate(graph.nodes):
        hop = into.get(number)
        if hop is not None and hop.kind is EdgeKind.DEFERRED:
            breaks.append(Break(0, _NARROW, top, f"later: {describe_key(hop)}"))
            top += _BREAK
        if node.lane != lane:
            lane = node.lane
            titles.append(LaneTitle(lane, top + 14))
            top += _NARROW_TITLE
        boxes.append(Box(
            _shorten(node.function.id.name, LETTER), _shorten(node.below, SMALL), node.href,
            _NARROW_MARGIN, top, _NARROW - _NARROW_MARGIN - 8, lane, is_other=node.way > 0))
        top += BOX + _GAP
    arrows = tuple(_draw_narrow_arrow(link, boxes, titles) for link in graph.links)
    legend, _, height = make_legend(arrows, top, most=_NARROW)
    return Drawing(title, graph.describe(), _NARROW, top + height, (), tuple(boxes), arrows,
                   tuple(breaks), legend, tuple(titles))


def _shorten(text: str, letter: float) -> str:
    room = int((_NARROW - _NARROW_MARGIN - 20) / letter)
    return text if len(text) <= room else f"…{text[1 - room:]}"


def _draw_narrow_arrow(
    link: Link, boxes: Sequence[Box], titles: Sequence[LaneTitle]
) -> Arrow:
    caller, callee = boxes[link.caller], boxes[link.callee]
    if link.callee == link.caller + 1:
        between = any(caller.top < title.top < callee.top for title in titles)
        middle = _NARROW - 40 if between else callee.left + callee.width // 2
        line = f"M{middle} {caller.top + caller.height}V{callee.top}"
    else:
        trunk = link.caller % _NARROW_TRUNKS
        line = (f"M{caller.left} {caller.top + caller.height // 2}H{6 + 6 * trunk}"
                f"V{callee.top + 8 + 5 * trunk}H{callee.left}")
    return Arrow(STROKES[link.hop.kind], line, link.caller, link.callee,
                 describe_arrow(link.hop), is_other=link.way > 0)
