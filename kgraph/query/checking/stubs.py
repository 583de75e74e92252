"""Functions that are empty stubs in this configuration: what the tree's other definition of one
does, the index does not know.
"""

from kgraph.model.answers import KnownFunction
from kgraph.model.documents import DocumentLine, Verdict
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome

_MOST_WORDS = 8  # between the braces of a stub: `return -EOPNOTSUPP;`


def unless_stub(
    ground: Ground, line: DocumentLine, standing: Standing, outcome: Outcome
) -> Outcome:
    """The verdict on what a line says that the functions of `standing` do: undecided where it is
    wrong of them, and they are stubs that the tree defines elsewhere, too.
    """
    if outcome.verdict is not Verdict.REFUTED or standing.sites is not None:
        return outcome
    functions = ground.functions_of(standing)
    others = [_other(ground, each) for each in functions]
    if not others or not all(others) or _is_nowhere(ground, line.claim.name):
        return outcome
    return Outcome(Verdict.UNDECIDED, others[0], standing=outcome.standing)


def _is_nowhere(ground: Ground, name: str) -> bool:
    """Whether the tree has a claimed name nowhere."""
    return bool(name) and not (ground.graph.functions_named(name) or ground.elsewhere(name))


def _other(ground: Ground, function: KnownFunction) -> str:
    """That a function is a stub, and where the tree has another; "" where that is not so."""
    if function.location is None or ground.sites_of(function.number):
        return ""
    words = [word for word, _ in ground.body(function)]
    body = words[words.index("{"):] if "{" in words else []
    if not body or len(body) > _MOST_WORDS:
        return ""
    name = function.id.name
    other = next((place for place in ground.absence.definitions(name)
                  if place.path != function.location.path), None)
    if other is None:
        return ""
    here = f"{name} is an empty stub here ({function.location})"
    return f"{here}; the one at {other} is not {ground.here}"
