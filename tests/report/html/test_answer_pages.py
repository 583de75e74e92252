"""Pages of checked documents and of path questions."""

import re

from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.report.html import make_site
from tests.support.report_pages import answer_path, check_text


def test_wrong_lines_are_told_with_what_is_there(mini: CallGraph) -> None:
    chain = check_text(mini, "notes.md", b"```\nSyS_clone()\n|-SYSC_clone()\n  |-setup_net()\n"
                                         b"veth_xmit()\n|-SyS_clone()\n```\n")
    page = make_site(mini, SourceText(mini), [chain], [])["chain/notes.md.html"].decode()
    for line in chain.check.lines:
        if line.verdict.value in ("gap", "refuted"):
            assert f'<span class="badge {line.verdict.value}">' in page
            assert line.note[:20] in page
    assert "badge refuted" in page
    left_out = [hop for line in chain.check.lines for hop in line.via[:-1]]
    assert left_out
    for hop in left_out:
        assert f"left out</span> {hop.caller} → {hop.callee}" in page


def test_prose_within_a_tree_does_not_cut_it(mini: CallGraph) -> None:
    chain = check_text(mini, "n.md", b"# Title\n\nIntro one\n\nIntro two\n\n```\nSyS_clone()\n"
                                     b"|-SYSC_clone()\n/* a word */\n  |-_do_fork()\n```\n")
    page = make_site(mini, SourceText(mini), [chain], [])["chain/n.md.html"].decode()
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    roots = [line for line in chain.check.lines if line.verdict.value != "prose"
             and line.line.parent == 0]
    assert headings[0] == "Title"
    assert len(headings) <= len(roots)
    assert "Intro one" in page


def test_no_path_says_why(mini: CallGraph) -> None:
    pages = make_site(mini, SourceText(mini), [], [answer_path(mini, "veth_xmit", "SyS_sendto")])
    assert b"no path from veth_xmit to SyS_sendto" in pages["path/veth_xmit-SyS_sendto.html"]
