"""Writes a picture as SVG, as Graphviz dot, or as Mermaid."""

from collections.abc import Iterable, Iterator, Sequence

from kgraph.model.results import Path
from kgraph.report.picture.drawing import Drawing
from kgraph.report.picture.graph_text import format_dot, format_mermaid
from kgraph.report.picture.lanes import load_lanes
from kgraph.report.picture.layout import draw_ways
from kgraph.report.templates import read_asset, render


def format_svg(drawing: Drawing) -> Iterator[str]:
    """An SVG file."""
    style = read_asset("picture.css") + read_asset("picture-alone.css")
    text = render("picture.svg", drawing=drawing, number=1, own_style=style)
    yield from text.splitlines()


FORMATS = {"svg": format_svg, "dot": format_dot, "mermaid": format_mermaid}


def format_picture(title: str, paths: Sequence[Path], form: str) -> Iterable[str]:
    """The lines of one picture of some paths, merged where they are the same, in one of FORMATS;
    none if there is no path.
    """
    ways = [[(hop, "") for hop in path.hops] for path in paths]
    drawing = draw_ways(title, ways, load_lanes())
    return FORMATS[form](drawing) if drawing else ()
