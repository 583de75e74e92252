"""What conditions, and macros and functions of diagnostics, add to the cost of a hop."""

from kgraph.model.facts import CallSite
from kgraph.model.ids import FunctionId
from kgraph.model.location import Extent, Guard, Location
from kgraph.store.call_rows import make_call_row
from kgraph.store.hop_costs import price_function


def call(*guards: Guard, macro: str = "") -> CallSite:
    place = Location("a.c", 9, 3)
    return CallSite(FunctionId("f", ""), place, Extent(place, 9, 7), 0, FunctionId("g", ""), "g",
                    macro, guards=guards)


def price(call: CallSite) -> int:
    return make_call_row(call).price


def guard(*, holds: bool) -> Guard:
    place = Location("a.c", 5, 7)
    return Guard(Extent(place, 5, 9), holds, is_early_exit=not holds)


def test_a_call_that_is_always_made_costs_nothing_more() -> None:
    assert price(call()) == 0


def test_each_condition_counts_up_to_a_limit() -> None:
    prices = [price(call(*[guard(holds=True)] * count)) for count in range(20)]
    assert prices[:4] == sorted(set(prices[:4]))
    assert prices[-1] == prices[-2] < price(call(macro="WARN_ON"))


def test_what_was_not_left_early_counts_little() -> None:
    assert 0 < price(call(guard(holds=False))) < price(call(guard(holds=True)))


def test_diagnostics_are_dear_and_other_names_are_not() -> None:
    assert price(call(macro="WARN_ON_ONCE")) == price_function("printk", None) > 50
    assert price(call(macro="container_of")) == 0
    assert price_function("warning_lights", None) == 0


def test_what_the_source_expects_decides() -> None:
    usual = Guard(guard(holds=True).extent, True, expected=True)
    rare = Guard(guard(holds=True).extent, True, expected=False)
    assert price(call(usual)) == 0
    assert price(call(rare)) > price(call(guard(holds=True)))
