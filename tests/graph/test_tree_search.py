"""Where the files of the units define macros and records, and what is said of macros."""

from pathlib import Path

import pytest

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.graph.tree_search import IndexedDefinitions
from kgraph.model.verdicts import Verdict
from tests.support.tiny import Tiny

A = """#include "b.h"
WALK(x) {
}
#define OWN 1
struct twice { int here; };
"""
B = """WALK of all;
# define\tWALK(x) \\
    while (x)
#undef WALK
struct twice
{
    long there;
};
"""
OTHER = """#define ELSEWHERE(x) x
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> CallGraph:
    tiny = Tiny()
    tiny.calls("a", "b")
    folder = tmp_path_factory.mktemp("defined")
    graph = tiny.graph(folder, {"a.c": A, "b.h": B})
    (folder / "tree" / "other.h").write_text(OTHER)
    return graph


def test_a_macro_is_where_it_is_defined_and_not_where_it_is_used(graph: CallGraph) -> None:
    defined = IndexedDefinitions(graph)
    assert str(defined.find_macro("WALK")) == "b.h:2"
    assert str(defined.find_macro("OWN")) == "a.c:4"
    assert defined.find_macro("ELSEWHERE") is defined.find_macro("WAL") is None


def test_a_record_is_where_headers_define_it(graph: CallGraph) -> None:
    assert list(map(str, IndexedDefinitions(graph).find_records("twice"))) == ["b.h:5"]
    assert IndexedDefinitions(graph).find_records("none") == []


@pytest.mark.parametrize(("name", "note"), [
    ("WALK", "WALK (b.h:2) is a macro, and the index does not record its uses"),
    ("ELSEWHERE", "ELSEWHERE (other.h:1) is not in this configuration"),
])
def test_a_macro_without_calls_is_no_name_of_another_configuration(
    graph: CallGraph, name: str, note: str
) -> None:
    judged = check_document(graph, parse_document("x.md", f"{name}() (a.c:1)\n".encode())).lines[0]
    assert (judged.verdict, judged.note) == (Verdict.UNDECIDED, note)


def test_a_macro_that_calls_is_cited_where_it_is_defined(mini: CallGraph) -> None:
    text = "wake_up_interruptible_sync_poll()\n|-__wake_up_sync_key()\n"
    note = check_document(mini, parse_document("x.md", text.encode())).lines[0].note
    path, line = note.removeprefix("a macro (").removesuffix(")").split(":")
    lines = Path(mini.description.tree, path).read_text().split("\n")
    assert lines[int(line) - 1].startswith("#define wake_up_interruptible_sync_poll(")
