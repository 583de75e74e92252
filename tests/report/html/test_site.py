"""The HTML report as files: what is escaped, what is kept, what is refused."""

import re
from pathlib import Path

import pytest

from kgraph.check.document.parser import parse_document
from kgraph.check.document.query_files import find_query, read_shipped_queries
from kgraph.check.walk import check_document
from kgraph.errors import ReportError
from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.model.location import Location
from kgraph.model.results import IndexDescription
from kgraph.model.verdicts import ChainCheck
from kgraph.query import PathQuestion, find_paths
from kgraph.report.html import CheckedChain, LinkStyle, make_site, make_standalone_page, write_site
from kgraph.report.html.links import Links, PageNames, make_file_names
from kgraph.report.html.writing import MARK
from kgraph.report.picture.lanes import load_lanes
from kgraph.report.picture.layout import draw_hops
from kgraph.store import IndexReader
from tests.support.places import FIXTURES, GOLDEN
from tests.support.report_pages import check, way

PAGE = GOLDEN / "chain-netns.html"


def site(graph: CallGraph, *names: str, style: LinkStyle | None = None) -> dict[str, bytes]:
    chains = [check(graph, name) for name in names]
    ways = [way(graph, "SyS_clone", "setup_net")]
    return make_site(graph, SourceText(graph), chains, ways, style)


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


@pytest.mark.parametrize(("release", "tag"), [
    ("4.6.2", "v4.6.2"), ("5.10.0", "v5.10"), ("5.10.0-rc1", "v5.10-rc1"), ("", ""),
    ("6.1.2-vendor", ""),
])
def test_citations_lead_where_the_user_wants(release: str, tag: str) -> None:
    about = IndexDescription("/trees/linux", release, "")
    place = Location("net/a b.c", 7)
    links = {style: Links(PageNames(), about, style).outside(place) for style in LinkStyle}
    for style in (LinkStyle.ELIXIR, LinkStyle.GIT):
        assert (tag in links[style]) if tag else links[style] == ""
    assert links[LinkStyle.FILE] == "file:///trees/linux/net/a%20b.c#L7"
    assert links[LinkStyle.VSCODE] == "vscode://file/trees/linux/net/a%20b.c:7"


def test_a_swap_that_fails_puts_the_old_site_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b"old"})
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if target == folder and not self.name.endswith("kgraph-old"):
            raise OSError(28, "no space left")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fails)
        with pytest.raises(ReportError, match="no space"):
            write_site(folder, {"index.html": b"new"})
    assert (folder / "index.html").read_bytes() == b"old"
    aside = tmp_path / ".site.kgraph-old"
    (aside / "chain").mkdir(parents=True)
    with pytest.raises(ReportError, match="in the way"):  # it may be somebody's
        write_site(folder, {"index.html": b"new"})
    (aside / MARK).write_text("[]")  # what an interrupted run had no time to remove
    write_site(folder, {"index.html": b"new"})
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]
    (folder / "mine").mkdir()
    with pytest.raises(ReportError, match="mine"):
        write_site(folder, {"index.html": b"new"})


def test_text_of_documents_is_escaped(mini: CallGraph) -> None:
    hostile = (
        "# <script>alert(1)</script>\n\n```\nSyS_clone() // <img src=x onerror=alert(2)>\n"
        "|-SYSC_clone() // \u202egnp.exe \x1b[31m {{ 7 * 7 }}\n```\n"
    )
    document = parse_document('"><script>.md', hostile.encode())
    chain = CheckedChain(check_document(mini, document))
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


def test_wrong_lines_are_told_with_what_is_there(mini: CallGraph) -> None:
    document = parse_document("notes.md", b"```\nSyS_clone()\n|-SYSC_clone()\n  |-setup_net()\n"
                                         b"veth_xmit()\n|-SyS_clone()\n```\n")
    checked: ChainCheck = check_document(mini, document)
    page = make_site(mini, SourceText(mini), [CheckedChain(checked)], [])[
        "chain/notes.md.html"
    ].decode()
    for line in checked.lines:
        if line.verdict.value in ("gap", "refuted"):
            assert f'<span class="badge {line.verdict.value}">' in page
            assert line.note[:20] in page
    assert "badge refuted" in page
    left_out = [hop for line in checked.lines for hop in line.via[:-1]]
    assert left_out
    for hop in left_out:
        assert f"left out</span> {hop.caller} → {hop.callee}" in page


def test_prose_within_a_tree_does_not_cut_it(mini: CallGraph) -> None:
    document = parse_document("n.md", b"# Title\n\nIntro one\n\nIntro two\n\n```\nSyS_clone()\n"
                                     b"|-SYSC_clone()\n/* a word */\n  |-_do_fork()\n```\n")
    checked = check_document(mini, document)
    page = make_site(mini, SourceText(mini), [CheckedChain(checked)], [])[
        "chain/n.md.html"
    ].decode()
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    roots = [line for line in checked.lines if line.verdict.value != "prose"
             and line.line.parent == 0]
    assert headings[0] == "Title"
    assert len(headings) <= len(roots)
    assert "Intro one" in page


def test_a_page_of_its_own_links_its_citations(mini: CallGraph) -> None:
    page = make_standalone_page(mini, SourceText(mini), way(mini, "SyS_clone", "setup_net"))
    found = re.findall(r'<a class="cite" href="#([^"]+)"', page)
    assert found
    assert all(f'id="{anchor}"' in page for anchor in found)


def test_no_path_says_why(mini: CallGraph) -> None:
    pages = make_site(mini, SourceText(mini), [], [way(mini, "veth_xmit", "SyS_sendto")])
    assert b"no path from veth_xmit to SyS_sendto" in pages["path/veth_xmit-SyS_sendto.html"]


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


def test_pages_that_did_not_change_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b"1", "a/x.html": b"2", "a/y.html": b"3"})
    before = (folder / "a/x.html").stat()
    done = write_site(folder, {"index.html": b"new", "a/x.html": b"2"})
    assert (done.written, done.kept, done.removed) == (1, 1, 1)
    after = (folder / "a/x.html").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert not (folder / "a/y.html").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]


def test_what_is_not_ours_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ReportError, match="not empty"):
        write_site(tmp_path, {"index.html": b""})
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b""})
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match=r"notes\.txt"):
        write_site(folder, {"index.html": b"new"})
    assert (folder / "index.html").read_bytes() == b""


def test_interrupted_the_old_site_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b"old"})

    def fails(self: Path, data: bytes) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fails)
        with pytest.raises(KeyboardInterrupt):
            write_site(folder, {"index.html": b"new"})
    assert (folder / "index.html").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]
    folder.rename(tmp_path / ".site.kgraph-old")  # killed between the two renames
    write_site(folder, {"index.html": b"newest"})
    assert (folder / "index.html").read_bytes() == b"newest"
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]


def test_names_of_pages_differ_where_case_does_not_count() -> None:
    found = make_file_names({1: "SyS_x", 2: "sys_x", 3: "a/b", 4: "a-b", 5: "plain"})
    assert len({name.lower() for name in found.values()}) == 5
    assert found[5] == "plain"
    assert found == make_file_names({5: "plain", 4: "a-b", 3: "a/b", 2: "sys_x", 1: "SyS_x"})


def test_a_function_that_recurs_is_drawn_again(mini: CallGraph) -> None:
    question = PathQuestion("br_handle_frame", "br_dev_queue_push_xmit")
    [path] = find_paths(mini, question).paths
    drawing = draw_hops("bridge", [(hop, "") for hop in (*path.hops, path.hops[-1])], load_lanes())
    assert drawing is not None
    functions = [path.hops[0].caller, *(hop.callee for hop in path.hops)]
    assert [box.name for box in drawing.boxes] == [str(function) for function in functions]
    assert len({box.name for box in drawing.boxes}) < len(functions)
    assert [(a.caller, a.callee) for a in drawing.arrows] == [
        (place, place + 1) for place in range(len(path.hops))
    ]


@pytest.mark.parametrize("form", ["svg", "dot", "mermaid", "html"])
def test_path_in_every_form(kgraph, mini_index: Path, form: str) -> None:
    answer = kgraph("path", "SyS_clone", "setup_net", "--format", form, "--index", mini_index)
    assert answer.returncode == 0, answer.stderr
    for name in ("SyS_clone", "copy_net_ns", "setup_net"):
        assert name in answer.stdout
    none = kgraph("path", "setup_net", "SyS_clone", "--format", form, "--index", mini_index)
    assert none.returncode == 1
    assert "no path" in none.stdout + none.stderr


def test_report_from_the_command_line(kgraph, mini_index: Path, tmp_path: Path) -> None:
    answer = kgraph("report", "netns", "-o", "out", "--json", "--index", mini_index)
    assert answer.returncode == 0, answer.stderr
    assert '"format": "kgraph-report/1"' in answer.stdout
    assert (tmp_path / "out" / "chain" / "netns.html").is_file()
    again = kgraph("report", "netns", "-o", "out", "--index", mini_index)
    assert " 0 written" in again.stdout
    refused = kgraph("report", "netns", "-o", ".", "--index", mini_index)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
