"""Counts what check says of functions copied out of a tree, and of the same with one condition
negated, or the statements behind two conditions exchanged:

    python -m tests.bench.transcribed INDEX [FUNCTIONS [SEED]]

The functions are drawn at random. A line that holds although its condition was changed may be true:
`return 0;` stands under many conditions.
"""

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph, SourceText
from kgraph.model.document import LineKind
from kgraph.model.verdicts import LineVerdict, Verdict
from kgraph.store import IndexReader

FUNCTIONS, SEED = 300, 1
_IF = re.compile(r"(\s*if )\((.*)\)( \{)?$")
_SILENT = (LineKind.PROSE, LineKind.CLOSING, LineKind.CONTINUATION, LineKind.HEADING)


def draw_functions(graph: CallGraph, seed: int) -> Iterator[list[str]]:
    """The lines of functions, 8 to 120 each."""
    numbers = [row[0] for row in graph.reader.fetch_rows("SELECT id FROM function ORDER BY id")]
    random.Random(seed).shuffle(numbers)
    sources = SourceText(graph)
    for number in numbers:
        function = graph.function(number)
        place = function.location
        if place is not None and 8 <= function.end_line - place.line <= 120:
            lines = sources.read_lines(place.path)[place.line - 1:function.end_line]
            if "{" in "".join(lines[:5]):
                yield lines


def judge_function(graph: CallGraph, lines: list[str]) -> tuple[LineVerdict, ...]:
    """The verdicts on a function's lines."""
    text = "\n".join(["```", *lines, "```", ""])
    return tuple(check_document(graph, parse_document("x.md", text.encode())).lines[1:])


def negate_condition(lines: list[str], chance: random.Random) -> tuple[list[str], int] | None:
    """The lines with one condition negated, and the place of what stands behind it."""
    places = [place for place, line in enumerate(lines[:-1]) if _IF.match(line)]
    if not places:
        return None
    place = chance.choice(places)
    return [*lines[:place], _IF.sub(r"\1(!(\2))\3", lines[place]), *lines[place + 1:]], place + 1


def exchange_statements(lines: list[str], chance: random.Random) -> tuple[list[str], int] | None:
    """The lines with the statements behind two conditions exchanged, and the place of one."""
    places = [place + 1 for place, line in enumerate(lines[:-1])
              if (found := _IF.match(line)) and not found[3] and lines[place + 1].endswith(";")]
    pairs = [(one, other) for one in places for other in places
             if lines[one].strip() != lines[other].strip()]
    if not pairs:
        return None
    one, other = chance.choice(pairs)
    changed = list(lines)
    changed[one], changed[other] = lines[other], lines[one]
    return changed, one


def main(index: str, count: int = FUNCTIONS, seed: int = SEED) -> None:
    """Print a table of verdicts."""
    graph = CallGraph(IndexReader(Path(index)))
    chance = random.Random(seed)
    told: Counter[tuple[str, Verdict]] = Counter()
    for number, lines in enumerate(draw_functions(graph, seed)):
        if number == count:
            break
        told.update(("copied", each.verdict) for each in judge_function(graph, lines)
                    if each.line.kind not in _SILENT)
        for name, change in (("negated", negate_condition), ("exchanged", exchange_statements)):
            changed = change(lines, chance)
            each = judge_function(graph, changed[0])[changed[1]] if changed else None
            if each is not None and each.line.kind not in _SILENT:
                told[name, each.verdict] += 1
    for name in ("copied", "negated", "exchanged"):
        print(f"{name:10}", {str(verdict): told[name, verdict] for verdict in Verdict
                             if told[name, verdict]})


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
