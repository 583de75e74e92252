"""Functions without a definition may fill what they are handed, and what points to it."""

import pytest

from kgraph.model.facts import Definition
from kgraph.model.resolution import ResolvedSite, SiteStatus
from kgraph.model.values import Value
from kgraph.resolve import resolve
from tests.support.facts_in_c import (
    addr,
    addr_field,
    addr_var,
    call,
    field,
    function,
    glob,
    names,
    obj,
    only_site,
    param,
    put,
    result,
    row,
    sites,
    stubs,
    var,
)

IS_FILLED = (SiteStatus.UNRESOLVED, "fill() has no definition in the parsed units, and may fill it")


def resolve_call(target: Value, *body: object, others: tuple[Definition, ...] = ()) -> ResolvedSite:
    return only_site(
        [*others, function("g", *body, call("g", target, line=9), parameters=1)], "g")


@pytest.mark.parametrize(("base", "argument"), [
    (addr_var("g", "r"), addr_var("g", "r")),
    (param("g"), param("g")),
    (addr("o"), addr("o")),
    (addr_field("w", "part", param("g")), param("g")),
    (addr_field("w", "part", param("g")), addr_field("w", "part", param("g"))),
    (field("w", "pointer", param("g")), param("g")),
])
def test_a_record_that_is_handed_over_may_be_filled(base: Value, argument: Value) -> None:
    site = resolve_call(field("r", "fn", base), call("g", "fill", argument))
    assert (site.status, site.reason) == IS_FILLED


def test_a_record_that_is_not_handed_over_stays_empty() -> None:
    site = resolve_call(field("r", "fn", param("g")), call("g", "fill", addr_var("g", "other")))
    assert site.status is SiteStatus.EMPTY


def test_what_is_returned_may_be_filled() -> None:
    site = resolve_call(field("r", "fn", var("g", "p")), put(var("g", "p"), result("fill")))
    assert (site.status, site.reason) == IS_FILLED


def test_a_call_through_a_pointer_hands_over_as_well() -> None:
    site = resolve_call(
        field("r", "fn", addr_var("g", "r")), call("g", glob("hook"), addr_var("g", "r")),
        others=(function("s", put(glob("hook"), "fill")), obj("hook")))
    assert (site.status, site.reason) == IS_FILLED


def test_what_a_handed_record_points_to_may_be_filled() -> None:
    owner = field("w", "pointer", addr_var("g", "w"))
    site = resolve_call(
        field("r", "fn", addr_var("g", "r")), put(owner, addr_var("g", "r")),
        call("g", "fill", addr_var("g", "w")))
    assert (site.status, site.reason) == IS_FILLED


def test_candidates_are_kept() -> None:
    site = resolve_call(
        field("r", "fn", param("g")), call("g", "fill", param("g")),
        put(field("r", "fn", param("g")), "f"), others=tuple(stubs("f")))
    assert (site.status, names(site)) == (SiteStatus.RESOLVED, ["f"])


def test_a_whole_kernel_gets_nothing_from_outside() -> None:
    target = field("r", "fn", param("g"))
    definitions = [function("g", call("g", "fill", param("g")), call("g", target, line=9),
                            parameters=1)]
    found = {resolve(definitions, is_whole=is_whole).sites[-1].status for is_whole in (False, True)}
    assert found == {SiteStatus.UNRESOLVED, SiteStatus.EMPTY}


def test_the_nearest_function_is_named_and_of_these_the_first() -> None:
    target = field("r", "fn", param("g"))
    body = [call("g", name, param("g")) for name in ("second", "first")]
    further = function("h", put(var("h", "p"), result("at")), call("h", "g", var("h", "p")))
    site = resolve_call(target, *body, others=(further,))
    assert site.reason.startswith("first()")


def test_a_table_that_comes_from_outside() -> None:
    definitions = [
        function("g", put(field("u", "ops", param("g")), result("fill")),
                 call("g", field("ops", "get", field("u", "ops", param("g"))), line=9),
                 parameters=1),
        obj("t", row("t", "ops", "put", "f")), *stubs("f")]
    assert sites(resolve(definitions), "g")[-1].status is SiteStatus.UNRESOLVED
