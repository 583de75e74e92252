"""Empty, unresolved and resolved are never mixed."""

import pytest

from kgraph.model.resolution import Role, SiteStatus
from kgraph.model.values import Opaque
from tests.support.facts_in_c import (
    NULL,
        addr,
    addr_field,
    addr_var,
    call,
    carry,
    field,
    function,
    glob,
    lie_on,
    obj,
    only_site,
    param,
    put,
    result,
    row,
    stubs,
    var,
)

CB = field("x", "cb", param("g"))


def found(*definitions, target=CB):
    site = only_site([*definitions, function("g", call("g", target), parameters=1)], "g")
    return site.status, site.reason


def test_a_field_that_nothing_writes():
    assert found() == (SiteStatus.EMPTY, (
        "no write to the field in any parsed unit, its address is not taken, and nothing lies at"
        " its place in a union or as another record"))


def cited(*definitions, target=CB):
    site = only_site([*definitions, function("g", call("g", target), parameters=1)], "g")
    return [(item.role, item.location.line, item.holder) for item in site.proof]


def test_the_proof_cites_what_is_put_there_instead():
    copy = function("c", put(CB, field("y", "cb", param("c")), line=9))
    assert cited(copy) == [(Role.FLOW, 9, "x.cb")]
    assert cited() == []


def test_a_field_that_lies_on_an_empty_one():
    beside = function("c", lie_on(CB, field("u", "other", param("c")), line=8))
    status, reason = found(beside)
    assert status is SiteStatus.EMPTY
    assert "what lies at its place in a union or as another record holds no function" in reason
    assert cited(beside) == [(Role.OVERLAY, 8, "x.cb")]


def test_what_lies_on_a_field_is_not_handed_on():
    """The void * between two functions of different types gives the one nothing of the other."""
    lock, other = field("x", "lock", param("c")), field("x", "other", param("c"))
    status, reason = found(function(
        "c", carry(CB, lock), carry(lock, CB), carry(lock, other), carry(other, lock),
        put(other, "h")), *stubs("h"))
    assert status is SiteStatus.EMPTY
    assert "holds no function" in reason


def test_a_function_behind_a_carrier_of_another_record_may_be_of_the_type():
    lock, other = field("v", "lock", param("c")), field("y", "other", param("c"))
    joined = [carry(CB, lock), carry(lock, CB), carry(lock, other), carry(other, lock)]
    assert found(function("c", *joined, put(other, "h")), *stubs("h")) == (
        SiteStatus.UNRESOLVED,
        "what lies at its place as any pointer may be a function of its type",
    )
    assert found(function("c", *joined))[0] is SiteStatus.EMPTY
    site = only_site([*stubs("f", "h"), function("c", *joined, put(other, "h"), put(CB, "f")),
                      function("g", call("g", CB), parameters=1)], "g")
    assert [c.callee.name for c in site.candidates] == ["f"]


def test_overlays_of_one_type_are_followed_on():
    """One record is taken for a second, and that for a third."""
    second, third = field("y", "second", param("c")), field("z", "third", param("c"))
    one = function("c", lie_on(CB, second, line=3))
    other = function("d", lie_on(second, third, line=5), put(third, "h", line=7))
    site = only_site([*stubs("h"), one, other, function("g", call("g", CB), parameters=1)], "g")
    assert [(c.callee.name, [(e.role, e.location.line) for e in c.evidence])
            for c in site.candidates] == [
        ("h", [(Role.BINDING, 7), (Role.OVERLAY, 5), (Role.OVERLAY, 3)])]
    back = function("d", lie_on(third, second), put(third, "h"))
    assert found(one, back, *stubs("h"))[0] is SiteStatus.EMPTY


def test_of_what_a_slot_has_others_by_type_nothing_is_lost():
    """A slot with functions of its own gets those of its type, also where a local copy is called,
    and what is handed in from elsewhere."""
    other = field("u", "other", param("c"))
    site = only_site([
        *stubs("f", "h"), function("d", call("d", "c", NULL, "h")),
        function("c", lie_on(CB, other), put(CB, "f"), put(other, param("c", 1)), parameters=2),
        function("g", put(var("g", "v"), CB), call("g", var("g", "v")), parameters=1)], "g")
    assert [c.callee.name for c in site.candidates] == ["f", "h"]


def test_what_lies_on_a_field_is_called_beside_its_own():
    other = field("u", "other", param("c"))
    site = only_site([*stubs("f", "h"), function("c", lie_on(CB, other, line=3), put(CB, "f"),
                                                 put(other, "h")),
                      function("g", call("g", CB), parameters=1)], "g")
    assert {(c.callee.name, c.evidence[-1].role) for c in site.candidates} == {
        ("f", Role.BINDING), ("h", Role.OVERLAY)}


def test_what_nothing_calls_adds_only_what_is_named_there():
    """A void * in a union holds data of other objects, and whatever flows there with it."""
    carrier = field("u", "cookie", param("c"))
    definitions = [
        *stubs("f", "named", "flown"),
        function("d", call("d", "c", NULL, "flown")),
        function("c", carry(CB, carrier), put(carrier, "named"), put(carrier, param("c", 1)),
                 parameters=2),
        function("g", call("g", CB), parameters=1)]
    own = function("o", put(CB, "f"))
    assert {c.callee.name for c in only_site([*definitions, own], "g").candidates} == {
        "f", "named"}
    assert {c.callee.name for c in only_site(definitions, "g").candidates} == {"named", "flown"}


def test_a_reason_on_a_field_with_functions_changes_nothing():
    site = only_site([*stubs("f"), function("c", lie_on(CB, Opaque("bytes")), put(CB, "f")),
                      function("g", call("g", CB), parameters=1)], "g")
    assert [c.callee.name for c in site.candidates] == ["f"]
    assert found(function("c", lie_on(CB, Opaque("bytes")))) == (SiteStatus.UNRESOLVED, "bytes")


def test_members_of_a_union_that_are_told_apart():
    """As declared in models/discriminated_unions.toml."""
    called = field("security_list_options", "file_open", param("g"))
    other = field("security_list_options", "file_mprotect", param("c"))
    outside = field("wrapper", "hook", param("c"))
    mine = [*stubs("h"), function("c", lie_on(called, other), put(other, "h"))]
    status, reason = found(*mine, target=called)
    assert status is SiteStatus.EMPTY
    assert "another member of its union is never called as it" in reason
    cast = function("d", lie_on(called, outside), put(outside, "h"))
    assert only_site([*mine, cast, function("g", call("g", called), parameters=1)],
                     "g").status is SiteStatus.RESOLVED


def symbol(name):
    return obj(f"__ksymtab_{name}", row(f"__ksymtab_{name}", "kernel_symbol", "value", addr(name)),
               section=f"___ksymtab+{name}")


def test_an_exported_object_that_nothing_here_writes():
    status, reason = found(symbol("hook"), target=glob("hook"))
    assert status is SiteStatus.EMPTY
    assert reason == (
        "no write to the object in any parsed unit, and its address is given to no one but"
        " modules; it is exported: a module outside the index may write it")
    read = put(var("g", "v"), glob("hook"), line=3)
    status, reason = found(symbol("hook"), function("c", read), target=var("g", "v"))
    assert status is SiteStatus.EMPTY
    assert "read from an object that is exported" in reason
    passed = function("c", call("c", "nowhere", addr("hook")))
    assert found(symbol("hook"), passed, target=glob("hook"))[0] is SiteStatus.UNRESOLVED
    filled = [*stubs("h"), function("c", put(glob("hook"), "h"))]
    assert found(symbol("hook"), *filled, target=glob("hook"))[0] is SiteStatus.RESOLVED


@pytest.mark.parametrize("base", [addr("ops"), glob("ops")])
def test_a_field_of_what_is_exported(base):
    """In an exported object, and through an exported pointer; also where a copy is called."""
    called = field("x", "hook", base)
    reason = (
        "no write to the field in any parsed unit, its address is given to no one but modules, and"
        " nothing lies at its place in a union or as another record; it is read from an object that"
        " is exported: a module outside the index may write it")
    assert found(symbol("ops"), obj("ops"), target=called) == (SiteStatus.EMPTY, reason)
    copied = function("c", put(var("g", "v"), called))
    assert "that is exported" in found(symbol("ops"), copied, target=var("g", "v"))[1]
    assert "exported" not in found(obj("ops"), target=called)[1]


def exported(name):
    return obj(f"__ksymtab_{name}", row(f"__ksymtab_{name}", "kernel_symbol", "value", name),
               section=f"___ksymtab+{name}")


def test_a_parameter_of_an_exported_function_that_nothing_here_calls():
    note = ("; it comes from the caller of an exported function: a module outside the index may"
            " pass it")
    assert found(exported("g"), target=param("g")) == (
        SiteStatus.EMPTY, "no caller passes a value" + note)
    kept = function("c", put(field("x", "cb", addr("o")), param("c")), parameters=1)
    assert found(exported("c"), kept, obj("o"), target=field("x", "cb", addr("o"))) == (
        SiteStatus.EMPTY, "no function reaches any value that is put into it" + note)
    taken = function("d", put(field("y", "f", NULL), "g"))
    assert found(exported("g"), taken, target=param("g"))[0] is SiteStatus.UNRESOLVED


def test_a_long_proof_is_cut():
    copies = [put(CB, field("y", f"f{n}", param("c")), line=n + 1) for n in range(40)]
    proof = cited(function("c", *copies))
    assert len(proof) == 12
    assert proof[-1][2] == "(29 places from here on left out)"


def test_the_address_of_data_is_no_function():
    assert found(function("c", put(var("g", "f"), addr_field("x", "offset", param("c")))),
                 target=var("g", "f")) == (
        SiteStatus.UNRESOLVED, "it is computed from the address of data")


def test_a_parameter_that_is_given_no_function_cites_its_callers():
    caller = function("c", call("c", "g", field("y", "cb", param("c")), line=6))
    assert cited(caller, target=param("g")) == [(Role.ARGUMENT, 6, "g(#0)")]


def test_a_field_that_only_empty_holders_are_copied_to():
    copy = function("c", put(CB, field("y", "cb", param("c"))))
    assert found(copy) == (SiteStatus.EMPTY, "no function reaches any value that is put into it")


def test_null_is_no_candidate():
    status, _ = found(function("c", put(CB, NULL)))
    assert status is SiteStatus.EMPTY


@pytest.mark.parametrize("target", [glob("hook"), var("g", "v")])
def test_other_holders_that_nothing_writes(target):
    assert found(target=target)[0] is SiteStatus.EMPTY


def test_a_parameter_that_no_caller_fills():
    assert found(target=param("g")) == (SiteStatus.EMPTY, "no caller passes a value")


def test_what_could_not_be_followed_is_the_reason():
    assert found(function("c", put(CB, Opaque("container_of")))) == (
        SiteStatus.UNRESOLVED, "container_of")


def test_an_undefined_function_may_give_back_anything():
    assert found(function("c", put(CB, result("nowhere")))) == (
        SiteStatus.UNRESOLVED, "nowhere() has no definition in the parsed units")


def test_a_field_whose_address_is_taken_may_be_written_unseen():
    status, reason = found(*stubs("h"), function("c", call("c", "h", addr_field(
        "x", "cb", param("c")))))
    assert status is SiteStatus.UNRESOLVED
    assert "address is taken" in reason


def test_a_parameter_of_a_function_that_unseen_code_may_call():
    escape = function("c", call("c", "nowhere", "g"))
    status, reason = found(escape, target=param("g"))
    assert status is SiteStatus.UNRESOLVED
    assert "outside the parsed units" in reason


def test_a_parameter_of_a_function_in_a_field_that_no_one_calls():
    assert found(function("c", put(field("y", "f", NULL), "g")),
                 target=param("g"))[0] is SiteStatus.UNRESOLVED


def test_an_argument_that_was_not_read_is_not_none():
    from msgspec.structs import replace

    unread = replace(call("c", "g", NULL), arguments=((),))
    assert found(function("c", unread), target=param("g"))[0] is SiteStatus.UNRESOLVED


def test_a_local_whose_address_goes_to_unseen_code():
    definitions = [function("g", call("g", "nowhere", addr_var("g", "v")),
                            call("g", var("g", "v"), line=2))]
    assert only_site(definitions, "g").status is SiteStatus.UNRESOLVED


def test_a_call_of_a_constant_is_not_empty():
    assert found(target=NULL)[0] is SiteStatus.UNRESOLVED
