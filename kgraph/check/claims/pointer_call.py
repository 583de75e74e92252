"""Judges calls through a pointer, `sk->sk_prot->sendmsg(sk)`, with the target that the line
claims.
"""

import re
from dataclasses import replace

from kgraph.check.claims.arguments import compare_arguments
from kgraph.check.claims.call_search import (
    GAP,
    find_path_with_gaps,
    find_single_hops,
    judge_long_path,
)
from kgraph.check.context import CheckContext
from kgraph.check.outcome import Outcome, Position
from kgraph.model.document import DocumentLine
from kgraph.model.location import Extent
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import KnownSite
from kgraph.model.verdicts import Verdict
from kgraph.query.paths.state_space import State

_MEMBER = re.compile(r"(?:->|\.)\s*(\w+)$")


def find_sites_through(
    ground: CheckContext, standing: Position, expression: str
) -> list[KnownSite]:
    """The indirect calls here whose callee is written so, be it without macros that stand for
    members, or else ends in the same member.
    """
    indirect = [
        site for state in standing.states for site in ground.sites_of(state.function)
        if site.status is not SiteStatus.DIRECT
    ]
    same = [site for site in indirect if _plain(site.expression) == _plain(expression)]
    member = _MEMBER.search(_plain(expression))
    if same or member is None:
        return same
    return [site for site in indirect if _spelled_so(ground, site, expression)] or [
        site for site in indirect
        if (other := _MEMBER.search(_plain(site.expression))) and other[1] == member[1]
    ]


def _spelled_so(ground: CheckContext, site: KnownSite, expression: str) -> bool:
    """Whether the callee of a call is written so, but for macros that stand for members."""
    plain = [_plain("".join(ground.spelling.expand_text(each, site.location.path)))
             for each in (expression, site.expression)]
    return plain[0] == plain[1]


def _plain(expression: str) -> str:
    """An expression without blanks, outer parentheses and a leading `*`."""
    text = re.sub(r"\s+", "", expression)
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return text.lstrip("*")


def judge_pointer_call(
    ground: CheckContext, line: DocumentLine, standing: Position, expression: str = ""
) -> Outcome:
    """A call through a pointer, and the target that the line claims."""
    expression = expression or line.claim.expression
    if standing.doubt or not standing.states:
        note = standing.doubt or "what calls it is not known"
        return Outcome(Verdict.UNDECIDED, note, position=Position(doubt=note))
    sites = find_sites_through(ground, standing, expression)
    if not sites:
        return _elsewhere(ground, line, standing, expression)
    outcome = _judge_target(ground, line, standing.states, sites)
    notes = [outcome.note, _otherwise(ground, line, sites, expression)]
    return replace(outcome, note="; ".join(filter(None, notes)))


def _otherwise(
    ground: CheckContext, line: DocumentLine, sites: list[KnownSite], expression: str
) -> str:
    """How the call that a line writes differs from those that are there; "" where it does not."""
    notes = [compare_arguments(ground, line, [site.extent for site in sites], [])]
    same = any(_plain(site.expression) == _plain(expression) for site in sites)
    if not same and not any(_spelled_so(ground, site, expression) for site in sites):
        notes.insert(0, f"the call is written {sites[0].expression}() there")
    return "; ".join(filter(None, notes))


def _judge_target(
    ground: CheckContext, line: DocumentLine, states: tuple[State, ...], sites: list[KnownSite]
) -> Outcome:
    numbers = tuple(site.number for site in sites)
    places: tuple[Extent, ...] = tuple(site.extent for site in sites)
    candidates = {callee for number in numbers for callee in ground.callees(number)}
    after = Position(states, numbers, _inside(ground, line, candidates))
    if not line.claim.target:
        return _without_target(ground, sites, candidates, places, after)
    targets = {function.number for function in ground.functions(line.claim.target, None)}
    if not targets & candidates:
        return _no_candidate(ground, line, sites, candidates, places, after)
    return _candidate(ground, Position(states, numbers), targets & candidates, places, after)


def _inside(ground: CheckContext, line: DocumentLine, candidates: set[int]) -> tuple[State, ...]:
    """What the call is said to reach, or surely reaches."""
    claimed = {function.number for function in ground.functions(line.claim.target, None)}
    reached = claimed & candidates or (candidates if len(candidates) == 1 else set())
    return tuple(ground.free.make_start_state(number) for number in sorted(reached))


def _without_target(
    ground: CheckContext, sites: list[KnownSite], candidates: set[int], places: tuple[Extent, ...],
    after: Position,
) -> Outcome:
    note = f"candidates: {ground.names(candidates)}" if candidates else sites[0].reason
    return Outcome(Verdict.HOLDS, note, places=places, position=after)


def _candidate(
    ground: CheckContext, standing: Position, targets: set[int], places: tuple[Extent, ...],
    after: Position,
) -> Outcome:
    """The claimed target is among the candidates: is it one under the scenario, for the callback
    that is handed on here?
    """
    calls = find_single_hops(ground, ground.pinned, standing, targets)
    if calls:
        hop = calls[0].hops[0]
        inside = tuple(dict.fromkeys(call.state._replace(via_passed=0) for call in calls))
        below = replace(after, targets=inside)
        if hop.candidates > 1:
            return Outcome(
                Verdict.ONE_OF, f"one of {hop.candidates} candidates of {hop.site.holder}", hop,
                places=places, position=below,
            )
        return Outcome(Verdict.HOLDS, "", hop, places=places, position=below)
    against = find_single_hops(ground, ground.free, standing, targets)
    if against:
        hop = against[0].hops[0]
        there = ground.said_by_pins(hop.site.number)
        return Outcome(
            Verdict.CONTRADICTS, f"{hop.callee} is a candidate, but the scenario says {there}",
            hop, places=places, position=after,
        )
    handed = {value for state in standing.states for _, value in state.bindings}
    return Outcome(
        Verdict.REFUTED, f"what is handed on here is {ground.names(handed)}", places=places,
        position=after,
    )


def _no_candidate(
    ground: CheckContext, line: DocumentLine, sites: list[KnownSite], candidates: set[int],
    places: tuple[Extent, ...], after: Position,
) -> Outcome:
    target = line.claim.target
    if any(site.status is SiteStatus.UNRESOLVED for site in sites):
        return Outcome(
            Verdict.UNDECIDED, f"the call could not be resolved: {sites[0].reason}",
            places=places, position=after,
        )
    if not ground.graph.find_functions(target):
        elsewhere = ground.elsewhere(target)
        if elsewhere:
            return Outcome(Verdict.UNDECIDED, elsewhere, places=places, position=after)
    there = ground.names(candidates) if candidates else f"none ({sites[0].reason})"
    return Outcome(
        Verdict.REFUTED, f"{target} is no candidate of this call; candidates: {there}",
        places=places, position=after,
    )


def _elsewhere(
    ground: CheckContext, line: DocumentLine, standing: Position, expression: str
) -> Outcome:
    """The call is not made here: perhaps by a function that is called from here."""
    callers = ground.graph.find_callers_through(expression)
    way = find_path_with_gaps(ground, standing, callers) if callers else None
    if way is None:
        name = ground.names(state.function for state in standing.states)
        return Outcome(
            Verdict.REFUTED, f"{name} has no call through {expression}",
            position=Position(doubt=f"there is no call through {expression}"),
        )
    if way.cost > GAP:
        return judge_long_path(way, Position(doubt=f"there is no call through {expression} near"))
    sites = find_sites_through(ground, Position((way.state,)), expression)
    judged = _judge_target(ground, line, (way.state,), sites)
    gap = Verdict.GAP if judged.verdict is Verdict.HOLDS else judged.verdict
    steps = " -> ".join(hop.callee.id.name for hop in way.hops)
    return Outcome(
        gap, "; ".join(part for part in (f"by way of {steps}", judged.note) if part), judged.hop,
        way.hops, (way.hops[0].site.extent,), judged.position,
    )
