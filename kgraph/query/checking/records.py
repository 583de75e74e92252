"""Lines of records: `struct T {` with the members under it."""

from kgraph.model.documents import DocumentLine, Verdict
from kgraph.model.location import Extent, Location
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.members import Member, declared, difference, members
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.tokens import tokens

_MOST_LINES = 3000
_MOST_BROKEN = 8  # lines that a declaration is broken over


def judge_record(ground: Ground, line: DocumentLine) -> Outcome:
    """A record is defined somewhere in the tree."""
    place = _record_place(ground, line.claim.name)
    if place is None:
        return Outcome(Verdict.REFUTED, f"no struct {line.claim.name} in this tree")
    return Outcome(Verdict.HOLDS, found=place.start, places=(place,))


def judge_field(
    ground: Ground, line: DocumentLine, record_line: DocumentLine | None
) -> Outcome:
    """A member of a record, of the type that the line gives it; names of a function pointer's
    parameters that differ are told.
    """
    place = _record_place(ground, record_line.claim.name) if record_line is not None else None
    claimed = declared(f"{line.claim.type} {line.claim.name}")
    if record_line is None or place is None or claimed is None:
        return Outcome(Verdict.UNDECIDED, "its record is not known")
    found = _members(ground, place, claimed.name)
    if not found:
        note = f"{record_line.claim.name} has no member {claimed.name} ({place.start})"
        return Outcome(Verdict.REFUTED, note)
    told = [(at, difference(claimed, there)) for at, there in found]
    for at, note in sorted(((at, note) for at, note in told if note is not None),
                           key=lambda pair: bool(pair[1])):
        return Outcome(Verdict.HOLDS, note, found=at)
    at = found[0][0]
    text = "\n".join(ground.absence.lines(at.path)[at.line - 1:at.line - 1 + _MOST_BROKEN])
    whole = " ".join(text.partition(";")[0].split())
    return Outcome(Verdict.REFUTED, f"it is `{whole};` there ({at})", found=at)


def _members(ground: Ground, record: Extent, name: str) -> list[tuple[Location, Member]]:
    """The declarations of a member; of what it stands for where it is a macro
    (`#define sk_prot __sk_common.skc_prot`).
    """
    path, first = record.start.path, record.start.line
    text = "\n".join(ground.absence.lines(path)[first - 1:record.end_line])
    every = [(Location(path, first + each.line), each) for each in members(text)]
    found = [(at, each) for at, each in every if each.name == name]
    spelled = [] if found else ground.spelling.text(name, path)
    if len(spelled) < 3:
        return found
    held = next((each.type for _, each in every if each.name == spelled[0]), ())
    inner = _record_place(ground, held[1]) if held[:1] in (("struct",), ("union",)) else None
    if inner is None:
        return [] if len(spelled) > 3 else [
            (at, each) for at, each in every if each.name == spelled[-1]]
    within = _members(ground, inner, spelled[2]) if len(spelled) == 3 else []
    return [(at, Member(name, each.type, each.parameters)) for at, each in within]


def _record_place(ground: Ground, name: str) -> Extent | None:
    """Where a record is defined, found by its text; to the line of its closing brace."""
    place = ground.absence.record(name)
    if place is None:
        return None
    depth, lines = 0, ground.absence.lines(place.path)
    for word, line in tokens("\n".join(lines[place.line - 1:place.line + _MOST_LINES])):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "}" and depth == 0:
            return Extent(place, place.line + line)
    return Extent(place, place.line)
