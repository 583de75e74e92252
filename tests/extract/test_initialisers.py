"""Initialisers: which value a declaration puts into which place."""

import pytest

from tests.support.shorthand import Facts

OPS = """
struct ops { int (*read)(int); int (*write)(int); };
struct dev { const struct ops *ops; struct ops own; void *data; int n; };
int f(int x); int g(int x);
"""


@pytest.mark.parametrize(("initialiser", "expected"), [
    ("struct ops t = { .read = f, .write = g };", ["ops.read{&t} = f", "ops.write{&t} = g"]),
    ("struct ops t = { f, g };", ["ops.read{&t} = f", "ops.write{&t} = g"]),
    ("struct ops t = { .write = f };", ["ops.write{&t} = f"]),
    ("struct ops t = { read: f };", ["ops.read{&t} = f"]),
    ("struct ops t[] = { { f }, { .write = &g } };", ["ops.read{&t} = f", "ops.write{&t} = g"]),
    ("struct ops t[] = { f, g, g };",
     ["ops.read{&t} = f", "ops.write{&t} = g", "ops.read{&t} = g"]),
    ("struct ops t[9] = { [2] = { f, g }, [3 ... 5].write = f };",
     ["ops.read{&t} = f", "ops.write{&t} = g", "ops.write{&t} = f"]),
    ("int (*t[])(int) = { f, [4] = g };", ["t = f", "t = g"]),
    ("int (*t)(int) = (void *)f;", ["t = f"]),
    ("struct dev t = { .own.write = f, .n = 3 };", ["ops.write{&dev.own{&t}} = f"]),
    ("struct dev t = { .own = { f, g } };",
     ["ops.read{&dev.own{&t}} = f", "ops.write{&dev.own{&t}} = g"]),
    ("struct ops o; struct dev t = { &o, f, g };",
     ["dev.ops{&t} = &o", "ops.read{&dev.own{&t}} = f", "ops.write{&dev.own{&t}} = g"]),
    ("struct ops o; struct dev t = { .ops = &o };", ["dev.ops{&t} = &o"]),
    (("struct u { int n; union { int a; int (*cb)(int); }; int (*last)(int); } t = "
     "{ .cb = f, .last = g };"), ["u.cb{&t} = f", "u.last{&t} = g"]),
    ("struct u { struct { int (*cb)(int); } in; } t = { .in.cb = f };",
     ["u.in.cb{&u.in{&t}} = f"]),
    ("typedef struct { int (*cb)(int); } named_t; named_t t = { f };", ["named_t.cb{&t} = f"]),
    ("unsigned long t = (unsigned long)f;", []),
    ("struct dev t = { .data = (struct ops[]){ { .read = f } } };", None),
])
def test_initialisers(facts: Facts, initialiser: str, expected: list[str] | None) -> None:
    reading = facts(OPS + initialiser)
    if expected is None:
        puts = reading.puts("t")
        assert len(puts) == 2
        assert puts[0].endswith("} = f")
        assert puts[0].startswith("ops.read{&(literal:")
        assert puts[1].startswith("dev.data{&t} = &(literal:")
    elif expected:
        assert reading.puts("t") == expected
    else:
        assert "t" not in reading.names()
