"""Names that the index has no function of: made by a macro, elsewhere in the tree, or nowhere."""

import re

from kgraph.model.answers import KnownFunction, KnownSite
from kgraph.model.documents import DocumentLine, Verdict
from kgraph.model.location import Location
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.parameters import arguments_note
from kgraph.query.checking.texts import words_of

_MOST_USES = 200  # of a macro, of which the lines under it may be calls
_MOST_COMPARED = 4000  # of which the arguments are looked at
_ELIDED = frozenset({"...", "…", "......", "……"})


def judge_macro(ground: Ground, line: DocumentLine) -> Outcome | None:
    """A macro that starts a chain: it is used. Under it stands what its uses call. One that defines
    functions is no such: which it defines is the claim.
    """
    name = line.claim.name
    if ground.graph.reader.functions("t.text = ?", (name,)):
        return None
    sites = ground.graph.reader.sites(
        "s.id IN (SELECT id FROM site WHERE macro = (SELECT id FROM text WHERE text = ?)"
        " ORDER BY id LIMIT ?)", (name, _MOST_COMPARED if line.claim.arguments else _MOST_USES))
    if not sites:
        return None
    there = ground.defined.macro(name)
    verdict, note = _with_arguments(ground, line, sites, there)
    callers = dict.fromkeys(site.caller for site in sites[:_MOST_USES])
    what = f"a macro ({there})" if there else "a macro"
    return Outcome(
        verdict, f"{what}; {note}" if note else what,
        standing=Standing(
            tuple(ground.free.start(caller) for caller in callers),
            tuple(site.number for site in sites[:_MOST_USES]),
            users=True,
        ),
    )


def _with_arguments(
    ground: Ground, line: DocumentLine, sites: list[KnownSite], there: Location | None
) -> tuple[Verdict, str]:
    """Whether a use of a macro has the arguments that a line writes, or its definition has them as
    the names of its parameters.
    """
    said = line.claim.arguments or ()
    if not said or _ELIDED & set(said):
        return Verdict.HOLDS, ""
    if not arguments_note(ground, line, [site.extent for site in sites], []):
        return Verdict.HOLDS, ""
    if there is not None:
        define = " ".join(ground.absence.lines(there.path)[there.line - 1:there.line + 3])
        head = re.match(rf"\s*#\s*define\s+{re.escape(line.claim.name)}\(([^()]*)\)", define)
        if head and "".join(head[1].split()) == "".join(",".join(said).split()):
            return Verdict.HOLDS, ""
    words = [word for each in said for word in words_of(each) if word.isidentifier()]
    ground.absence.announce(set(words))
    missing = [word for word in words if ground.absence.place(word) is None]
    if missing:
        return Verdict.REFUTED, f"no {', '.join(dict.fromkeys(missing))} in this tree"
    return Verdict.UNDECIDED, "no use looked at has these arguments"


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
