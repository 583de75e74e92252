"""Macros as names. The tree has a header and a source; which call is whose is said beside it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph import api
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.ids import FunctionId
from kgraph.model.location import Location
from kgraph.model.results import KnownFunction, KnownMacro
from kgraph.query import find_function
from kgraph.query.lookup import FoundMacro, resolve_name
from kgraph.report.json import encode_edges
from tests.support.one_file import index_tree_at

HEADER = """
void sleep_on(int); void wake(int); int test(int); void report(const char *, int);
#define call_later(x) wake(x)
#define wait_for(q, cond)  \\
	do {                   \\
		if (cond) break;   \\
		sleep_on(q);       \\
		wake(q);           \\
	} while (0)
#define say(x)   report("", x)
#define say_loudly(x)  say(x)
#define smaller(a, wake) ((a) < (wake) ? (a) : (wake))
#define plainly wake
#define unused_here(x) (test(x) || smaller(x, 1))
#define LIMIT 100
"""
SOURCE = """
#include "h.h"
#define own(x) call_later(x)
static void twice(void) { wait_for(1, test(1)); wait_for(2, test(2)); }
void once(void) { wait_for(smaller(3, 4), 0); twice(); }
void later(void) { call_later(1); }
void by_own(void) { own(1); }
void loud(void) { say_loudly(LIMIT); }
void plain(void) { plainly(1); say(2); wake(3); }
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallGraph]:
    folder = tmp_path_factory.mktemp("macros")
    tree = folder / "tree"
    tree.mkdir()
    (tree / "h.h").write_text(HEADER)
    (tree / "a.c").write_text(SOURCE)
    (tree / "compile_commands.json").write_text(json.dumps(
        [{"directory": str(tree), "file": "a.c", "arguments": ["cc", "-c", "a.c"]}]))
    with index_tree_at(tree, folder) as graph:
        yield graph


def callers(graph: CallGraph, name: str) -> dict[str, str]:
    """Caller -> the macro that the source shows there."""
    return {hop.caller.id.name: hop.site.macro for hop in api.callers(graph, name).hops}


def test_the_calls_that_come_through_a_macro(graph: CallGraph) -> None:
    found = api.callers(graph, "wait_for")
    assert callers(graph, "wait_for") == {"once": "wait_for", "twice": "wait_for"}
    assert found.function == KnownMacro(
        "wait_for", found.function.location,
        "wait_for(q, cond) do { if (cond) break; sleep_on(q); wake(q); } while (0)")
    assert str(found.function.location) == "h.h:4"
    assert [len(hop.sites) for hop in found.hops] == [0, 1]  # calls in arguments are no part
    assert found.remarks == (
        "`wait_for` is a macro (h.h:4): #define " + found.function.text,
        "calls that come through it reach `sleep_on`, `wake`")


def test_what_a_macro_calls(graph: CallGraph) -> None:
    found = api.callees(graph, "wait_for")
    assert [hop.callee.id.name for hop in found.hops] == ["sleep_on", "wake"]
    record = encode_edges(found.function)["function"]
    assert (record["name"], record["file"], record["line"]) == ("wait_for", "h.h", 4)
    assert "macro" in record
    assert "macro" not in encode_edges(find_function(graph, "once"))["function"]


def test_by_way_of_other_macros(graph: CallGraph) -> None:
    assert callers(graph, "say") == {"loud": "say_loudly", "plain": "say"}
    assert "some come by way of `say_loudly`" in api.callers(graph, "say").remarks
    assert callers(graph, "call_later") == {"later": "call_later", "by_own": "own"}
    assert callers(graph, "own") == {"by_own": "own"}  # it is defined in the source


def test_a_macro_for_a_name(graph: CallGraph) -> None:
    assert callers(graph, "plainly") == {"plain": "plainly"}
    assert find_function(graph, "plainly").id.name == "wake"
    assert find_function(graph, "call_later()").id.name == "wake"


def test_a_macro_that_calls_nothing_or_is_not_used(graph: CallGraph) -> None:
    for name in ("smaller", "unused_here"):
        found = api.callers(graph, name)
        assert found.hops == ()
        assert found.remarks[1] == "no call comes through it"
    with pytest.raises(LookupFailed, match="`smaller` is a macro") as raised:
        find_function(graph, "smaller")
    assert raised.value.hint == "no call comes through it"


def test_a_macro_is_no_end_of_a_path_unless_it_stands_for_one_function(graph: CallGraph) -> None:
    with pytest.raises(LookupFailed, match=r"`wait_for` is a macro \(h.h:4\)") as raised:
        find_function(graph, "wait_for")
    assert "`sleep_on`, `wake`" in raised.value.hint
    result = api.path(graph, api.PathQuestion("by_own", "plainly"))
    assert result.question.callee == "wake"
    assert result.remarks[0].startswith("`plainly` is a macro")


def test_a_function_comes_before_a_macro_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("""
        void copy(int); void inner(int);
        void (copy)(int x) { inner(x); }
        #define copy(x) (inner(x), (copy)(x))
        #define inner_copy(x) inner(x)
        void user(void) { copy(1); }
        void direct(void) { (copy)(1); }
    """)
    (tmp_path / "compile_commands.json").write_text(json.dumps(
        [{"directory": str(tmp_path), "file": "a.c", "arguments": ["cc", "-c", "a.c"]}]))
    with index_tree_at(tmp_path, tmp_path) as graph:
        found = api.callers(graph, "copy")
        assert found.remarks == ("`copy` is a macro, too: `macro:copy` means that",)
        assert isinstance(resolve_name(graph, "macro:copy"), FoundMacro)
        assert callers(graph, "macro:copy") == {"user": "copy"}
        with pytest.raises(LookupFailed, match="no macro `user`"):
            api.callers(graph, "macro:user")


def test_a_function_of_boot_code_does_not_hide_a_macro_of_vmlinux(
    graph: CallGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = graph.find_functions
    boot = KnownFunction(999, FunctionId("call_later", "", "realmode"), Location("boot.c", 1))
    monkeypatch.setattr(
        graph, "find_functions", lambda name: [boot] if name == "call_later" else real(name))
    found = api.callers(graph, "call_later")
    assert {hop.caller.id.name for hop in found.hops} == {"later", "by_own"}
    assert found.remarks[-1] == "there is also the function `boot.c:call_later`"


def test_which_macros_an_index_keeps(graph: CallGraph) -> None:
    assert [str(each.location) for each in graph.find_macro_definitions("plainly")] == ["h.h:13"]
    assert graph.find_macro_definitions("LIMIT") == []  # a number calls nothing
    assert graph.find_macros_mentioning("call_later") == ["own"]
    assert graph.find_macros_mentioning("smaller") == ["unused_here"]
