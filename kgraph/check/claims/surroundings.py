"""The conditions around a place of a function: from the index for a call, from the text around it
for a statement.
"""

from collections.abc import Iterable, Iterator
from itertools import dropwhile, groupby
from typing import NamedTuple

from kgraph.check.claims.arguments import compare_arguments
from kgraph.check.claims.condition import normalise_claim, split_labels
from kgraph.check.claims.statement import find_in_position, split_words
from kgraph.check.context import CheckContext, get_path
from kgraph.check.outcome import Outcome, Position
from kgraph.check.source.condition_forms import (
    ConditionForm,
    is_alternative,
    negate,
    split_conjuncts,
)
from kgraph.check.source.control_flow import Branch, ControlFlow, SwitchLabel
from kgraph.check.source.tokens import describe_innermost
from kgraph.model.document import Claim, DocumentLine
from kgraph.model.location import Extent
from kgraph.model.results import Hop, KnownFunction, KnownSite

_ENDING = ("}", "else")


class PlaceConditions(NamedTuple):
    """What holds at a place in the file `path`; its conditions in words; whether there may be
    `more`, which the index did not keep; whether it is `otherwise`: where a condition does not
    hold, None where that is not known.
    """

    holds: frozenset[ConditionForm]
    text: str
    path: str
    more: bool = False
    otherwise: bool | None = None


def iter_known_conditions(
    ground: CheckContext,
    standing: Position,
    outcome: Outcome,
    line: DocumentLine,
    *,
    otherwise: bool,
) -> Iterator[PlaceConditions]:
    """What is known of each place that bears a claim out: where the arguments are those of the
    line, if they are anywhere. Whether it stands `otherwise` is told where it is asked for.
    """
    sites, places = _bearing(ground, standing, outcome, line)
    if sites is None:
        for place in places:
            yield from _around(ground, standing, place)
    else:
        yield from (_of_site(ground, site, otherwise=otherwise) for site in sites)


def iter_text_conditions(
    ground: CheckContext, standing: Position, outcome: Outcome, line: DocumentLine
) -> Iterator[PlaceConditions]:
    """What the text says of these places, and of others that this configuration leaves out, where
    the index leaves a condition out: one whose value is settled, `IS_ENABLED(X)`.
    """
    for place in _borne_or_written(ground, standing, outcome, line):
        yield from _around(ground, standing, place)


def can_jump_there(
    ground: CheckContext, standing: Position, outcome: Outcome, line: DocumentLine, claim: Claim, *,
    holds: bool,
) -> bool:
    """Whether a `goto` may lead from where a claimed condition holds, or does not, to places that
    bear a claim out.
    """
    places = _bearing(ground, standing, outcome, line)[1]
    for function in ground.functions_of(standing):
        here, flow = _tokens_at(ground, function, places), ground.flow(function)
        if not here or function.location is None:
            continue
        form = normalise_claim(ground, claim, function.location.path)
        claimed = form if holds else negate(form)
        for branch in flow.branches:
            parts = []
            if has_part(branch.form, claimed):
                parts = flow.jumped(branch.then)[1:]
            elif has_part(negate(branch.form), claimed):
                parts = [branch.beyond, *flow.jumped(branch.other)[1:]]
            if any(at in part for part in parts for at in here):
                return True
    return False


def has_part(form: ConditionForm, claimed: ConditionForm) -> bool:
    """Whether a claimed condition is a part of one, or one of those that do alone in it."""
    return split_conjuncts(claimed) <= split_conjuncts(form) or is_alternative(form, claimed)


def iter_label_uses(
    ground: CheckContext, standing: Position, outcome: Outcome, line: DocumentLine, claim: Claim,
    switch: str,
) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """For each function of `standing` that has the labels of a claim, in the `switch` if that is
    not "", and places that bear the claim out: whether each of the labels leads to one of them, and
    under which labels they stand.
    """
    places = _borne_or_written(ground, standing, outcome, line)
    for function in ground.functions_of(standing):
        here, flow = _tokens_at(ground, function, places), ground.flow(function)
        own = find_labels(ground, function, claim, switch) if here else []
        if own:
            leads = all(any(at in part for label in each for part in flow.jumped(label.then)
                            for at in here) for each in own)
            yield leads, tuple(flow.text_at(label.place) for label in flow.labels
                               if any(at in label.then for at in here))


def is_behind_label(
    ground: CheckContext, standing: Position, outcome: Outcome, line: DocumentLine, label: str
) -> bool:
    """Whether a label that a `goto` may name leads to a place that bears a claim out, or may."""
    places = _borne_or_written(ground, standing, outcome, line)
    for function in ground.functions_of(standing):
        here, flow = _tokens_at(ground, function, places), ground.flow(function)
        starts = flow.behind(label)
        if starts and (not here or any(at in part for start in starts
                                       for part in flow.jumped(start) for at in here)):
            return True
    return False


def find_labels(
    ground: CheckContext, function: KnownFunction, claim: Claim, switch: str
) -> list[list[SwitchLabel]]:
    """Of each label that a claim names, where a function has it, in the `switch` if it has such a
    one; none where one stands nowhere.
    """
    path = get_path(function)
    asked = " ".join(ground.spelling.expand_text(switch, path))
    labels = ground.flow(function).labels
    inside = [label for label in labels if label.switch == asked] or labels
    whole = [ground.spelling.expand_text(claim.condition, path)]
    each = [
        ground.spelling.expand_text(" ".join(words[:-1]), path) for words in split_labels(claim)
    ]
    for texts in (whole, each):
        found = [[label for label in inside if label.text == " ".join(text)] for text in texts]
        if all(found):
            return found
    return []


def _bearing(
    ground: CheckContext, standing: Position, outcome: Outcome, line: DocumentLine
) -> tuple[list[KnownSite] | None, tuple[Extent, ...]]:
    """The call sites that bear a claim out, with the arguments of the line if any has them, None
    where it is no call of the index; and where they stand.
    """
    through = outcome.position.sites if outcome.position is not None else None
    if outcome.hop is None and through:
        sites = [ground.graph.site(site) for site in through]
    elif outcome.hop is None and not outcome.via:
        return None, outcome.places
    else:
        hops: tuple[Hop, ...] = outcome.via or ((outcome.hop,) if outcome.hop else ())
        sites = [site for hop in hops for site in ground.sites_of(hop.site.caller)
                 if site.number == hop.site.number or site.location in hop.sites]
    # What is written by its name is no call through a pointer, where it is called by its name.
    sites = [site for site in sites if site.expression == line.claim.name] or sites
    if line.claim.arguments and not outcome.via:
        same = [site for site in sites if not compare_arguments(ground, line, [site.extent], [])]
        written = () if same else _written(ground, standing, line)
        if written:
            return None, written  # a call that is left out of this configuration
        sites = same or sites
    return sites, tuple(site.extent for site in sites)


def _borne_or_written(
    ground: CheckContext, standing: Position, outcome: Outcome, line: DocumentLine
) -> tuple[Extent, ...]:
    """The places that bear a claim out, and others where the text has its call word by word."""
    bearing = _bearing(ground, standing, outcome, line)[1]
    written = _written(ground, standing, line) if line.claim.arguments else ()
    known = {(place.start.path, place.start.line) for place in bearing}
    return (*bearing, *(place for place in written
                        if (place.start.path, place.start.line) not in known))


def _written(ground: CheckContext, standing: Position, line: DocumentLine) -> tuple[Extent, ...]:
    """Where the text has the call of a line word by word."""
    call = f"{line.claim.name or line.claim.expression}({', '.join(line.claim.arguments or ())})"
    return tuple(find_in_position(ground, standing, split_words(call)))


def _tokens_at(
    ground: CheckContext, function: KnownFunction, places: Iterable[Extent]
) -> list[int]:
    """Which tokens of a function without macros for names stand at these places: from the column
    on where that is known, else on their lines, but for an end of what stands above.
    """
    if function.location is None:
        return []
    first, path = function.location.line, function.location.path
    spans = [(place.start.line - first, _tokens_before(ground, place), place.end_line - first)
             for place in places if place.start.path == path]
    found: list[int] = []
    body = ground.plain_body(function) if spans else []
    for line, tokens in groupby(range(len(body)), lambda at: body[at][1]):
        near = [(start, before) for start, before, end in spans if start <= line <= end]
        if near:
            first_one = min(before if line == start else 0 for start, before in near)
            here = list(tokens)[first_one:]
            found += list(dropwhile(lambda at: body[at][0] in _ENDING, here)) or here
    return found


def _tokens_before(ground: CheckContext, place: Extent) -> int:
    """How many tokens stand before a place on its line; 0 where its column is not known."""
    before = ground.sources.read_line(place.start)[:max(0, place.start.column - 1)]
    return len(ground.spelling.expand_text(before, place.start.path))


def _of_site(ground: CheckContext, site: KnownSite, *, otherwise: bool) -> PlaceConditions:
    said: set[ConditionForm] = set()
    texts = []
    path = site.location.path
    for guard in site.guards:
        form, text = ground.condition(guard.extent)
        if text:
            said |= split_conjuncts(form if guard.holds else negate(form))
            texts.append(text if guard.holds else f"not {text}")
    other = _otherwise(ground, site) if otherwise else None
    return PlaceConditions(
        frozenset(said), describe_innermost(texts), path, site.may_have_more_guards, other
    )


def _otherwise(ground: CheckContext, site: KnownSite) -> bool | None:
    """Whether a call stands where a condition does not hold; the text knows it behind labels."""
    if any(not guard.holds for guard in site.guards):
        return True
    here = Position(ground.states([ground.graph.function(site.caller)]))
    known = [each.otherwise for each in _around(ground, here, site.extent)]
    return True if True in known else False if False in known else None


def _around(ground: CheckContext, standing: Position, place: Extent) -> Iterator[PlaceConditions]:
    """What the text around a statement says of it."""
    for function in ground.functions_of(standing):
        if function.location is None or function.location.path != place.start.path:
            continue
        here, flow = _tokens_at(ground, function, [place]), ground.flow(function)
        ruling = flow.ruling(here)
        texts = {branch.place: _in_words(flow, branch, here) for branch in ruling.branches}
        texts |= {label.place: flow.text_at(label.place) for label in ruling.labels}
        text = describe_innermost([texts[at] for at in sorted(texts)])
        other = any(at in branch.other for branch in ruling.branches for at in here)
        otherwise = other if here else None
        yield PlaceConditions(ruling.holds, text, place.start.path, otherwise=otherwise)


def _in_words(flow: ControlFlow, branch: Branch, here: list[int]) -> str:
    """The condition of a branch in words, as what holds at some tokens."""
    text = flow.text_at(branch.place)
    return text if any(at in branch.then for at in here) else f"not {text}"
