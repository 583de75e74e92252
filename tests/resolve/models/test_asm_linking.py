"""Names that assembler and attributes give: which functions they mean, what is then not known."""

import pytest
from msgspec.structs import replace

from kgraph.model.facts import Definition
from kgraph.model.ids import FunctionId
from kgraph.model.resolution import REFERENCE_RULE, EdgeKind, SiteStatus
from kgraph.model.values import Opaque, Symbol, SymbolUse
from kgraph.resolve import resolve
from tests.support.facts_in_c import (
    addr_var,
    call,
    function,
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


def named(name: str, how: SymbolUse = SymbolUse.CALLED) -> Symbol:
    return Symbol(FunctionId(name), how)


def static(name: str, path: str = "a.c") -> Definition:
    return function(FunctionId(name, path), path=path, key=f"{path}:{name}")


@pytest.mark.parametrize(
    ("how", "rule", "kind"),
    [
        (SymbolUse.CALLED, "assembler", EdgeKind.ASM),
        (SymbolUse.REFERRED, REFERENCE_RULE, EdgeKind.ASM),
        (SymbolUse.CLEANUP, "direct", EdgeKind.DIRECT),
    ],
)
def test_a_name_is_the_function_of_external_linkage(
    how: SymbolUse, rule: str, kind: EdgeKind
) -> None:
    site = only_site([*stubs("f"), static("f"), function("g", call("g", named("f", how)))], "g")
    assert (site.status, site.rule) == (SiteStatus.DIRECT, rule)
    assert [(c.callee, c.kind) for c in site.candidates] == [(FunctionId("f"), kind)]


def test_else_it_is_the_static_function_of_the_same_file() -> None:
    body = function("g", call("g", named("f")))
    site = only_site([static("f", "b.c"), static("f"), body], "g")
    assert site.candidates[0].callee == FunctionId("f", "a.c")
    site = only_site([static("f", "b.c"), body], "g")
    assert site.candidates[0].callee == FunctionId("f")  # called, and defined nowhere that is read


def test_a_cleanup_may_be_the_only_static_function_of_a_header() -> None:
    body = function("g", call("g", named("f", SymbolUse.CLEANUP)))
    first, second = static("f", "include/x.h"), static("f", "include/y.h")
    assert only_site([first, body], "g").candidates[0].callee.scope == "include/x.h"
    assert only_site([first, second, body], "g").candidates[0].callee.scope == ""


def test_what_assembler_refers_to_and_is_no_function_is_no_call_site() -> None:
    found = resolve([function("g", call("g", named("data", SymbolUse.REFERRED)), call("g", "h"))])
    assert [names(site) for site in sites(found, "g")] == [["h"]]


@pytest.mark.parametrize("how", [SymbolUse.CALLED, SymbolUse.REFERRED])
def test_what_assembler_passes_is_not_known(how: SymbolUse) -> None:
    unfollowed = Opaque("assembler passes it")
    entry = function("entry", call("entry", named("f", how), unfollowed))
    callback = function("f", call("f", param("f")), parameters=1)
    site = only_site([callback], "f")
    assert (site.status, site.reason) == (SiteStatus.EMPTY, "no caller passes a value")
    site = only_site([callback, entry], "f")
    assert (site.status, site.reason) == (SiteStatus.UNRESOLVED, "assembler passes it")


def test_a_cleanup_passes_the_variable() -> None:
    cleaned = call("g", named("f", SymbolUse.CLEANUP), addr_var("g", "v"))
    calls = function("f", call("f", pointee(param("f"))), parameters=1)
    body = function("g", put(var("g", "v"), "h"), cleaned)
    assert names(only_site([calls, body, *stubs("h")], "f")) == ["h"]


def test_a_function_in_assembler_returns_what_is_not_known() -> None:
    made = function("make")
    assembled = replace(made, subject=replace(made.subject, signature=""))
    body = function("g", call("g", "make"), put(var("g", "v"), result("make")),
                    call("g", var("g", "v")))
    assert only_site([assembled, body], "g").status is SiteStatus.UNRESOLVED
    assert only_site([made, body], "g").status is SiteStatus.EMPTY


def test_data_in_assembler_puts_functions_into_its_object() -> None:
    kept = replace(obj("kept"), calls=(call("kept", named("f", SymbolUse.REFERRED)),))
    site = only_site([*stubs("f"), kept, function("g", call("g", glob("kept")))], "g")
    assert names(site) == ["f"]
    resolution = resolve([*stubs("f"), kept])
    assert not resolution.sites
    assert [(str(row.holder), str(row.value)) for row in resolution.bindings] == [("kept", "f")]


def test_assembler_goes_on_where_a_variable_points_to() -> None:
    """It reads the variable that C puts a function into; how it goes there is not seen."""
    entry = function("entry", call("entry", named("kept", SymbolUse.REFERRED)))
    writer = function("writer", put(glob("kept"), "f"))
    site = only_site([*stubs("f"), entry, writer], "entry")
    assert (site.status, names(site)) == (SiteStatus.RESOLVED, ["f"])
    assert not sites(resolve([entry, *stubs("f")]), "entry")  # nothing is put into it
