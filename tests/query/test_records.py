"""Members of records as lines declare them, held against a record's definition."""


import pytest
from tiny import Tiny

from kgraph.documents import read_document
from kgraph.graph import CallGraph
from kgraph.model.documents import Verdict
from kgraph.query.checking import check_document

HEADER = """typedef unsigned int __u32;
typedef __u32 u32;
typedef unsigned short u16;
typedef __u32 __bitwise __be32;
#ifdef CONFIG_WIDE
typedef unsigned long wide_t;
#else
typedef unsigned int wide_t;
#endif
typedef again_t *again_t;
struct holder {
    u16 one:1,
    two:2;
    unsigned int a : 2,
             b : 16;
    char text[48] __aligned(8);
    spinlock_t lock ____cacheline_aligned_in_smp;
    struct queue *tx ____cacheline_aligned_in_smp;
    struct common __common;
    u32 __flags;
    unsigned long __attribute__((aligned(8))) far, near;
    struct item items[] __counted_by(count);
    unsigned char *head, *data;
    volatile long state;
    u32 length;
    __be32 wire;
    wide_t wide;
    again_t again;
    int (*run)(struct holder *h, u32 n), after;
};
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> CallGraph:
    tiny = Tiny()
    tiny.calls("a", "b")
    return tiny.graph(tmp_path_factory.mktemp("records"), {"a.h": HEADER})


@pytest.mark.parametrize(("declared", "verdict", "note"), [
    *((text, Verdict.HOLDS, "") for text in (
        "u16 one:1", "u16 two:2", "u16 one:1, two:2", "unsigned int b : 16", "char text[48]",
        "spinlock_t lock", "struct queue *tx", "struct common __common", "u32 __flags",
        "unsigned long near", "struct item items[]", "unsigned char *head, *data",
        "volatile long state", "int after",
        "int (*run)(struct holder *h, u32 n)",
    )),
    ("char text[LENGTH]", Verdict.HOLDS, "its type is `char [ 48 ]`"),
    ("long state", Verdict.HOLDS, "its type is `volatile long`"),
    ("unsigned length", Verdict.HOLDS, "its type is `u32`"),
    ("__u32 length", Verdict.HOLDS, "its type is `u32`"),
    ("long int state", Verdict.HOLDS, "its type is `volatile long`"),
    ("int (*run)(struct holder *, unsigned int)", Verdict.HOLDS, "type of parameter 2 is `u32`"),
    ("unsigned int wide", Verdict.UNDECIDED, "headers define its type differently"),
    ("int again", Verdict.UNDECIDED, "it is `again_t again;` there"),
    ("u16 wide", Verdict.REFUTED, "it is `wide_t wide;` there"),
    ("u16 length", Verdict.REFUTED, "it is `u32 length;` there"),
    ("signed length", Verdict.REFUTED, "it is `u32 length;` there"),
    ("u32 wire", Verdict.REFUTED, "it is `__be32 wire;` there"),
    ("u16 two:3", Verdict.REFUTED, "two:2"),
    ("unsigned char *head, data", Verdict.REFUTED, "it is `unsigned char *head, *data;` there"),
    ("unsigned long far, no_such", Verdict.REFUTED, "has no member no_such"),
    ("unsigned long no_such, far", Verdict.REFUTED, "has no member no_such"),
    ("unsigned int a, b : 16", Verdict.REFUTED, "a : 2"),
    ("int (*run)(struct holder *h, u16 n)", Verdict.REFUTED, "it is `int (*run)"),
    ("unsigned long 3, far", Verdict.UNDECIDED, "cannot be read"),
    ("spinlock_t ____cacheline_aligned_in_smp", Verdict.REFUTED, "no member"),
])
def test_members(graph: CallGraph, declared: str, verdict: Verdict, note: str) -> None:
    text = f"struct holder {{\n    {declared};\n}};\n"
    told = check_document(graph, read_document("x.md", text.encode())).lines[1]
    assert told.verdict is verdict, told.note
    assert note in told.note
    assert note or not told.note
