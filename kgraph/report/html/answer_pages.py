"""Makes the pages of checked documents and of answered path questions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import PurePath

from kgraph.api import CheckResult, PathResult
from kgraph.model.document import LineKind
from kgraph.model.verdicts import ChainCheck, CitationVerdict, LineVerdict, Verdict
from kgraph.report.check_text import describe_citation, describe_edge, format_conclusion
from kgraph.report.html.links import make_file_names
from kgraph.report.html.pages import ChainLine, ChainPage, ChainSection, PathPage, ShownPath
from kgraph.report.html.proofs import ProofMaker
from kgraph.report.picture.lanes import load_lanes
from kgraph.report.picture.layout import draw_hops, draw_ways
from kgraph.report.text import format_frontier, format_other_count, format_paths


def make_chain_pages(
    proofs: ProofMaker, chains: Sequence[CheckResult]
) -> tuple[ChainPage, ...]:
    """The pages of checked documents, for the folder chain/."""
    files = make_file_names({
        (number, chain.check.document.file): _name_chain(chain)
        for number, chain in enumerate(chains)
    })
    return tuple(
        _make_chain_page(proofs, chain, file)
        for chain, file in zip(chains, files.values(), strict=True)
    )


def make_path_pages(proofs: ProofMaker, paths: Sequence[PathResult]) -> tuple[PathPage, ...]:
    """The pages of path questions, for the folder path/."""
    files = make_file_names({
        (number, path.question.caller, path.question.callee):
            f"{path.question.caller}-{path.question.callee}"
        for number, path in enumerate(paths)
    })
    return tuple(
        _make_path_page(proofs, path, file)
        for path, file in zip(paths, files.values(), strict=True)
    )


def _name_chain(chain: CheckResult) -> str:
    """What the document is called on the site: never with its folders."""
    return chain.query.name if chain.query else PurePath(chain.check.document.file).name


def _make_chain_page(proofs: ProofMaker, chain: CheckResult, file: str) -> ChainPage:
    check, query, name = chain.check, chain.query, _name_chain(chain)
    claims = check.claims
    citations = [
        line.citation for line in claims if line.citation is not CitationVerdict.NONE
    ]
    summary = [f"{name}, checked with kgraph", *format_conclusion(check, name)]
    return ChainPage(
        file, query.title if query else name, name, query.documented if query else "",
        check.scenario, query.setup if query else (), tuple(_iter_sections(proofs, chain)),
        _count((line.verdict for line in claims), Verdict), _count(citations, CitationVerdict),
        "\n".join(summary),
    )


def _iter_sections(proofs: ProofMaker, chain: CheckResult) -> Iterator[ChainSection]:
    depths = _measure_depths(chain.check)
    parents = {line.line.parent for line in chain.check.lines}
    for heading, lines in _split_at_headings(chain.check):
        rows = tuple(
            _make_line(
                proofs, line, depth=depths[line.line.number],
                is_parent=line.line.number in parents,
            )
            for line in lines
        )
        steps = [(proof.hop, f"#line-{row.verdict.line.number}")
                 for row in rows for proof in row.proofs]
        drawing = draw_hops(heading or _name_chain(chain), steps, load_lanes())
        yield ChainSection(heading, drawing, rows)


def _count(values: Iterable[StrEnum], order: Iterable[StrEnum]) -> dict[str, int]:
    found = Counter(values)
    return {value.value: found[value] for value in order if found[value]}


def _split_at_headings(check: ChainCheck) -> Iterator[tuple[str, list[LineVerdict]]]:
    """The lines to show, each part with the heading or line of prose that it stands under."""
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
            before = waiting.index(title)
            if lines or before:
                yield heading, lines + waiting[:before]
            heading, lines = title.line.text.strip().lstrip("# "), waiting[before + 1:]
        lines.append(line)
        waiting = []
    if lines or waiting:
        yield heading, lines + waiting


def _find_title(waiting: list[LineVerdict]) -> LineVerdict | None:
    """The line that names the tree after these lines: the last heading, else the last prose."""
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


def _make_line(
    proofs: ProofMaker, line: LineVerdict, *, depth: int, is_parent: bool
) -> ChainLine:
    hops = tuple(dict.fromkeys((*line.via, *((line.hop,) if line.hop else ()))))
    proofs.mentions.add_location(line.found)
    return ChainLine(
        line, depth, is_parent, proofs.make_proofs(hops, f"hop-{line.line.number}"),
        describe_edge(line), describe_citation(line),
    )


def _make_path_page(proofs: ProofMaker, result: PathResult, file: str) -> PathPage:
    question, answer = result.question, result.answer
    title = f"{question.caller} to {question.callee}"
    shown, ways = [], []
    for number, path in enumerate(answer.paths, 1):
        made = proofs.make_proofs(path.hops, f"path-{number}")
        ways.append([(proof.hop, f"#{proof.anchor}") for proof in made])
        shown.append(ShownPath(number, made))
    return PathPage(
        file, title, question.scenario, draw_ways(title, ways, load_lanes()), tuple(shown),
        format_other_count(answer),
        tuple(format_frontier(answer.frontier)) if answer.frontier else (),
        "\n".join(format_paths(answer)),
    )
