"""Makes the pages of checked documents and of answered path questions."""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import PurePath

from kgraph.model.document import LineKind, Query, Scenario
from kgraph.model.results import Hop, PathAnswer
from kgraph.model.verdicts import ChainCheck, CitationVerdict, LineVerdict, Verdict
from kgraph.report.check_text import (
    describe_citation,
    describe_edge,
    format_conclusion,
    list_claims,
)
from kgraph.report.html.pages import ChainLine, ChainPage, ChainSection, PathPage, Proof, ShownPath
from kgraph.report.html.proofs import ProofMaker, make_proofs
from kgraph.report.picture.lanes import load_lanes
from kgraph.report.picture.layout import draw_hops
from kgraph.report.text import format_frontier, format_other_count, format_paths


def make_chain_page(
    proofs: ProofMaker, check: ChainCheck, query: Query | None, file: str
) -> ChainPage:
    """The page of a checked document, to be written to chain/FILE.html."""
    depths = _measure_depths(check)
    parents = {line.line.parent for line in check.lines}
    sections = []
    for heading, lines in _iter_sections(check):
        rows = tuple(
            _make_line(proofs, line, depths[line.line.number], line.line.number in parents)
            for line in lines
        )
        steps = [(proof.hop, f"#line-{row.verdict.line.number}")
                 for row in rows for proof in row.proofs]
        drawing = draw_hops(heading or get_subject_name(check, query), steps, load_lanes())
        sections.append(ChainSection(heading, drawing, rows))
    said = list_claims(check)
    name = get_subject_name(check, query)
    summary = [f"{name}, checked with kgraph", *format_conclusion(check, name)]
    return ChainPage(
        file, query.title if query else name, name, query.documented if query else "",
        check.scenario, query.setup if query else (), tuple(sections),
        _count((line.verdict for line in said), Verdict),
        _count((line.citation for line in said if line.citation is not CitationVerdict.NONE),
                CitationVerdict),
        "\n".join(summary),
    )


def get_subject_name(check: ChainCheck, query: Query | None) -> str:
    """What a document is called on the site: never with the folders that it lies in."""
    return query.name if query else PurePath(check.document.file).name


def _count(values: Iterable[StrEnum], order: Iterable[StrEnum]) -> dict[str, int]:
    found = Counter(values)
    return {value.value: found[value] for value in order if found[value]}


def _iter_sections(check: ChainCheck) -> Iterator[tuple[str, list[LineVerdict]]]:
    """The lines that are to be shown, by the line of heading or prose that they stand under."""
    heading, lines, waiting = "", list[LineVerdict](), list[LineVerdict]()
    for line in check.lines:
        if not any(letter.isalnum() for letter in line.line.text):
            continue  # a fence, a lone brace
        if line.verdict is Verdict.PROSE:
            waiting.append(line)
            continue
        title = _find_title(waiting) if line.line.parent == 0 else None
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


def _find_title(waiting: list[LineVerdict]) -> LineVerdict | None:
    """Of the lines between two trees the one that names the second: the last heading, else the
    last prose.
    """
    for kind in (LineKind.HEADING, LineKind.PROSE):
        for line in reversed(waiting):
            if line.line.kind is kind:
                return line
    return None


def _measure_depths(check: ChainCheck) -> dict[int, int]:
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


def _make_line(proofs: ProofMaker, line: LineVerdict, depth: int, parent: bool) -> ChainLine:  # noqa: FBT001
    hops = tuple(dict.fromkeys((*line.via, *((line.hop,) if line.hop else ()))))
    proofs.mentions.add_location(line.found)
    return ChainLine(
        line,
        depth,
        parent,
        make_proofs(hops, proofs, f"hop-{line.line.number}"),
        describe_edge(line),
        describe_citation(line),
    )


def make_path_page(
    proofs: ProofMaker,
    ends: tuple[str, str],
    answer: PathAnswer,
    scenario: Scenario | None,
    file: str,
) -> PathPage:
    """The page of a path question, to be written to path/FILE.html."""
    title = f"{ends[0]} to {ends[1]}"
    routes = []
    for number, path in enumerate(answer.paths, 1):
        made = make_proofs(path.hops, proofs, f"way-{number}")
        routes.append(
            ShownPath(number, made, draw_hops(title, _link_to_proofs(made), load_lanes()))
        )
    return PathPage(
        file, title, scenario, tuple(routes), format_other_count(answer),
        tuple(format_frontier(answer.frontier)) if answer.frontier else (),
        "\n".join(format_paths(answer)),
    )


def _link_to_proofs(proofs: tuple[Proof, ...]) -> list[tuple[Hop, str]]:
    return [(proof.hop, f"#{proof.anchor}") for proof in proofs]
