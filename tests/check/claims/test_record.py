"""Members of records as lines declare them, held against a record's definition."""

from pathlib import Path

import pytest

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import last
from tests.support.tiny import Tiny

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
    judged = check_document(graph, parse_document("x.md", text.encode())).lines[1]
    assert judged.verdict is verdict, judged.note
    assert note in judged.note
    assert note or not judged.note


ONE = "struct twice {\n    struct one *first;\n    int both;\n};\n"
TWO = "struct twice {\n    struct two *second;\n    int both;\n};\n"
TEXT = """struct twice {
    struct one *first;
    struct two *second;
    int both;
    int no;
}
"""


def test_a_definition_that_no_unit_reads_refutes_nothing(tmp_path: Path) -> None:
    """It comes first by its path."""
    tiny = Tiny()
    tiny.calls("a", "b")
    graph = tiny.graph(tmp_path, {"b.h": TWO})
    (tmp_path / "tree" / "a.h").write_text(ONE)
    lines = check_document(graph, parse_document("x.md", TEXT.encode())).lines
    assert [line.verdict for line in lines[:5]] == [
        Verdict.HOLDS, Verdict.REFUTED, Verdict.HOLDS, Verdict.HOLDS, Verdict.REFUTED]
    assert str(lines[0].found) == "b.h:1"
    assert lines[1].note == "twice has no member first (b.h:1)"


@pytest.mark.parametrize("read", [True, False], ids=["read", "not read"])
def test_of_several_definitions_one_has_the_member(tmp_path: Path, read: bool) -> None:
    tiny = Tiny()
    tiny.calls("a", "b")
    graph = tiny.graph(tmp_path, {"a.h": ONE, "b.h": TWO} if read else {})
    (tmp_path / "tree" / "a.h").write_text(ONE)
    (tmp_path / "tree" / "b.h").write_text(TWO)
    lines = check_document(graph, parse_document("x.md", TEXT.encode())).lines
    assert [line.verdict for line in lines[:5]] == [Verdict.HOLDS] * 4 + [Verdict.REFUTED]
    assert [line.note for line in lines[1:4]] == ["", "in the twice at b.h:1, not in that at a.h:1",
                                                  ""]
    cited = TEXT.replace("{", "{ (b.h:1)", 1)
    other = check_document(graph, parse_document("x.md", cited.encode())).lines
    assert str(other[0].found) == "b.h:1"


@pytest.mark.parametrize(("text", "verdict"), [
    ("struct proto {", Verdict.HOLDS),
    ("struct no_such_record {", Verdict.REFUTED),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *sock,\n struct msghdr *msg, size_t len);",
     Verdict.HOLDS),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *s, int n);", Verdict.REFUTED),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *s, struct msghdr *, size_t n);",
     Verdict.HOLDS),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *s, struct msghdr *m, int n);",
     Verdict.REFUTED),
    ("struct proto_ops {\n long (*sendmsg)(struct socket *sock, struct msghdr *msg, size_t len);",
     Verdict.REFUTED),
    ("struct sock {\n struct proto *sk_prot;", Verdict.HOLDS),
    ("struct sock {\n struct net *sk_prot;", Verdict.REFUTED),
    ("struct sock {\n struct proto *skc_prot;", Verdict.REFUTED),
    ("struct sock_common {\n struct proto *skc_prot;", Verdict.HOLDS),
])
def test_records_on_mini_linux(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)
