"""Pictures in the languages of graph tools, Graphviz dot and Mermaid. These tools lay them out."""

from collections.abc import Iterator

from kgraph.report.picture.drawing import Drawing

DOT_STYLES = {"direct": "solid", "indirect": "dashed", "callback": "dotted", "deferred": "dashed",
              "type": "dotted"}
_MERMAID = {"direct": "-->", "indirect": "-.->", "callback": "-.->", "deferred": "==>",
            "type": "-.->"}


def format_dot(drawing: Drawing) -> Iterator[str]:
    """A digraph, a cluster a lane."""
    yield f"digraph {quote_dot(drawing.title)} {{"
    yield '  node [shape=box, fontname="monospace"];'
    for lane, column in enumerate(drawing.columns):
        yield f"  subgraph cluster_{lane} {{"
        yield f"    label={quote_dot(column.title)};"
        for number, box in enumerate(drawing.boxes):
            if box.lane == column.title:
                yield f"    n{number} [label={quote_dot(box.name, box.below)}];"
        yield "  }"
    for arrow in drawing.arrows:
        bold = ", penwidth=2" if arrow.stroke == "deferred" else ""
        yield (f"  n{arrow.caller} -> n{arrow.callee} [style={DOT_STYLES[arrow.stroke]}{bold},"
               f" tooltip={quote_dot(arrow.text)}];")
    yield "}"


def quote_dot(*lines: str) -> str:
    """A name or label of dot, of one or more lines."""
    parts = (" ".join(line.split()).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(part for part in parts if part) + '"'


def format_mermaid(drawing: Drawing) -> Iterator[str]:
    """A flowchart, a subgraph a lane."""
    yield "flowchart TD"
    for lane, column in enumerate(drawing.columns):
        yield f"  subgraph lane{lane}[{_escape_mermaid(column.title)}]"
        for number, box in enumerate(drawing.boxes):
            if box.lane == column.title:
                yield f"    n{number}[{_escape_mermaid(box.name, box.below)}]"
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
