"""What is known of the conditions around a place of a function: from the index for a call, from the
text around it for a statement.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kgraph.model.answers import Hop, KnownSite
from kgraph.model.documents import DocumentLine
from kgraph.model.location import Extent
from kgraph.query.checking.conditions import Branch, Form, branches, conjuncts, normal
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.parameters import arguments_note
from kgraph.query.checking.tokens import end_of


class Said(NamedTuple):
    """What holds at a place in the file `path`; its conditions in words; whether there may be
    `more`, which the index did not keep; whether it is `otherwise`: where a condition does not
    hold, None where that is not known.
    """

    holds: frozenset[Form]
    text: str
    path: str
    more: bool = False
    otherwise: bool | None = None


def said_of(
    ground: Ground, standing: Standing, outcome: Outcome, line: DocumentLine
) -> Iterator[Said]:
    """What is known of each place that bears a claim out: where the arguments are those of the
    line, if they are anywhere.
    """
    through = outcome.standing.sites if outcome.standing is not None else None
    if outcome.hop is None and through:
        sites = [ground.graph.site(site) for site in through]
    elif outcome.hop is None and not outcome.via:
        for place in outcome.places:
            yield from _around(ground, standing, place)
        return
    else:
        hops: tuple[Hop, ...] = outcome.via or ((outcome.hop,) if outcome.hop else ())
        sites = [site for hop in hops for site in ground.sites_of(hop.site.caller)
                 if site.number == hop.site.number or site.location in hop.sites]
    if line.claim.arguments and not outcome.via:
        same = [site for site in sites if not arguments_note(ground, line, [site.extent], [])]
        sites = same or sites
    yield from (_of_site(ground, site) for site in sites)


def _of_site(ground: Ground, site: KnownSite) -> Said:
    said: set[Form] = set()
    texts = []
    path = site.location.path
    for guard in site.guards:
        text = " ".join(ground.sources.text(guard.extent).split())
        if text:
            said |= conjuncts(normal(ground.spelling.text(text, path), holds=guard.holds))
            texts.append(text if guard.holds else f"not {text}")
    otherwise = _otherwise(ground, site)
    return Said(frozenset(said), ", ".join(texts), path, site.more_guards, otherwise)


def _otherwise(ground: Ground, site: KnownSite) -> bool | None:
    """Whether a call stands where a condition does not hold; the text knows it behind labels."""
    if any(not guard.holds for guard in site.guards):
        return True
    here = Standing(ground.states([ground.graph.function(site.caller)]))
    known = [each.otherwise for each in _around(ground, here, site.extent)]
    return True if True in known else False if False in known else None


def _around(ground: Ground, standing: Standing, place: Extent) -> Iterator[Said]:
    """What the text around a statement says of it."""
    for state in standing.states:
        function = ground.graph.function(state.function)
        if function.location is None or function.location.path != place.start.path:
            continue
        body, first = ground.plain_body(function), function.location.line
        lines = range(place.start.line - first, place.end_line - first + 1)
        here = [at for at, (_, line) in enumerate(body) if line in lines]
        words = [word for word, _ in body]
        found = branches(words) if here else []
        ruling = [branch for branch in found if any(map(branch.says, here))]
        holds = frozenset[Form]().union(*(branch.says(at) for branch in ruling for at in here))
        texts = [_written(words, branch, here) for branch in ruling]
        other = any(at in branch.other for branch in ruling for at in here)
        otherwise = other if here else None
        yield Said(holds, ", ".join(texts), place.start.path, otherwise=otherwise)


def _written(words: list[str], branch: Branch, here: list[int]) -> str:
    """The condition of a branch in words, as what holds at some tokens."""
    text = " ".join(words[branch.place + 2:end_of(words, branch.place + 1)])
    return text if any(at in branch.then for at in here) else f"not {text}"
