"""The places that bear a claim out, and the conditions around them: those of a call from the index,
those of a statement from the text around it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile, groupby
from typing import NamedTuple

from kgraph.check.claims.arguments import compare_arguments
from kgraph.check.context import PlacedLine
from kgraph.check.outcome import Outcome
from kgraph.check.source.condition_forms import (
    ConditionForm,
    is_alternative,
    negate,
    split_conjuncts,
)
from kgraph.check.source.control_flow import Branch, ControlFlow
from kgraph.check.source.tokens import list_tokens
from kgraph.model.document import Claim
from kgraph.model.location import Extent
from kgraph.model.results import Hop, KnownFunction, KnownSite

_ENDING = ("}", "else")
_MAX_LISTED = 3


class PlaceConditions(NamedTuple):
    """What holds at a place in the file `path`, and its conditions as `text`. `is_partial`: there
    may be more, which the index did not keep. `otherwise`: it stands where a condition does not
    hold; None if that is not known.
    """

    holds: frozenset[ConditionForm]
    text: str
    path: str
    is_partial: bool = False
    otherwise: bool | None = None


@dataclass(frozen=True)
class ClaimPlaces:
    """The places that bear out the claim of a line, which was judged as `outcome`. If the line has
    arguments, these choose among several calls.
    """

    placed: PlacedLine
    outcome: Outcome

    @property
    def sites(self) -> list[KnownSite] | None:
        """The call sites that bear the claim out, None if the index has no such call."""
        return self._sites_and_places[0]

    @property
    def places(self) -> tuple[Extent, ...]:
        """Where the claim is borne out."""
        return self._sites_and_places[1]

    @cached_property
    def all_places(self) -> tuple[Extent, ...]:
        """These places, and others where the text has the claimed call word by word."""
        written = self._find_written() if self.placed.claim.arguments else ()
        known = {(place.start.path, place.start.line) for place in self.places}
        return (*self.places, *(place for place in written
                                if (place.start.path, place.start.line) not in known))

    def iter_known_conditions(self, *, otherwise: bool) -> Iterator[PlaceConditions]:
        """What is known of the conditions around each place; of `otherwise` only on request."""
        if self.sites is None:
            for place in self.places:
                yield from self._iter_around(place)
        else:
            yield from (self._describe_site(site, otherwise=otherwise) for site in self.sites)

    def iter_text_conditions(self) -> Iterator[PlaceConditions]:
        """What the text says around each place, also around calls that this configuration leaves
        out. The index leaves out conditions whose value is settled, `IS_ENABLED(X)`.
        """
        for place in self.all_places:
            yield from self._iter_around(place)

    def can_jump_here(self, claim: Claim, *, holds: bool) -> bool:
        """Whether a `goto` may lead here from where a claimed condition holds, or does not."""
        context = self.placed.context
        for function in self.placed.functions:
            here = self.tokens_in(function, self.places)
            if not here or function.location is None:
                continue
            form = context.normalise(claim, function.location.path)
            claimed = form if holds else negate(form)
            flow = context.texts.control_flow_of(function)
            for branch in flow.branches:
                parts = []
                if has_part(branch.form, claimed):
                    parts = flow.follow_jumps(branch.then)[1:]
                elif has_part(negate(branch.form), claimed):
                    parts = [branch.beyond, *flow.follow_jumps(branch.other)[1:]]
                if any(at in part for part in parts for at in here):
                    return True
        return False

    def tokens_in(self, function: KnownFunction, places: Iterable[Extent]) -> list[int]:
        """Which expanded tokens of a function stand at some places: from the column on if it is
        known, else on the whole lines, without the end of what stands above.
        """
        if function.location is None:
            return []
        first, path = function.location.line, function.location.path
        spans = [
            (place.start.line - first, self._count_tokens_before(place), place.end_line - first)
            for place in places if place.start.path == path
        ]
        found: list[int] = []
        body = self.placed.context.texts.expanded_tokens_of(function) if spans else []
        for line, tokens in groupby(range(len(body)), lambda at: body[at][1]):
            near = [(start, before) for start, before, end in spans if start <= line <= end]
            if near:
                first_one = min(before if line == start else 0 for start, before in near)
                here = list(tokens)[first_one:]
                found += list(dropwhile(lambda at: body[at][0] in _ENDING, here)) or here
        return found

    @cached_property
    def _sites_and_places(self) -> tuple[list[KnownSite] | None, tuple[Extent, ...]]:
        placed, outcome = self.placed, self.outcome
        claim, texts = placed.claim, placed.context.texts
        through = outcome.position.sites if outcome.position is not None else None
        if outcome.hop is None and through:
            sites = [placed.context.graph.site(site) for site in through]
        elif outcome.hop is None and not outcome.via:
            return None, outcome.places
        else:
            hops: tuple[Hop, ...] = outcome.via or ((outcome.hop,) if outcome.hop else ())
            sites = [site for hop in hops for site in texts.sites_of(hop.site.caller)
                     if site.number == hop.site.number or site.location in hop.sites]
        # A call that is written by its name goes through no pointer, if one stands there by name.
        sites = [site for site in sites if site.expression == claim.name] or sites
        if claim.arguments and not outcome.via:
            same = [site for site in sites if not compare_arguments(placed, [site.extent])]
            written = () if same else self._find_written()
            if written:
                return None, written  # a call that this configuration leaves out
            sites = same or sites
        return sites, tuple(site.extent for site in sites)

    def _find_written(self) -> tuple[Extent, ...]:
        """Where the text has the claimed call word by word."""
        claim = self.placed.claim
        call = f"{claim.name or claim.expression}({', '.join(claim.arguments or ())})"
        return tuple(self.placed.find_tokens(list_tokens(call)))

    def _count_tokens_before(self, place: Extent) -> int:
        """How many tokens stand before a place on its line; 0 if its column is not known."""
        texts = self.placed.context.texts
        before = texts.sources.read_line(place.start)[:max(0, place.start.column - 1)]
        return len(texts.expander.expand_text(before, place.start.path))

    def _describe_site(self, site: KnownSite, *, otherwise: bool) -> PlaceConditions:
        holds: set[ConditionForm] = set()
        texts = []
        for guard in site.guards:
            form, text = self.placed.context.texts.read_guard(guard.extent)
            if text:
                holds |= split_conjuncts(form if guard.holds else negate(form))
                texts.append(text if guard.holds else f"not {text}")
        return PlaceConditions(
            frozenset(holds), _list_innermost(texts), site.location.path,
            site.may_have_more_guards, self._is_otherwise(site) if otherwise else None,
        )

    def _is_otherwise(self, site: KnownSite) -> bool | None:
        """Whether a call stands where a condition does not hold; behind labels the text says it."""
        if any(not guard.holds for guard in site.guards):
            return True
        caller = self.placed.context.graph.function(site.caller)
        known = [each.otherwise for each in self._iter_in([caller], site.extent)]
        return True if True in known else False if False in known else None

    def _iter_around(self, place: Extent) -> Iterator[PlaceConditions]:
        return self._iter_in(self.placed.functions, place)

    def _iter_in(
        self, functions: Iterable[KnownFunction], place: Extent
    ) -> Iterator[PlaceConditions]:
        """What the text of some functions says around a place."""
        for function in functions:
            if function.location is None or function.location.path != place.start.path:
                continue
            here = self.tokens_in(function, [place])
            flow = self.placed.context.texts.control_flow_of(function)
            around = flow.find_enclosing(here)
            texts = {branch.place: _write_branch(flow, branch, here) for branch in around.branches}
            texts |= {label.place: flow.text_at(label.place) for label in around.labels}
            text = _list_innermost([texts[at] for at in sorted(texts)])
            other = any(at in branch.other for branch in around.branches for at in here)
            yield PlaceConditions(
                around.holds, text, place.start.path, otherwise=other if here else None)


def has_part(form: ConditionForm, claimed: ConditionForm) -> bool:
    """Whether a claimed condition is a part of one, or one of its alternatives."""
    return split_conjuncts(claimed) <= split_conjuncts(form) or is_alternative(form, claimed)


def _write_branch(flow: ControlFlow, branch: Branch, here: list[int]) -> str:
    """The condition of a branch as text, as it holds at some tokens."""
    text = flow.text_at(branch.place)
    return text if any(at in branch.then for at in here) else f"not {text}"


def _list_innermost(texts: list[str]) -> str:
    """Conditions, outermost first, for a note: the last few of them."""
    left_out = len(texts) - _MAX_LISTED
    listed = ", ".join(texts[-_MAX_LISTED:])
    return f"{listed} and {left_out} around them" if left_out > 0 else listed
