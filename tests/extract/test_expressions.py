"""Expressions: which values assignments and returns put where."""

import pytest

from tests.support.shorthand import Facts

OPS = """
struct ops { int (*read)(int); int (*write)(int); };
struct dev { const struct ops *ops; struct ops own; void *data; int n; };
int f(int x); int g(int x);
"""


@pytest.mark.parametrize(("statement", "expected"), [
    ("d->ops = o;", ["dev.ops{u(#0)} = u(#1)"]),
    ("d->own.read = f;", ["ops.read{&dev.own{u(#0)}} = f"]),
    ("d->own.read = d->ops->write;", ["ops.read{&dev.own{u(#0)}} = ops.write{dev.ops{u(#0)}}"]),
    ("if (o->read == f) return;", []),
    ("if (o->read != f && d) return;", []),
    ("d->n = 3;", []),
    ("o->read = 0;", []),
    ("*d = *(struct dev *)v;", ["dev.*{u(#0)} = dev.*{u(#2)}"]),
    ("d->own = *o;", ["dev.own{u(#0)} = ops.*{u(#1)}"]),
    ("struct ops l = *o; l.read(1);", ["l = ops.*{u(#1)}"]),
    ("struct ops l = { f }; d->ops = &l;", ["ops.read{&l} = f", "dev.ops{u(#0)} = &l"]),
    ("o->read = v ? f : g;", ["ops.read{u(#1)} = f", "ops.read{u(#1)} = g"]),
    ("o->read = ({ g(1); f; });", ["ops.read{u(#1)} = f"]),
    ("o->read = (g(1), f);", ["ops.read{u(#1)} = f"]),
    ("o->read = o->write = f;", ["ops.write{u(#1)} = f", "ops.read{u(#1)} = f"]),
    ("*(void **)v = f;", [".*{u(#2)} = f"]),
    ("struct dev *x = (struct dev *)((char *)o - 8); x->data = v;",
     ["x = ?container_of through dev.own@unit.c", "dev.data{x} = u(#2)"]),
    ("union { typeof(o->read) __val; char __c[1]; } __u = { .__val = f };", ["__u = f"]),
    ("{ int (*p)(int) = f; } { int (*p)(int) = g; }", ["p = f", "p#2 = g"]),
    ("static struct ops s = { f }; d->ops = &s;",
     ["ops.read{&u.s} = f", "dev.ops{u(#0)} = &u.s"]),
    ("o = get(d)->ops;", ["u(#1) = dev.ops{get()}"]),
    ("o = d->ops ?: o;", ["u(#1) = dev.ops{u(#0)}"]),
])
def test_statements(facts: Facts, statement: str, expected: list[str]) -> None:
    reading = facts(OPS + "struct dev *get(struct dev *d);\n"
                    "void u(struct dev *d, struct ops *o, void *v) {" + statement + "}")
    assert not reading.facts.errors, reading.facts.errors
    assert reading.puts("u") == expected


def test_returns(facts: Facts) -> None:
    reading = facts(OPS + """
    typedef int (*fn)(int);
    fn pick(int x, struct ops *o) { if (x) return f; return o->write; }""")
    assert reading.puts("pick") == ["pick() = f", "pick() = ops.write{pick(#1)}"]


def test_variadic_arguments(facts: Facts) -> None:
    reading = facts("void t(int n, ...) { __builtin_va_list args; __builtin_va_start(args, n);"
                    " ((int (*)(void))__builtin_va_arg(args, void *))();"
                    " __builtin_va_arg(args, int (*)(void))(); __builtin_va_arg(args, int); }")
    assert reading.puts("t") == ["args = t(#1)"]
    assert reading.calls("t") == ["?it is taken from behind the dots", "args"]


def test_arithmetic_on_a_function_is_no_call_of_it(facts: Facts) -> None:
    reading = facts("int f(int); int t(int n) { return (f + n)(n); }")
    assert reading.calls("t") == ["?it is computed from the address of a function"]
