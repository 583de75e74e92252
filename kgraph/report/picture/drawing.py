"""The records of a picture, and what both of its forms have in common. Sizes are pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop

LETTER, SMALL = 7.3, 5.9  # the width of a letter of the two sizes of text
BOX, LEGEND = 38, 24
STROKES = {
    EdgeKind.DIRECT: "direct", EdgeKind.ASM: "direct", EdgeKind.OPS: "indirect",
    EdgeKind.POINTER: "indirect", EdgeKind.CALLBACK: "callback", EdgeKind.DEFERRED: "deferred",
    EdgeKind.TYPE: "type",
}
MEANING = {
    "direct": "direct call", "indirect": "through a pointer", "callback": "callback passed on",
    "deferred": "runs later", "type": "by its type alone",
}
_OTHER = "on other ways only"


@dataclass(frozen=True, slots=True)
class Column:
    """A lane."""

    title: str
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Box:
    """A function in its lane. `below` is written under its name; a click leads to `href`.
    `is_other`: the first way does not pass it.
    """

    name: str
    below: str
    href: str
    left: int
    top: int
    width: int
    lane: str
    is_other: bool = False
    height: int = BOX


@dataclass(frozen=True, slots=True)
class Arrow:
    """A call. `stroke` is its style, `line` SVG path data; `caller` and `callee` index boxes."""

    stroke: str
    line: str
    caller: int
    callee: int
    text: str
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    """Where the context changes: what is below runs later."""

    left: int
    width: int
    top: int
    text: str


@dataclass(frozen=True, slots=True)
class LegendItem:
    """A stroke and its meaning."""

    stroke: str
    text: str
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class LaneTitle:
    """In the narrow form: from here on, functions are in this lane."""

    text: str
    top: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture. `narrow` is the form of it that fits a narrow screen."""

    title: str
    description: str
    width: int
    height: int
    columns: tuple[Column, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    breaks: tuple[Break, ...]
    legend: tuple[LegendItem, ...]
    titles: tuple[LaneTitle, ...] = ()
    narrow: "Drawing | None" = None


def describe_key(hop: Hop) -> str:
    """What a deferred call was registered under."""
    return hop.evidence[0].holder if hop.evidence else "another context"


def describe_arrow(hop: Hop) -> str:
    """A call in words."""
    meaning = MEANING[STROKES[hop.kind]]
    return f"{hop.caller} to {hop.callee}, {meaning} ({hop.site.location})"


def make_legend(
    arrows: Sequence[Arrow], top: int, *, most: int = 0
) -> tuple[tuple[LegendItem, ...], int, int]:
    """The meanings of the strokes of some arrows, in lines of `most` pixels at most (0: one line);
    with the width and the height that they take.
    """
    used = {arrow.stroke for arrow in arrows}
    rows = [(stroke, text) for stroke, text in MEANING.items() if stroke in used]
    if any(arrow.is_other for arrow in arrows):
        rows.append(("direct other", _OTHER))
    items: list[LegendItem] = []
    left, line, widest = 12, 0, 0
    for stroke, text in rows:
        needed = 56 + int(len(text) * SMALL)
        if most and left > 12 and left + needed > most:
            left, line = 12, line + 1
        items.append(LegendItem(stroke, text, left, top + LEGEND * line))
        left += needed
        widest = max(widest, left)
    return tuple(items), widest, LEGEND * (line + 1)
