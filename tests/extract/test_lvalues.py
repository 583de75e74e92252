"""What is put where: initialisers, assignments, copies, returns."""

import pytest

from kgraph.model.values import Load, TransferKind
from tests.support.shorthand import Facts, Reading, value_text

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
     ["x = ?container_of", "dev.data{x} = u(#2)"]),
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


def test_slots_of_one_struct_name_in_two_files_differ(facts: Facts) -> None:
    source = "struct priv { int (*cb)(int); }; int f(int x) { return x; } struct priv t = { f };"
    slots = {facts(source, path=path).definition("t").bindings[0].place.holder
             for path in ("a.c", "b.c")}
    assert {str(slot) for slot in slots} == {"priv.cb"}
    assert len(slots) == 2


def test_records_of_include_folders_have_no_scope(facts: Facts) -> None:
    reading = facts("#include <linux/o.h>\nint f(int x) { return x; } struct o t = { f };",
                    files={"include/linux/o.h": "struct o { int (*cb)(int); };"})
    assert getattr(reading.definition("t").bindings[0].place.holder, "scope", None) == ""


def test_parameters_written_as_functions_and_arrays_are_pointers(facts: Facts) -> None:
    reading = facts(OPS + """
    int inner(int cb(int), struct ops table[]);
    int u(int cb(int), struct ops table[], struct ops *o) {
        o->read = cb;
        table[1].write = cb;
        return inner(cb, table) + table->read(1);
    }""")
    assert reading.puts("u") == ["ops.read{u(#2)} = u(#0)", "ops.write{u(#1)} = u(#0)"]
    site, indirect = reading.sites("u")
    assert [[value_text(v) for v in argument] for argument in site.arguments] == [
        ["u(#0)"], ["u(#1)"]]
    assert value_text(indirect.target) == "ops.read{u(#1)}"


OVERLAYS = """
typedef int (*fn_t)(int);
struct base { fn_t top; };
struct list { struct list *next; };
union u { fn_t run; fn_t go; void *data; unsigned long n; unsigned long m; void (*end)(void);
          struct base *ops; struct list *head; };
struct a { int kind; fn_t first; fn_t second; };
struct b { int kind; fn_t one; void *two; };
struct derived { struct base base; fn_t more; };
struct pair { fn_t left; struct a right; };
struct word { int kind; unsigned long w; };
void *memdup_user(const void *from, unsigned long n);
unsigned long copy_from_user(void *to, const void *from, unsigned long n);
"""
BYTES = "?its record is copied from memory of another type"
OUTSIDE = "?its record is filled from memory outside the kernel"
CARRIERS = {"data", "n", "m", "two", "w"}


@pytest.mark.parametrize(("body", "expected"), [
    ("p->run", {"run-go", "run-data", "run-n", "run-m"}),
    ("p->n", {"run-n", "go-n", "end-n"}),
    ("(void *)p->n", {"run-n", "go-n", "end-n", "n-run", "n-go", "n-end"}),
    ("(void *)(p->n & ~3UL)", {"run-n", "go-n", "end-n", "n-run", "n-go", "n-end"}),
    ("(unsigned long)p->run", {"run-go", "run-data", "run-n", "run-m"}),
    ("p->data", {"data-run", "data-go", "data-end", "data-ops"}),
    ("p->ops", {"ops-data"}),
    ("p->head", set()),
    ("(struct b *)x", {"first-one", "second-two"}),
    ("(struct a *)(void *)x", set()),
    ("(struct derived *)y", set()),
    ("(struct base *)z", set()),
    ("(struct b *)w", {"first-two"}),
    ("(struct word *)x", {"w-first", "first-w"}),
    ("(void **)x", {"first-?its record is written through a pointer of another type",
                    "second-?its record is written through a pointer of another type"}),
    ("(char *)x", set()),
])
def test_overlays(facts: Facts, body: str, expected: set[str]) -> None:
    reading = facts(OVERLAYS + "void t(union u *p, struct a *x, struct base *y, struct derived *z,"
                    f" struct pair *w, struct b *v, const char *bytes) {{ {body}; }}")
    pairs = overlaid(reading)
    both = {"-".join(reversed(pair.split("-"))) for pair in expected
            if "?" not in pair and not pair.endswith(("-n", "-m"))}
    assert pairs == expected | both


@pytest.mark.parametrize(("body", "expected"), [
    ("__builtin_memcpy(v, x, 8)", {"one-first", "two-second"}),
    ("__builtin_memcpy(v, x, 8), __builtin_memcpy(v, x, 8)", {"one-first", "two-second"}),
    ("__builtin_memcpy(v, bytes, 8)", {"one-" + BYTES}),
    ("struct b many[2]; __builtin_memcpy(&many, x, 8)", {"one-first", "two-second"}),
    ("struct b many[2]; copy_from_user(&many, bytes, 8)", {"one-" + OUTSIDE}),
    ("char of[8]; __builtin_memcpy(v, &of, 8)", {"one-" + BYTES}),
    ("struct b *made = memdup_user(bytes, 8)", {"one-" + OUTSIDE}),
    ("v = (struct b *)memdup_user(bytes, 8)", {"one-" + OUTSIDE}),
    ("void *made = memdup_user(bytes, 8)", set()),
])
def test_what_is_copied_is_read_one_way(facts: Facts, body: str, expected: set[str]) -> None:
    assert overlaid(facts(OVERLAYS + "void t(struct a *x, struct b *v, const char *bytes)"
                          f" {{ {body}; }}")) == expected


def overlaid(reading: Reading) -> set[str]:
    """What lies on one another, by the names of fields."""
    found = [flow for flow in reading.definition("t").flows
             if flow.how in (TransferKind.OVERLAY, TransferKind.CARRIER)]
    for flow in found:
        if isinstance(flow.source, Load):
            both = {flow.target.holder.field, flow.source.place.holder.field}
            assert (flow.how is TransferKind.CARRIER) == (not both.isdisjoint(CARRIERS))
    pairs = {"-".join((flow.target.holder.field, value_text(flow.source).rpartition(".")[2]))
             for flow in found}
    assert len(found) == len(pairs)
    return pairs


@pytest.mark.parametrize(("body", "expected"), [
    ("unsigned long n = p->n", "n = ?the address of a function is read as a number"),
    ("unsigned long n = 0; n = p->n & 3", "n = ?the address of a function is read as a number"),
    ("unsigned long n = x->kind", None),
    ("void *n = (void *)(p->n & 3)", "n = ?a number is taken for an address"),
    ("void *n = (void *)(sizeof(*x) & 3)", None),
    ("void *n = (void *)p->n", "n = u.n{t(#0)}"),
])
def test_numbers_that_may_be_addresses(facts: Facts, body: str, expected: str | None) -> None:
    puts = facts(OVERLAYS + f"void t(union u *p, struct a *x) {{ {body}; }}").puts("t")
    assert [put for put in puts if put.startswith("n = ")] == ([expected] if expected else [])


def test_arguments_behind_the_dots(facts: Facts) -> None:
    reading = facts("void t(int n, ...) { __builtin_va_list args; __builtin_va_start(args, n);"
                    " ((int (*)(void))__builtin_va_arg(args, void *))();"
                    " __builtin_va_arg(args, int (*)(void))(); __builtin_va_arg(args, int); }")
    assert reading.puts("t") == ["args = t(#1)"]
    assert reading.calls("t") == ["?it is taken from behind the dots", "args"]


def test_arithmetic_on_a_function_is_no_call_of_it(facts: Facts) -> None:
    reading = facts("int f(int); int t(int n) { return (f + n)(n); }")
    assert reading.calls("t") == ["?it is computed from the address of a function"]
