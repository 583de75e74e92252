"""Judges records, `struct T {`, and the members under them."""

from dataclasses import replace

from kgraph.check.claims.statement import split_words
from kgraph.check.context import CheckContext, is_path_suffix
from kgraph.check.outcome import Outcome
from kgraph.check.source.declarations import (
    WORSENING,
    Member,
    compare_members,
    iter_macro_members,
    iter_members,
    parse_members,
)
from kgraph.check.source.tokens import tokenise
from kgraph.model.document import Citation, DocumentLine
from kgraph.model.location import Extent, Location
from kgraph.model.verdicts import Verdict

_MOST_LINES = 3000
_MOST_DEFINITIONS = 20  # of one name
_MOST_BROKEN = 8  # lines that a declaration is broken over
_MOST_SHOWN = 2


def judge_record(ground: CheckContext, line: DocumentLine) -> Outcome:
    """A record is defined somewhere in the tree."""
    places = _record_places(ground, line.claim.name, line.citation)
    if not places:
        return Outcome(Verdict.REFUTED, f"no struct {line.claim.name} in this tree")
    return Outcome(Verdict.HOLDS, found=places[0].start, places=tuple(places))


def judge_field(
    ground: CheckContext, line: DocumentLine, record_line: DocumentLine | None
) -> Outcome:
    """Members of a record, of the types that the line gives them; names of a function pointer's
    parameters that differ are told. What is said is of the worst of them, and of the definition of
    the record that the line fits best, where there are several.
    """
    head = record_line.claim.name if record_line is not None else ""
    places = _record_places(ground, head, record_line.citation) if record_line is not None else []
    if not places:
        return Outcome(Verdict.UNDECIDED, "its record is not known")
    if line.claim.expression:
        judged = [_judge_macro(ground, head, place, line.claim.expression) for place in places]
    else:
        claimed = parse_members(f"{line.claim.type} {line.claim.name}")
        if not claimed:
            return Outcome(Verdict.UNDECIDED, "what it declares cannot be read")
        judged = [_judge_members(ground, head, place, claimed) for place in places]
    best = min(judged, key=lambda each: WORSENING.index(each.verdict))
    place = places[judged.index(best)]
    if place is places[0] or best.verdict is Verdict.REFUTED:
        return judged[0]
    note = f"in the {head} at {place.start}, not in that at {places[0].start}"
    return replace(best, note="; ".join(filter(None, (best.note, note))))


def _judge_members(
    ground: CheckContext, record: str, place: Extent, claimed: list[Member]
) -> Outcome:
    told = [_judge_member(ground, record, place, each) for each in claimed]
    worst = max((each.verdict for each in told), key=WORSENING.index)
    alike = [each for each in told if each.verdict is worst]
    notes = dict.fromkeys(each.note for each in alike if each.note)
    return replace(alike[0], note="; ".join(notes))


def _judge_member(ground: CheckContext, record: str, place: Extent, claimed: Member) -> Outcome:
    found = _members(ground, place, claimed.name)
    by_macro = [] if found else _macro_members(ground, place, claimed.name)
    if by_macro:
        at, text = by_macro[0]
        return Outcome(Verdict.UNDECIDED, f"a macro declares it: `{text};` ({at})", found=at)
    if not found:
        note = f"{record} has no member {claimed.name} ({place.start})"
        return Outcome(Verdict.REFUTED, note)
    told = [
        (*compare_members(claimed, there, ground.spelling.resolve_type), at) for at, there in found
    ]
    verdict, note, at = min(told, key=lambda each: (WORSENING.index(each[0]), bool(each[1])))
    if verdict is Verdict.HOLDS:
        return Outcome(verdict, note, found=at)
    text = "\n".join(ground.absence.read_lines(at.path)[at.line - 1:at.line - 1 + _MOST_BROKEN])
    whole = f"it is `{' '.join(text.partition(';')[0].split())};` there ({at})"
    doubt = "; headers define its type differently" if verdict is Verdict.UNDECIDED else ""
    return Outcome(verdict, whole + doubt, found=at)


def _judge_macro(ground: CheckContext, record: str, place: Extent, expression: str) -> Outcome:
    """A member that a macro declares, `DECLARE_BITMAP(flags, 64)`, stands there word by word."""
    name, wanted = expression.partition("(")[0].strip(), split_words(expression)
    there = _macro_members(ground, place, name)
    for at, text in there:
        if split_words(text) == wanted:
            return Outcome(Verdict.HOLDS, found=at)
    note = "; ".join(f"there is `{text};` ({at})" for at, text in there[:_MOST_SHOWN])
    nothing = f"{record} has no {expression} ({place.start})"
    return Outcome(Verdict.REFUTED, "; ".join(filter(None, (nothing, note))),
                   found=there[0][0] if there else None)


def _macro_members(ground: CheckContext, record: Extent, name: str) -> list[tuple[Location, str]]:
    """The members that macros declare in which a name stands, `DECLARE_BITMAP(name, 64)`."""
    path, first = record.start.path, record.start.line
    text = "\n".join(ground.absence.read_lines(path)[first - 1:record.end_line])
    return [(Location(path, first + line), spelled) for line, spelled in iter_macro_members(text)
            if name in split_words(spelled)]


def _members(ground: CheckContext, record: Extent, name: str) -> list[tuple[Location, Member]]:
    """The declarations of a member; of what it stands for where it is a macro
    (`#define sk_prot __sk_common.skc_prot`).
    """
    path, first = record.start.path, record.start.line
    text = "\n".join(ground.absence.read_lines(path)[first - 1:record.end_line])
    every = [(Location(path, first + each.line), each) for each in iter_members(text)]
    found = [(at, each) for at, each in every if each.name == name]
    spelled = [] if found else ground.spelling.expand_text(name, path)
    if len(spelled) < 3:
        return found
    held = next((each.type for _, each in every if each.name == spelled[0]), ())
    inner = _record_places(ground, held[1]) if held[:1] in (("struct",), ("union",)) else []
    if not inner:
        return [] if len(spelled) > 3 else [
            (at, each) for at, each in every if each.name == spelled[-1]]
    within = _members(ground, inner[0], spelled[2]) if len(spelled) == 3 else []
    return [(at, Member(name, each.type, each.parameters)) for at, each in within]


def _record_places(
    ground: CheckContext, name: str, citation: Citation | None = None
) -> list[Extent]:
    """Where a record is defined, found by its text, to the line of its closing brace: in the cited
    file first, in files that no unit reads only where it is in no other.
    """
    starts = ground.defined.find_records(name) or ground.absence.find_records(name)
    if citation is not None:
        starts = sorted(starts, key=lambda each: not is_path_suffix(each.path, citation.path)
                        and not is_path_suffix(citation.path, each.path))
    return [_whole(ground, each) for each in starts[:_MOST_DEFINITIONS]]


def _whole(ground: CheckContext, place: Location) -> Extent:
    depth, lines = 0, ground.absence.read_lines(place.path)
    for word, line in tokenise("\n".join(lines[place.line - 1:place.line + _MOST_LINES])):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "}" and depth == 0:
            return Extent(place, place.line + line)
    return Extent(place, place.line)
