"""Writes into a record as raw memory: which function pointers they may fill."""

import pytest

from kgraph.model.values import Opaque
from tests.support.shorthand import Facts

RECORDS = """
typedef int (*fn_t)(int);
typedef unsigned long ulong;
struct t { int kind; fn_t first; fn_t second; };
struct inner { fn_t third; };
struct outer { long kind; char bytes[8]; struct inner parts[2]; fn_t last; };
struct plain { long a, b; };
int h(int x);
"""


@pytest.mark.parametrize(("body", "expected"), [
    ("*(void **)((char *)p + 8) = h", {"first"}),
    ("*(void **)((char *)p + __builtin_offsetof(struct t, second)) = h", {"second"}),
    ("((ulong *)p)[2] = (ulong)h", {"second"}),
    ("((ulong *)p)[i] = (ulong)h", {"first", "second"}),
    ("*(ulong *)((ulong)p + 16) = (ulong)h", {"second"}),
    ("*(ulong *)(((ulong)p & ~7) | 8) = (ulong)h", {"first", "second"}),
    ("*(int *)((char *)p + 12) = *(int *)bytes", {"first"}),
    ("*(int *)((char *)p + 12) = (long)h", {"first"}),
    ("*(int *)((char *)p + i) = i", set()),
    ("*(ulong *)((char *)(p + 1) - 8) = (ulong)h", {"second"}),
    ("*(ulong *)((char *)(p + 1) + 8) = (ulong)h", {"first"}),
    ("*(ulong *)((char *)p - 8) = (ulong)h", set()),
    ("struct t t; char *b = (char *)&t; *(fn_t *)(b + 8) = h", {"first", "second"}),
    ("ulong *w; w = (ulong *)p; *w = (ulong)h", {"first", "second"}),
    ("ulong *w = (ulong *)p; ulong *x = w + 1; x[1] = (ulong)h", {"first", "second"}),
    ("ulong w = (ulong)p; ((fn_t *)w)[1] = h", {"first", "second"}),
    ("(&o->kind)[2] = (long)h", {"third"}),
    ("*(fn_t *)((char *)&o->parts[1] + 8) = h", {"last"}),
    ("*(fn_t *)((char *)&o->parts[1]) = h", {"third"}),
    ("*(fn_t *)((char *)o + 24) = h", {"third"}),
    ("__builtin_memcpy((char *)p + 8, &h, 8)", {"first"}),
    ("__builtin_memcpy((char *)p + 8, &h, i)", {"first", "second"}),
    ("((char *)p)[i] = *bytes", {"first", "second"}),
    ("p->first = h", set()),
    ("*(fn_t *)&p->first = h", set()),
    ("p->kind = i; *(int *)p = *(int *)bytes", set()),
    ("*(ulong *)((char *)p + 8) = 0", set()),
    ("i = ((ulong *)p)[1]", set()),
    ("o->bytes[i] = *bytes; ((char *)o->bytes)[i] = *bytes; *(long *)&o->bytes[i] = i", set()),
    ("ulong *w = (ulong *)q; w[1] = (ulong)h; *w++ = (ulong)h", set()),
    ("for (ulong *w = (ulong *)p, *e = w; i; w++) e = w, *e = (ulong)h", {"first", "second"}),
])
def test_a_raw_write_fills_what_lies_there(
    facts: Facts, body: str, expected: set[str]
) -> None:
    reading = facts(RECORDS + "void f(struct t *p, struct outer *o, struct plain *q,"
                    f" const char *bytes, int i) {{ {body}; }}")
    found = {flow.target.holder.field for flow in reading.definition("f").flows
             if flow.source == Opaque("its record is written as raw memory")}
    assert found == expected
