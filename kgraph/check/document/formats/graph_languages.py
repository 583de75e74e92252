"""Graphs in the languages of Graphviz, Mermaid and PlantUML: each arrow is a call."""

import re
from collections.abc import Iterator, Sequence

from kgraph.check.document.formats.region import SURE, ReadCall, Region

_MAX_LINES = 20_000
_FENCE = re.compile(r"\s*(?:```|~~~)")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LABEL = re.compile(r'label\s*=\s*"([^"]*)"')


class _GraphReader:
    """Reads the lines from `head` to `last`: a format says how a line names and joins nodes."""

    name = ""
    head: re.Pattern[str]
    last: re.Pattern[str]

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """The first line of a graph."""
        return SURE if self.head.match(texts[place]) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The graph, with its last line if that belongs to it."""
        end = place + 1
        last = min(len(texts), place + _MAX_LINES)
        while end < last and not self.last.match(texts[end]) and not _FENCE.match(texts[end]):
            end += 1
        labels: dict[str, str] = {}
        for text in texts[place:end]:
            labels.update(self.iter_labels(text))
        region = Region(end)
        for at in range(place, end):
            names = [labels.get(node, node) for node in self.split_arrows(texts[at])]
            if len(names) > 1 and all(map(_NAME.fullmatch, names)):
                region.calls[at] = ReadCall(names[0], tuple(names[1:]))
            elif len(names) > 1:
                wrong = next(name for name in names if not _NAME.fullmatch(name))
                region.unread[at] = f"{wrong!r} is not the name of a function"
        return region

    def iter_labels(self, text: str) -> Iterator[tuple[str, str]]:
        """The nodes of a line that a label names, each with the function that it names."""
        raise NotImplementedError

    def split_arrows(self, text: str) -> list[str]:
        """The nodes of a line between its arrows; one or none without an arrow."""
        raise NotImplementedError


class GraphvizReader(_GraphReader):
    """Reads `digraph x { f -> g -> h; }`."""

    name = "graph of Graphviz"
    head = re.compile(r"\s*(?:strict\s+)?digraph\b[^{]*\{", re.ASCII)
    last = re.compile(r"\s*\}\s*$")

    def iter_labels(self, text: str) -> Iterator[tuple[str, str]]:
        """`n1 [label="f()"]`."""
        found = re.match(r'\s*(?:"([^"]+)"|(\w+))\s*\[', text)
        label = _LABEL.search(text) if found and "->" not in text.partition("[")[0] else None
        if found is not None and label is not None:
            yield found[1] or found[2], _find_function(label[1])

    def split_arrows(self, text: str) -> list[str]:
        """The nodes of `a -> "b" -> c [style=x];`."""
        body = text.partition("[")[0].partition("//")[0]
        body = body.rpartition("{")[2].rstrip("; }\t\r")
        parts = [part.strip() for part in body.split("->")]
        return [_find_function(part.strip('"')) for part in parts if part.strip('" ')]


class MermaidReader(_GraphReader):
    """Reads the flowcharts of Mermaid: `A[f] --> B[g]`."""

    name = "flowchart of Mermaid"
    head = re.compile(r"\s*(?:graph|flowchart)\s+(?:TB|TD|BT|RL|LR)\s*;?\s*$", re.ASCII)
    last = re.compile(r"\s*$")
    _node = re.compile(
        r'([A-Za-z_]\w*)\s*(?:[\[({>]+(?:"([^"]*)"|([^\])}"]*))[\])}]+)?', re.ASCII)
    _arrow = re.compile(
        r"\s*(?:--\s+[^->|]+\s+-->|-\.[^.]*\.->|==\s+[^=>|]+\s+==>|[<ox]?(?:-{2,}|={2,}|-\.+-)[>ox]?)"
        r"(?:\s*\|[^|]*\|)?\s*")

    def iter_labels(self, text: str) -> Iterator[tuple[str, str]]:
        """`A[f]`, `A("f()")`, `A{f}`."""
        for found in self._node.finditer(text):
            if found[2] or found[3]:
                yield found[1], _find_function(found[2] or found[3])

    def split_arrows(self, text: str) -> list[str]:
        """The nodes of `A --> B[g] -->|why| C`."""
        body = text.strip().rstrip(";")
        nodes: list[str] = []
        place = 0
        while (found := self._node.match(body, place)) is not None:
            nodes.append(found[1])
            arrow = self._arrow.match(body, found.end())
            if arrow is None:
                return nodes if found.end() >= len(body.rstrip()) else nodes[:1]
            place = arrow.end()
        return nodes


class PlantUmlReader(_GraphReader):
    """Reads the arrows of PlantUML: `f -> g : text`, `f --> g`, `[f] ..> [g]`."""

    name = "diagram of PlantUML"
    head = re.compile(r"\s*@startuml\b")
    last = re.compile(r"\s*@enduml\b")
    _declared = re.compile(
        r'\s*(?:\w+)\s+"([^"]+)"\s+as\s+(\w+)\s*$|\s*\w+\s+(\w+)\s+as\s+"([^"]+)"\s*$', re.ASCII)
    _arrow = re.compile(r"\s+(?:-+(?:\w+-+)?>{1,2}|\.+>{1,2}|=+>)\s+", re.ASCII)

    def iter_labels(self, text: str) -> Iterator[tuple[str, str]]:
        """`participant "f()" as A`."""
        found = self._declared.match(text)
        if found is not None:
            label, node = (found[1], found[2]) if found[1] else (found[4], found[3])
            yield node, _find_function(label)

    def split_arrows(self, text: str) -> list[str]:
        """The nodes of `f -> g : text`."""
        body = re.split(r"\s:", text.strip(), maxsplit=1)[0]
        parts = self._arrow.split(body)
        return [_find_function(part.strip().strip('[]()"')) for part in parts]


def _find_function(label: str) -> str:
    """The function that a label names: its first word, if parentheses or nothing follow that."""
    found = re.match(r"\s*([A-Za-z_]\w*)\s*(?:\(.*|\\n.*|<br.*)?$", label, re.ASCII | re.DOTALL)
    return found[1] if found else label.strip()
