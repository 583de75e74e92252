"""Writes a picture as SVG, as Graphviz dot, or as Mermaid."""

from collections.abc import Iterable, Iterator, Sequence

from kgraph.model.results import Path
from kgraph.report.picture.lanes import load_lanes
from kgraph.report.picture.layout import Drawing, draw_hops
from kgraph.report.templates import read_asset, render

_DOT = {"direct": "solid", "indirect": "dashed", "callback": "dotted", "deferred": "dashed",
        "type": "dotted"}
_MERMAID = {"direct": "-->", "indirect": "-.->", "callback": "-.->", "deferred": "==>",
            "type": "-.->"}


def format_dot(drawing: Drawing) -> Iterator[str]:
    """A digraph, a cluster a lane."""
    yield f"digraph {_quote(drawing.title)} {{"
    yield '  node [shape=box, fontname="monospace"];'
    for number, column in enumerate(drawing.columns):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_quote(column.title)};"
        for place, box in enumerate(drawing.boxes):
            if box.lane == column.title:
                yield f"    n{place} [label={_quote(box.name, box.below)}];"
        yield "  }"
    for arrow in drawing.arrows:
        bold = ", penwidth=2" if arrow.stroke == "deferred" else ""
        yield (f"  n{arrow.caller} -> n{arrow.callee} [style={_DOT[arrow.stroke]}{bold},"
               f" tooltip={_quote(arrow.text)}];")
    yield "}"


def _quote(*lines: str) -> str:
    parts = (" ".join(line.split()).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(part for part in parts if part) + '"'


def format_mermaid(drawing: Drawing) -> Iterator[str]:
    """A flowchart, a subgraph a lane."""
    yield "flowchart TD"
    for number, column in enumerate(drawing.columns):
        yield f"  subgraph lane{number}[{_escape_mermaid(column.title)}]"
        for place, box in enumerate(drawing.boxes):
            if box.lane == column.title:
                yield f"    n{place}[{_escape_mermaid(box.name, box.below)}]"
        yield "  end"
    for arrow in drawing.arrows:
        yield f"  n{arrow.caller} {_MERMAID[arrow.stroke]} n{arrow.callee}"


def _escape_mermaid(*lines: str) -> str:
    """A label in quotes; what Mermaid or HTML could read as more than text is an entity."""
    parts = (
        "".join(letter if letter.isalnum() or letter in " _./:,()" else f"#{ord(letter)};"
                for letter in " ".join(line.split()))
        for line in lines
    )
    return '"' + "<br>".join(part for part in parts if part) + '"'


def format_svg(drawing: Drawing) -> Iterator[str]:
    """An SVG file."""
    text = render(
        "picture-file.svg", drawing=drawing, number=1, style=read_asset("picture.css"))
    yield from text.splitlines()


FORMATS = {"svg": format_svg, "dot": format_dot, "mermaid": format_mermaid}


def format_picture(title: str, paths: Sequence[Path], form: str) -> Iterable[str]:
    """The lines of one picture of some paths, in one of FORMATS; none if there is no path."""
    hops = [(hop, "") for path in paths for hop in path.hops]
    drawing = draw_hops(title, hops, load_lanes())
    return FORMATS[form](drawing) if drawing else ()
