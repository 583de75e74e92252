"""Makes all files of a site, by their names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from kgraph.graph import CallGraph
from kgraph.model.document import Query, Scenario
from kgraph.model.location import Location
from kgraph.model.results import PathAnswer
from kgraph.model.verdicts import ChainCheck
from kgraph.report.html.answer_pages import get_subject_name, make_chain_page, make_path_page
from kgraph.report.html.links import Links, LinkStyle, PageNames, make_file_names
from kgraph.report.html.mentioned_pages import MentionedPages
from kgraph.report.html.pages import ChainPage, FrontPage, PathPage, SearchEntry
from kgraph.report.html.proofs import Mentions, ProofMaker
from kgraph.report.html.rendering import ASSETS, Renderer
from kgraph.report.source import CallableSourceText

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class CheckedChain:
    """A checked document, and the query that it is the chain of, if it is one."""

    check: ChainCheck
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class AnsweredPath:
    """A path question and its answer."""

    caller: str
    callee: str
    answer: PathAnswer
    scenario: Scenario | None = None


def make_site(
    graph: CallGraph,
    source: CallableSourceText,
    chains: Sequence[CheckedChain],
    ways: Sequence[AnsweredPath],
    style: LinkStyle | None = None,
) -> dict[str, bytes]:
    """Every file of the site by its name in it. The same index and questions give the same."""
    proofs = ProofMaker(graph, source, Mentions())
    chain_pages, path_pages = _make_answer_pages(proofs, chains, ways)
    around = MentionedPages(graph, proofs.mentions)
    functions, slots, tables = (
        tuple(around.iter_functions()), tuple(around.iter_slots()), tuple(around.iter_tables())
    )
    sources = tuple(around.iter_sources(proofs))
    links = Links(around.page_names, graph.description, style)
    front = _make_front_page(graph, chain_pages, path_pages, around.page_names, links)
    renderer = Renderer()

    def pages() -> Iterator[tuple[str, str]]:
        yield from ((name, renderer.asset(name)) for name in ASSETS)
        yield "index.html", renderer.page("index.html", links, front=front)
        yield "coverage.html", renderer.page("coverage.html", links, front=front)
        inner = replace(links, root="../")
        for folder, records in (
            ("chain", chain_pages), ("path", path_pages), ("function", functions), ("slot", slots),
            ("table", tables), ("source", sources),
        ):
            for record in records:
                text = renderer.page(f"{folder}.html", inner, page=record, front=front)
                yield f"{folder}/{record.file}.html", text

    return {name: text.encode("utf-8", "replace") for name, text in pages()}


def _make_answer_pages(
    proofs: ProofMaker, chains: Sequence[CheckedChain], ways: Sequence[AnsweredPath]
) -> tuple[tuple[ChainPage, ...], tuple[PathPage, ...]]:
    names = make_file_names({
        (number, chain.check.document.file): get_subject_name(chain.check, chain.query)
        for number, chain in enumerate(chains)
    })
    ends = make_file_names({
        (number, way.caller, way.callee): f"{way.caller}-{way.callee}"
        for number, way in enumerate(ways)
    })
    return (
        tuple(
            make_chain_page(proofs, chain.check, chain.query, file)
            for chain, file in zip(chains, names.values(), strict=True)
        ),
        tuple(
            make_path_page(proofs, (way.caller, way.callee), way.answer, way.scenario, file)
            for way, file in zip(ways, ends.values(), strict=True)
        ),
    )


def _make_front_page(
    graph: CallGraph,
    chains: tuple[ChainPage, ...],
    paths: tuple[PathPage, ...],
    targets: PageNames,
    links: Links,
) -> FrontPage:
    about = graph.description
    names = [
        SearchEntry(str(graph.function(int(str(number)))), "function", f"function/{file}.html")
        for number, file in targets.functions.items()
    ]
    names += [
        SearchEntry(graph.known_object(int(str(number))).id.name, "table", f"table/{file}.html")
        for number, file in targets.tables.items()
    ]
    names += [
        SearchEntry(str(name), "slot", f"slot/{file}.html") for name, file in targets.slots.items()
    ]
    names += [
        SearchEntry(str(path), "file", f"source/{file}.html")
        for path, file in targets.sources.items()
    ]
    tree = "mini-linux" if about.bundled else PurePath(about.tree).name
    return FrontPage(
        tree, PurePath(about.config).name, links.index, graph.reader.coverage,
        tuple(_iter_troubles(graph)), chains, paths,
        tuple(sorted(names, key=lambda named: (named.name, named.kind, named.href))),
    )


def _iter_troubles(graph: CallGraph) -> Iterator[tuple[str, str]]:
    """Units with what is wrong with them; where on this machine they are is nobody's business."""
    about = graph.description
    for path, reason in graph.reader.troubled_units:
        for folder in filter(None, (about.tree, about.build)):
            reason = reason.replace(f"{folder.rstrip('/')}/", "")  # noqa: PLW2901
        yield path, reason


def make_standalone_page(graph: CallGraph, source: CallableSourceText, way: AnsweredPath) -> str:
    """The page of a path as one file that needs no other."""
    proofs = ProofMaker(graph, source, Mentions())
    _, [page] = _make_answer_pages(proofs, (), (way,))
    here: dict[Location, str] = {}
    for proof in (proof for route in page.routes for proof in route.proofs):
        for place in (
            proof.hop.site.location, *(row.evidence.location for row in proof.evidence),
            *(row.location for row in proof.guards),
        ):
            here.setdefault(place, proof.anchor)
    links = Links(PageNames(), graph.description, here=here)
    front = _make_front_page(graph, (), (page,), links.page_names, links)
    return Renderer().standalone("path.html", links, page=page, front=front)
