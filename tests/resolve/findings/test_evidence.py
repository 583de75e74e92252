"""Each candidate is cited from where the function is named to where it is called."""

from kgraph.model.resolution import Role
from kgraph.resolve.findings.evidence import LIMIT
from tests.support.facts_in_c import call, field, function, only_site, param, put, stubs, var


def cited(site):
    return [(e.role, e.location.line, e.holder) for e in site.candidates[0].evidence]


def test_a_chain_runs_from_the_argument_over_copies():
    definitions = [
        *stubs("f"),
        function("set", put(field("x", "cb", param("set", 0)), param("set", 1), line=5),
                 parameters=2),
        function("init", call("init", "set", param("init"), "f", line=3)),
        function("g", call("g", field("x", "cb", param("g")))),
    ]
    assert cited(only_site(definitions, "g")) == [
        (Role.ARGUMENT, 3, "set(#1)"), (Role.FLOW, 5, "x.cb")]


def test_the_shortest_chain_then_the_first_by_location():
    definitions = [*stubs("f"),
                   function("b", put(field("x", "cb", param("b")), "f", line=9)),
                   function("a", put(field("x", "cb", param("a")), "f", line=2)),
                   function("g", call("g", field("x", "cb", param("g"))))]
    assert cited(only_site(definitions, "g")) == [(Role.BINDING, 2, "x.cb")]


def test_copies_on_one_line_are_one():
    body = [put(var("g", "a"), "f", line=1), put(var("g", "b"), var("g", "a"), line=2),
            put(var("g", "c"), var("g", "b"), line=2)]
    site = only_site([*stubs("f"), function("g", *body, call("g", var("g", "c")))], "g")
    assert cited(site) == [(Role.BINDING, 1, "a"), (Role.FLOW, 2, "c")]


def test_a_long_chain_says_what_it_leaves_out():
    body = [put(var("g", "v0"), "f", line=1)]
    body += [put(var("g", f"v{n}"), var("g", f"v{n - 1}"), line=n + 1) for n in range(1, 20)]
    site = only_site([*stubs("f"), function("g", *body, call("g", var("g", "v19")))], "g")
    evidence = cited(site)
    assert len(evidence) == LIMIT
    assert evidence[1] == (Role.FLOW, 2, "(9 copies from here on left out)")
    assert (evidence[0][1], evidence[2][1], evidence[-1][1]) == (1, 11, 20)
