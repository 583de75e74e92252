"""Call sites: which calls a function makes, and where a reader sees them."""

import pytest

from kgraph.model.location import ParameterTest
from tests.support.shorthand import Facts, value_text

OPS = """
struct ops { int (*read)(int); int (*write)(int); };
int f(int x); int g(int x); int h(void);
"""


def test_direct_and_indirect_callees(facts: Facts) -> None:
    reading = facts(OPS + """
    int all(struct ops *o, struct ops v, int (*cb)(int), int (**pp)(int)) {
        int (*l)(int) = o->read;
        f(1); (g)(2); (*l)(3); l(4); o->read(5); (*o->write)(6); v.read(7); cb(8); (*pp)(9);
        return o[3].write(10);
    }""")
    assert reading.calls("all") == [
        "f", "g", "l", "l", "ops.read{all(#0)}", "ops.write{all(#0)}", "ops.read{&all(#1)}",
        "all(#2)", ".*{all(#3)}", "ops.write{all(#0)}"]
    assert [site.index for site in reading.sites("all")] == [-1, -1, 0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("expression", [
    "sizeof(f(1))", "_Alignof(struct ops)", "({ typeof(f(1)) v = 3; v; })",
    "__builtin_choose_expr(1, 3, f(1))", "__builtin_choose_expr(0, f(1), 3)",
    "__builtin_types_compatible_p(typeof(f(1)), int)",
    "_Generic(f(1), long: (char)f(1), default: 3)", "(typeof(f(1)))3",
])
def test_what_is_not_evaluated_makes_no_call(facts: Facts, expression: str) -> None:
    assert facts(OPS + f"int u(void) {{ return {expression}; }}").calls("u") == []


def test_operands_that_clang_shows_several_times_are_one_call(facts: Facts) -> None:
    reading = facts(OPS + "int u(void) { return h() ?: f(1); }")
    assert reading.calls("u") == ["h", "f"]
    assert [guard.holds for guard in reading.sites("u")[1].guards] == [False]


def test_chosen_branch_of_choose_expr(facts: Facts) -> None:
    reading = facts(OPS + "int u(void) { return __builtin_choose_expr(0, f(1), g(2)); }")
    assert reading.calls("u") == ["g"]


def test_line_and_macro_of_calls_in_macros(facts: Facts) -> None:
    reading = facts(OPS + """
#define TWICE(o) ((o)->read(1) + (o)->read(2))
#define likely(x) __builtin_expect(!!(x), 1)
#define outer(o) TWICE(o)
int u(struct ops *o) {
    int r = TWICE(o);
    r += outer(o);
    if (likely(f(3)))
        return r;
    return likely(
        g(4));
}""")
    seen = [(s.location.line - 8, s.ordinal, s.macro, s.expression) for s in reading.sites("u")]
    assert seen == [
        (1, 0, "TWICE", "o->read"), (1, 1, "TWICE", "o->read"), (2, 0, "outer", "o->read"),
        (2, 1, "outer", "o->read"), (3, 0, "", "f"), (6, 0, "", "g")]


def test_extent_covers_the_call(facts: Facts) -> None:
    site = facts(OPS + "int u(void) {\n\treturn f(\n\t\t1);\n}").sites("u")[0]
    assert (site.location.line, site.location.column) == (5, 9)
    assert (site.extent.end_line, site.extent.end_column) == (6, 5)


def test_arguments(facts: Facts) -> None:
    reading = facts(OPS + """
    enum { THREE = 3 };
    struct work { int n; struct ops o; };
    static struct ops table;
    void take(void *p, ...);
    void u(struct work *w, void *v, int n) {
        take(f, &f, &w->o, &table, THREE, -1, 1 << 2, v, n, n ? f : g, &w->n, "text");
    }""")
    assert [[value_text(v) for v in argument] for argument in reading.sites("u")[0].arguments] == [
        ["f"], ["f"], ["&work.o{u(#0)}"], ["&table"], ["3"], ["-1"], ["4"], ["u(#1)"],
        ["u(#2)"],
        ["f", "g"], ["&work.n{u(#0)}"], []]


def test_signature_of_an_indirect_call(facts: Facts) -> None:
    site = facts(OPS + "int u(struct ops *o) { return o->read(1); }").sites("u")[0]
    assert site.signature == "int (int)"


def test_expressions_are_as_a_reader_sees_them(facts: Facts) -> None:
    reading = facts(OPS + """
    struct sock { struct { struct ops *skc_prot; } __sk_common; };
    #define sk_prot __sk_common.skc_prot
    #define CALL(s) (s)->sk_prot->read(1)
    struct ops *get(struct sock *s);
    int u(struct sock *s, int i) {
        CALL(s);
        get( s )->read(3);
        return s->sk_prot
            ->write(2);
    }""")
    assert [s.expression for s in reading.sites("u") if s.index >= 0] == [
        "s->__sk_common.skc_prot->read", "get( s )->read", "s->sk_prot ->write"]


def test_a_condition_that_chooses_the_callee_guards_each_call(facts: Facts) -> None:
    reading = facts(OPS + """
    int u(struct ops *o, int i) { return (i ? f : o->read)(i); }
    int w(struct ops *o, int i)
    { return (*(i == 1 ? &f : i == 2 ? o->read : 0 ? f : o->write))(i); }
    """)
    assert reading.calls("u") == ["f", "ops.read{u(#0)}"]
    first, second = reading.sites("u")
    assert [(guard.holds, guard.tests) for site in (first, second) for guard in site.guards] == [
        (True, (ParameterTest(1, 0xFFFFFFFF, 0, is_equal=False),)),
        (False, (ParameterTest(1, 0xFFFFFFFF, 0, is_equal=True),))]
    assert first.location == second.location
    assert (first.ordinal, second.ordinal) == (0, 1)
    assert second.expression == "o->read"
    assert reading.calls("w") == ["f", "ops.read{w(#0)}", "ops.write{w(#0)}"]
    assert [[guard.holds for guard in site.guards] for site in reading.sites("w")] == [
        [True], [False, True], [False, False]]


def test_a_callee_with_several_values_is_one_call(facts: Facts) -> None:
    reading = facts(OPS + "int u(struct ops *o, int i) { return ({ i ? f : o->read; })(i); }")
    assert reading.calls("u") == ["(callee)"]
    assert reading.puts("u") == ["(callee) = f", "(callee) = ops.read{u(#0)}"]
