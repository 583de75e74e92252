"""The paths of an answer as one picture, in the forms that other tools read."""

from collections.abc import Iterable

from kgraph.report.drawing import draw
from kgraph.report.graphs import dot_lines, mermaid_lines
from kgraph.report.lanes import shipped_lanes
from kgraph.report.site.assembly import Way
from kgraph.report.site.rendering import Renderer


def picture_lines(way: Way, form: str) -> Iterable[str]:
    """The lines of the picture in a form, "svg", "dot" or "mermaid"; none without a path."""
    hops = [(hop, "") for path in way.answer.paths for hop in path.hops]
    drawing = draw(f"{way.caller} to {way.callee}", hops, shipped_lanes())
    if drawing is None:
        return []
    if form == "svg":
        return Renderer().svg(drawing).splitlines()
    return dot_lines(drawing) if form == "dot" else mermaid_lines(drawing)
