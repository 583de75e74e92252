"""Pictures of paths as text for other tools: Graphviz's dot, and Mermaid."""

from collections.abc import Iterator

from kgraph.report.drawing import Drawing

_DOT = {"direct": "solid", "indirect": "dashed", "callback": "dotted", "deferred": "dashed",
        "type": "dotted"}
_MERMAID = {"direct": "-->", "indirect": "-.->", "callback": "-.->", "deferred": "==>",
            "type": "-.->"}


def dot_lines(drawing: Drawing) -> Iterator[str]:
    """A digraph, a cluster a lane."""
    yield f"digraph {_quoted(drawing.title)} {{"
    yield '  node [shape=box, fontname="monospace"];'
    for number, column in enumerate(drawing.columns):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_quoted(column.title)};"
        for place, box in enumerate(drawing.boxes):
            if box.lane == column.title:
                yield f"    n{place} [label={_quoted(box.name, box.below)}];"
        yield "  }"
    for arrow in drawing.arrows:
        bold = ", penwidth=2" if arrow.stroke == "deferred" else ""
        yield (f"  n{arrow.caller} -> n{arrow.callee} [style={_DOT[arrow.stroke]}{bold},"
               f" tooltip={_quoted(arrow.text)}];")
    yield "}"


def _quoted(*lines: str) -> str:
    parts = (" ".join(line.split()).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(part for part in parts if part) + '"'


def mermaid_lines(drawing: Drawing) -> Iterator[str]:
    """A flowchart, a subgraph a lane."""
    yield "flowchart TD"
    for number, column in enumerate(drawing.columns):
        yield f"  subgraph lane{number}[{_entities(column.title)}]"
        for place, box in enumerate(drawing.boxes):
            if box.lane == column.title:
                yield f"    n{place}[{_entities(box.name, box.below)}]"
        yield "  end"
    for arrow in drawing.arrows:
        yield f"  n{arrow.caller} {_MERMAID[arrow.stroke]} n{arrow.callee}"


def _entities(*lines: str) -> str:
    """A label in quotes; what Mermaid or HTML could read as more than text is an entity."""
    parts = (
        "".join(letter if letter.isalnum() or letter in " _./:,()" else f"#{ord(letter)};"
                for letter in " ".join(line.split()))
        for line in lines
    )
    return '"' + "<br>".join(part for part in parts if part) + '"'
