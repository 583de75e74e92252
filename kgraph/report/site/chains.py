"""Checked documents and answered path questions as page records."""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import PurePath

from kgraph.model.answers import Hop, PathAnswer
from kgraph.model.documents import (
    ChainCheck,
    CitationVerdict,
    LineKind,
    LineVerdict,
    Query,
    Scenario,
    Verdict,
)
from kgraph.report.checking import about_citation, about_edge, claims, conclusion_lines
from kgraph.report.drawing import draw
from kgraph.report.lanes import shipped_lanes
from kgraph.report.site.pages import ChainLine, ChainPage, ChainSection, PathPage, Proof, Route
from kgraph.report.site.proofs import Proofs, numbered
from kgraph.report.text import frontier_lines, others_count, path_lines


def chain_page(proofs: Proofs, check: ChainCheck, query: Query | None, file: str) -> ChainPage:
    """The page of a checked document, to be written to chain/FILE.html."""
    depths = _depths(check)
    parents = {line.line.parent for line in check.lines}
    sections = []
    for heading, lines in _sections(check):
        rows = tuple(
            _line(proofs, line, depths[line.line.number], line.line.number in parents)
            for line in lines
        )
        steps = [(proof.hop, f"#line-{row.verdict.line.number}")
                 for row in rows for proof in row.proofs]
        drawing = draw(heading or subject_name(check, query), steps, shipped_lanes())
        sections.append(ChainSection(heading, drawing, rows))
    said = claims(check)
    name = subject_name(check, query)
    summary = [f"{name}, checked with kgraph", *conclusion_lines(check, name)]
    return ChainPage(
        file, query.title if query else name, name, query.documented if query else "",
        check.scenario, query.setup if query else (), tuple(sections),
        _counts((line.verdict for line in said), Verdict),
        _counts((line.citation for line in said if line.citation is not CitationVerdict.NONE),
                CitationVerdict),
        "\n".join(summary),
    )


def subject_name(check: ChainCheck, query: Query | None) -> str:
    """What a document is called on the site: never with the folders that it lies in."""
    return query.name if query else PurePath(check.document.file).name


def _counts(values: Iterable[StrEnum], order: Iterable[StrEnum]) -> dict[str, int]:
    found = Counter(values)
    return {value.value: found[value] for value in order if found[value]}


def _sections(check: ChainCheck) -> Iterator[tuple[str, list[LineVerdict]]]:
    """The lines that are to be shown, by the line of heading or prose that they stand under."""
    heading, lines, waiting = "", list[LineVerdict](), list[LineVerdict]()
    for line in check.lines:
        if not any(letter.isalnum() for letter in line.line.text):
            continue  # a fence, a lone brace
        if line.verdict is Verdict.PROSE:
            waiting.append(line)
            continue
        title = _title(waiting) if line.line.parent == 0 else None
        if title is None:
            lines += waiting
        else:
            place = waiting.index(title)
            if lines or place:
                yield heading, lines + waiting[:place]
            heading, lines = title.line.text.strip().lstrip("# "), waiting[place + 1:]
        lines.append(line)
        waiting = []
    if lines or waiting:
        yield heading, lines + waiting


def _title(waiting: list[LineVerdict]) -> LineVerdict | None:
    """Of the lines between two trees the one that names the second: the last heading, else the
    last prose.
    """
    for kind in (LineKind.HEADING, LineKind.PROSE):
        for line in reversed(waiting):
            if line.line.kind is kind:
                return line
    return None


def _depths(check: ChainCheck) -> dict[int, int]:
    """How deep each line stands; prose within a tree as deep as the claim before it."""
    depths: dict[int, int] = {}
    before = 0
    for line in check.lines:
        if line.verdict is not Verdict.PROSE:
            before = depths.get(line.line.parent, -1) + 1
        elif line.line.kind is LineKind.HEADING:
            before = 0
        depths[line.line.number] = before
    return depths


def _line(proofs: Proofs, line: LineVerdict, depth: int, parent: bool) -> ChainLine:  # noqa: FBT001
    hops = tuple(dict.fromkeys((*line.via, *((line.hop,) if line.hop else ()))))
    proofs.mentions.place(line.found)
    return ChainLine(
        line, depth, parent, numbered(hops, proofs, f"hop-{line.line.number}"), about_edge(line),
        about_citation(line),
    )


def path_page(
    proofs: Proofs, ends: tuple[str, str], answer: PathAnswer, scenario: Scenario | None, file: str
) -> PathPage:
    """The page of a path question, to be written to path/FILE.html."""
    title = f"{ends[0]} to {ends[1]}"
    routes = []
    for number, path in enumerate(answer.paths, 1):
        made = numbered(path.hops, proofs, f"way-{number}")
        routes.append(Route(number, made, draw(title, _targets(made), shipped_lanes())))
    return PathPage(
        file, title, scenario, tuple(routes), others_count(answer),
        tuple(frontier_lines(answer.frontier)) if answer.frontier else (),
        "\n".join(path_lines(answer)),
    )


def _targets(proofs: tuple[Proof, ...]) -> list[tuple[Hop, str]]:
    return [(proof.hop, f"#{proof.anchor}") for proof in proofs]
