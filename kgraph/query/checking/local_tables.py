"""Tables that a function has of its own, `struct T x = { .a = b };` in its body: the index does not
keep them, and they are held against the text.
"""

from kgraph.model.documents import Claim, DocumentLine, LineKind, Verdict
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.texts import find_here, words_of


def judge_local_table(ground: Ground, line: DocumentLine, standing: Standing) -> Outcome | None:
    """The head of a table that one of the functions of `standing` has, with the rows on the line;
    None where none of them has it.
    """
    places = find_here(ground, standing, words_of(f"{line.claim.type} {line.claim.name}"))
    if not places:
        return None
    note = "a variable of the function"
    for kind, claim in line.claim.also:
        told = _row(ground, claim, standing) if kind is LineKind.ROW else None
        if told is not None and told.verdict is Verdict.REFUTED:
            return told
    return Outcome(Verdict.HOLDS, note, found=places[0].start, places=tuple(places))


def judge_local_rows(ground: Ground, line: DocumentLine, standing: Standing) -> Outcome:
    """Rows of such a table, all on one line: they stand word by word in its function."""
    claims = (line.claim, *(claim for _, claim in line.claim.also))
    told = [_row(ground, claim, standing) for claim in claims]
    return next((each for each in told if each.verdict is Verdict.REFUTED), told[0])


def _row(ground: Ground, claim: Claim, standing: Standing) -> Outcome:
    text = f".{claim.name} = {claim.value}" if claim.name else claim.value
    places = find_here(ground, standing, words_of(text))
    if not places:
        return Outcome(Verdict.REFUTED, f"the function has no `{text}`")
    return Outcome(Verdict.HOLDS, found=places[0].start, places=tuple(places))
