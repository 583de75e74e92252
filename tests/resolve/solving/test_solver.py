"""What is put into a holder reaches the calls through it, over every kind of copy."""

import pytest

from kgraph.model.resolution import EdgeKind, SiteStatus
from kgraph.resolve import build_constraints, resolve
from kgraph.resolve.interning import VariableKey
from kgraph.resolve.solving.object_sensitivity import solve_by_objects
from tests.support.facts_in_c import (
    NULL,
    addr,
    addr_field,
    addr_var,
    call,
    call_result,
    element,
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
    sites,
    stubs,
    var,
)


def thing(of):
    return field("thing", "cb", of)


P = param("g", 0)
GETTERS = [function("get", give("get", "f"), parameters=0)]


@pytest.mark.parametrize(
    ("definitions", "target"),
    [
        ([function("set", put(thing(param("set")), "f"))], thing(P)),
        ([function("set", put(thing(param("set")), "f"), put(
            field("o", "x", NULL), thing(param("set"))))], field("o", "x", P)),
        (GETTERS, result("get")),
        ([*GETTERS, function("outer", give("outer", result("get")))], result("outer")),
        ([function("set", put(glob("hook"), "f"))], glob("hook")),
        ([obj("hook", element("hook", "f"))], glob("hook")),
        ([obj("tbl", element("tbl", "f"), element("tbl", "h"))], glob("tbl")),
    ],
)
def test_a_value_reaches_the_call(definitions, target):
    site = only_site([*stubs("f", "h"), *definitions,
                      function("g", call("g", target), parameters=1)], "g")
    assert site.status is SiteStatus.RESOLVED
    assert "f" in names(site)


def test_locals_of_two_functions_of_one_name_stay_apart():
    f = function("one", put(var("one", "cb"), "f"), call("one", var("one", "cb")))
    h = function("two", put(var("two", "cb"), "h"), call("two", var("two", "cb")))
    assert names(only_site([*stubs("f", "h"), f, h], "one")) == ["f"]


def test_an_indirect_call_hands_its_arguments_to_each_callee():
    definitions = [
        *stubs("f"),
        function("callee", call("callee", param("callee")), parameters=1),
        function("set", put(thing(param("set")), "callee")),
        function("g", call("g", thing(P), "f"), parameters=1),
    ]
    site = only_site(definitions, "callee")
    assert names(site) == ["f"]
    assert site.candidates[0].kind is EdgeKind.CALLBACK


def test_an_indirect_call_gives_back_what_its_callees_return():
    definitions = [
        *stubs("f"), *GETTERS,
        function("set", put(thing(param("set")), "get")),
        function("g", call("g", thing(P), line=1), put(var("g", "v"), call_result("g", 0)),
                 call("g", var("g", "v"), line=2, index=1), parameters=1),
    ]
    assert names(only_site(definitions, "g")) == ["f"]


def test_a_store_through_a_pointer_reaches_what_is_addressed():
    definitions = [
        *stubs("f"),
        function("fill", put(pointee(param("fill")), "f"), parameters=1),
        function("g", call("g", "fill", addr_var("g", "v")), call("g", var("g", "v"), line=2)),
    ]
    assert names(only_site(definitions, "g")) == ["f"]


def test_a_load_through_a_pointer_reads_what_is_addressed():
    definitions = [
        *stubs("f"),
        obj("tbl", element("tbl", "f")),
        function("run", call("run", pointee(param("run"))), parameters=1),
        function("g", call("g", "run", addr("tbl"))),
    ]
    assert names(only_site(definitions, "run")) == ["f"]


def test_a_copy_function_copies_what_is_pointed_to():
    slot = addr_field("dev", "handler", param("set"))
    read = addr_field("dev", "handler", P)
    definitions = [
        *stubs("f"),
        function("set", put(var("set", "u"), param("set", 1)),
                 call("set", "__write_once_size", slot, addr_var("set", "u"), NULL), parameters=2),
        function("g", call("g", "__read_once_size", read, addr_var("g", "u"), NULL),
                 put(var("g", "h"), var("g", "u")), call("g", var("g", "h"), line=9)),
        function("init", call("init", "set", NULL, "f")),
    ]
    assert names(only_site(definitions, "g")) == ["f"]


def test_copies_of_one_variable_share_its_set_until_they_get_something_else():
    a, b, c, hook = (var("g", name) for name in ("a", "b", "c", "hook"))
    definitions = [*stubs("f", "h"), function(
        "g", put(a, "f"), put(b, a), put(c, b), put(hook, b), call("g", c), call("g", hook),
        put(pointee(param("g")), "h"), call("g", "g", addr_var("g", "hook")), parameters=1)]
    constraints = build_constraints(definitions)
    solver = solve_by_objects(constraints).solver
    sets = {key.name: solver.sets[node] for node, key in enumerate(constraints.nodes.keys)
            if isinstance(key, VariableKey)}
    assert sets["a"] is sets["b"] is sets["c"]
    assert sets["a"] < sets["hook"]
    first, second = sites(resolve(definitions), "g")[:2]
    assert names(first) == ["f"]
    assert names(second) == ["f", "h"]
