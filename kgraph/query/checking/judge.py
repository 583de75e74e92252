"""Judges a document under a scenario, or under the one that it makes itself."""

from dataclasses import replace

from kgraph.graph import CallGraph
from kgraph.model.documents import ChainCheck, Document, Pin, Scenario
from kgraph.query.checking.claimed_targets import ClaimedTargets
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.sections import judging_order, lay_out, unknown_names
from kgraph.query.checking.segments import Segments, printed_tables, scenario_stretches
from kgraph.query.checking.spreading import spread
from kgraph.query.checking.walk import Walk


def check_document(
    graph: CallGraph, document: Document, scenario: Scenario | None = None
) -> ChainCheck:
    """Every line of a document judged under a scenario. Without one the document makes its own: of
    the tables that it prints, each in its part of its section, and of the targets that it names,
    each in its chain.

    Raises LookupFailed for a pin that nothing supports.
    """
    ground = Ground(graph)
    spread_out = spread(document)
    claims = replace(document, lines=spread_out.lines)
    layout = lay_out(claims)
    ground.absence.announce(unknown_names(ground, claims))
    if scenario is not None:
        stretches = scenario_stretches(graph, claims, scenario)
        walk = Walk(ground, layout, Segments(ground, stretches))
    else:
        printed = printed_tables(ground, claims, layout)
        claimed = ClaimedTargets(graph)
        walk = Walk(ground, layout, Segments(ground, printed.stretches), printed, claimed)
    for line in judging_order(claims.lines):
        walk.step(line)
    verdicts = tuple(walk.verdict(line) for line in claims.lines)
    if scenario is None:
        scenario = _own(printed.pins, claimed.pins())
    return ChainCheck(document, tuple(spread_out.fold(verdicts, document.lines)), scenario)


def _own(tables: tuple[Pin, ...], targets: tuple[Pin, ...]) -> Scenario:
    """The scenario that a document makes itself."""
    told = {"the tables that the document prints": tables, "the targets that it names": targets}
    origin = " and ".join(text for text, pins in told.items() if pins)
    return Scenario(pins=(*tables, *targets), origin=origin)


