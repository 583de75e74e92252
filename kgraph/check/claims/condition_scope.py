"""Does what a document puts behind or under a condition stand there in the source, too?

A call is compared with the conditions that the index has for it (if, else, ?:, &&, early
exits), a statement with those around it in the text, what `case X:` leads to with the labels of
the text. A condition leads to a call where everything that it asks for is asked for there.
Where the contrary is, or nothing of the kind, the claim is wrong.
"""

from dataclasses import replace
from itertools import chain

from kgraph.check.claims.condition import (
    CONTRARY,
    find_related_condition,
    normalise_claim,
    quote_condition,
    split_consequences,
)
from kgraph.check.claims.statement import find_in_body
from kgraph.check.claims.surroundings import (
    PlaceConditions,
    can_jump_there,
    find_labels,
    has_part,
    is_behind_label,
    iter_known_conditions,
    iter_label_uses,
    iter_text_conditions,
)
from kgraph.check.context import CheckContext, get_path
from kgraph.check.outcome import Outcome, Position
from kgraph.check.source.condition_forms import (
    ConditionForm,
    are_implied,
    is_alternative,
    negate,
    split_conjuncts,
)
from kgraph.model.document import Claim, DocumentLine
from kgraph.model.location import MAX_GUARDS
from kgraph.model.verdicts import Verdict

_NEVER: frozenset[ConditionForm] = frozenset({("is", ("", True))})


def judge_consequence(
    ground: CheckContext, line: DocumentLine, standing: Position, condition: Outcome,
    then: list[Outcome], switch: str,
) -> Outcome:
    """The verdict on a condition together with what it leads to, on the same line; in a `switch`
    if that is not "".
    """
    outcome = then[-1]
    for each in then:
        if each.verdict is Verdict.REFUTED:
            note = f"what the condition leads to is not there: {each.note}"
            return replace(each, note=note, places=condition.places, found=condition.found)
    parts = split_consequences(line)
    checked = [judge_under_condition(ground, line.claim, standing, each, part, switch)
               for each, part in zip(then, parts, strict=True)]
    wrong = next((each for each in checked if each.verdict is Verdict.REFUTED), None)
    if wrong is not None:
        return replace(wrong, places=condition.places, found=condition.found)
    places = (*condition.places, *(place for each in then for place in each.places))
    notes = dict.fromkeys(part for each in (condition, *checked) for part in (each.note,) if part)
    found = condition.found or outcome.found
    open_ = any(each.verdict is Verdict.UNDECIDED for each in checked)
    return replace(
        outcome, verdict=Verdict.UNDECIDED if open_ else outcome.verdict, note="; ".join(notes),
        places=places, found=found,
    )


def judge_in_switch(
    ground: CheckContext, line: DocumentLine, standing: Position, outcome: Outcome, switch: str
) -> Outcome:
    """The verdict on a label that stands in a function: in its `switch`, if that is not ""."""
    if outcome.verdict is not Verdict.HOLDS or not switch or line.claim.branch != "case":
        return outcome
    functions = ground.functions_of(standing)
    inside = [ground.flow(each).text_at(label.place)
              for each in functions for label in ground.flow(each).labels
              if label.switch == " ".join(ground.spelling.expand_text(switch, get_path(each)))]
    if not inside or any(find_labels(ground, each, line.claim, switch) for each in functions):
        return outcome
    there = ", ".join(dict.fromkeys(inside))
    note = f"switch ({switch}) has no {line.claim.condition}: its labels are {there}"
    return Outcome(Verdict.REFUTED, note)


def judge_under_condition(
    ground: CheckContext, claim: Claim, standing: Position, outcome: Outcome, line: DocumentLine,
    switch: str = "",
) -> Outcome:
    """The verdict on something that the functions of `standing` do, said by `line`, if the
    condition `claim` leads to it, a label in a `switch` if that is not ""; else that it is wrong.
    """
    if claim.branch not in ("if", "while", "else", "case") or outcome.verdict in (
        Verdict.REFUTED, Verdict.UNDECIDED
    ):
        return outcome
    if claim.branch == "case":
        told_of = iter_label_uses(ground, standing, outcome, line, claim, switch)
        return _labelled(claim, outcome, list(told_of))
    otherwise = claim.branch == "else"
    told = list(iter_known_conditions(ground, standing, outcome, line, otherwise=otherwise))
    if not told:
        return outcome
    if claim.branch == "else":
        return _otherwise(ground, claim, standing, outcome, line, told)
    return _conditional(ground, claim, standing, outcome, line, told)


def judge_behind_label(
    ground: CheckContext, standing: Position, outcome: Outcome, line: DocumentLine
) -> Outcome:
    """The verdict on something that the functions of `standing` do, if the label that `line` puts
    before it leads to it: one of a `goto`, or of a `switch` without its `case`. Nobody can tell a
    label that they do not have from a remark, where they have others.
    """
    name = line.claim.label
    if not name or outcome.verdict in (Verdict.REFUTED, Verdict.UNDECIDED) or standing.doubt:
        return outcome
    functions = ground.functions_of(standing)
    case = Claim(condition=f"case {name}", branch="case")
    if any(find_labels(ground, each, case, "") for each in functions):
        return judge_under_condition(ground, case, standing, outcome, line)
    flows = [ground.flow(each) for each in functions]
    if any(name in flow.goto_labels for flow in flows):
        if is_behind_label(ground, standing, outcome, line, name):
            return outcome
        return _refute(outcome, f"it does not stand behind the label {name}")
    names = ", ".join(each.id.name for each in functions)
    there = dict.fromkeys(label for flow in flows for label in (
        *flow.goto_labels, *(flow.text_at(each.place) for each in flow.labels)))
    note = f"{name} is no label of {names}"
    if not there:
        return replace(outcome, note=_join_notes(outcome.note, note))
    note += f", which has {', '.join(there)}"
    return replace(outcome, verdict=Verdict.UNDECIDED, note=_join_notes(outcome.note, note))


def _conditional(
    ground: CheckContext, claim: Claim, standing: Position, outcome: Outcome, line: DocumentLine,
    told: list[PlaceConditions],
) -> Outcome:
    """The verdict on what stands behind `if` or `while`, of which `told` is known."""
    wanted = {
        each.path: split_conjuncts(normalise_claim(ground, claim, each.path)) for each in told
    }
    if any(wanted[each.path] <= each.holds for each in told):
        again = all(_is_contrary(each, wanted[each.path]) for each in told)
        note = "the contrary is asked for there, too: what it compares may be set between"
        return replace(outcome, note=_join_notes(outcome.note, note)) if again else outcome
    for each in chain(told, iter_text_conditions(ground, standing, outcome, line)):
        forms = wanted.get(each.path, _NEVER)
        if forms <= each.holds:
            return outcome
        if are_implied(forms, each.holds):
            note = f"one of the conditions that do alone: {each.text}"
            return replace(outcome, note=_join_notes(outcome.note, note))
    contrary = next((each for each in told if _is_contrary(each, wanted[each.path])), None)
    if contrary is not None and not can_jump_there(
        ground, standing, outcome, line, claim, holds=True
    ):
        there = contrary.text or "a condition that is not shown"
        return _refute(outcome, f"it runs only where the contrary holds: {there}")
    return _not_under(ground, claim, standing, outcome, line, told)


def _is_contrary(said: PlaceConditions, wanted: frozenset[ConditionForm]) -> bool:
    """Whether the contrary of something wanted holds at a place."""
    return not said.holds.isdisjoint(map(negate, wanted))


def _labelled(
    claim: Claim, outcome: Outcome, told: list[tuple[bool, tuple[str, ...]]]
) -> Outcome:
    """The verdict on what stands behind `case X:`: X leads there, or a label that falls through."""
    if not told or any(leads for leads, _ in told):
        return outcome
    others = ", ".join(dict.fromkeys(other for _, there in told for other in there))
    where = f"it stands under {others or 'no label'}"
    return _refute(outcome, f"{claim.condition} does not lead to it: {where}")


def _otherwise(
    ground: CheckContext, claim: Claim, standing: Position, outcome: Outcome, line: DocumentLine,
    told: list[PlaceConditions],
) -> Outcome:
    """The verdict on what stands behind `else`: somewhere a condition does not hold there, and it
    is that of the `if` before it where the document has one (`claim.condition`).
    """
    if claim.condition and any(
        split_conjuncts(negate(normalise_claim(ground, claim, each.path))) <= each.holds
        for each in told
    ):
        return outcome  # also where the source asks for the contrary
    if any(each.otherwise for each in told):
        if not claim.condition:
            return outcome
        return _of_its_if(ground, claim, standing, outcome, line, told)
    if any(each.otherwise is None or each.more for each in told):
        note = "whether it stands behind an else cannot be told"
        return replace(outcome, verdict=Verdict.UNDECIDED, note=_join_notes(outcome.note, note))
    where = next((each.text for each in told if each.text), "")
    there = f"its conditions are {where}" if where else "it has no condition"
    return _refute(outcome, f"it stands behind no else: {there}")


def _of_its_if(
    ground: CheckContext, claim: Claim, standing: Position, outcome: Outcome, line: DocumentLine,
    told: list[PlaceConditions],
) -> Outcome:
    """The verdict on what stands behind an else: of the condition that the document gives it."""
    functions = ground.functions_of(standing)
    known = [find_related_condition(ground, function, claim) for function in functions]
    summed = not any(found is not None and not found.note for found in known)
    for each in (*told, *iter_text_conditions(ground, standing, outcome, line)):
        against = negate(normalise_claim(ground, claim, each.path))
        if split_conjuncts(against) <= each.holds or any(
            has_part(negate(form), negate(against)) or (summed and is_alternative(against, form))
            for form in each.holds
        ):
            return outcome
    if any(each.more for each in told):
        return outcome
    where = next((each.text for each in told if each.text), "")
    if not where or can_jump_there(ground, standing, outcome, line, claim, holds=False):
        note = "of which if the else is cannot be told"
        return replace(outcome, note=_join_notes(outcome.note, note))
    return _refute(outcome, f"it stands behind the else of another condition: {where}")


def _not_under(
    ground: CheckContext, claim: Claim, standing: Position, outcome: Outcome, line: DocumentLine,
    told: list[PlaceConditions],
) -> Outcome:
    """The verdict where nothing that is known of a place is the claimed condition."""
    if any(each.more for each in told):
        note = (f"whether the condition leads to it cannot be told: of its conditions the index"
                f" has the innermost {MAX_GUARDS}")
        return replace(outcome, verdict=Verdict.UNDECIDED, note=_join_notes(outcome.note, note))
    if can_jump_there(ground, standing, outcome, line, claim, holds=True):
        note = "whether the condition leads to it cannot be told: there are labels"
        found = _only_contrary(ground, claim, standing)
        return replace(outcome, verdict=Verdict.UNDECIDED if found else outcome.verdict,
                       note=_join_notes(outcome.note, note))
    where = next((each.text for each in told if each.text), "")
    if where:
        there = f"its conditions are {where}"
    elif any(each.holds for each in told):
        there = "it stands under others"
    else:
        there = "it has no condition"
    return _refute(outcome, f"the condition does not lead to it: {there}")


def _only_contrary(ground: CheckContext, claim: Claim, standing: Position) -> bool:
    """Whether the functions have the contrary of a condition, and not the condition."""
    functions = ground.functions_of(standing)
    if any(find_in_body(ground, function, quote_condition(claim)) for function in functions):
        return False
    every = [find_related_condition(ground, function, claim) for function in functions]
    found = [each for each in every if each is not None]
    return bool(found) and all(each.note.startswith(CONTRARY) for each in found)


def _join_notes(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _refute(outcome: Outcome, note: str) -> Outcome:
    place = outcome.hop.site.location if outcome.hop is not None else outcome.found
    return replace(outcome, verdict=Verdict.REFUTED, note=f"{note} ({place})" if place else note)
