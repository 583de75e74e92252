"""Judges calls through a pointer, `sk->sk_prot->sendmsg(sk)`, with the claimed target."""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from kgraph.check.claims.arguments import compare_arguments
from kgraph.check.claims.call_search import (
    GAP,
    find_path_with_gaps,
    find_single_hops,
    judge_long_path,
)
from kgraph.check.context import CheckContext, PlacedLine
from kgraph.check.outcome import Outcome, Position, join_notes
from kgraph.model.location import Extent
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import KnownSite
from kgraph.model.verdicts import Verdict

_MEMBER = re.compile(r"(?:->|\.)\s*(\w+)$")


def find_sites_through(placed: PlacedLine, expression: str) -> list[KnownSite]:
    """The indirect calls where the line stands whose callee is written so, also with macros for
    members expanded; else those that end in the same member.
    """
    context = placed.context
    indirect = [
        site for state in placed.position.states for site in context.texts.sites_of(state.function)
        if site.status is not SiteStatus.DIRECT
    ]
    same = [site for site in indirect if _strip(site.expression) == _strip(expression)]
    member = _MEMBER.search(_strip(expression))
    if same or member is None:
        return same
    return [site for site in indirect if _is_spelled_so(context, site, expression)] or [
        site for site in indirect
        if (other := _MEMBER.search(_strip(site.expression))) and other[1] == member[1]
    ]


def judge_pointer_call(placed: PlacedLine, expression: str = "") -> Outcome:
    """A call through a pointer, and the target that the line claims. `expression` is the callee if
    it is not that of the claim.
    """
    expression = expression or placed.claim.expression
    if not placed.position.is_known:
        note = placed.position.doubt or "its caller is not known"
        return Outcome(Verdict.UNDECIDED, note, position=Position(doubt=note))
    sites = find_sites_through(placed, expression)
    if not sites:
        return _judge_elsewhere(placed, expression)
    outcome = _PointerCall(placed, sites).judge()
    return outcome.with_note(_describe_difference(placed, sites, expression))


def _judge_elsewhere(placed: PlacedLine, expression: str) -> Outcome:
    """The call is not made here: perhaps by a function that is called from here."""
    context = placed.context
    callers = context.graph.find_callers_through(expression)
    path = find_path_with_gaps(context, placed.position, callers) if callers else None
    if path is None:
        name = context.list_names(state.function for state in placed.position.states)
        return Outcome(
            Verdict.REFUTED, f"{name} has no call through {expression}",
            position=Position(doubt=f"there is no call through {expression}"),
        )
    if path.measure > GAP:
        doubt = f"there is no call through {expression} nearby"
        return judge_long_path(path, Position(doubt=doubt))
    there = placed.move_to(Position((path.state,)))
    judged = _PointerCall(there, find_sites_through(there, expression)).judge()
    steps = " -> ".join(hop.callee.id.name for hop in path.hops)
    return Outcome(
        Verdict.GAP if judged.verdict is Verdict.HOLDS else judged.verdict,
        join_notes(f"by way of {steps}", judged.note), judged.hop, path.hops,
        (path.hops[0].site.extent,), judged.position,
    )


def _describe_difference(placed: PlacedLine, sites: list[KnownSite], expression: str) -> str:
    """How the call that a line writes differs from those that are there; "" if it does not."""
    note = compare_arguments(placed, [site.extent for site in sites])
    is_same = any(_strip(site.expression) == _strip(expression) for site in sites)
    if is_same or any(_is_spelled_so(placed.context, site, expression) for site in sites):
        return note
    return join_notes(f"the call is written {sites[0].expression}() there", note)


@dataclass(frozen=True)
class _PointerCall:
    """A line with the call sites that it means."""

    placed: PlacedLine
    sites: list[KnownSite]

    @property
    def _context(self) -> CheckContext:
        return self.placed.context

    @cached_property
    def _candidates(self) -> set[int]:
        return {callee for site in self.sites for callee in self._context.callees_of(site.number)}

    @cached_property
    def _claimed_targets(self) -> set[int]:
        """The functions that the line claims as the target."""
        target = self.placed.claim.target
        return {function.number for function in self._context.find_functions(target)}

    @property
    def _places(self) -> tuple[Extent, ...]:
        return tuple(site.extent for site in self.sites)

    @cached_property
    def _after(self) -> Position:
        """Where the line comes to: its calls, with what they are said to reach or surely reach."""
        reached = self._claimed_targets & self._candidates or (
            self._candidates if len(self._candidates) == 1 else set())
        targets = tuple(self._context.free.make_start_state(each) for each in sorted(reached))
        return replace(self._calls, targets=targets)

    @property
    def _calls(self) -> Position:
        numbers = tuple(site.number for site in self.sites)
        return Position(self.placed.position.states, numbers)

    def judge(self) -> Outcome:
        """The outcome for the claimed target, if the line has one."""
        if not self.placed.claim.target:
            note = (f"candidates: {self._context.list_names(self._candidates)}"
                    if self._candidates else self.sites[0].reason)
            return self._end(Verdict.HOLDS, note)
        if not self._claimed_targets & self._candidates:
            return self._judge_no_candidate()
        return self._judge_candidate()

    def _end(self, verdict: Verdict, note: str) -> Outcome:
        return Outcome(verdict, note, places=self._places, position=self._after)

    def _judge_candidate(self) -> Outcome:
        """The claimed target is a candidate: is it one under the scenario, for the callback that is
        passed on here?
        """
        context, targets = self._context, self._claimed_targets & self._candidates
        calls = find_single_hops(context.pinned, self._calls, targets)
        if calls:
            hop = calls[0].hops[0]
            reached = tuple(dict.fromkeys(call.state._replace(via_passed=0) for call in calls))
            outcome = Outcome(Verdict.HOLDS, "", hop, places=self._places,
                              position=replace(self._after, targets=reached))
            if hop.candidates <= 1:
                return outcome
            note = f"one of {hop.candidates} candidates of {hop.site.holder}"
            return replace(outcome, verdict=Verdict.ONE_OF, note=note)
        against = find_single_hops(context.free, self._calls, targets)
        if against:
            hop = against[0].hops[0]
            pinned = context.list_pinned(hop.site.number)
            note = f"{hop.callee} is a candidate, but the scenario says {pinned}"
            return replace(self._end(Verdict.CONTRADICTS, note), hop=hop)
        handed = {value for state in self._calls.states for _, value in state.bindings}
        return self._end(
            Verdict.REFUTED, f"it passes on {context.list_names(handed)} here")

    def _judge_no_candidate(self) -> Outcome:
        context, target = self._context, self.placed.claim.target
        if any(site.status is SiteStatus.UNRESOLVED for site in self.sites):
            return self._end(
                Verdict.UNDECIDED, f"the call could not be resolved: {self.sites[0].reason}")
        if not context.graph.find_functions(target):
            elsewhere = context.describe_elsewhere(target)
            if elsewhere:
                return self._end(Verdict.UNDECIDED, elsewhere)
        there = (context.list_names(self._candidates) if self._candidates
                 else f"none ({self.sites[0].reason})")
        return self._end(
            Verdict.REFUTED, f"{target} is not a candidate of this call; candidates: {there}")


def _is_spelled_so(context: CheckContext, site: KnownSite, expression: str) -> bool:
    """Whether the callee of a call is written so once macros for members are expanded."""
    expander, path = context.texts.expander, site.location.path
    plain = [_strip("".join(expander.expand_text(each, path)))
             for each in (expression, site.expression)]
    return plain[0] == plain[1]


def _strip(expression: str) -> str:
    """An expression without blanks, outer parentheses and a leading `*`."""
    text = re.sub(r"\s+", "", expression)
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return text.lstrip("*")
