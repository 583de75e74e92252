"""Forms of conditions: what makes no difference, and what does."""

import pytest

from kgraph.check.source.condition_forms import (
    ConditionForm,
    are_implied,
    is_alternative,
    negate,
    normalise_condition,
    split_conjuncts,
)
from kgraph.check.source.tokens import list_tokens


def form(text: str) -> ConditionForm:
    return normalise_condition(list_tokens(text))


@pytest.mark.parametrize(("one", "other"), [
    ("a && b", "b && a"), ("a || b", "((b) || (a))"), ("!a", "a == NULL"), ("!a", "0 == a"),
    ("a", "a != 0"), ("a", "likely(a)"), ("!(a && b)", "!a || !b"), ("a < b", "b > a"),
    ("a >= b", "!(a < b)"), ("a == b", "b == a"), ("a == true", "a"), ("!!a", "a"),
    ("unlikely(!a)", "a == false"), ("f(a, b) && c", "c && f(a,b)"),
])
def test_two_ways_to_write_one_condition(one: str, other: str) -> None:
    assert form(one) == form(other)
    assert negate(form(one)) == form(f"!({other})")


@pytest.mark.parametrize(("one", "other"), [
    ("a", "!a"), ("a && b", "a || b"), ("a < b", "a <= b"), ("a == b", "a != b"), ("a->b", "a.b"),
    ("f(a)", "a"), ("a && (b || c)", "(a && b) || c"),
])
def test_different_conditions(one: str, other: str) -> None:
    assert form(one) != form(other)


@pytest.mark.parametrize("text", ["a", "a && b", "a || b && c", "a < b", "!(a || !b)"])
def test_a_negation_of_a_negation(text: str) -> None:
    assert negate(negate(form(text))) == form(text) != negate(form(text))


def test_what_a_condition_asks_for() -> None:
    assert split_conjuncts(form("a && (b && !c)")) == {form("a"), form("b"), form("!c")}
    assert split_conjuncts(form("a || b")) == {form("a || b")}
    assert is_alternative(form("a || b || c"), form("b || a"))
    assert not is_alternative(form("a || b"), form("a || b"))
    assert are_implied(frozenset({form("a")}), frozenset({form("a || b"), form("c")}))
    assert not are_implied(frozenset({form("a"), form("d")}), frozenset({form("a"), form("c")}))


def test_deep_parentheses_end() -> None:
    depth = 2000
    assert form("(" * depth + "a" + ")" * depth) == form("a")
    assert negate(form("!" * 2 * depth + "a")) == form("!a")
