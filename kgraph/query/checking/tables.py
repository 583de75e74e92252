"""Lines of tables, `struct T name = {` with rows, and of records, `struct T {` with members."""

import re

from kgraph.graph import BoundRow
from kgraph.model.answers import KnownObject
from kgraph.model.documents import DocumentLine, Verdict
from kgraph.model.location import Extent, Location
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.tokens import tokens


def tables_named(ground: Ground, name: str) -> list[KnownObject]:
    """The objects of a name, those with bindings first."""
    found = ground.graph.reader.objects("o.name = ?", (name,))
    return sorted(found, key=lambda known: not rows_of(ground, known))


def rows_of(ground: Ground, table: KnownObject) -> list[BoundRow]:
    """The bindings of a table."""
    return list(ground.graph.bound('b."table" = ?', (table.number,)))


def judge_table(ground: Ground, line: DocumentLine, rows: list[DocumentLine]) -> Outcome:
    """A table exists, with the type that the line gives it; its rows are judged line by line."""
    claim = line.claim
    tables = tables_named(ground, claim.name)
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


def _left_out(ground: Ground, table: KnownObject, rows: list[DocumentLine]) -> list[str]:
    shown = {row.claim.name.rpartition(".")[2] for row in rows}
    there = dict.fromkeys(f".{_field(row.holder)}" for row in rows_of(ground, table))
    return [field for field in there if field[1:] not in shown]


def judge_row(ground: Ground, line: DocumentLine, table_line: DocumentLine | None) -> Outcome:
    """A row binds what the line says, in the table that it stands in."""
    if table_line is None:
        return Outcome(Verdict.UNDECIDED, "the table of this row is not named")
    tables = tables_named(ground, table_line.claim.name)
    if not tables:
        return Outcome(Verdict.UNDECIDED, f"{table_line.claim.name} is not in the index")
    table, claim = tables[0], line.claim
    field, value = _field(claim.name), _value(claim.value)
    rows = [row for row in rows_of(ground, table) if _field(row.holder) == field]
    for row in rows:
        if _bound(ground, row) == value:
            return Outcome(Verdict.HOLDS, found=row.location)
    text = _initialiser(ground, table, field)
    if text is not None and _value(text[1]) == value:
        return Outcome(Verdict.HOLDS, found=text[0])
    if rows:
        there = _bound(ground, rows[0])
        return Outcome(
            Verdict.REFUTED, f".{field} is {there} there ({rows[0].location})",
            found=rows[0].location,
        )
    if text is not None:
        return Outcome(Verdict.REFUTED, f".{field} is {text[1]} there ({text[0]})", found=text[0])
    if table.location is None or not ground.sources.lines(table.location.path):
        return Outcome(Verdict.UNDECIDED, "the source of the table cannot be read as indexed")
    return Outcome(Verdict.REFUTED, f"{table.id.name} has no row .{field} ({table.location})")


def _value(text: str) -> str:
    """A value without blanks, casts' outer parentheses and `&`."""
    return re.sub(r"\s+", "", text).strip("()").lstrip("&")


def _bound(ground: Ground, row: BoundRow) -> str:
    if row.function is not None:
        return ground.graph.function(row.function).id.name
    return ground.graph.object_numbered(row.object or 0).id.name


def _initialiser(ground: Ground, table: KnownObject, field: str) -> tuple[Location, str] | None:
    """Where `.field = value` stands in a table's definition, and the text of the value."""
    if table.location is None:
        return None
    path, first = table.location.path, table.location.line
    depth, words = 0, tokens("\n".join(ground.sources.lines(path)[first - 1:first + 2000]))
    for place, (word, line) in enumerate(words[:-3]):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "}" and depth <= 0:
            break
        if word == "." and words[place + 1][0] == field and words[place + 2][0] == "=":
            return Location(path, first + line), _until_comma(words[place + 3:])
    return None


def _until_comma(words: list[tuple[str, int]]) -> str:
    depth, value = 0, []
    for word, _ in words:
        if depth == 0 and word in (",", "}", ";"):
            break
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(word, 0)
        value.append(word)
    return " ".join(value) if any(word.isidentifier() for word in value) else "".join(value)


def judge_record(ground: Ground, line: DocumentLine) -> Outcome:
    """A record is defined somewhere in the tree."""
    place = record_place(ground, line.claim.name)
    if place is None:
        return Outcome(Verdict.REFUTED, f"no struct {line.claim.name} in this tree")
    return Outcome(Verdict.HOLDS, found=place.start, places=(place,))


def judge_field(
    ground: Ground, line: DocumentLine, record_line: DocumentLine | None
) -> Outcome:
    """A member of a record, of the type that the line gives it."""
    place = record_place(ground, record_line.claim.name) if record_line is not None else None
    if record_line is None or place is None:
        return Outcome(Verdict.UNDECIDED, "its record is not known")
    path, first = place.start.path, place.start.line
    text = ground.absence.lines(path)[first - 1:place.end_line]
    wanted = _member_words(f"{line.claim.type} {line.claim.name}")
    for number, line_text in enumerate(text, first):
        if _holds_run(_member_words(line_text), wanted):
            return Outcome(Verdict.HOLDS, found=Location(path, number))
    name = next(iter(re.findall(r"\w+", line.claim.name)), "")
    for number, line_text in enumerate(text, first):
        if name in (word for word, _ in tokens(line_text)):
            return Outcome(
                Verdict.REFUTED, f"it is `{line_text.strip()}` there ({path}:{number})",
                found=Location(path, number),
            )
    return Outcome(Verdict.REFUTED, f"{record_line.claim.name} has no member {name} ({place})")


def _member_words(text: str) -> list[str]:
    """The tokens of a member's declaration without attributes."""
    return [word for word, _ in tokens(text) if not word.startswith("__")]


def _holds_run(words: list[str], wanted: list[str]) -> bool:
    return bool(wanted) and any(
        words[start:start + len(wanted)] == wanted for start in range(len(words))
    )


def record_place(ground: Ground, name: str) -> Extent | None:
    """Where a record is defined, found by its text; to the line of its closing brace."""
    place = ground.absence.record(name)
    if place is None:
        return None
    depth, lines = 0, ground.absence.lines(place.path)
    for word, line in tokens("\n".join(lines[place.line - 1:place.line + 3000])):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "}" and depth == 0:
            return Extent(place, place.line + line)
    return Extent(place, place.line)
