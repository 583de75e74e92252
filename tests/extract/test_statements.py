"""Statements: the conditions that guard a call, and what declarations evaluate."""

import pytest

from kgraph.model.location import MAX_GUARDS
from tests.support.shorthand import Facts

OPS = """
struct ops { int (*read)(int); int (*write)(int); };
int f(int x); int g(int x); int h(void);
"""


def test_guards(facts: Facts) -> None:
    source = OPS + """
    int u(int a, int b) {
        if (a == 1)
            return 1;
        if (b) f(1); else g(1);
        while (a) f(2);
        for (a = 0; a < 3; a++) f(3);
        switch (b) {
        case 4: f(4); break;
        case 5: case 6: f(5);
        default: f(6);
        }
        return a && f(7);
    }"""
    lines = source.split("\n")
    reading = facts(source)

    def texts(position: int) -> list[str]:
        return [("" if guard.holds else "!") + lines[guard.extent.start.line - 1][
            guard.extent.start.column - 1:guard.extent.end_column - 1]
            for guard in reading.sites("u")[position].guards[1:]]

    assert all(site.guards[0].holds is False for site in reading.sites("u"))
    assert [texts(n) for n in range(3)] == [["b"], ["!b"], ["a"]]
    assert texts(3) == ["a < 3"]
    assert [texts(n) for n in range(4, 6)] == [["case 4"], ["case 5: case 6"]]
    assert reading.sites("u")[6].guards[1].extent.start.line == 13  # falls through from case 5
    assert texts(7) == ["a"]


def test_of_many_guards_the_innermost_are_kept(facts: Facts) -> None:
    # One line each: the guards of a call are those of the lines before its own.
    chain = "\n".join(f"else if (a == {n}) f({n});" for n in range(3 * MAX_GUARDS))
    sites = facts(OPS + f"int u(int a) {{\nif (a) g(1);\n{chain}\n}}").sites("u")
    assert [len(site.guards) for site in sites[:MAX_GUARDS + 5]] == [
        *range(1, MAX_GUARDS + 1), *[MAX_GUARDS] * 5]
    last = sites[-1]
    assert [guard.holds for guard in last.guards] == [False] * (MAX_GUARDS - 1) + [True]
    assert [guard.extent.start.line for guard in last.guards] == list(
        range(last.location.line - MAX_GUARDS + 1, last.location.line + 1))
    assert sum(len(site.guards) for site in sites) < len(sites) * MAX_GUARDS


def test_a_label_ends_early_exits(facts: Facts) -> None:
    reading = facts(OPS + "int u(int a) { if (a) return 1; f(1); out: g(1); goto out; }")
    assert [len(site.guards) for site in reading.sites("u")] == [1, 0]


ENDS = """
int go(int n);
void end(int n) __attribute__((noreturn));
void __attribute__((noreturn)) stop(void);
struct ender { void (*end)(void) __attribute__((noreturn)); };
"""


@pytest.mark.parametrize(("body", "calls"), [
    ("go(1); end(1); go(2);", ["go", "end"]),
    ("go(1); stop(); go(2);", ["go", "stop"]),
    ("end(1); out: go(1); goto out;", ["end", "go"]),
    ("if (a) { go(1); end(1); } else { stop(); } go(2);", ["go", "end", "stop"]),
    ("switch (a) { case 1: go(1); end(1); go(2); case 2: end(2); go(3); out: go(4); case 3: ; }",
     ["go", "end", "end", "go"]),
    ("e->end(); go(1);", ["ender.end{u(#1)}", "go"]),
    ("void (*p)(int) = end; p(1); go(1);", ["p", "go"]),
], ids=["behind the name", "before the name", "a label", "both branches", "cases",
        "a pointer", "a local pointer"])
def test_nothing_runs_behind_a_call_that_does_not_return(
    facts: Facts, body: str, calls: list[str]
) -> None:
    reading = facts(f"{ENDS} void u(int a, struct ender *e) {{ {body} }}")
    assert reading.calls("u") == calls


def test_a_call_that_does_not_return_is_an_early_exit(facts: Facts) -> None:
    reading = facts(f"{ENDS} void u(int a) {{ if (!a) end(1); go(1); }}")
    guards = reading.sites("u")[-1].guards
    assert [(guard.holds, guard.is_early_exit) for guard in guards] == [(False, True)]
    assert guards[0].tests
    reading = facts(f"{ENDS} void u(int a) {{"
                    " switch (a) { case 1: end(1); case 2: go(1); } }")
    assert len(reading.sites("u")[-1].guards) == 1
    assert reading.sites("u")[-1].guards[0].tests
    reading = facts(f"{ENDS} void u(int a) {{"
                    " switch (a) { case 1: end(1); out: go(3); case 2: go(1); } goto out; }")
    assert not reading.sites("u")[-1].guards[0].tests


def test_bounds_of_variable_length_arrays_are_evaluated(facts: Facts) -> None:
    reading = facts(OPS + "int u(void) { char a[f(3)]; return sizeof a; }")
    assert reading.calls("u") == ["f"]
