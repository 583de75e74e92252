"""Lines with one claim each, and verdicts folded back onto the lines of the document."""

from kgraph.check.document.parser import parse_document
from kgraph.check.layout import lay_out, split_claims
from kgraph.model.document import LineKind
from kgraph.model.verdicts import LineVerdict, Verdict

TEXT = b"""# one
f() { g(); if (a) { h(); } else { i(); } }
|-j()
# two
```
#0  b () at x.c:1
#1  c () at x.c:2
"""


def test_each_claim_gets_a_line_under_its_own() -> None:
    claims = split_claims(parse_document("x.md", TEXT))
    lines = [(line.claim.name or line.claim.condition, line.parent) for line in claims.lines
             if line.claim.name or line.claim.condition]
    numbers = {line.claim.name: line.number for line in claims.lines if line.claim.name}
    assert lines[:6] == [
        ("f", 0), ("g", numbers["f"]), ("a", numbers["f"]), ("h", numbers["h"] - 1),
        ("a", numbers["f"]), ("i", numbers["i"] - 1)]
    assert [line.claim.branch for line in claims.lines if line.kind is LineKind.CONDITION] == [
        "if", "else"]
    assert len({line.number for line in claims.lines}) == len(claims.lines) == sum(claims.counts)


def test_the_worst_verdict_is_that_of_the_line() -> None:
    document = parse_document("x.md", TEXT)
    claims = split_claims(document)
    verdicts = [
        LineVerdict(line, Verdict.REFUTED if line.claim.name == "h" else Verdict.HOLDS)
        for line in claims.lines
    ]
    folded = claims.fold(verdicts, document.lines)
    assert [each.line for each in folded] == list(document.lines)
    assert folded[1].verdict is Verdict.REFUTED
    assert folded[1].note == "h: refuted"
    assert {each.verdict for each in (*folded[:1], *folded[2:])} == {Verdict.HOLDS}


def test_sections_and_the_order_of_judging() -> None:
    document = parse_document("x.md", TEXT)
    layout = lay_out(document.lines)
    assert layout.section[2] == 1
    assert layout.section[6] == 2
    order = [line.number for line in layout.iter_judging_order()]
    assert sorted(order) == [line.number for line in document.lines]
    assert order.index(7) < order.index(6)  # a frame behind the one that called it
