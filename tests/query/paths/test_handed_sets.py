"""A set of functions that a call site hands to a parameter: only these are called through it."""

from pathlib import Path

import pytest

from tests.query.paths.test_path_rules import ask, why
from tests.support.one_file import index_text, index_tree_at
from tests.support.places import FIXTURES

TEXT = """
typedef int (*fp)(int);
struct ops { fp run; fp stop; };
int counter;
int goal_one(int n) { return counter++; }
int goal_two(int n) { return counter++; }
int goal_three(int n) { return counter++; }
int stopper(int n) { return counter++; }
static struct ops one = { goal_one, stopper }, two = { goal_two, stopper };
static struct ops *current = &one;
int call(fp fn) { return fn(1); }
int wrap(fp fn) { return call(fn); }
int wrap_again(fp fn) { return wrap(fn); }
int run(struct ops *ops) { return call(ops->run); }
int run_wrapped(struct ops *ops) { return wrap_again(ops->run); }
int stop(struct ops *ops) { return call(ops->stop); }
int set(int n) { current = n ? &one : &two; return run(current) + run_wrapped(current)
    + stop(current); }
int three(void) { return call(goal_three); }
%s
"""


def test_a_call_through_a_parameter_calls_what_the_path_hands_on(tmp_path: Path) -> None:
    with index_text(tmp_path, TEXT % "") as graph:
        for goal in ("goal_one", "goal_two"):
            assert ask(graph, "run", goal) == ["run", "call", goal]
            assert ask(graph, "run_wrapped", goal) == [
                "run_wrapped", "wrap_again", "wrap", "call", goal]
            assert ask(graph, "stop", goal) == []
        assert ask(graph, "run", "goal_three") == []
        assert ask(graph, "run_wrapped", "goal_three") == []
        assert ask(graph, "three", "goal_three") == ["three", "call", "goal_three"]
        assert ask(graph, "stop", "stopper") == ["stop", "call", "stopper"]
        assert ask(graph, "call", "goal_three") == ["call", "goal_three"]


def test_what_was_not_handed_on_is_a_contradiction(tmp_path: Path) -> None:
    with index_text(tmp_path, TEXT % "") as graph:
        assert "hands another function" in why(graph, "run", "goal_three")
        assert ask(graph, "run", "goal_three", prune=False) == ["run", "call", "goal_three"]


@pytest.mark.parametrize("more", [
    "void fill(struct ops *ops); void unseen(void) { fill(&one); }",
    "void copy(void *to) { *(void **)((char *)&one + counter) = goal_three; }",
    "struct ops *get(void); int other(void) { one = *get(); return 0; }",
], ids=["handed out", "raw memory", "from outside"])
def test_what_an_unknown_writer_may_write_stays(tmp_path: Path, more: str) -> None:
    with index_text(tmp_path, TEXT % more) as graph:
        assert ask(graph, "run", "goal_one") == ["run", "call", "goal_one"]


def test_null_calls_nothing(tmp_path: Path) -> None:
    with index_text(tmp_path, TEXT % "int none(void) { return call(0); }") as graph:
        assert ask(graph, "none", "goal_three") == []


def test_one_of_several_alternatives(tmp_path: Path) -> None:
    text = """
int either(struct ops *ops, int n) { return call(n ? ops->run : goal_three); }
int own(fp fn, struct ops *ops, int n) { return call(n ? ops->run : fn); }
int outer(struct ops *ops, int n) { return own(stopper, ops, n); }
"""
    with index_text(tmp_path, TEXT % text) as graph:
        assert ask(graph, "either", "goal_three") == ["either", "call", "goal_three"]
        assert ask(graph, "either", "goal_two") == ["either", "call", "goal_two"]
        assert ask(graph, "either", "stopper") == []
        assert ask(graph, "outer", "stopper") == ["outer", "own", "call", "stopper"]
        assert ask(graph, "outer", "goal_one") == ["outer", "own", "call", "goal_one"]
        assert ask(graph, "outer", "goal_three") == []


def test_a_local_that_is_called_through_its_address_is_unknown(tmp_path: Path) -> None:
    text = """
void change(fp *place);
int taken(struct ops *ops) { fp fn = ops->run; change(&fn); return call(fn); }
"""
    with index_text(tmp_path, TEXT % text) as graph:
        assert ask(graph, "taken", "goal_three") == ["taken", "call", "goal_three"]


SECTIONS = """
typedef int (*initcall_t)(void);
extern initcall_t __initcall_start[], __initcall0_start[], __initcall1_start[];
int counter;
static int early(void) { return counter++; }
static int late(void) { return counter++; }
static initcall_t put_early __attribute__((__used__, __section__(".initcallearly.init"))) = early;
static initcall_t put_late __attribute__((__used__, __section__(".initcall0.init"))) = late;
int one(initcall_t fn) { return fn(); }
void first(void) { initcall_t *fn; for (fn = __initcall_start; fn < __initcall0_start; fn++)
    one(*fn); }
void second(void) { initcall_t *fn; for (fn = __initcall0_start; fn < __initcall1_start; fn++)
    one(*fn); }
void both(void) { first(); second(); }
"""


def test_a_walk_of_a_section_calls_what_is_in_it(tmp_path: Path) -> None:
    with index_text(tmp_path, SECTIONS) as graph:
        assert ask(graph, "first", "early") == ["first", "one", "early"]
        assert ask(graph, "first", "late") == []
        assert ask(graph, "second", "early") == []
        assert ask(graph, "both", "late") == ["both", "second", "one", "late"]


def test_a_walk_over_distances_calls_what_is_in_its_sections(tmp_path: Path) -> None:
    with index_tree_at(FIXTURES / "relative-initcalls", tmp_path) as graph:
        assert ask(graph, "do_pre_smp_initcalls", "cpu_init") == [
            "do_pre_smp_initcalls", "do_one_initcall", "cpu_init"]
        assert ask(graph, "do_pre_smp_initcalls", "net_init") == []
        assert ask(graph, "do_initcall_level", "net_init") == [
            "do_initcall_level", "do_one_initcall", "net_init"]
        assert ask(graph, "do_initcall_level", "cpu_init") == []
