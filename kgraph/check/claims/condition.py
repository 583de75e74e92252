"""Judges conditions: does a function have the one that a line claims, and does what a document puts
behind or under it stand there in the source, too?

Where the conditions of the source come from depends on the claim: for a call from the index (if,
else, ?:, &&, early exits), for a statement from the text around it, for `case X:` from the labels
of the text. The claim holds if the source requires everything that the claimed condition requires.
It is wrong if the source requires the opposite, or nothing that is related.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from kgraph.check.claims.labels import (
    find_each_label,
    judge_in_switch,
    judge_under_label,
    refute_place,
)
from kgraph.check.claims.statement import refute_quote
from kgraph.check.claims.surroundings import ClaimPlaces, PlaceConditions, has_part
from kgraph.check.context import CheckContext, PlacedLine, get_path
from kgraph.check.document.claim_parser import parse_claim
from kgraph.check.outcome import Outcome, join_notes
from kgraph.check.source.condition_forms import (
    ConditionForm,
    Test,
    are_implied,
    is_alternative,
    negate,
    split_conjuncts,
)
from kgraph.check.source.tokens import list_tokens
from kgraph.model.document import Claim, DocumentLine, LineKind
from kgraph.model.location import MAX_GUARDS, Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import Verdict

_CONTRARY = "the source asks for the contrary"
_NEVER: frozenset[ConditionForm] = frozenset({Test("", holds=True)})

Judge = Callable[[PlacedLine], Outcome]


def judge_condition(placed: PlacedLine, judge_claim: Judge) -> Outcome:
    """A condition, with what it leads to on its own line. `judge_claim` judges that."""
    condition = judge_in_switch(placed, _judge_existence(placed))
    parts = [replace(placed, line=part) for part in _split_consequences(placed.line)]
    judged = [(part, judge_claim(part)) for part in parts]
    if not judged or condition.verdict is not Verdict.HOLDS:
        return condition
    outcome = _judge_consequences(placed, condition, judged)
    if placed.claim.branch != "case" or outcome.position is None:
        return outcome
    # What stands below may go on from what the label leads to, or stand beside it.
    return replace(
        outcome, position=replace(placed.position, targets=outcome.position.states))


def _judge_existence(placed: PlacedLine) -> Outcome:
    """A condition stands in one of the functions where the document stands."""
    position, functions = placed.position, placed.functions
    if not position.is_known:
        return Outcome(Verdict.UNDECIDED, position.doubt or "its function is not known")
    context, claim = placed.context, placed.claim
    for find in _FINDERS.get(claim.branch, (_find_quoted,)):
        for function in functions:
            places = find(context, function, claim)
            if places:
                return Outcome(Verdict.HOLDS, places=tuple(places), found=places[0].start)
    if claim.branch in ("if", "while"):
        for find_outcome in (_find_related, _find_summed_up):
            for function in functions:
                found = find_outcome(context, function, claim)
                if found is not None:
                    return found
    return refute_quote(placed)


def _find_quoted(context: CheckContext, function: KnownFunction, claim: Claim) -> list[Extent]:
    return context.texts.find_tokens(function, _quote(claim))


def _find_same(context: CheckContext, function: KnownFunction, claim: Claim) -> list[Extent]:
    """Where a function has a condition, however it is written."""
    claimed = context.normalise(claim, get_path(function))
    same = [place for form, place, _ in _iter_conditions(context, function) if form == claimed]
    return list(dict.fromkeys((*_find_quoted(context, function, claim), *same)))


def _find_else(context: CheckContext, function: KnownFunction, claim: Claim) -> list[Extent]:
    """Where the `else` of the condition stands that the document gives a line; every `else` if it
    gives none.
    """
    if function.location is None:
        return []
    path, first = function.location.path, function.location.line
    claimed = context.normalise(claim, path) if claim.condition else None
    body = context.texts.expanded_tokens_of(function)
    flow = context.texts.control_flow_of(function)
    places = [branch.other.start - 1 for branch in flow.branches
              if claimed is None or branch.form == claimed]
    lines = [first + body[at][1] for at in places if body[at][0] == "else"]
    return [Extent(Location(path, line), line) for line in lines]


def _find_early_exits(
    context: CheckContext, function: KnownFunction, claim: Claim
) -> list[Extent]:
    """Where a function returns under the condition of an `else`, so that what follows stands as if
    behind one: `if (x) return 0;`.
    """
    if function.location is None or claim.branch != "else" or not claim.condition:
        return []
    path, first = function.location.path, function.location.line
    claimed = context.normalise(claim, path)
    body = context.texts.expanded_tokens_of(function)
    lines = [first + body[branch.place][1]
             for branch in context.texts.control_flow_of(function).branches
             if branch.form == negate(claimed) or (branch.other and branch.form == claimed)]
    return [Extent(Location(path, line), line) for line in lines]


_FINDERS = {
    "case": (_find_quoted, find_each_label), "else": (_find_else, _find_quoted, _find_early_exits),
    "if": (_find_same,), "while": (_find_same,),
}


def _find_summed_up(
    context: CheckContext, function: KnownFunction, claim: Claim
) -> Outcome | None:
    """The place where several nested conditions, or the labels of a `switch`, together require all
    that the claimed condition requires.
    """
    if function.location is None:
        return None
    path, first = function.location.path, function.location.line
    wanted = split_conjuncts(context.normalise(claim, path))
    flow = context.texts.control_flow_of(function)
    asked = [(part, split_conjuncts(form)) for each in flow.branches
             for part, form in ((each.then, each.form), (each.other, negate(each.form)))]
    starts = sorted({
        *(part.start for part, forms in asked if part and not wanted.isdisjoint(forms)),
        *(label.then.start for label in flow.labels),
    })
    for start in starts:
        if are_implied(wanted, flow.find_enclosing([start]).holds):
            line = first + context.texts.expanded_tokens_of(function)[start][1]
            return Outcome(
                Verdict.HOLDS, "several conditions around it ask for this together",
                places=(Extent(Location(path, line), line),), found=Location(path, line))
    return None


def _find_related(
    context: CheckContext, function: KnownFunction, claim: Claim
) -> Outcome | None:
    """The condition of the function that means the same as the claimed one. If there is none: the
    first that requires more, that has the claimed one as an alternative, or that is its opposite.
    """
    related: Outcome | None = None
    claimed = context.normalise(claim, get_path(function))
    wanted = split_conjuncts(claimed)
    for form, place, text in _iter_conditions(context, function):
        note = ""
        if form == claimed:
            return Outcome(Verdict.HOLDS, places=(place,), found=place.start)
        if wanted <= split_conjuncts(form):
            note = f"a part of the condition at {place}: {text}"
        elif is_alternative(form, claimed):
            note = f"one of the alternatives at {place}: {text}"
        elif form == negate(claimed):
            note = f"{_CONTRARY}, {text}, at {place}"
        if note and related is None:
            related = Outcome(Verdict.HOLDS, note, places=(place,), found=place.start)
    return related


def _iter_conditions(
    context: CheckContext, function: KnownFunction
) -> Iterator[tuple[ConditionForm, Extent, str]]:
    """The conditions of a function, those of its text before those that only the index knows."""
    texts = context.texts
    if function.location is not None:
        body = texts.expanded_tokens_of(function)
        path, first = function.location.path, function.location.line
        for branch in texts.control_flow_of(function).branches:
            start = Location(path, first + body[branch.place][1])
            yield branch.form, Extent(start, start.line), texts.sources.read_line(start)
    yield from texts.guards_of(function.number)


def _quote(claim: Claim) -> list[str]:
    """A condition as the source would write it."""
    inner = list_tokens(claim.condition)
    if claim.branch == "case":
        return [*inner, ":"]
    if claim.branch == "else":
        return ["else"]
    return [claim.branch, "(", *(["!", "(", *inner, ")"] if claim.negated else inner), ")"]


def _split_consequences(line: DocumentLine) -> list[DocumentLine]:
    """What the condition of a line leads to, as lines of their own."""
    claim = line.claim
    if claim.name:
        call = Claim(name=claim.name, arguments=claim.arguments, target=claim.target,
                     is_remark=claim.is_remark)
        return [replace(line, kind=LineKind.CALL, claim=call, citation=None)]
    if not claim.consequence:
        return []
    parsed = parse_claim(claim.consequence, drawn=True, cited=False)
    if parsed.kind in (LineKind.PROSE, LineKind.UNREAD, LineKind.FUNCTION):
        quoted = Claim(expression=claim.consequence)
        return [replace(line, kind=LineKind.STATEMENT, claim=quoted, citation=None)]
    first = replace(parsed.claim, target=claim.target, also=())
    return [replace(line, kind=kind, claim=each, citation=None)
            for kind, each in ((parsed.kind, first), *parsed.claim.also)]


def _judge_consequences(
    placed: PlacedLine, condition: Outcome, parts: list[tuple[PlacedLine, Outcome]]
) -> Outcome:
    """The outcome of a condition together with what it leads to on its line."""
    for _, each in parts:
        if each.verdict is Verdict.REFUTED:
            note = f"what the condition leads to is not there: {each.note}"
            return replace(each, note=note, places=condition.places, found=condition.found)
    checked = [
        judge_under_condition(placed.claim, ClaimPlaces(part, each), placed.switch)
        for part, each in parts
    ]
    wrong = next((each for each in checked if each.verdict is Verdict.REFUTED), None)
    if wrong is not None:
        return replace(wrong, places=condition.places, found=condition.found)
    last = parts[-1][1]
    is_open = any(each.verdict is Verdict.UNDECIDED for each in checked)
    return replace(
        last, verdict=Verdict.UNDECIDED if is_open else last.verdict,
        note=join_notes(*dict.fromkeys(each.note for each in (condition, *checked))),
        places=(*condition.places, *(place for _, each in parts for place in each.places)),
        found=condition.found or last.found,
    )


def judge_under_condition(claim: Claim, places: ClaimPlaces, switch: str = "") -> Outcome:
    """The outcome of a claim that stands under the condition `claim`: refuted if the condition does
    not lead to it. `places` have the claim as it is judged where the condition stands. A label must
    belong to `switch`, if that is not "".
    """
    outcome = places.outcome
    if claim.branch not in ("if", "while", "else", "case") or outcome.verdict in (
        Verdict.REFUTED, Verdict.UNDECIDED
    ):
        return outcome
    if claim.branch == "case":
        return judge_under_label(claim, places, switch)
    scope = _Scope(claim, places)
    if not scope.conditions:
        return outcome
    return scope.judge_else() if claim.branch == "else" else scope.judge_if()


@dataclass(frozen=True)
class _Scope:
    """A claimed condition, and the places of the claim that the document puts under it."""

    claim: Claim
    places: ClaimPlaces

    @property
    def _outcome(self) -> Outcome:
        return self.places.outcome

    @cached_property
    def conditions(self) -> list[PlaceConditions]:
        """What is known of the conditions around the places."""
        return list(self.places.iter_known_conditions(otherwise=self.claim.branch == "else"))

    def _normalise(self, path: str) -> ConditionForm:
        return self.places.placed.context.normalise(self.claim, path)

    def judge_if(self) -> Outcome:
        """The outcome for a claim behind `if` or `while`."""
        wanted = {each.path: split_conjuncts(self._normalise(each.path))
                  for each in self.conditions}
        if any(wanted[each.path] <= each.holds for each in self.conditions):
            if not all(_is_contrary(each, wanted[each.path]) for each in self.conditions):
                return self._outcome
            return self._outcome.with_note(
                "the source asks for the contrary, too: a value may change in between")
        for each in chain(self.conditions, self.places.iter_text_conditions()):
            forms = wanted.get(each.path, _NEVER)
            if forms <= each.holds:
                return self._outcome
            if are_implied(forms, each.holds):
                return self._outcome.with_note(
                    f"one of the alternatives there: {each.text}")
        contrary = next(
            (each for each in self.conditions if _is_contrary(each, wanted[each.path])), None)
        if contrary is not None and not self.places.can_jump_here(self.claim, holds=True):
            there = contrary.text or "a condition that is not shown"
            return refute_place(
                self._outcome, f"it runs only if the contrary holds: {there}")
        return self._judge_not_found()

    def _judge_not_found(self) -> Outcome:
        """The outcome if nothing that is known of a place is the claimed condition."""
        if any(each.is_partial for each in self.conditions):
            return self._leave_open(
                "cannot tell whether the condition leads to it: the index has only the innermost"
                f" {MAX_GUARDS} conditions around it")
        if self.places.can_jump_here(self.claim, holds=True):
            note = "cannot tell whether the condition leads to it: there are labels"
            if self._is_only_contrary():
                return self._leave_open(note)
            return self._outcome.with_note(note)
        where = next((each.text for each in self.conditions if each.text), "")
        if where:
            there = f"its conditions are {where}"
        elif any(each.holds for each in self.conditions):
            there = "it stands under others"
        else:
            there = "it has no condition"
        return refute_place(self._outcome, f"the condition does not lead to it: {there}")

    def _is_only_contrary(self) -> bool:
        """Whether the functions have the contrary of the condition, and not the condition."""
        context, functions = self.places.placed.context, self.places.placed.functions
        if any(_find_quoted(context, function, self.claim) for function in functions):
            return False
        every = [_find_related(context, function, self.claim) for function in functions]
        found = [each for each in every if each is not None]
        return bool(found) and all(each.note.startswith(_CONTRARY) for each in found)

    def judge_else(self) -> Outcome:
        """The outcome for a claim behind `else`: some condition must fail there. If the document
        has an `if` before it, it is that condition (`claim.condition`).
        """
        if self.claim.condition and any(
            split_conjuncts(negate(self._normalise(each.path))) <= each.holds
            for each in self.conditions
        ):
            return self._outcome  # also if the source asks for the contrary
        if any(each.otherwise for each in self.conditions):
            return self._judge_else_of_if() if self.claim.condition else self._outcome
        if any(each.otherwise is None or each.is_partial for each in self.conditions):
            return self._leave_open("cannot tell whether it stands behind an else")
        where = next((each.text for each in self.conditions if each.text), "")
        there = f"its conditions are {where}" if where else "it has no condition"
        return refute_place(self._outcome, f"it stands behind no else: {there}")

    def _judge_else_of_if(self) -> Outcome:
        """The outcome for a claim behind the `else` of the condition that the document gives it."""
        context, functions = self.places.placed.context, self.places.placed.functions
        related = [_find_related(context, function, self.claim) for function in functions]
        is_summed_up = not any(found is not None and not found.note for found in related)
        for each in (*self.conditions, *self.places.iter_text_conditions()):
            against = negate(self._normalise(each.path))
            if split_conjuncts(against) <= each.holds or any(
                has_part(negate(form), negate(against))
                or (is_summed_up and is_alternative(against, form))
                for form in each.holds
            ):
                return self._outcome
        if any(each.is_partial for each in self.conditions):
            return self._outcome
        where = next((each.text for each in self.conditions if each.text), "")
        if not where or self.places.can_jump_here(self.claim, holds=False):
            return self._outcome.with_note("cannot tell which if the else belongs to")
        return refute_place(
            self._outcome, f"it stands behind the else of another condition: {where}")

    def _leave_open(self, note: str) -> Outcome:
        return replace(self._outcome.with_note(note), verdict=Verdict.UNDECIDED)


def _is_contrary(known: PlaceConditions, wanted: frozenset[ConditionForm]) -> bool:
    """Whether the contrary of something wanted holds at a place."""
    return not known.holds.isdisjoint(map(negate, wanted))
