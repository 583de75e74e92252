"""A callback that is only forwarded belongs to its call site."""

from kgraph.model.resolution import CallbackForward, EdgeKind
from kgraph.model.values import Parameter
from kgraph.resolve import resolve
from tests.support.facts_in_c import (
    addr_var,
    call,
    field,
    fn,
    function,
    names,
    only_site,
    param,
    put,
    sites,
    stubs,
    var,
)

HOOK = [
    *stubs("ok1", "ok2"),
    function("thresh", call("thresh", param("thresh", 0)), parameters=1),
    function("hook", call("hook", "thresh", param("hook", 0)), parameters=1),
    function("one", call("one", "hook", "ok1")),
    function("two", call("two", "hook", "ok2")),
]


def forwards(definitions, caller):
    return sites(resolve(definitions), caller)[-1].forwards


def test_each_call_site_says_what_it_hands_on():
    assert forwards(HOOK, "one") == (CallbackForward(0, fn("ok1")),)
    assert forwards(HOOK, "two") == (CallbackForward(0, fn("ok2")),)
    assert forwards(HOOK, "hook") == (CallbackForward(0, 0),)


def test_the_call_itself_has_every_candidate():
    site = only_site(HOOK, "thresh")
    assert names(site) == ["ok1", "ok2"]
    assert site.holder == Parameter(fn("thresh"), 0)
    assert {candidate.kind for candidate in site.candidates} == {EdgeKind.CALLBACK}


def test_a_local_copy_of_a_parameter_is_the_parameter():
    copy = function("thresh", put(var("thresh", "f"), param("thresh", 0)),
                    call("thresh", var("thresh", "f")), parameters=1)
    changed = [copy if d.subject.id.name == "thresh" else d for d in HOOK]
    assert only_site(changed, "thresh").holder == Parameter(fn("thresh"), 0)
    assert forwards(changed, "one") == (CallbackForward(0, fn("ok1")),)


def test_a_local_that_may_be_something_else_is_not_forwarded():
    copy = function("thresh", put(var("thresh", "f"), param("thresh", 0)),
                    put(var("thresh", "f"), "ok2"),
                    call("thresh", var("thresh", "f")), parameters=1)
    changed = [copy if d.subject.id.name == "thresh" else d for d in HOOK]
    assert forwards(changed, "one") == ()


def test_a_local_whose_address_is_taken_is_not_forwarded():
    copy = function("thresh", put(var("thresh", "f"), param("thresh", 0)),
                    call("thresh", "change", addr_var("thresh", "f")),
                    call("thresh", var("thresh", "f"), line=2), parameters=1)
    changed = [copy if d.subject.id.name == "thresh" else d for d in HOOK]
    assert forwards(changed, "one") == ()


def test_a_value_from_a_field_is_not_known_at_the_call_site():
    other = function("three", call("three", "hook", field("state", "okfn", param("three"))))
    assert forwards([*HOOK, other], "three") == ()


def test_a_parameter_that_is_only_stored_is_not_forwarding():
    definitions = [*stubs("ok1"),
                   function("set", put(field("x", "f", param("set", 1)), param("set", 0))),
                   function("one", call("one", "set", "ok1"))]
    assert forwards(definitions, "one") == ()


def test_chains_and_webs_of_copies_are_followed():
    def local(number):
        return var("one", f"p{number}")

    def forwarded(last, *writes):
        definitions = [*HOOK[:4], function("one", *writes, call("one", "hook", local(last)))]
        return set(forwards(definitions, "one"))

    start, known = put(local(0), "ok1"), {CallbackForward(0, fn("ok1"))}
    chain = [put(local(number + 1), local(number)) for number in range(3000)]
    web = [put(local(one), local(other)) for one in range(50) for other in range(50)
           if one != other]
    assert forwarded(3000, start, *chain) == known
    assert forwarded(49, start, *web) == known
    other = put(local(7), "ok2")
    assert forwarded(49, start, *web, other) == known | {CallbackForward(0, fn("ok2"))}
