"""Lays out call chains as swim lanes: one lane a layer of the kernel, time runs downwards.

The layout is a grid, so no layout engine is needed: a column is a lane, a row is a function. An
arrow to the next row runs straight between the two boxes. An arrow to a later row leaves its
caller to the left, goes down in the margin of the lane, and arrives in the gap above its
callee; so no arrow crosses a box.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop, KnownFunction
from kgraph.report.picture.lanes import Lanes

_LETTER, _SMALL = 7.3, 5.9  # the width of a letter of the two sizes of text, in pixels
_BOX, _GAP, _BREAK, _MARGIN, _HEAD, _LEGEND = 38, 22, 30, 22, 34, 24
_TRUNKS = 3
STROKES = {
    EdgeKind.DIRECT: "direct", EdgeKind.ASM: "direct", EdgeKind.OPS: "indirect",
    EdgeKind.POINTER: "indirect", EdgeKind.CALLBACK: "callback", EdgeKind.DEFERRED: "deferred",
    EdgeKind.TYPE: "type",
}
_MEANING = {
    "direct": "direct call", "indirect": "through a pointer", "callback": "callback passed on",
    "deferred": "runs later", "type": "by its type alone",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A lane. Sizes are pixels."""

    title: str
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Box:
    """A function in its lane. `below` is written under its name; a click leads to `href`. Sizes are
    pixels.
    """

    name: str
    below: str
    href: str
    left: int
    top: int
    width: int
    lane: str
    height: int = _BOX


@dataclass(frozen=True, slots=True)
class Arrow:
    """A call. `stroke` is its style, `line` SVG path data; `caller` and `callee` index boxes."""

    stroke: str
    line: str
    caller: int
    callee: int
    text: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where the context changes: everything below runs later."""

    top: int
    text: str


@dataclass(frozen=True, slots=True)
class LegendItem:
    """A stroke and its meaning."""

    stroke: str
    text: str
    left: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture. Sizes are pixels."""

    title: str
    description: str
    width: int
    height: int
    columns: tuple[Column, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    breaks: tuple[Break, ...]
    legend: tuple[LegendItem, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    function: KnownFunction
    lane: str
    below: str
    href: str


@dataclass(frozen=True, slots=True)
class _Link:
    hop: Hop
    caller: int
    callee: int


def draw_hops(title: str, steps: Iterable[tuple[Hop, str]], lanes: Lanes) -> Drawing | None:
    """The picture of some hops, each with the target of a click on its callee; None without hops.

    A hop continues at the last box of its caller; if there is none it begins a new chain. A
    function that recurs gets a new box, but each call of a box is drawn once.
    """
    rows, links = _place_rows(steps, lanes)
    if not rows:
        return None
    columns = _place_columns(rows, lanes)
    boxes, breaks, bottom = _place_boxes(rows, links, columns)
    arrows = tuple(_draw_arrow(link, boxes, columns) for link in links)
    width = columns[-1].left + columns[-1].width
    legend, needed = _make_legend(arrows)
    return Drawing(
        title, _describe(rows, links), max(width, needed), bottom + _LEGEND,
        tuple(columns), tuple(boxes), arrows, tuple(breaks), legend,
    )


def _place_rows(steps: Iterable[tuple[Hop, str]], lanes: Lanes) -> tuple[list[_Row], list[_Link]]:
    rows: list[_Row] = []
    links: list[_Link] = []
    latest: dict[int, int] = {}
    drawn: set[tuple[int, int, int]] = set()
    for hop, href in steps:
        if hop.caller.number not in latest:
            latest[hop.caller.number] = len(rows)
            rows.append(
                _Row(hop.caller, lanes.find_lane(hop.caller), _describe_definition(hop.caller), "")
            )
        caller = latest[hop.caller.number]
        key = (caller, hop.site.number, hop.callee.number)
        if key in drawn:
            continue
        drawn.add(key)
        links.append(_Link(hop, caller, len(rows)))
        latest[hop.callee.number] = len(rows)
        lane = lanes.find_lane(hop.callee, rows[caller].lane)
        rows.append(_Row(hop.callee, lane, _describe_call(hop), href))
    return rows, links


def _describe_definition(function: KnownFunction) -> str:
    return str(function.location) if function.location else ""


def _describe_call(hop: Hop) -> str:
    """The line under the callee's name: the slot of an indirect call, else the citation."""
    if STROKES[hop.kind] == "direct" or not hop.site.holder:
        return str(hop.site.location)
    return f"{hop.site.holder}, 1 of {hop.candidates}" if hop.candidates > 1 else hop.site.holder


def _place_columns(rows: Sequence[_Row], lanes: Lanes) -> list[Column]:
    columns, left = [], 0
    for title in lanes.sort_titles(row.lane for row in rows):
        widths = [_measure(row) for row in rows if row.lane == title]
        width = max(*widths, int(len(title) * _LETTER) + 8) + 2 * _MARGIN
        columns.append(Column(title, left, width))
        left += width
    return columns


def _measure(row: _Row) -> int:
    return int(max(len(row.function.id.name) * _LETTER, len(row.below) * _SMALL)) + 20


def _place_boxes(
    rows: Sequence[_Row], links: Sequence[_Link], columns: Sequence[Column]
) -> tuple[list[Box], list[Break], int]:
    lane = {column.title: column for column in columns}
    into = {link.callee: link.hop for link in links}
    boxes, breaks, top = [], [], _HEAD + _GAP // 2
    for number, row in enumerate(rows):
        hop = into.get(number)
        if hop is not None and hop.kind is EdgeKind.DEFERRED:
            breaks.append(Break(top, f"later: {_describe_key(hop)}"))
            top += _BREAK
        elif hop is None and number:
            top += _GAP
        column, width = lane[row.lane], _measure(row)
        left = column.left + (column.width - width) // 2
        boxes.append(Box(row.function.id.name, row.below, row.href, left, top, width, row.lane))
        top += _BOX + _GAP
    return boxes, breaks, top


def _describe_key(hop: Hop) -> str:
    return hop.evidence[0].holder if hop.evidence else "another context"


def _draw_arrow(link: _Link, boxes: Sequence[Box], columns: Sequence[Column]) -> Arrow:
    caller, callee = boxes[link.caller], boxes[link.callee]
    middle, target = caller.left + caller.width // 2, callee.left + callee.width // 2
    above = callee.top - _GAP // 2
    if link.callee == link.caller + 1:
        start = f"M{middle} {caller.top + caller.height}V{above}"
    else:
        lane = next(column for column in columns if column.title == caller.lane)
        trunk = lane.left + 5 + 5 * (link.caller % _TRUNKS)
        start = f"M{caller.left} {caller.top + caller.height // 2}H{trunk}V{above}"
    line = f"{start}H{target}V{callee.top}"
    stroke = STROKES[link.hop.kind]
    text = f"{link.hop.caller} to {link.hop.callee}, {_MEANING[stroke]} ({link.hop.site.location})"
    return Arrow(stroke, line, link.caller, link.callee, text)


def _make_legend(arrows: Sequence[Arrow]) -> tuple[tuple[LegendItem, ...], int]:
    used = {arrow.stroke for arrow in arrows}
    items, left = [], 12
    for stroke, text in _MEANING.items():
        if stroke in used:
            items.append(LegendItem(stroke, text, left))
            left += 56 + int(len(text) * _SMALL)
    return tuple(items), left


def _describe(rows: Sequence[_Row], links: Sequence[_Link]) -> str:
    """The picture in words, for readers who cannot see it."""
    later = sum(link.hop.kind is EdgeKind.DEFERRED for link in links)
    through = sum(STROKES[link.hop.kind] not in ("direct", "deferred") for link in links)
    return (
        f"{len(rows)} functions from {rows[0].function} to {rows[-1].function}; {len(links)} calls,"
        f" {through} of them through pointers, {later} deferred."
    )
