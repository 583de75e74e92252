"""Why there is no path, and what keeps that open: calls of which kgraph cannot see the callee."""

from pathlib import Path

import msgspec
import pytest

from kgraph.graph import CallGraph
from kgraph.model.results import Frontier
from kgraph.query.paths.question import PathQuestion, find_paths
from tests.support.one_file import index_text


def explain(graph: CallGraph, caller: str, callee: str, **more: object) -> Frontier:
    answer = find_paths(graph, PathQuestion(caller, callee, **more))  # type: ignore[arg-type]
    assert answer.frontier is not None
    return answer.frontier


def mark_whole(graph: CallGraph) -> CallGraph:
    """The graph as if its units were all that is linked."""
    graph.is_whole = True
    return graph


LIBRARY = """
int puts_like(const char *text);
int far_away(void);
void *memcpy(void *to, const void *from, unsigned long size);
static int mine(void) { return 1; }
static int only_mine(void) { return mine(); }
int theirs(void) { return only_mine(); }
static int lonely(void) { return 2; }
static int handed(void) { return 3; }
int (*hook)(void) = handed;
static int near(int n) { return n ? far_away() : puts_like(""); }
int start(int n) { return near(n); }
int copies(char *p) { memcpy(p, p + 1, 1); return __sync_fetch_and_add(p, 1); }
"""


def test_an_undefined_function_may_call_what_others_can_name(tmp_path: Path) -> None:
    with index_text(tmp_path, LIBRARY) as graph:
        for callee in ("theirs", "mine", "handed"):
            gap = explain(graph, "start", callee)
            assert gap.is_open
            assert gap.by_undefined
            assert not gap.by_type
            assert {str(each) for each in gap.forward.undefined} == {"puts_like", "far_away"}
            assert gap.forward.undefined_count == 2
        assert not explain(graph, "start", "lonely").is_open  # static, and no pointer to it
        assert not explain(graph, "copies", "theirs").is_open  # memcpy calls nothing back


def test_a_whole_kernel_calls_nothing_that_it_does_not_define(tmp_path: Path) -> None:
    with index_text(tmp_path, LIBRARY) as graph:
        gap = explain(mark_whole(graph), "start", "theirs")
        assert (gap.is_open, gap.forward.undefined) == (False, ())


def test_what_rust_code_defines_stays_open_in_a_whole_kernel(tmp_path: Path) -> None:
    with index_text(tmp_path, LIBRARY) as graph:
        graph.reader.description = msgspec.structs.replace(
            graph.description, rust=("far_away", "other"))
        gap = explain(mark_whole(graph), "start", "theirs")
        assert gap.is_open
        assert [str(each) for each in gap.forward.undefined] == ["far_away"]


def test_the_nearest_undefined_functions_are_listed_first(tmp_path: Path) -> None:
    text = "".join(
        f"int out{n}(void);\nint step{n + 1}(void);\n"
        f"int step{n}(void) {{ return out{n}() + step{n + 1}(); }}\n" for n in range(9))
    with index_text(tmp_path, f"{text}int step9(void) {{ return 0; }}\nint end(void);\n"
                              "int end(void) { return 1; }\n") as graph:
        reach = explain(graph, "step0", "end").forward
        assert [str(each) for each in reach.undefined] == [f"out{n}" for n in range(6)]
        assert reach.undefined_count == 9


def test_what_must_be_avoided_cannot_be_on_the_way(tmp_path: Path) -> None:
    with index_text(tmp_path, LIBRARY) as graph:
        assert explain(graph, "start", "mine").is_open
        assert not explain(graph, "start", "mine", avoid=("only_mine",)).is_open


UNRESOLVED = """
extern int (*pick(int n))(int);
extern void (*other(int n))(void *);
int fits(int n) { return n; }
int (*kept)(int) = fits;
void fits_not(void *p) { }
void (*kept_too)(void *) = fits_not;
static int leads(int n) { return fits(n); }
int (*last)(int) = leads;
static int goal(void) { return 4; }
int start(int n) { other(n)(0); return pick(n)(2); }
"""


@pytest.mark.parametrize(("callee", "expressions"), [
    ("fits", ["pick(n)"]), ("fits_not", ["other(n)"]), ("goal", []),
])
def test_only_unresolved_calls_that_might_lead_there_are_listed(
    tmp_path: Path, callee: str, expressions: list[str]
) -> None:
    with index_text(tmp_path, UNRESOLVED) as graph:
        gap = explain(mark_whole(graph), "start", callee)
        assert [site.expression for site in gap.forward.unresolved] == expressions
        assert gap.forward.unresolved_count == len(expressions)
        assert gap.by_type is bool(expressions)


def test_open_calls_of_several_kinds_lead_to_one_another(tmp_path: Path) -> None:
    """By its type the call enters `middle`, whose callee is not defined and may call `goal`."""
    with index_text(tmp_path, """
extern int (*pick(int n))(int);
int elsewhere(void);
int goal(void) { return 1; }
static int middle(int n) { return elsewhere(); }
int (*kept)(int) = middle;
int start(int n) { return pick(n)(2); }
""") as graph:
        gap = explain(graph, "start", "goal")
        assert [site.expression for site in gap.forward.unresolved] == ["pick(n)"]


ASSEMBLER = r"""
extern unsigned long start_code;
asm(".globl entry\nentry: movq start_code(%rip), %rax\n pushq %rax\n ret\n"
    ".globl leave\nleave: call *%rbx\n ret\n");
void leave(void);
static int goal(void) { return 1; }
static int second(void) { return goal(); }
int wake(int n) { start_code = (unsigned long)second; return n; }
int caller(int n) { return wake(n); }
int other(int n) { leave(); return n; }
static int lonely(void) { return 2; }
int stranger(int n) { return n; }
"""


def test_a_store_for_assembler_keeps_the_answer_open(tmp_path: Path) -> None:
    with index_text(tmp_path, ASSEMBLER) as graph:
        gap = explain(graph, "caller", "second")
        assert [str(each) for each in gap.assembler_entries] == ["entry"]
        [store] = gap.assembler_stores
        assert (str(store.function), store.holder, store.location.line) == (
            "second", "start_code", 8)
        assert gap.is_open
        assert explain(graph, "caller", "goal").is_open
        assert not explain(graph, "stranger", "second").is_open
        assert find_paths(graph, PathQuestion("entry", "goal")).paths


def test_a_call_through_a_register_may_enter_what_others_can_name(tmp_path: Path) -> None:
    with index_text(tmp_path, ASSEMBLER) as graph:
        gap = explain(graph, "other", "goal")
        assert [site.expression for site in gap.forward.unresolved] == ["*%rbx"]
        assert gap.is_open
        assert not explain(graph, "other", "lonely").is_open
