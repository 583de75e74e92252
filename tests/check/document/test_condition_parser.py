"""Conditions and what a line says they lead to."""


import pytest

from tests.support.parsing import read_lines


@pytest.mark.parametrize(("text", "branch", "condition", "leads"), [
    ("switch (a->b) {", "switch", "a->b", ""), ("case A_B:", "case", "case A_B", ""),
    ("default: a_1();", "case", "default", "a_1"), ("else a_1(b)", "else", "", "a_1"),
    ("} else if (a && b) {", "if", "a && b", ""), ("while (a) b_1()", "while", "a", "b_1"),
    ("if !(a) return b;", "if", "a", "return b"),
    ("else r = a_1(b, c(), &d)", "else", "", "r = a_1(b, c(), &d)"),
    ("else { a_1(b) }", "else", "", "a_1"), ("else { a_1(b); c = d; }", "else", "",
                                             "a_1(b); c = d"),
    ("else return E_P(-E)", "else", "", "return E_P(-E)"), ("else return -E", "else", "",
                                                            "return -E"),
    ("case A_B: goto out", "case", "case A_B", "goto out"), ("else p->q(r)", "else", "", "p->q(r)"),
    ("else if (a) b->c = d", "if", "a", "b->c = d"), ("default: n++", "case", "default", "n++"),
])
def test_conditions(text: str, branch: str, condition: str, leads: str) -> None:
    claim = read_lines(f"```\na_0()\n|-{text}\n```\n")[2].claim
    assert (claim.branch, claim.condition, claim.name or claim.consequence) == (
        branch, condition, leads)
