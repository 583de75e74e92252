"""Short texts: other paths, scenarios, why there is no path. Whole answers have golden files."""

from typing import Any

import pytest

from kgraph.model.document import Pin, Scenario
from kgraph.model.ids import FunctionId
from kgraph.model.location import Location
from kgraph.model.results import Frontier, KnownFunction, PathAnswer, Reach
from kgraph.report.text import format_frontier, format_other_paths, format_scenario

CALLER = KnownFunction(0, FunctionId("f"), Location("a.c", 1))
CALLEE = KnownFunction(1, FunctionId("g"), None)


@pytest.mark.parametrize(("others", "at_least", "text"), [
    (0, False, ""), (1, False, "1 other way (-k 3 shows the next)"),
    (6, True, "at least 6 other ways (-k 3 shows the next)"),
])
def test_other_paths(others: int, at_least: bool, text: str) -> None:
    answer = PathAnswer((), others=others, others_at_least=at_least)
    assert format_other_paths(answer, 2) == text


def test_a_scenario_names_the_part_on_which_a_pin_holds() -> None:
    pins = (Pin("a.b", "t"), Pin("c.d", "u", "f", "g"), Pin("e.f", "v", "", "g"))
    scenario = Scenario("name", pins, ("via_f",), ("not_g",))
    assert format_scenario(scenario) == (
        "a.b=t, c.d=u (from f to g), e.f=v (to g), via via_f, avoid not_g")
    assert format_scenario(Scenario()) == ""


@pytest.mark.parametrize(("more", "last"), [
    ({"by_type": False}, "  g is reached from no other function"),
    ({"by_type": True}, "  undecided: unresolved calls might make a path; --types shows it"),
    ({"by_type": False, "by_request": True},
     "  undecided: a deferred request without a known callee might make a path"),
    ({"by_type": False, "assembler_entries": (CALLER,)},
     "  g is entered from assembler only: f (a.c:1)"),
])
def test_why_there_is_no_path(more: dict[str, Any], last: str) -> None:
    gap = Frontier(CALLER, CALLEE, Reach(2, (CALLEE,)), Reach(1), **more)
    head, forward, *_, end = [*format_frontier(gap)]
    assert head == "no path from f to g"
    assert forward == "  f reaches 1 other function; the farthest: g (not defined in the index)"
    assert end == last


@pytest.mark.parametrize(("undefined", "count", "text"), [
    ((CALLEE,), 1, "g, which has no definition in the index, might make a path"),
    ((CALLEE, CALLER), 2, "2 functions without a definition in the index might make a path: g, f"),
    ((CALLEE, CALLER), 40,
     "40 functions without a definition in the index might make a path; the nearest: g, f"),
])
def test_functions_without_a_definition_are_named(
    undefined: tuple[KnownFunction, ...], count: int, text: str
) -> None:
    reach = Reach(2, (CALLEE,), undefined=undefined, undefined_count=count)
    gap = Frontier(CALLER, CALLEE, reach, Reach(1), by_type=False)
    assert [*format_frontier(gap)][-1] == f"  undecided: {text}"
