"""Judges labels: those of a `switch`, with what they lead to, and those of a `goto`."""

from collections.abc import Iterator
from dataclasses import replace

from kgraph.check.claims.surroundings import ClaimPlaces
from kgraph.check.context import CheckContext, PlacedLine, get_path
from kgraph.check.outcome import Outcome
from kgraph.check.source.control_flow import SwitchLabel
from kgraph.check.source.tokens import list_tokens
from kgraph.model.document import Claim
from kgraph.model.location import Extent
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import Verdict

_BETWEEN = (",", "|", "/")  # labels that a document names together


def split_labels(claim: Claim) -> list[list[str]]:
    """The labels that `case A: case B:` or `case A, B:` means, each as the source would write it;
    none of any other condition.
    """
    found: list[list[str]] = []
    for word in list_tokens(claim.condition) if claim.branch == "case" else ():
        if word in ("case", "default") or not found:
            found.append([word])
        elif word in _BETWEEN:
            found.append(["case"])
        elif word != ":":
            found[-1].append(word)
    return [[*label, ":"] for label in found]


def find_each_label(
    context: CheckContext, function: KnownFunction, claim: Claim
) -> list[Extent]:
    """Where the labels of a claim stand that names several; none if one of them stands nowhere."""
    found = [context.texts.find_tokens(function, label) for label in split_labels(claim)]
    return [place for places in found for place in places] if all(found) else []


def judge_in_switch(placed: PlacedLine, outcome: Outcome) -> Outcome:
    """The outcome for a label that a function has: it must stand in the `switch` in which the
    document puts it, if the function has that.
    """
    switch = placed.switch
    if outcome.verdict is not Verdict.HOLDS or not switch or placed.claim.branch != "case":
        return outcome
    texts, functions = placed.context.texts, placed.functions
    inside = [texts.control_flow_of(each).text_at(label.place)
              for each in functions for label in texts.control_flow_of(each).labels
              if label.switch == " ".join(texts.expander.expand_text(switch, get_path(each)))]
    if not inside or any(
        _find_labels(placed.context, each, placed.claim, switch) for each in functions
    ):
        return outcome
    there = ", ".join(dict.fromkeys(inside))
    note = f"switch ({switch}) has no {placed.claim.condition}: its labels are {there}"
    return Outcome(Verdict.REFUTED, note)


def judge_under_label(claim: Claim, places: ClaimPlaces, switch: str = "") -> Outcome:
    """The outcome for a claim behind `case X:`: X leads there, or falls through to it."""
    uses = list(_iter_label_uses(claim, places, switch))
    if not uses or any(leads for leads, _ in uses):
        return places.outcome
    others = ", ".join(dict.fromkeys(other for _, there in uses for other in there))
    where = f"it stands under {others or 'no label'}"
    return refute_place(places.outcome, f"{claim.condition} does not lead to it: {where}")


def judge_behind_label(placed: PlacedLine, outcome: Outcome) -> Outcome:
    """The outcome for a claim with a label before it: that of a `goto`, or of a `switch` without
    its `case`, must lead there. If the functions have labels, one that they lack may be a remark.
    """
    name = placed.claim.label
    if not name or outcome.verdict in (Verdict.REFUTED, Verdict.UNDECIDED) or placed.position.doubt:
        return outcome
    functions, places = placed.functions, ClaimPlaces(placed, outcome)
    case = Claim(condition=f"case {name}", branch="case")
    if any(_find_labels(placed.context, each, case, "") for each in functions):
        return judge_under_label(case, places)
    flows = [placed.context.texts.control_flow_of(each) for each in functions]
    if any(name in flow.goto_labels for flow in flows):
        if _is_behind_label(name, places):
            return outcome
        return refute_place(outcome, f"it does not stand behind the label {name}")
    names = ", ".join(each.id.name for each in functions)
    there = dict.fromkeys(label for flow in flows for label in (
        *flow.goto_labels, *(flow.text_at(each.place) for each in flow.labels)))
    note = f"{name} is not a label of {names}"
    if not there:
        return outcome.with_note(note)
    note += f", which has {', '.join(there)}"
    return replace(outcome.with_note(note), verdict=Verdict.UNDECIDED)


def refute_place(outcome: Outcome, note: str) -> Outcome:
    """The outcome, refuted because of where its claim stands in the source."""
    place = outcome.hop.site.location if outcome.hop is not None else outcome.found
    return replace(outcome, verdict=Verdict.REFUTED, note=f"{note} ({place})" if place else note)


def _iter_label_uses(
    claim: Claim, places: ClaimPlaces, switch: str
) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """For each function that has the labels of a claim, in the `switch` if that is not "", and
    places that bear the claim out: whether each label leads to one of the places, and under which
    labels they stand.
    """
    context = places.placed.context
    for function in places.placed.functions:
        here = places.tokens_in(function, places.all_places)
        own = _find_labels(context, function, claim, switch) if here else []
        if own:
            flow = context.texts.control_flow_of(function)
            leads = all(any(at in part for label in each for part in flow.follow_jumps(label.then)
                            for at in here) for each in own)
            yield leads, tuple(flow.text_at(label.place) for label in flow.labels
                               if any(at in label.then for at in here))


def _is_behind_label(label: str, places: ClaimPlaces) -> bool:
    """Whether a label that a `goto` may name leads to a place that bears the claim out, or may."""
    for function in places.placed.functions:
        here = places.tokens_in(function, places.all_places)
        flow = places.placed.context.texts.control_flow_of(function)
        starts = flow.find_runs_behind(label)
        if starts and (not here or any(at in part for start in starts
                                       for part in flow.follow_jumps(start) for at in here)):
            return True
    return False


def _find_labels(
    context: CheckContext, function: KnownFunction, claim: Claim, switch: str
) -> list[list[SwitchLabel]]:
    """Where a function has each label that a claim names, in the `switch` if it has such a one;
    none if one of them stands nowhere.
    """
    path, expander = get_path(function), context.texts.expander
    asked = " ".join(expander.expand_text(switch, path))
    labels = context.texts.control_flow_of(function).labels
    inside = [label for label in labels if label.switch == asked] or labels
    whole = [expander.expand_text(claim.condition, path)]
    each = [expander.expand_text(" ".join(words[:-1]), path) for words in split_labels(claim)]
    for texts in (whole, each):
        found = [[label for label in inside if label.text == " ".join(text)] for text in texts]
        if all(found):
            return found
    return []
