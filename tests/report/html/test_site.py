"""The files of a report: links, escaping, nothing of the machine."""

import re
from pathlib import Path

import pytest

from kgraph import api
from kgraph.check.document.query_files import find_query, read_shipped_queries
from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.report.html import LinkStyle, make_site, make_standalone_page
from kgraph.store import IndexReader
from tests.support.places import FIXTURES, GOLDEN
from tests.support.report_pages import answer_path, check_text

PAGE = GOLDEN / "chain-netns.html"


def site(graph: CallGraph, *names: str, style: LinkStyle | None = None) -> dict[str, bytes]:
    chains = [api.check(graph, name) for name in names]
    paths = [answer_path(graph, "SyS_clone", "setup_net")]
    return make_site(graph, SourceText(graph), chains, paths, style)


@pytest.fixture(scope="module")
def files(mini: CallGraph) -> dict[str, bytes]:
    return site(mini, *(query.name for query in read_shipped_queries()))


def test_every_link_leads_to_something_on_the_site(files: dict[str, bytes]) -> None:
    anchors = {
        name: set(re.findall(rb' id="([^"]+)"', data)) for name, data in files.items()
    }
    count = 0
    for name, data in files.items():
        for href in re.findall(rb' href="([^"]+)"', data) if name.endswith(".html") else ():
            target, _, anchor = href.decode().partition("#")
            page = name if not target else (Path(name).parent / target).as_posix()
            page = page.partition("../")[2] if "../" in page else page
            assert page in files, (name, href)
            assert not anchor or anchor.encode() in anchors[page], (name, href)
            count += 1
    assert count > 1000


def test_the_same_index_gives_the_same_bytes(mini: CallGraph, files: dict[str, bytes]) -> None:
    assert site(mini, *(query.name for query in read_shipped_queries())) == files


def test_nothing_of_the_machine_is_in_it_unless_asked(
    mini: CallGraph, mini_index: Path, files: dict[str, bytes]
) -> None:
    tree = mini.description.tree.encode()
    for data in files.values():
        assert tree not in data
        assert str(mini_index.parent).encode() not in data
        assert str(Path.home()).encode() + b"/" not in data
    asked = site(mini, "netns", style=LinkStyle.FILE)
    assert any(b"file://" + tree in data for data in asked.values())


def test_text_of_documents_is_escaped(mini: CallGraph) -> None:
    hostile = (
        "# <script>alert(1)</script>\n\n```\nSyS_clone() // <img src=x onerror=alert(2)>\n"
        "|-SYSC_clone() // \u202egnp.exe \x1b[31m {{ 7 * 7 }}\n```\n"
    )
    chain = check_text(mini, '"><script>.md', hostile.encode())
    pages = make_site(mini, SourceText(mini), [chain], [])
    for name, data in pages.items():
        if name.endswith(".html"):
            assert b"<script>" not in data
            assert b"<img" not in data
            assert "\u202e".encode() not in data
            assert b"\x1b" not in data
            assert re.search(rb" on\w+=[\"']", data) is None
            assert re.search(rb'<[^>]* style="', data) is None
    text = next(data for name, data in pages.items() if name.startswith("chain/")).decode()
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7 * 7 }}" in text
    assert "U+202E" in text


def test_a_page_of_its_own_links_its_citations(mini: CallGraph) -> None:
    page = make_standalone_page(mini, SourceText(mini), answer_path(mini, "SyS_clone", "setup_net"))
    found = re.findall(r'<a class="cite" href="#([^"]+)"', page)
    assert found
    assert all(f'id="{anchor}"' in page for anchor in found)


def test_golden_page(files: dict[str, bytes], pytestconfig: pytest.Config) -> None:
    page = files["chain/netns.html"].decode()
    if pytestconfig.getoption("--bless"):
        PAGE.write_text(page)
    assert page == PAGE.read_text()


def test_coverage_names_units_with_errors_and_no_path_of_the_machine(tmp_path: Path) -> None:
    tree = FIXTURES / "syntax-error"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path))
        graph = CallGraph(IndexReader(index_tree(IndexRequest(tree, jobs=0)).index))
    page = make_site(graph, SourceText(graph), [], [])["coverage.html"].decode()
    troubles = graph.reader.troubled_units
    graph.close()
    assert troubles
    for path, reason in troubles:
        assert path in page
        assert reason.split(":")[0] in page
    assert str(tree) not in page


def test_shipped_queries_are_small(files: dict[str, bytes]) -> None:
    assert sum(map(len, files.values())) < 3_000_000
    assert find_query("netns").title.encode() in files["index.html"]
