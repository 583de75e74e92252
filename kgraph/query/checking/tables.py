"""Lines of tables: `struct T name = {` with rows."""

import re
from dataclasses import replace

from kgraph.graph import BoundRow
from kgraph.model.answers import KnownObject
from kgraph.model.documents import DocumentLine, LineKind, Verdict
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.initialisers import Row, initialiser
from kgraph.query.checking.outcome import Outcome

Rows = tuple[tuple[str, str], ...]  # (field, value) of rows that a document writes together


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
    shown = {field for row in rows for field, _ in written_rows(row)}
    there = dict.fromkeys(f".{_field(row.holder)}" for row in rows_of(ground, table))
    return [field for field in there if field[1:] not in shown]


def judge_row(
    ground: Ground, line: DocumentLine, table_line: DocumentLine | None, together: Rows = ()
) -> Outcome:
    """A row binds what the line says, in the table that it stands in. `together` are the rows of
    the same element, where the table is an array: they must stand in one element of it.
    """
    if table_line is None:
        return Outcome(Verdict.UNDECIDED, "the table of this row is not named")
    tables = tables_named(ground, table_line.claim.name)
    if not tables:
        return Outcome(Verdict.UNDECIDED, f"{table_line.claim.name} is not in the index")
    table, field, value = tables[0], _field(line.claim.name), _value(line.claim.value)
    written = initialiser(ground, table)
    element = _meant(written, together)
    here = [row for row in written if row.field == field and element in (-1, row.element)]
    for row in here:
        if value == "{" or _same(ground, row.value, line.claim.value, row.location.path):
            return Outcome(Verdict.HOLDS, found=row.location)
    bound = [row for row in rows_of(ground, table) if _field(row.holder) == field or not field]
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


def _no_such_row(ground: Ground, table: KnownObject, field: str) -> Outcome:
    if table.location is None or not ground.sources.lines(table.location.path):
        return Outcome(Verdict.UNDECIDED, "the source of the table cannot be read as indexed")
    return Outcome(Verdict.REFUTED, f"{table.id.name} has no row .{field} ({table.location})")


def _meant(written: list[Row], together: Rows) -> int:
    """The element of an array that rows of a document are most like, -1 where it has none."""
    fitting: dict[int, int] = {}
    for row in written:
        if row.element >= 0:
            same = any(row.field == field and _value(row.value) == value
                       for field, value in together)
            fitting[row.element] = fitting.get(row.element, 0) + same
    best = max(fitting, key=lambda element: (fitting[element], -element), default=-1)
    return best if best >= 0 and fitting[best] else -1


def written_rows(line: DocumentLine) -> Rows:
    """The rows of a document's line."""
    claims = [line.claim] if line.kind is LineKind.ROW else []
    claims += [claim for kind, claim in line.claim.also if kind is LineKind.ROW]
    return tuple((_field(claim.name), _value(claim.value)) for claim in claims)


def element_rows(lines: list[DocumentLine]) -> dict[int, Rows]:
    """For each line with rows, of those under a table's line, the rows of its element: braces part
    the elements.
    """
    found: dict[int, Rows] = {}
    numbers: list[int] = []
    rows: list[tuple[str, str]] = []
    for line in [*lines, None]:
        if line is not None and line.kind is LineKind.ROW:
            if line.text.lstrip(" \t|").startswith(("{", "[")):
                found.update(dict.fromkeys(numbers, tuple(rows)))
                numbers, rows = [], []
            numbers.append(line.number)
            rows += written_rows(line)
        if line is None or line.text.rstrip(" \t,;").endswith("}"):
            found.update(dict.fromkeys(numbers, tuple(rows)))
            numbers, rows = [], []
    return found


def judge_rows(
    ground: Ground, line: DocumentLine, table: DocumentLine | None, together: Rows
) -> list[Outcome]:
    """The verdicts on all rows of a line."""
    claims = [line.claim] if line.kind is LineKind.ROW else []
    claims += [claim for kind, claim in line.claim.also if kind is LineKind.ROW]
    return [judge_row(ground, replace(line, claim=claim), table, together) for claim in claims]


def _value(text: str) -> str:
    """A value without blanks, casts' outer parentheses and `&`."""
    return re.sub(r"\s+", "", text).replace(",}", "}").strip("()").lstrip("&")


def _same(ground: Ground, written: str, claimed: str, path: str) -> bool:
    """Whether two values are the same, or become so without macros that stand for members."""
    if _value(written) == _value(claimed):
        return True
    plain = [_value("".join(ground.spelling.text(each, path))) for each in (written, claimed)]
    return plain[0] == plain[1]


def _bound(ground: Ground, row: BoundRow) -> str:
    if row.function is not None:
        return ground.graph.function(row.function).id.name
    return ground.graph.object_numbered(row.object or 0).id.name
