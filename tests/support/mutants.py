"""Documented chains made wrong, or shorter, one line at a time.

A mutant is a text with the line that was changed. Wrong ones claim what the graph has no edge for:
another callee, caller and callee exchanged, another target of a pointer, another row, condition or
statement. Shorter ones are true: they leave steps out.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.model.document import Document, DocumentLine, LineKind
from kgraph.model.verdicts import Verdict

NAMING = (LineKind.FUNCTION, LineKind.CALL)
PASSED = (Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED)
CAUGHT = (Verdict.REFUTED, Verdict.CONTRADICTS)
OTHERS = 3  # how many other functions are tried in the place of one


@dataclass(frozen=True)
class Mutant:
    kind: str
    line: int  # of the claim that is to be judged, from 1
    text: str


def verdict(graph: CallGraph, mutant: Mutant) -> Verdict:
    check = check_document(graph, parse_document("x.md", mutant.text.encode()))
    return check.lines[mutant.line - 1].verdict


def wrong(graph: CallGraph, text: str, seed: int = 1) -> Iterator[Mutant]:
    """Wrong mutants of a document, the same ones every time."""
    document = parse_document("x.md", text.encode())
    lines, draw = text.split("\n"), Random(seed)
    names = sorted({line.claim.name for line in document.lines if line.kind in NAMING}
                   | _neighbours(graph, document))
    by_number = {line.number: line for line in document.lines}
    for line in document.lines:
        above = by_number.get(line.parent)
        called = callees(graph, above.claim.name) if above is not None else set()
        if line.kind in NAMING and above is not None and above.kind in NAMING:
            yield from _other_callees(lines, line, draw, sorted(set(names) - called))
        if line.claim.target:
            slots = {name for name in names if not _bound_alike(graph, name, line.claim.target)}
            for other in draw.sample(sorted(slots), min(OTHERS, len(slots))):
                yield _with(lines, line, "target", line.claim.target, other)
        yield from _iter_exchanged(graph, lines, line, above)
        yield from _quoted(lines, line, document)


def callees(graph: CallGraph, name: str) -> set[str]:
    """The functions that one calls in whatever way."""
    return {
        graph.function(graph.edge_callee[edge]).id.name
        for function in graph.find_functions(name)
        for edge in graph.edges_from(function.number)
    } | {name}


def _neighbours(graph: CallGraph, document: Document) -> set[str]:
    """Functions of the files that the document's functions are in."""
    found: set[str] = set()
    for line in document.lines:
        for function in graph.find_functions(line.claim.name) if line.claim.name else ():
            if function.location is not None:
                rows = graph.find_functions_in(function.location.path)
                found |= {other.id.name for other in rows}
    return found


def _bound_alike(graph: CallGraph, name: str, target: str) -> bool:
    """Whether two functions share a call site."""
    def sites(one: str) -> set[int]:
        return {
            graph.site_of(graph.hop_edge[graph.back_hop[place]])
            for function in graph.find_functions(one)
            for place in range(graph.back_start[function.number],
                               graph.back_start[function.number + 1])
        }
    return name == target or bool(sites(name) & sites(target))


def _with(lines: list[str], line: DocumentLine, kind: str, old: str, new: str) -> Mutant:
    changed = list(lines)
    # \b of ASCII: in other scripts words are not parted by blanks.
    changed[line.number - 1] = re.sub(rf"\b{re.escape(old)}\b(?!.*\b{re.escape(old)}\b)",
                                      lambda _: new, changed[line.number - 1], flags=re.ASCII)
    return Mutant(kind, line.number, "\n".join(changed))


def _other_callees(
    lines: list[str], line: DocumentLine, draw: Random, others: list[str]
) -> Iterator[Mutant]:
    for other in draw.sample(others, min(OTHERS, len(others))):
        changed = list(lines)
        changed[line.number - 1] = changed[line.number - 1].replace(line.claim.name, other, 1)
        yield Mutant("callee", line.number, "\n".join(changed))


def _iter_exchanged(
    graph: CallGraph, lines: list[str], line: DocumentLine, above: DocumentLine | None
) -> Iterator[Mutant]:
    if above is None or line.kind not in NAMING or above.kind not in NAMING:
        return
    upper, lower = above.claim.name, line.claim.name
    if upper in callees(graph, lower):
        return
    changed = list(lines)
    changed[above.number - 1] = changed[above.number - 1].replace(upper, lower, 1)
    changed[line.number - 1] = changed[line.number - 1].replace(lower, upper, 1)
    yield Mutant("order", line.number, "\n".join(changed))


def _quoted(lines: list[str], line: DocumentLine, document: Document) -> Iterator[Mutant]:
    text = lines[line.number - 1]
    changes: list[tuple[str, Callable[[], str]]] = []
    if line.kind is LineKind.CONDITION:
        changes.append(("condition", lambda: text.replace("!", "", 1)))
        changes.append(("condition", lambda: re.sub(r"[A-Z]{2}", "QQ", text, count=1)))
    if line.kind is LineKind.STATEMENT:
        changes.append(("statement", lambda: text.replace("->", "->other_", 1)))
    if line.kind is LineKind.ROW:
        rows = [other.claim.value for other in document.lines if other.kind is LineKind.ROW
                and other.parent == line.parent and other.claim.value != line.claim.value]
        changes += [("row", lambda value=value: text.replace(line.claim.value, value))
                    for value in rows[:OTHERS]]
        changes.append(("row", lambda: text.replace(line.claim.name, f"{line.claim.name}_", 1)))
    for kind, make in changes:
        changed = list(lines)
        changed[line.number - 1] = make()
        if changed != lines:
            yield Mutant(kind, line.number, "\n".join(changed))


def shorter(text: str, most: int = 3) -> Iterator[Mutant]:
    """The document without up to `most` steps above a call; the mutant's kind is their number."""
    document = parse_document("x.md", text.encode())
    lines = text.split("\n")
    by_number = {line.number: line for line in document.lines}
    for line in document.lines:
        above, gone = by_number.get(line.parent), list[int]()
        while line.kind in NAMING and above is not None and above.parent and len(gone) < most:
            gone.append(above.number)
            above = by_number.get(above.parent)
            if above is None or (above.kind not in NAMING and not above.claim.target):
                break
            kept = [text for number, text in enumerate(lines, 1) if number not in gone]
            here = line.number - len(gone)
            under = parse_document("x.md", "\n".join(kept).encode()).lines[here - 1].parent
            if under == above.number:  # not under a sibling of what is gone
                yield Mutant(str(len(gone)), here, "\n".join(kept))
