"""Judges records, `struct T {`, and the members under them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kgraph.check.context import CheckContext, PlacedLine, is_cited
from kgraph.check.outcome import SEVERITY, Outcome, join_notes
from kgraph.check.source.declarations import (
    Member,
    Words,
    iter_macro_members,
    iter_members,
    parse_members,
    split_parameter,
    split_sizes,
    strip_qualifiers,
)
from kgraph.check.source.tokens import list_tokens, tokenise
from kgraph.model.document import Citation, LineKind
from kgraph.model.location import Extent, Location
from kgraph.model.verdicts import Verdict

_MAX_LINES = 3000
_MAX_DEFINITIONS = 20  # of one name
_MAX_DECLARATION_LINES = 8
_MAX_SHOWN = 2


def judge_record(placed: PlacedLine) -> Outcome:
    """A record is defined somewhere in the tree."""
    name = placed.claim.name
    places = _find_records(placed.context, name, placed.line.citation)
    if not places:
        return Outcome(Verdict.REFUTED, f"no struct {name} in this tree")
    return Outcome(Verdict.HOLDS, found=places[0].start, places=tuple(places))


def judge_field(placed: PlacedLine) -> Outcome:
    """Members of a record, of the types that the line gives them; names of a function pointer's
    parameters that differ are noted. Of several members the worst counts, of several definitions of
    the record the one that the line fits best.
    """
    head, claim = placed.above, placed.claim
    is_record = head is not None and head.kind is LineKind.RECORD
    places = (_find_records(placed.context, head.claim.name, head.citation)
              if head is not None and is_record else [])
    if head is None or not places:
        return Outcome(Verdict.UNDECIDED, "its record is not known")
    name = head.claim.name
    records = [_Record(placed.context, name, place) for place in places]
    if claim.expression:
        judged = [record.judge_macro(claim.expression) for record in records]
    else:
        claimed = parse_members(f"{claim.type} {claim.name}")
        if not claimed:
            return Outcome(Verdict.UNDECIDED, "what it declares cannot be read")
        judged = [record.judge_members(claimed) for record in records]
    best = min(judged, key=lambda each: SEVERITY.index(each.verdict))
    place = places[judged.index(best)]
    if place is places[0] or best.verdict is Verdict.REFUTED:
        return judged[0]
    return best.with_note(f"in the {name} at {place.start}, not in that at {places[0].start}")


@dataclass(frozen=True)
class _Record:
    """One definition of a record, at `place`."""

    context: CheckContext
    name: str
    place: Extent

    def find_members(self, name: str) -> list[tuple[Location, Member]]:
        """The declarations of a member; if the name is a macro (`#define sk_prot
        __sk_common.skc_prot`), of what it stands for.
        """
        path, first = self.place.start.path, self.place.start.line
        every = [(Location(path, first + each.line), each) for each in iter_members(self._text)]
        found = [(at, each) for at, each in every if each.name == name]
        words = [] if found else self.context.texts.expander.expand_text(name, path)
        if len(words) < 3:
            return found
        outer = next((each.type for _, each in every if each.name == words[0]), ())
        inner = (_find_records(self.context, outer[1])
                 if outer[:1] in (("struct",), ("union",)) else [])
        if not inner:
            return [] if len(words) > 3 else [
                (at, each) for at, each in every if each.name == words[-1]]
        if len(words) > 3:
            return []
        members = _Record(self.context, outer[1], inner[0]).find_members(words[2])
        return [(at, Member(name, each.type, each.parameters)) for at, each in members]

    def judge_members(self, claimed: list[Member]) -> Outcome:
        """The worst outcome for one of some members, with the notes of all that are as bad."""
        outcomes = [self._judge_member(each) for each in claimed]
        worst = max((each.verdict for each in outcomes), key=SEVERITY.index)
        alike = [each for each in outcomes if each.verdict is worst]
        return replace(alike[0], note=join_notes(*dict.fromkeys(each.note for each in alike)))

    def _judge_member(self, claimed: Member) -> Outcome:
        found = self.find_members(claimed.name)
        by_macro = [] if found else self._find_macro_members(claimed.name)
        if by_macro:
            at, text = by_macro[0]
            return Outcome(Verdict.UNDECIDED, f"a macro declares it: `{text};` ({at})", found=at)
        if not found:
            note = f"{self.name} has no member {claimed.name} ({self.place.start})"
            return Outcome(Verdict.REFUTED, note)
        resolve = self.context.texts.expander.resolve_type
        compared = [(*_compare_members(claimed, there, resolve), at) for at, there in found]
        verdict, note, at = min(
            compared, key=lambda each: (SEVERITY.index(each[0]), bool(each[1])))
        if verdict is Verdict.HOLDS:
            return Outcome(verdict, note, found=at)
        lines = self.context.tree.read_lines(at.path)[at.line - 1:]
        text = "\n".join(lines[:_MAX_DECLARATION_LINES]).partition(";")[0]
        doubt = ""
        if verdict is Verdict.UNDECIDED:
            is_size = any(len(size) > 1 for size in split_sizes(found[0][1].type)[1])
            doubt = ("; the value of its size is not in the index" if is_size
                     else "; headers define its type differently")
        return Outcome(verdict, f"it is `{' '.join(text.split())};` there ({at}){doubt}", found=at)

    def judge_macro(self, expression: str) -> Outcome:
        """A member that a macro declares, `BITMAP(flags, 64)`, stands there word by word."""
        name, wanted = expression.partition("(")[0].strip(), list_tokens(expression)
        there = self._find_macro_members(name)
        for at, text in there:
            if list_tokens(text) == wanted:
                return Outcome(Verdict.HOLDS, found=at)
        note = join_notes(
            f"{self.name} has no {expression} ({self.place.start})",
            *(f"there is `{text};` ({at})" for at, text in there[:_MAX_SHOWN]))
        return Outcome(Verdict.REFUTED, note, found=there[0][0] if there else None)

    @property
    def _text(self) -> str:
        start = self.place.start
        lines = self.context.tree.read_lines(start.path)[start.line - 1:self.place.end_line]
        return "\n".join(lines)

    def _find_macro_members(self, name: str) -> list[tuple[Location, str]]:
        """The members that macros declare in which a name stands, `BITMAP(name, 64)`."""
        path, first = self.place.start.path, self.place.start.line
        return [(Location(path, first + line), text)
                for line, text in iter_macro_members(self._text) if name in list_tokens(text)]


def _find_records(
    context: CheckContext, name: str, citation: Citation | None = None
) -> list[Extent]:
    """Where a record is defined, found by its text, to the line of its closing brace: in the cited
    file first; in files that no unit reads only if it is in no other.
    """
    starts = context.definitions.find_records(name) or context.tree.find_records(name)
    if citation is not None:
        starts = sorted(starts, key=lambda each: not is_cited(each.path, citation))
    return [_expand_to_brace(context, each) for each in starts[:_MAX_DEFINITIONS]]


def _expand_to_brace(context: CheckContext, place: Location) -> Extent:
    depth, lines = 0, context.tree.read_lines(place.path)
    for word, line in tokenise("\n".join(lines[place.line - 1:place.line + _MAX_LINES])):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "}" and depth == 0:
            return Extent(place, place.line + line)
    return Extent(place, place.line)


def _compare_members(
    claimed: Member, there: Member, resolve: Callable[[Words], frozenset[Words]]
) -> tuple[Verdict, str]:
    """(whether a claimed declaration is the one `there`, a note of what differs). Names of
    parameters, `const`, `volatile` and typedefs make no difference, nor does an array size that is
    given by name. `resolve` gives the types that one may stand for.
    """
    verdict = _compare_types(claimed.type, there.type, resolve)
    notes = [] if claimed.type == there.type else [f"its type is `{' '.join(there.type)}`"]
    if claimed.parameters is None or there.parameters is None:
        is_same = claimed.parameters == there.parameters
        return (verdict, join_notes(*notes)) if is_same else (Verdict.REFUTED, "")
    if len(claimed.parameters) != len(there.parameters):
        return Verdict.REFUTED, ""
    for number, pair in enumerate(zip(claimed.parameters, there.parameters, strict=True), 1):
        (claimed_type, claimed_name), (type_, name) = map(split_parameter, pair)
        compared = _compare_types(claimed_type, type_, resolve)
        verdict = max(verdict, compared, key=SEVERITY.index)
        if strip_qualifiers(claimed_type) != strip_qualifiers(type_):
            notes.append(f"the type of parameter {number} is `{' '.join(type_)}`")
        if claimed_name and name and claimed_name != name:
            notes.append(f"parameter {number} is `{name}`, not `{claimed_name}`")
    return verdict, join_notes(*notes)


def _compare_types(
    claimed: Words, there: Words, resolve: Callable[[Words], frozenset[Words]]
) -> Verdict:
    """Whether two types are one; nobody can tell if a name stands for several."""
    claimed, sizes = split_sizes(strip_qualifiers(claimed))
    there, other_sizes = split_sizes(strip_qualifiers(there))
    by_size = _compare_sizes(sizes, other_sizes)
    if claimed == there or by_size is Verdict.REFUTED:
        return by_size
    mine, its = resolve(claimed), resolve(there)
    if mine and its and mine.isdisjoint(its):
        return Verdict.REFUTED
    return by_size if len(mine) == len(its) == 1 else Verdict.UNDECIDED


def _compare_sizes(claimed: Sequence[Words], there: Sequence[Words]) -> Verdict:
    """Whether two arrays have the same sizes; nobody can tell the value of an expression, and a
    number may be that of a name.
    """
    if len(claimed) != len(there):
        return Verdict.REFUTED
    verdict = Verdict.HOLDS
    for one, other in zip(claimed, there, strict=True):
        if one == other:
            continue
        if not (one and other):
            return Verdict.REFUTED
        if not all(map(_is_plain_size, (one, other))):
            verdict = Verdict.UNDECIDED
        elif not one[0].isdigit() ^ other[0].isdigit():
            return Verdict.REFUTED
    return verdict


def _is_plain_size(words: Words) -> bool:
    """Whether the size of an array is a number or a name."""
    return len(words) == 1 and (words[0].isdigit() or words[0].isidentifier())
