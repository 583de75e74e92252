"""All pages of a site, by their file names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from kgraph.graph import CallGraph
from kgraph.model.answers import PathAnswer
from kgraph.model.documents import ChainCheck, Query, Scenario
from kgraph.model.location import Location
from kgraph.report.site.chains import chain_page, path_page, subject_name
from kgraph.report.site.links import Links, LinkStyle, Targets, slugs
from kgraph.report.site.mentions import Mentions
from kgraph.report.site.pages import ChainPage, FrontPage, Named, PathPage
from kgraph.report.site.proofs import Proofs
from kgraph.report.site.rendering import ASSETS, Renderer
from kgraph.report.site.surroundings import Surroundings
from kgraph.report.source import SourceText

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Chain:
    """A checked document, and the query that it is the chain of, if it is one."""

    check: ChainCheck
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A path question and its answer."""

    caller: str
    callee: str
    answer: PathAnswer
    scenario: Scenario | None = None


def make_site(
    graph: CallGraph, source: SourceText, chains: Sequence[Chain], ways: Sequence[Way],
    style: LinkStyle | None = None,
) -> dict[str, bytes]:
    """Every file of the site by its name in it. The same index and questions give the same."""
    proofs = Proofs(graph, source, Mentions())
    chain_pages, path_pages = _answers(proofs, chains, ways)
    around = Surroundings(graph, proofs.mentions)
    functions, slots, tables = (
        tuple(around.functions()), tuple(around.slots()), tuple(around.tables())
    )
    sources = tuple(around.sources(proofs))
    links = Links(around.targets, graph.description, style)
    front = _front(graph, chain_pages, path_pages, around.targets, links)
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


def _answers(
    proofs: Proofs, chains: Sequence[Chain], ways: Sequence[Way]
) -> tuple[tuple[ChainPage, ...], tuple[PathPage, ...]]:
    names = slugs({
        (number, chain.check.document.file): subject_name(chain.check, chain.query)
        for number, chain in enumerate(chains)
    })
    ends = slugs({
        (number, way.caller, way.callee): f"{way.caller}-{way.callee}"
        for number, way in enumerate(ways)
    })
    return (
        tuple(
            chain_page(proofs, chain.check, chain.query, file)
            for chain, file in zip(chains, names.values(), strict=True)
        ),
        tuple(
            path_page(proofs, (way.caller, way.callee), way.answer, way.scenario, file)
            for way, file in zip(ways, ends.values(), strict=True)
        ),
    )


def _front(
    graph: CallGraph, chains: tuple[ChainPage, ...], paths: tuple[PathPage, ...], targets: Targets,
    links: Links,
) -> FrontPage:
    about = graph.description
    names = [
        Named(str(graph.function(int(str(number)))), "function", f"function/{file}.html")
        for number, file in targets.functions.items()
    ]
    names += [
        Named(graph.object_numbered(int(str(number))).id.name, "table", f"table/{file}.html")
        for number, file in targets.tables.items()
    ]
    names += [Named(str(name), "slot", f"slot/{file}.html") for name, file in targets.slots.items()]
    names += [
        Named(str(path), "file", f"source/{file}.html") for path, file in targets.sources.items()
    ]
    tree = "mini-linux" if about.bundled else PurePath(about.tree).name
    return FrontPage(
        tree, PurePath(about.config).name, links.index, graph.reader.coverage,
        tuple(_troubles(graph)), chains, paths,
        tuple(sorted(names, key=lambda named: (named.name, named.kind, named.href))),
    )


def _troubles(graph: CallGraph) -> Iterator[tuple[str, str]]:
    """Units with what is wrong with them; where on this machine they are is nobody's business."""
    about = graph.description
    for path, reason in graph.reader.troubled_units:
        for folder in filter(None, (about.tree, about.build)):
            reason = reason.replace(f"{folder.rstrip('/')}/", "")  # noqa: PLW2901
        yield path, reason


def standalone_path(graph: CallGraph, source: SourceText, way: Way) -> str:
    """The page of a path as one file that needs no other."""
    proofs = Proofs(graph, source, Mentions())
    _, [page] = _answers(proofs, (), (way,))
    here: dict[Location, str] = {}
    for proof in (proof for route in page.routes for proof in route.proofs):
        for place in (
            proof.hop.site.location, *(row.evidence.location for row in proof.evidence),
            *(row.location for row in proof.guards),
        ):
            here.setdefault(place, proof.anchor)
    links = Links(Targets(), graph.description, here=here)
    front = _front(graph, (), (page,), links.targets, links)
    return Renderer().standalone("path.html", links, page=page, front=front)

