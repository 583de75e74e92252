"""What stands in braces: tables, records, and blocks on one line."""


import pytest

from kgraph.model.document import Claim, LineKind
from tests.support.parsing import read_lines

Within = tuple[tuple[LineKind, Claim], ...]


def name_claims(within: Within) -> list[object]:
    """The names of claims in braces, each with those in its own braces."""
    return [[name, *name_claims(claim.within)] if claim.within else name for _, claim in within
            for name in (claim.name or claim.expression or claim.condition or claim.branch,)]


@pytest.mark.parametrize(("text", "kind", "within"), [
    ("int f(void) { return g(x); }", LineKind.FUNCTION, ["g"]),
    ("f() { g(x); h(y) }", LineKind.CALL, ["g", "h"]),
    ("|-f() { g() { h(); i(); } ... j->k(l); }", LineKind.CALL, [["g", "h", "i"], "j->k"]),
    ("f() { if (a) { g(); } else { b = c; } return; }", LineKind.CALL,
     [["a", "g"], ["else", "b = c"], "return"]),
    ("f() { switch (a) { case B: g(); break; } }", LineKind.CALL, [["a", ["g", "break"]]]),
    ('f() { for (i = 0; i < n; i++) g("{;"); }', LineKind.CALL, ["g"]),
    ("struct l_1 { struct l_1 *a, *b; struct { int c; } d; };", LineKind.RECORD, ["b", "c"]),
    ("f() (net/a.c:1) { g(); }", LineKind.FUNCTION, ["g"]), ("f() { ... }", LineKind.CALL, []),
])
def test_a_block_on_one_line(text: str, kind: LineKind, within: list[object]) -> None:
    line, = read_lines(text)
    assert (line.kind, line.claim.name) == (kind, "l_1" if kind is LineKind.RECORD else "f")
    assert name_claims(line.claim.within) == within


def test_a_block_of_many_blocks_is_read_in_linear_time() -> None:
    deep = "f() { " * 500 + "}" * 500
    assert read_lines(deep)[0].kind is LineKind.UNREAD
    assert len(read_lines("f() { " + "g(); " * 700 + "}")[0].claim.within) == 700


def test_members_that_stand_in_a_record_on_one_line_or_that_a_macro_declares() -> None:
    lines = read_lines("struct s_1 {\n\tstruct { int a; u8 b; } c;\n\tDECLARE_BITMAP(d, 64);\n};\n")
    assert [line.kind.value for line in lines] == ["record", "field", "field", "closing"]
    assert (lines[1].claim.name, name_claims(lines[1].claim.also)) == ("a", ["b"])
    assert lines[2].claim.expression == "DECLARE_BITMAP(d, 64)"


def test_nothing_stands_in_a_block_that_closes_on_its_line() -> None:
    lines = read_lines("f_1() { g_1(); h_1(); }\n\n    a_1()\n      b_1()\n")
    assert [line.parent for line in lines if line.text] == [0, 0, 3]


def test_a_record_whose_brace_opens_on_the_next_line() -> None:
    lines = read_lines("struct s_1\n{\n\tvoid (*a)(struct s_1 *);\n};\nstruct s_2\nwords\nf_1()\n")
    assert [line.kind.value for line in lines if line.text] == [
        "record", "continuation", "field", "closing", "prose", "prose", "call"]
    assert (lines[0].claim.name, lines[2].parent, lines[2].claim.name[:5]) == ("s_1", 1, "(*a)(")


def test_tables_of_several_rows_and_on_one_line() -> None:
    lines = read_lines("""```
struct t_1 name[] =
{
  { .a = 1, .b = f_1(2, 3), },
  [X] = {
    .c = &d,
    .e = {
      .f = g,
    },
  },
};
struct t_2 other = { .a = b, ...... };
a_1()
""")
    rows = [[(claim.name, claim.value) for claim in (line.claim, *(c for _, c in line.claim.also))]
            for line in lines if line.kind is LineKind.ROW]
    assert rows == [[("a", "1"), ("b", "f_1(2, 3)")], [("c", "&d")], [("e", "{")], [("f", "g")]]
    assert [kind.value for kind, _ in lines[11].claim.also] == ["row"]
    assert (lines[12].kind, lines[12].parent) == (LineKind.CALL, 0)


def test_branches_on_one_line_are_several_claims() -> None:
    claim = read_lines("a_0()\n|-if (a) { f(); } else if (b) { g(); } else { h(); }\n")[1].claim
    assert (claim.branch, claim.condition, name_claims(claim.within)) == ("if", "a", ["f"])
    assert name_claims(claim.also) == [["b", "g"], ["else", "h"]]
