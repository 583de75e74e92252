"""Judges tables, `struct T name = {`, and their rows, against the index and against the definition
as it is written.

A table inside a function is not in the index: it is compared with the text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kgraph.check.context import CheckContext, PlacedLine
from kgraph.check.outcome import Outcome, choose_worst
from kgraph.check.source.tokens import list_tokens, tokenise
from kgraph.graph import KnownBinding
from kgraph.model.document import Claim, DocumentLine, LineKind
from kgraph.model.location import Location
from kgraph.model.results import KnownObject
from kgraph.model.verdicts import Verdict

_MAX_LINES = 4000  # of an initialiser
_NO_ELEMENT = -1
_QUALIFIERS = re.compile(r"\b(const|static|volatile)\b|\[[^\]]*\]|__\w+")

_Rows = tuple[tuple[str, str], ...]  # (field, value) of rows that a document writes together
_TableTokens = list[tuple[str, int]]  # each with its line, counted from 0 at that of the table


@dataclass(frozen=True, slots=True)
class _InitialiserRow:
    """`.field = value` in a definition; `element` counts the elements of an array from 0, and is
    _NO_ELEMENT if the table is not an array.
    """

    field: str
    value: str
    location: Location
    element: int


class TableJudge:
    """Judges the tables of one document, each before its rows. `refused` says of tables, by their
    lines, why they pin nothing.
    """

    def __init__(self, refused: dict[int, str]) -> None:
        self._refused = refused
        self._local: set[int] = set()  # the lines of tables that stand in a function
        self._elements: dict[int, _Rows] = {}  # of lines with rows: the rows of the same element
        self._written: dict[int, list[_InitialiserRow]] = {}  # by the numbers of tables

    def judge_table(self, placed: PlacedLine) -> Outcome:
        """A table with the rows on its line."""
        local = _judge_local_table(placed)
        if local is not None:
            self._local.add(placed.line.number)
            return local
        self._elements.update(_group_rows(placed.below))
        outcome = _judge_table(placed).with_note(self._refused.get(placed.line.number, ""))
        return choose_worst([
            outcome, *self._judge_rows(placed, placed.line, _list_rows(placed.line))])

    def judge_row(self, placed: PlacedLine) -> Outcome:
        """The rows on a line under a table."""
        if placed.line.parent in self._local:
            return _judge_local_rows(placed)
        above = placed.above
        table = above if above is not None and above.kind is LineKind.TABLE else None
        return choose_worst(
            self._judge_rows(placed, table, self._elements.get(placed.line.number, ())))

    def _judge_rows(
        self, placed: PlacedLine, table_line: DocumentLine | None, together: _Rows
    ) -> list[Outcome]:
        """The outcomes for all rows on a line, in the table that stands on `table_line`. `together`
        are the rows of the same element, if the table is an array: they must stand in one element
        of it.
        """
        claims = _list_row_claims(placed.line)
        if not claims:
            return []
        if table_line is None:
            return [Outcome(Verdict.UNDECIDED, "the table of this row is not named")]
        context, name = placed.context, table_line.claim.name
        tables = find_tables(context, name)
        if not tables:
            return [Outcome(Verdict.UNDECIDED, f"{name} is not in the index")]
        number = tables[0].number
        if number not in self._written:
            self._written[number] = _read_initialiser(context, tables[0])
        table = _WrittenTable(context, tables[0], self._written[number], together)
        return [table.judge_row(claim) for claim in claims]


def find_tables(context: CheckContext, name: str) -> list[KnownObject]:
    """The objects of a name, those with bindings first."""
    found = context.graph.find_objects(name)
    return sorted(found, key=lambda known: not find_rows(context, known))


def find_rows(context: CheckContext, table: KnownObject) -> list[KnownBinding]:
    """The bindings of a table."""
    return context.graph.find_bindings_in_table(table.number)


def _judge_table(placed: PlacedLine) -> Outcome:
    """A table exists, with the type that the line gives it; its rows are judged line by line."""
    claim = placed.claim
    tables = find_tables(placed.context, claim.name)
    if not tables:
        elsewhere = placed.context.describe_elsewhere(claim.name)
        if not elsewhere:
            return Outcome(Verdict.REFUTED, f"no {claim.name} in this tree")
        return Outcome(Verdict.UNDECIDED, elsewhere)
    table = tables[0]
    if claim.type and _strip_type(claim.type) != _strip_type(table.type):
        return Outcome(
            Verdict.REFUTED, f"{claim.name} is a {table.type}, not a {claim.type}",
            found=table.location,
        )
    shown = {field for row in (placed.line, *placed.below) for field, _ in _list_rows(row)}
    fields = dict.fromkeys(
        _last_field(row.holder) for row in find_rows(placed.context, table))
    left_out = [f".{field}" for field in fields if field not in shown]
    note = f"rows left out: {', '.join(left_out)}" if left_out else ""
    return Outcome(Verdict.HOLDS, note, found=table.location)


class _WrittenTable:
    """A table with the rows that its definition writes, and the element of it that the rows of a
    document mean which stand `together`.
    """

    def __init__(
        self, context: CheckContext, table: KnownObject, written: list[_InitialiserRow],
        together: _Rows,
    ) -> None:
        self._context = context
        self._table = table
        self._rows = written
        self._element = _choose_element(written, together)

    def judge_row(self, claim: Claim) -> Outcome:
        """A row binds what the claim says."""
        field, value = _last_field(claim.name), _strip_value(claim.value)
        here = [row for row in self._rows
                if row.field == field and self._element in (_NO_ELEMENT, row.element)]
        for row in here:
            if value == "{" or self._is_same(row.value, claim.value, row.location.path):
                return Outcome(Verdict.HOLDS, found=row.location)
        bound = [row for row in find_rows(self._context, self._table)
                 if _last_field(row.holder) == field or not field]
        if self._element == _NO_ELEMENT or not here:
            same = next((row for row in bound if self._name_bound(row) == value), None)
            if same is not None:
                return Outcome(Verdict.HOLDS, found=same.location)
        if here:
            return _refute_row(field, here[0].value, here[0].location)
        if bound and field:
            return _refute_row(field, self._name_bound(bound[0]), bound[0].location)
        place = self._table.location
        if place is None or not self._context.texts.sources.read_lines(place.path):
            note = "the source of the table cannot be read, or changed since indexing"
            return Outcome(Verdict.UNDECIDED, note)
        note = f"{self._table.id.name} has no row .{field or value} ({place})"
        return Outcome(Verdict.REFUTED, note)

    def _is_same(self, written: str, claimed: str, path: str) -> bool:
        """Whether two values are the same, also once macros for members are expanded."""
        if _strip_value(written) == _strip_value(claimed):
            return True
        expander = self._context.texts.expander
        plain = [_strip_value("".join(expander.expand_text(each, path)))
                 for each in (written, claimed)]
        return plain[0] == plain[1]

    def _name_bound(self, row: KnownBinding) -> str:
        graph = self._context.graph
        if row.function is not None:
            return graph.function(row.function).id.name
        return graph.known_object(row.object or 0).id.name


def _refute_row(field: str, value: str, place: Location) -> Outcome:
    return Outcome(Verdict.REFUTED, f".{field} is {value} there ({place})", found=place)


def _list_row_claims(line: DocumentLine) -> list[Claim]:
    claims = [line.claim] if line.kind is LineKind.ROW else []
    return claims + [claim for kind, claim in line.claim.also if kind is LineKind.ROW]


def _list_rows(line: DocumentLine) -> _Rows:
    """The rows of a document's line."""
    return tuple((_last_field(claim.name), _strip_value(claim.value))
                 for claim in _list_row_claims(line))


def _group_rows(lines: Sequence[DocumentLine]) -> dict[int, _Rows]:
    """For each line with rows under a table's line, the rows of its element: braces separate the
    elements.
    """
    found: dict[int, _Rows] = {}
    numbers: list[int] = []
    rows: list[tuple[str, str]] = []
    for line in [*lines, None]:
        if line is not None and line.kind is LineKind.ROW:
            if line.text.lstrip(" \t|").startswith(("{", "[")):
                found.update(dict.fromkeys(numbers, tuple(rows)))
                numbers, rows = [], []
            numbers.append(line.number)
            rows += _list_rows(line)
        if line is None or line.text.rstrip(" \t,;").endswith("}"):
            found.update(dict.fromkeys(numbers, tuple(rows)))
            numbers, rows = [], []
    return found


def _strip_type(text: str) -> str:
    return " ".join(_QUALIFIERS.sub(" ", text).split())


def _strip_value(text: str) -> str:
    """A value as it is compared: without blanks, outer parentheses, leading `&`, last comma."""
    return re.sub(r"\s+", "", text).replace(",}", "}").strip("()").lstrip("&")


def _last_field(holder: str) -> str:
    return holder.rpartition(".")[2]


def _choose_element(written: list[_InitialiserRow], together: _Rows) -> int:
    """The element of an array that rows of a document are most like; _NO_ELEMENT if it has none."""
    fitting: dict[int, int] = {}
    for row in written:
        if row.element >= 0:
            is_same = any(row.field == field and _strip_value(row.value) == value
                          for field, value in together)
            fitting[row.element] = fitting.get(row.element, 0) + is_same
    best = max(fitting, key=lambda element: (fitting[element], -element), default=_NO_ELEMENT)
    return best if best >= 0 and fitting[best] else _NO_ELEMENT


def _read_initialiser(context: CheckContext, table: KnownObject) -> list[_InitialiserRow]:
    """The rows with designators of a table's definition; [] if its source cannot be read."""
    if table.location is None:
        return []
    path, first = table.location.path, table.location.line
    lines = context.texts.sources.read_lines(path)[first - 1:first - 1 + _MAX_LINES]
    found: list[_InitialiserRow] = []
    words = tokenise("\n".join(lines))
    depth, element = 0, _NO_ELEMENT
    for place, (word, line) in enumerate(words[:-2]):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "{" and depth == 2 and words[place - 1][0] in ("{", ",", "="):
            # `.field = {` at the top opens a record within a table that is not an array.
            element += not _is_behind_field(words, place)
        if depth <= 0 and word in ("}", ";"):
            break
        if word == "." and depth > 0 and words[place - 1][0] in ("{", ",", ")"):
            field, value = _read_designator(words, place)
            if field:
                found.append(_InitialiserRow(field, value, Location(path, first + line), element))
    return found


def _is_behind_field(words: _TableTokens, place: int) -> bool:
    """Whether the brace at `place` is the value of a member."""
    return words[place - 1][0] == "=" and words[place - 2][0] != "]"


def _read_designator(words: _TableTokens, place: int) -> tuple[str, str]:
    """(last member, value) of the designator whose dot stands at `place`; ("", "") for none."""
    field = ""
    while place + 1 < len(words):
        word, following = words[place][0], words[place + 1][0]
        if word == "=":
            return field, _read_to_comma(words[place + 1:])
        if word == "." and following.isidentifier():
            field, place = following, place + 2
        elif word == "[":
            place += 3
        else:
            break
    return "", ""


def _read_to_comma(words: _TableTokens) -> str:
    depth, value = 0, []
    for word, _ in words:
        if depth == 0 and word in (",", "}", ";"):
            break
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(word, 0)
        value.append(word)
    return " ".join(value) if any(word.isidentifier() for word in value) else "".join(value)


def _judge_local_table(placed: PlacedLine) -> Outcome | None:
    """The head of a table that a function has where the document stands, with the rows on the line;
    None if no function has it.
    """
    claim = placed.claim
    places = placed.find_tokens(list_tokens(f"{claim.type} {claim.name}"))
    if not places:
        return None
    rows = [_judge_local_row(placed, row) for kind, row in claim.also if kind is LineKind.ROW]
    wrong = next((each for each in rows if each.verdict is Verdict.REFUTED), None)
    return wrong or Outcome(Verdict.HOLDS, "a variable of the function", found=places[0].start,
                            places=tuple(places))


def _judge_local_rows(placed: PlacedLine) -> Outcome:
    """The rows on a line under such a table: they stand word by word in its function."""
    claims = (placed.claim, *(claim for _, claim in placed.claim.also))
    rows = [_judge_local_row(placed, claim) for claim in claims]
    return next((each for each in rows if each.verdict is Verdict.REFUTED), rows[0])


def _judge_local_row(placed: PlacedLine, claim: Claim) -> Outcome:
    text = f".{claim.name} = {claim.value}" if claim.name else claim.value
    places = placed.find_tokens(list_tokens(text))
    if not places:
        return Outcome(Verdict.REFUTED, f"the function has no `{text}`")
    return Outcome(Verdict.HOLDS, found=places[0].start, places=tuple(places))
