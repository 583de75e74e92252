"""Judges tables, `struct T name = {`, and their rows, against the index and against the definition
as it is written.

A table inside a function is not in the index: it is compared with the text.
"""

import re
from dataclasses import dataclass, replace

from kgraph.check.claims.statement import find_in_position, split_words
from kgraph.check.context import CheckContext
from kgraph.check.outcome import Outcome, Position
from kgraph.check.source.tokens import tokenise
from kgraph.graph import KnownBinding
from kgraph.model.document import Claim, DocumentLine, LineKind
from kgraph.model.location import Location
from kgraph.model.results import KnownObject
from kgraph.model.verdicts import Verdict

_MOST_LINES = 4000
Words = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class InitialiserRow:
    """`.field = value` in a definition; `element` counts the elements of an array from 0, and is
    -1 where the table is none.
    """

    field: str
    value: str
    location: Location
    element: int


def read_initialiser(ground: CheckContext, table: KnownObject) -> list[InitialiserRow]:
    """The rows with designators of a table's definition; [] where its source cannot be read."""
    if table.location is None:
        return []
    path, first = table.location.path, table.location.line
    lines = ground.sources.read_lines(path)[first - 1:first - 1 + _MOST_LINES]
    found: list[InitialiserRow] = []
    words = tokenise("\n".join(lines))
    depth, elements = 0, -1
    for place, (word, line) in enumerate(words[:-2]):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "{" and depth == 2 and words[place - 1][0] in ("{", ",", "="):
            # `.field = {` at the top opens a record within a table that is no array.
            elements += not _after_field(words, place)
        if depth <= 0 and word in ("}", ";"):
            break
        if word == "." and depth > 0 and words[place - 1][0] in ("{", ",", ")"):
            field, value = _designated(words, place)
            if field:
                found.append(InitialiserRow(field, value, Location(path, first + line), elements))
    return found


def _after_field(words: Words, place: int) -> bool:
    """Whether the brace at `place` is the value of a member."""
    return words[place - 1][0] == "=" and words[place - 2][0] != "]"


def _designated(words: Words, place: int) -> tuple[str, str]:
    """(last member, value) of the designator whose dot stands at `place`; ("", "") for none."""
    field = ""
    while place + 1 < len(words):
        word, following = words[place][0], words[place + 1][0]
        if word == "=":
            return field, _until_comma(words[place + 1:])
        if word == "." and following.isidentifier():
            field, place = following, place + 2
        elif word == "[":
            place += 3
        else:
            break
    return "", ""


def _until_comma(words: Words) -> str:
    depth, value = 0, []
    for word, _ in words:
        if depth == 0 and word in (",", "}", ";"):
            break
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(word, 0)
        value.append(word)
    return " ".join(value) if any(word.isidentifier() for word in value) else "".join(value)


WrittenRows = tuple[tuple[str, str], ...]  # (field, value) of rows that a document writes together


def find_tables(ground: CheckContext, name: str) -> list[KnownObject]:
    """The objects of a name, those with bindings first."""
    found = ground.graph.find_objects(name)
    return sorted(found, key=lambda known: not find_rows(ground, known))


def find_rows(ground: CheckContext, table: KnownObject) -> list[KnownBinding]:
    """The bindings of a table."""
    return ground.graph.find_bindings_in_table(table.number)


def judge_table(ground: CheckContext, line: DocumentLine, rows: list[DocumentLine]) -> Outcome:
    """A table exists, with the type that the line gives it; its rows are judged line by line."""
    claim = line.claim
    tables = find_tables(ground, claim.name)
    if not tables:
        elsewhere = ground.elsewhere(claim.name)
        if not elsewhere:
            return Outcome(Verdict.REFUTED, f"no {claim.name} in this tree")
        return Outcome(Verdict.UNDECIDED, elsewhere)
    table = tables[0]
    if claim.type and _bare(claim.type) != _bare(table.type):
        return Outcome(
            Verdict.REFUTED, f"{claim.name} is a {table.type}, not a {claim.type}",
            found=table.location,
        )
    left_out = _left_out(ground, table, rows)
    note = f"rows left out: {', '.join(left_out)}" if left_out else ""
    return Outcome(Verdict.HOLDS, note, found=table.location)


def _bare(kind: str) -> str:
    words = re.sub(r"\b(const|static|volatile)\b|\[[^\]]*\]|__\w+", " ", kind).split()
    return " ".join(words)


def _field(holder: str) -> str:
    return holder.rpartition(".")[2]


def _left_out(ground: CheckContext, table: KnownObject, rows: list[DocumentLine]) -> list[str]:
    shown = {field for row in rows for field, _ in list_rows(row)}
    there = dict.fromkeys(f".{_field(row.holder)}" for row in find_rows(ground, table))
    return [field for field in there if field[1:] not in shown]


def judge_row(
    ground: CheckContext,
    line: DocumentLine,
    table_line: DocumentLine | None,
    together: WrittenRows = (),
) -> Outcome:
    """A row binds what the line says, in the table that it stands in. `together` are the rows of
    the same element, where the table is an array: they must stand in one element of it.
    """
    if table_line is None:
        return Outcome(Verdict.UNDECIDED, "the table of this row is not named")
    tables = find_tables(ground, table_line.claim.name)
    if not tables:
        return Outcome(Verdict.UNDECIDED, f"{table_line.claim.name} is not in the index")
    table, field, value = tables[0], _field(line.claim.name), _value(line.claim.value)
    written = read_initialiser(ground, table)
    element = _meant(written, together)
    here = [row for row in written if row.field == field and element in (-1, row.element)]
    for row in here:
        if value == "{" or _same(ground, row.value, line.claim.value, row.location.path):
            return Outcome(Verdict.HOLDS, found=row.location)
    bound = [row for row in find_rows(ground, table) if _field(row.holder) == field or not field]
    if element == -1 or not here:
        same = next((row for row in bound if _bound(ground, row) == value), None)
        if same is not None:
            return Outcome(Verdict.HOLDS, found=same.location)
    if here:
        return Outcome(
            Verdict.REFUTED, f".{field} is {here[0].value} there ({here[0].location})",
            found=here[0].location,
        )
    if bound and field:
        there = _bound(ground, bound[0])
        return Outcome(
            Verdict.REFUTED, f".{field} is {there} there ({bound[0].location})",
            found=bound[0].location,
        )
    return _no_such_row(ground, table, field or value)


def _no_such_row(ground: CheckContext, table: KnownObject, field: str) -> Outcome:
    if table.location is None or not ground.sources.read_lines(table.location.path):
        return Outcome(Verdict.UNDECIDED, "the source of the table cannot be read as indexed")
    return Outcome(Verdict.REFUTED, f"{table.id.name} has no row .{field} ({table.location})")


def _meant(written: list[InitialiserRow], together: WrittenRows) -> int:
    """The element of an array that rows of a document are most like, -1 where it has none."""
    fitting: dict[int, int] = {}
    for row in written:
        if row.element >= 0:
            same = any(row.field == field and _value(row.value) == value
                       for field, value in together)
            fitting[row.element] = fitting.get(row.element, 0) + same
    best = max(fitting, key=lambda element: (fitting[element], -element), default=-1)
    return best if best >= 0 and fitting[best] else -1


def list_rows(line: DocumentLine) -> WrittenRows:
    """The rows of a document's line."""
    claims = [line.claim] if line.kind is LineKind.ROW else []
    claims += [claim for kind, claim in line.claim.also if kind is LineKind.ROW]
    return tuple((_field(claim.name), _value(claim.value)) for claim in claims)


def group_rows(lines: list[DocumentLine]) -> dict[int, WrittenRows]:
    """For each line with rows, of those under a table's line, the rows of its element: braces part
    the elements.
    """
    found: dict[int, WrittenRows] = {}
    numbers: list[int] = []
    rows: list[tuple[str, str]] = []
    for line in [*lines, None]:
        if line is not None and line.kind is LineKind.ROW:
            if line.text.lstrip(" \t|").startswith(("{", "[")):
                found.update(dict.fromkeys(numbers, tuple(rows)))
                numbers, rows = [], []
            numbers.append(line.number)
            rows += list_rows(line)
        if line is None or line.text.rstrip(" \t,;").endswith("}"):
            found.update(dict.fromkeys(numbers, tuple(rows)))
            numbers, rows = [], []
    return found


def judge_rows(
    ground: CheckContext, line: DocumentLine, table: DocumentLine | None, together: WrittenRows
) -> list[Outcome]:
    """The verdicts on all rows of a line."""
    claims = [line.claim] if line.kind is LineKind.ROW else []
    claims += [claim for kind, claim in line.claim.also if kind is LineKind.ROW]
    return [judge_row(ground, replace(line, claim=claim), table, together) for claim in claims]


def _value(text: str) -> str:
    """A value without blanks, casts' outer parentheses and `&`."""
    return re.sub(r"\s+", "", text).replace(",}", "}").strip("()").lstrip("&")


def _same(ground: CheckContext, written: str, claimed: str, path: str) -> bool:
    """Whether two values are the same, or become so without macros that stand for members."""
    if _value(written) == _value(claimed):
        return True
    plain = [
        _value("".join(ground.spelling.expand_text(each, path))) for each in (written, claimed)
    ]
    return plain[0] == plain[1]


def _bound(ground: CheckContext, row: KnownBinding) -> str:
    if row.function is not None:
        return ground.graph.function(row.function).id.name
    return ground.graph.known_object(row.object or 0).id.name


def judge_local_table(
    ground: CheckContext, line: DocumentLine, standing: Position
) -> Outcome | None:
    """The head of a table that one of the functions of `standing` has, with the rows on the line;
    None where none of them has it.
    """
    places = find_in_position(ground, standing, split_words(f"{line.claim.type} {line.claim.name}"))
    if not places:
        return None
    note = "a variable of the function"
    for kind, claim in line.claim.also:
        told = _row(ground, claim, standing) if kind is LineKind.ROW else None
        if told is not None and told.verdict is Verdict.REFUTED:
            return told
    return Outcome(Verdict.HOLDS, note, found=places[0].start, places=tuple(places))


def judge_local_rows(ground: CheckContext, line: DocumentLine, standing: Position) -> Outcome:
    """Rows of such a table, all on one line: they stand word by word in its function."""
    claims = (line.claim, *(claim for _, claim in line.claim.also))
    told = [_row(ground, claim, standing) for claim in claims]
    return next((each for each in told if each.verdict is Verdict.REFUTED), told[0])


def _row(ground: CheckContext, claim: Claim, standing: Position) -> Outcome:
    text = f".{claim.name} = {claim.value}" if claim.name else claim.value
    places = find_in_position(ground, standing, split_words(text))
    if not places:
        return Outcome(Verdict.REFUTED, f"the function has no `{text}`")
    return Outcome(Verdict.HOLDS, found=places[0].start, places=tuple(places))
