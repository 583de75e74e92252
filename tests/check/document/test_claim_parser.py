"""What one line claims: calls, heads of functions, chains, several claims, and what is prose."""


import pytest

from kgraph.model.document import LineKind
from tests.support.parsing import read_lines


@pytest.mark.parametrize(("text", "name", "onward"), [
    ("a_1(x, y) -> b_1() -> c_1(z);", "a_1", ("b_1", "c_1")),
    ("a_1() → b_1()", "a_1", ("b_1",)), ("a_1() ⇒ b_1() => c_1()", "a_1", ("b_1", "c_1")),
    ("a_1(x) -> b_1", "a_1", ()), ("a_1(x)->b_1()", "", ()),
    ("a_1() -> b_1() and then", "a_1", ()),
])
def test_a_chain_in_one_line(text: str, name: str, onward: tuple[str, ...]) -> None:
    claim = read_lines(f"```\n|-{text}\n```\n")[1].claim
    assert (claim.name, claim.onward) == (name, onward)


@pytest.mark.parametrize(("text", "given"), [
    ("""|-f(it's, b)""", ("it's", "b")), ("""|-f("a, \\" (", b)""", ('"a, \\" ("', "b")),
    ("""|-f('(', ')')""", ("'('", "')'")), (r"""|-f("\\\\", b)""", (r'"\\\\"', "b")),
])
def test_strings_and_apostrophes_in_arguments(text: str, given: tuple[str, ...]) -> None:
    assert read_lines(f"```\n{text}\n```\n")[1].claim.arguments == given


@pytest.mark.parametrize(("text", "kinds"), [
    ("a_1(x); b_1();", ["call", "call"]), ("x = a_1(1, ';'); y = 2; *z->w = 3;",
                                           ["call", "statement", "statement"]),
    ("a_1(); p->q(r)", ["call", "indirect"]), ("(void)a_1()", ["call"]),
    ("a_1(x)->b_1(y)", ["indirect"]), ("a_1(x)[2].b_1(y)", ["indirect"]),
    ("if (a) b_1(); c_1();", ["condition", "call"]), ("for (i = 0; i < n; i++)", ["condition"]),
    ("this is it; and that is that", ["prose"]),
])
def test_several_claims_on_one_line(text: str, kinds: list[str]) -> None:
    line = read_lines(f"```\n{text}\n```\n")[1]
    assert [line.kind.value, *(kind.value for kind, _ in line.claim.also)] == kinds


@pytest.mark.parametrize("text", [
    "default: use eth0", "else we wait here", "case 1: the thing", "else return to the caller",
    "default: goto the next one",
])
def test_words_that_c_has_too_are_prose(text: str) -> None:
    assert read_lines(f"a_0()\n  {text}\n")[1].kind is LineKind.PROSE


@pytest.mark.parametrize(("text", "kind"), [
    ("f() { g(x) or h(y) }", LineKind.UNREAD), ("f() { do { g(); } while (x); }", LineKind.UNREAD),
    ("struct l_1 { int a; what; };", LineKind.UNREAD), ("f() { a_1 = { 1 }; }", LineKind.UNREAD),
    ("f() (net/a.c:1) é", LineKind.UNREAD), ("f() <text> (net/a.c:1)", LineKind.UNREAD),
    ("f() (net/a.c:1)\rg() (net/a.c:2)\rx", LineKind.UNREAD),
    ("+--> f ......", LineKind.FUNCTION), ("|-f(x) …", LineKind.CALL),
    # prose that names functions, or cites
    ("as g() does (net/a.c:1)", LineKind.PROSE), ("it waits (net/a.c:1)", LineKind.PROSE),
    ("g() and h() do", LineKind.PROSE), ("and so on ...", LineKind.PROSE),
    ("a struct { of } sorts", LineKind.PROSE),
])
def test_what_looks_like_a_claim_is_not_dropped(text: str, kind: LineKind) -> None:
    assert [line.kind for line in read_lines(text) if line.text] == [kind]


@pytest.mark.parametrize(("text", "name"), [
    ("static notrace void f_1(struct x *y)", "f_1"), ("state_kind f_1(handle h)", "f_1"),
    ("static inline key f_1(key k, struct x *n)", "f_1"), ("*f_1(const mask *m, int n)", "f_1"),
    ("see f_1(a)", ""), ("state_kind f_1(a)", ""), ("static f_1(a, b) is called", ""),
])
def test_heads_with_types_of_their_own(text: str, name: str) -> None:
    line, = read_lines(text)
    assert (line.claim.name, line.kind is LineKind.FUNCTION) == (name, bool(name))
