"""Makes all files of a site, by their names in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from kgraph.api import CheckResult, PathResult
from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.model.location import Location
from kgraph.report.code_links import LinkStyle
from kgraph.report.html.answer_pages import make_chain_pages, make_path_pages
from kgraph.report.html.links import Links, PageNames
from kgraph.report.html.mentioned_pages import MentionedPages
from kgraph.report.html.pages import ChainPage, FrontPage, Page, PathPage, SearchEntry
from kgraph.report.html.proofs import ProofMaker
from kgraph.report.html.rendering import (
    SCRIPT,
    STYLE,
    render_page,
    render_standalone_page,
    render_style,
)
from kgraph.report.templates import read_asset


def make_site(
    graph: CallGraph,
    source: SourceText,
    chains: Sequence[CheckResult],
    paths: Sequence[PathResult],
    style: LinkStyle | None = None,
) -> dict[str, bytes]:
    """Every file of the site by its name. The same index and questions give the same bytes.

    `style` says where citations lead besides the site itself.
    """
    proofs = ProofMaker(graph, source)
    chain_pages, path_pages = make_chain_pages(proofs, chains), make_path_pages(proofs, paths)
    mentioned = MentionedPages(graph, proofs.mentions)
    folders: dict[str, tuple[Page, ...]] = {
        "chain": chain_pages, "path": path_pages,
        "function": tuple(mentioned.iter_functions(proofs)), "slot": tuple(mentioned.iter_slots()),
        "table": tuple(mentioned.iter_tables()),
    }
    folders["source"] = tuple(mentioned.iter_sources(proofs))  # the others have cited it by now
    names = mentioned.page_names
    front = _make_front_page(graph, chain_pages, path_pages, names)
    links = Links(names, graph.description, style)
    return {
        name: text.encode("utf-8", "replace")
        for name, text in _iter_files(folders, front, links)
    }


def _iter_files(
    folders: Mapping[str, Sequence[Page]], front: FrontPage, links: Links
) -> Iterator[tuple[str, str]]:
    """Names and texts. The page records of a folder have the template of its name."""
    yield STYLE, render_style()
    yield SCRIPT, read_asset(SCRIPT)
    for name in ("index.html", "coverage.html"):
        yield name, render_page(name, links, front=front)
    inner = replace(links, root="../")
    for folder, pages in folders.items():
        for page in pages:
            text = render_page(f"{folder}.html", inner, page=page, front=front)
            yield f"{folder}/{page.file}.html", text


def _make_front_page(
    graph: CallGraph, chains: tuple[ChainPage, ...], paths: tuple[PathPage, ...], names: PageNames
) -> FrontPage:
    about = graph.description
    return FrontPage(
        "mini-linux" if about.bundled else PurePath(about.tree).name, PurePath(about.config).name,
        about, graph.reader.coverage, tuple(_iter_troubles(graph)), chains, paths,
        tuple(sorted(
            _iter_search_entries(graph, names),
            key=lambda entry: (entry.name, entry.kind, entry.href),
        )),
    )


def _iter_search_entries(graph: CallGraph, names: PageNames) -> Iterator[SearchEntry]:
    for number, file in names.functions.items():
        name = str(graph.function(number))
        yield SearchEntry(name, "function", f"function/{file}.html")
    for number, file in names.tables.items():
        name = graph.known_object(number).id.name
        yield SearchEntry(name, "table", f"table/{file}.html")
    for slot, file in names.slots.items():
        yield SearchEntry(slot, "slot", f"slot/{file}.html")
    for path, file in names.sources.items():
        yield SearchEntry(path, "file", f"source/{file}.html")


def _iter_troubles(graph: CallGraph) -> Iterator[tuple[str, str]]:
    """Units with what is wrong with them, without this machine's paths."""
    about = graph.description
    for path, reason in graph.reader.troubled_units:
        for folder, name in about.iter_folders():
            reason = reason.replace(f"{folder}/", name)  # noqa: PLW2901
        yield path, reason


def make_standalone_page(graph: CallGraph, source: SourceText, path: PathResult) -> str:
    """The page of a path as one file that needs no other."""
    [page] = make_path_pages(ProofMaker(graph, source), [path])
    links = Links(PageNames(), graph.description, anchors=_find_anchors(page))
    front = _make_front_page(graph, (), (page,), links.page_names)
    return render_standalone_page("path.html", links, page=page, front=front)


def _find_anchors(page: PathPage) -> dict[Location, str]:
    """For each location that the page cites, the anchor of the first proof that shows it."""
    anchors: dict[Location, str] = {}
    for proof in (proof for path in page.paths for proof in path.proofs):
        for location in (
            proof.hop.site.location, *(row.evidence.location for row in proof.evidence),
            *(row.location for row in proof.guards),
        ):
            anchors.setdefault(location, proof.anchor)
    return anchors
