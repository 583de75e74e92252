"""Members as a record's definition declares them."""

import pytest

from kgraph.check.source.declarations import (
    Member,
    iter_macro_members,
    iter_members,
    parse_members,
    split_parameter,
    strip_qualifiers,
)

RECORD = """struct thing {
    struct thing *next, *prev;
#ifdef WIDE
    unsigned int flags:3;
#endif
    union {
        u8 bytes[4];
        u32 word;
    };
    int (*run)(struct thing *thing, int);
    spinlock_t lock ____cacheline_aligned;
    void __user *buffer __aligned(8);
    DECLARE_BITMAP(bits, 64);
};"""


def test_members_of_a_record() -> None:
    assert [(each.name, " ".join(each.type), each.line) for each in iter_members(RECORD)] == [
        ("next", "struct thing *", 1), ("prev", "struct thing *", 1),
        ("flags", "unsigned int : 3", 3), ("bytes", "u8 [ 4 ]", 6), ("word", "u32", 7),
        ("run", "int", 9), ("lock", "spinlock_t", 10), ("buffer", "void *", 11)]
    assert list(iter_macro_members(RECORD)) == [(12, "DECLARE_BITMAP(bits, 64)")]


@pytest.mark.parametrize(("text", "members"), [
    ("int a", [Member("a", ("int",))]), ("int a, b[2]", [
        Member("a", ("int",)), Member("b", ("int", "[", "2", "]"))]),
    ("int (*f)(void)", [Member("f", ("int",), (("void",),))]), ("int", []),
    ("int a, +", []),
])
def test_members_that_a_line_declares(text: str, members: list[Member]) -> None:
    assert parse_members(text) == members


@pytest.mark.parametrize(("text", "type_", "name"), [
    ("int a", "int", "a"), ("struct t * p", "struct t *", "p"), ("int", "int", ""),
    ("unsigned int", "unsigned int", ""), ("struct t", "struct t", ""), ("const t", "const t", ""),
])
def test_the_name_of_a_parameter(text: str, type_: str, name: str) -> None:
    assert split_parameter(tuple(text.split())) == (tuple(type_.split()), name)


def test_qualifiers_make_no_difference() -> None:
    assert strip_qualifiers(("const", "char", "*", "volatile")) == ("char", "*")
