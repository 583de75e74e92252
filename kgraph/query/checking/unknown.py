"""Names that the index has no function of: made by a macro, elsewhere in the tree, or nowhere."""

from kgraph.model.answers import KnownFunction
from kgraph.model.documents import DocumentLine, Verdict
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome

_MOST_USES = 200  # of a macro


def judge_macro(ground: Ground, line: DocumentLine) -> Outcome | None:
    """A macro that starts a chain: it is used. Under it stands what its uses call. One that defines
    functions is no such: which it defines is the claim.
    """
    name = line.claim.name
    if ground.graph.reader.functions("t.text = ?", (name,)):
        return None
    sites = ground.graph.reader.sites(
        "s.id IN (SELECT id FROM site WHERE macro = (SELECT id FROM text WHERE text = ?)"
        " ORDER BY id LIMIT ?)", (name, _MOST_USES))
    if not sites:
        return None
    callers = dict.fromkeys(site.caller for site in sites)
    there = ground.defined.macro(name)
    return Outcome(
        Verdict.HOLDS, f"a macro ({there})" if there else "a macro",
        standing=Standing(
            tuple(ground.free.start(caller) for caller in callers),
            tuple(site.number for site in sites),
        ),
    )


def judge_unknown(ground: Ground, line: DocumentLine) -> Outcome:
    """A name that the index does not have."""
    name = line.claim.name
    elsewhere = ground.elsewhere(name)
    doubt = Standing(doubt=f"{name} is not in the index")
    if not elsewhere:
        return Outcome(Verdict.REFUTED, f"no {name} in this tree", standing=doubt)
    alike = defined_by_macro(ground, line, numbered=True)
    if alike:
        there = "; ".join(dict.fromkeys(f"{each.macro} ({each.location})" for each in alike))
        return Outcome(Verdict.REFUTED, f"it is not defined so; there is {there}", standing=doubt)
    return Outcome(Verdict.UNDECIDED, elsewhere, standing=doubt)


def defined_by_macro(
    ground: Ground, line: DocumentLine, *, numbered: bool = False
) -> list[KnownFunction]:
    """The functions that a line like DEFINE_FUNCTION(name, ...) makes: their names hold `name`.
    `numbered`: those that a macro makes which differs in the number at its end.
    """
    words, name = line.claim.arguments or (), line.claim.name
    if not words or not words[0].isidentifier():
        return []
    stem = name.rstrip("0123456789")
    if not numbered:
        return ground.graph.reader.functions("t.text = ? AND instr(name, ?)", (name, words[0]))
    return [] if stem == name else ground.graph.reader.functions(
        "t.text GLOB ? AND f.name GLOB ?", (f"{stem}[0-9]*", f"*_{words[0]}")
    )
