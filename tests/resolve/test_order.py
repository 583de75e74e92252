"""The result does not depend on the order of the definitions."""

import gc
import random

from hypothesis import given
from hypothesis import strategies as st

from kgraph.model.values import Opaque
from kgraph.resolve import resolve
from tests.support.effort import examples
from tests.support.facts_in_c import (
    addr,
    addr_field,
    addr_var,
    call,
    call_result,
    field,
    function,
    give,
    glob,
    names,
    obj,
    only_site,
    param,
    pointee,
    put,
    result,
    row,
    stubs,
    var,
)

FUNCTIONS = [f"f{n}" for n in range(6)]
TABLES = [f"t{n}" for n in range(4)]


def values(draw, owner):
    pick = draw(st.integers(0, 11))
    name = draw(st.sampled_from(FUNCTIONS))
    base = draw(st.sampled_from([param(owner), var(owner, "v"), var(owner, "w"), glob("hook")]))
    return [
        name, name, addr(draw(st.sampled_from(TABLES))), base, field("r", "a", base),
        field("s", "b", field("r", "a", base)), result(name), call_result(owner, 0),
        Opaque("cast"), addr_var(owner, "v"), addr_field("r", "a", base), pointee(base),
    ][pick]


def places(draw, owner):
    base = draw(st.sampled_from([param(owner), var(owner, "v"), addr("t0")]))
    return draw(st.sampled_from([
        var(owner, "v"), var(owner, "w"), glob("hook"), field("r", "a", base),
        field("s", "b", base), pointee(base), pointee(base, "s"),
    ]))


@st.composite
def programs(draw):
    definitions = []
    for name in FUNCTIONS:
        body = [put(places(draw, name), values(draw, name), line=draw(st.integers(1, 9)))
                for _ in range(draw(st.integers(0, 4)))]
        body += [call(name, draw(st.sampled_from(FUNCTIONS)), values(draw, name), line=n)
                 for n in range(1, draw(st.integers(1, 3)))]
        body.append(call(name, draw(st.sampled_from(
            [param(name), var(name, "v"), field("s", "b", var(name, "w")), glob("hook")])),
            values(draw, name), line=9))
        body.append(give(name, values(draw, name)))
        definitions.append(function(name, *body, parameters=1))
    for name in TABLES:
        other = draw(st.sampled_from(TABLES))
        definitions.append(obj(name, row(name, "s", "b", draw(st.sampled_from(FUNCTIONS))),
                               row(name, "r", "a", addr(other), line=2)))
    return definitions


@examples(200)
@given(programs(), st.randoms(use_true_random=False))
def test_any_order_gives_the_same(definitions, rng):
    shuffled = list(definitions)
    rng.shuffle(shuffled)
    assert resolve(shuffled) == resolve(definitions)


@examples(100)
@given(programs())
def test_definitions_need_not_be_kept(definitions):
    by_key = {definition.key: definition for definition in definitions}
    assert resolve(iter(definitions), find=by_key.__getitem__) == resolve(definitions)


def test_the_same_key_twice_counts_once():
    definitions = [*stubs("f"), function("g", call("g", "f"))]
    again = [*definitions, *definitions]
    random.Random(1).shuffle(again)
    assert resolve(again) == resolve(definitions)


def test_resolving_leaves_no_circles():
    """What it holds is freed at once, with the collector off."""
    gc.collect()
    gc.disable()
    try:
        resolve([*stubs("f"), function("g", call("g", "f"), call("g", var("g", "v"), line=2))])
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert not [left for left in gc.garbage if type(left).__module__.startswith("kgraph")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_which_store_through_a_pointer_comes_first_does_not_matter():
    """One makes the other's pointer lead to more tables than are followed."""
    many = [f"v{n}" for n in range(40)]

    def found(first: str, second: str) -> object:
        definitions = [
            function("many", put(pointee(param("many", 1)), param("many")), parameters=2,
                     key=first),
            function("one", put(var("one", "r"), glob("q")),
                     put(pointee(var("one", "r")), param("one")), parameters=1, key=second),
            function("start", put(glob("q"), addr("w")), call("start", "one", "hh"),
                     call("start", "many", "fn", addr("q"), line=2),
                     *(call("start", "many", addr(name), addr("q"), line=3 + n)
                       for n, name in enumerate(many))),
            function("run", call("run", glob("w"))),
            *(obj(name, of_type="void (*)(int)") for name in ("q", "w", *many)),
            *stubs("fn", "hh"),
        ]
        return names(only_site(definitions, "run"))

    assert found("1", "2") == found("2", "1") == ["hh"]
