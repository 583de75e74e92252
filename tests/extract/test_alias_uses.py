"""Storage that is read as another type: unions, casts, copies, numbers."""

import pytest

from kgraph.model.values import Load, TransferKind
from tests.support.shorthand import Facts, Reading, place_text, value_text

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
def test_overlaps(facts: Facts, body: str, expected: set[str]) -> None:
    reading = facts(OVERLAYS + "void t(union u *p, struct a *x, struct base *y, struct derived *z,"
                    f" struct pair *w, struct b *v, const char *bytes) {{ {body}; }}")
    pairs = find_overlaps(reading)
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
def test_a_copy_overlaps_in_one_direction(facts: Facts, body: str, expected: set[str]) -> None:
    assert find_overlaps(facts(OVERLAYS + "void t(struct a *x, struct b *v, const char *bytes)"
                          f" {{ {body}; }}")) == expected


def find_overlaps(reading: Reading) -> set[str]:
    """The fields that share storage, by their names."""
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


RECORDS = """
typedef int (*fn_t)(int);
struct inner { int kind; fn_t run; };
struct one { struct inner in; struct inner last; };
struct two { struct inner in; };
struct start { struct inner in; fn_t more; };
struct data { int kind; };
union either { struct one one; struct two two; struct inner in; };
void *memcpy(void *to, const void *from, unsigned long n);
"""


@pytest.mark.parametrize(("body", "expected"), [
    ("memcpy(&a->in, &b->in, 8)", {"one.in{t(#0)} = two.in{t(#1)}"}),
    ("memcpy(p, &a->last, 8)", {"inner.*{t(#2)} = one.last{t(#0)}"}),
    ("__builtin_memcpy(p, q, 8)", {"inner.*{t(#2)} = inner.*{t(#3)}"}),
    ("memcpy(s, p, 8)", {"start.* = inner.*", "inner.* = start.*"}),
    ("memcpy(d, d, 4)", set()),
    ("(struct two *)a", {"two.in = one.in", "one.in = two.in"}),
    ("(struct start *)p", set()),
    ("u->two", {"two.in = one.in", "one.in = two.in", "either.in = two.in", "two.in = either.in",
                "either.two = either.two"} - {"either.two = either.two"}),
])
def test_records_of_one_type_are_copied_or_lie_at_one_place(
    facts: Facts, body: str, expected: set[str]
) -> None:
    reading = facts(RECORDS + "void t(struct one *a, struct two *b, struct inner *p,"
                    " struct inner *q, struct start *s, struct data *d, union either *u)"
                    f" {{ {body}; }}")
    found = {f"{place_text(flow.target)} = {value_text(flow.source)}"
             for flow in reading.definition("t").flows if flow.how is TransferKind.RECORD}
    assert found == expected
