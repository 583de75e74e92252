"""Every question that is put to the tables of an index, each under a name of its own.

This is the only module above the store that writes SQL. Statements are fixed texts, and what a
caller passes is always a bound value. Results are records of the model, or the records below.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Location
from kgraph.model.resolution import Evidence, SiteStatus
from kgraph.model.results import KnownFunction, KnownObject, KnownSite
from kgraph.model.values import TransferKind
from kgraph.store import IndexReader
from kgraph.store.codec import decode_guard

_FUNCTIONS = (
    'SELECT f.id, name, scope, image, path, line, "column", parameters, alias_of, t.text,'
    " address_taken, end_line FROM function f LEFT JOIN file ON file.id = f.file"
    " LEFT JOIN text t ON t.id = f.macro "
)
_OBJECTS = (
    'SELECT o.id, name, scope, image, path, line, "column", type FROM object o'
    " LEFT JOIN file ON file.id = o.file "
)
_SITES = (
    'SELECT s.id, caller, path, line, "column", end_line, end_column, ordinal, e.text, m.text,'
    " status, h.text, r.text, w.text, g.text, callback, proof FROM site s"
    " JOIN file ON file.id = s.file"
    " JOIN text e ON e.id = s.expression JOIN text m ON m.id = s.macro"
    " LEFT JOIN text h ON h.id = s.holder JOIN text r ON r.id = s.rule"
    " JOIN text w ON w.id = s.reason JOIN text g ON g.id = s.guards "
)
_BINDINGS = (
    'SELECT h.text, b.function, b.object, b."table", path, b.line, b."column", how FROM binding b'
    " JOIN text h ON h.id = b.holder JOIN file ON file.id = b.file "
)
_TABLE_COPIES = (
    "SELECT text, object, evidence, whole FROM copied_table JOIN text ON text.id = holder "
)
_TEXT_ID = "(SELECT id FROM text WHERE text = ?)"

_LAST_LETTER = "\U0010ffff"
_BATCH = 1000  # ids that one statement names


class KnownBinding(Struct, frozen=True, gc=False):
    """Something that is bound to a holder: a function or an object, by number. `table` is the
    object whose initialiser binds it, None for an assignment."""

    holder: str
    function: int | None
    object: int | None
    table: int | None
    location: Location
    how: TransferKind


class KnownTableCopy(Struct, frozen=True, gc=False):
    """A table (the number of an object) that copies bring into a pointer field. `whole`: all that
    the field may hold is known."""

    holder: str
    object: int
    evidence: tuple[Evidence, ...]
    whole: bool


class KnownMacroDefinition(Struct, frozen=True, gc=False):
    """Where a macro is defined, and its definition on one line, which may be cut off."""

    location: Location
    text: str


class MacroSite(Struct, frozen=True, gc=False):
    """A call site that a macro hides, and its callee as an expression."""

    number: int
    caller: int
    expression: str
    macro: str


class HolderCall(Struct, frozen=True, gc=False):
    """A call site that goes through a holder, and its callee as an expression."""

    site: int
    holder: str
    expression: str


class UnresolvedCall(Struct, frozen=True, gc=False):
    """An unresolved call site. `signature` is the type that it calls, "" where that is unknown;
    `signature_id` the number of this text."""

    site: int
    caller: int
    signature: str
    signature_id: int


class OpenRequestRow(Struct, frozen=True, gc=False):
    """A request at a call site to run something of a kind later, for which no callee was found."""

    site: int
    caller: int
    kind: str
    reason: str
    requested: str
    key_unknown: bool


class DeferredCallbackRow(Struct, frozen=True, gc=False):
    """A function that is registered to be run later."""

    kind: str
    function: int
    key_unknown: bool


class Lookups:
    """The tables of an open index. Every method raises StoreError where the file is damaged."""

    def __init__(self, reader: IndexReader) -> None:
        self.reader = reader

    # Functions

    def load_functions(self, numbers: Iterable[int]) -> list[KnownFunction]:
        """The functions of these numbers, ascending."""
        return [function for among, values in _iter_id_conditions(numbers)
                for function in self._select_functions(f"f.id {among}", *values)]

    def find_all_functions(self) -> list[KnownFunction]:
        """Every function."""
        return self._select_functions("1")

    def list_functions_by_place(self) -> list[int]:
        """The numbers of the functions, those of one file together, in the order of its lines."""
        return self._column(
            "SELECT f.id FROM function f LEFT JOIN file ON file.id = f.file"
            " ORDER BY path, f.line, f.id")

    def find_named_functions(self, names: Iterable[str]) -> list[KnownFunction]:
        """The functions that have one of some names, in one question for many."""
        found: list[KnownFunction] = []
        ordered = sorted(names)
        for first in range(0, len(ordered), _BATCH):
            batch = ordered[first:first + _BATCH]
            found += self._select_functions(
                f"f.name IN ({', '.join('?' * len(batch))})", *batch)
        return found

    def find_functions(self, name: str) -> list[KnownFunction]:
        """The functions of this name."""
        return self._select_functions("name = ?", name)

    def find_functions_in_any_case(self, name: str) -> list[KnownFunction]:
        """The functions of this name, in capital or small letters."""
        return self._select_functions("name = ? COLLATE NOCASE", name)

    def find_function_names_from(self, start: str, most: int) -> list[str]:
        """The first names of functions that begin so."""
        return self._column(
            "SELECT DISTINCT name FROM function WHERE name >= ? AND name < ? ORDER BY name LIMIT ?",
            start, f"{start}{_LAST_LETTER}", most)

    def find_binding_names_from(self, start: str, most: int) -> list[str]:
        """The first names of tables, records and slots that begin so."""
        end = f"{start}{_LAST_LETTER}"
        names = self._column(
            "SELECT DISTINCT name FROM object WHERE name >= ? AND name < ? AND EXISTS"
            ' (SELECT 1 FROM binding WHERE "table" = object.id) ORDER BY name LIMIT ?',
            start, end, most)
        record, dot, field = start.partition(".")
        if not dot:
            return names + self._column(
                "SELECT DISTINCT record FROM binding WHERE record >= ? AND record < ?"
                " ORDER BY record LIMIT ?", start, end, most)
        return names + self._column(
            "SELECT DISTINCT record || '.' || field FROM binding WHERE record = ? AND field >= ?"
            " AND field < ? ORDER BY field LIMIT ?", record, field, f"{field}{_LAST_LETTER}", most)

    def find_paths_from(self, start: str) -> list[str]:
        """The cited files that begin so, up to the next folder."""
        paths = self._column(
            "SELECT path FROM file WHERE path >= ? AND path < ?", start, f"{start}{_LAST_LETTER}")
        ends = (path.find("/", len(start)) for path in paths)
        return sorted({path if end < 0 else path[:end + 1]
                       for path, end in zip(paths, ends, strict=True)})

    def find_functions_in(self, path: str) -> list[KnownFunction]:
        """The functions that are defined in a file, or below a folder."""
        return self._select_functions(
            "file.path = ? OR (file.path > ? AND file.path < ?)", path, f"{path}/", f"{path}0")

    def list_function_names(self, pattern: str) -> list[tuple[int, str]]:
        """(number, name) of the defined functions whose names fit a shell pattern."""
        return self.reader.fetch_rows(
            "SELECT id, name FROM function WHERE file IS NOT NULL AND name GLOB ? ORDER BY id",
            (pattern,))

    def find_functions_of_macro(self, macro: str, part: str = "") -> list[KnownFunction]:
        """The functions that expansions of a macro define, and whose names hold `part`."""
        return self._select_functions("t.text = ? AND instr(name, ?)", macro, part)

    def find_functions_like(self, macro_glob: str, name_glob: str) -> list[KnownFunction]:
        """The functions of names of this pattern that macros of that pattern define."""
        return self._select_functions("t.text GLOB ? AND f.name GLOB ?", macro_glob, name_glob)

    def find_function_names(self, part: str, length: int) -> list[str]:
        """Names that hold `part` in any case, and are about as long as `length`."""
        return self._column(
            "SELECT DISTINCT name FROM function WHERE abs(length(name) - ?) <= 4"
            " AND instr(lower(name), ?)", length, part.lower())

    def find_functions_matching(self, patterns: Iterable[str]) -> list[int]:
        """The numbers of the functions whose name matches one of some shell patterns."""
        patterns = list(patterns)
        where = " OR ".join(["name GLOB ?"] * len(patterns)) or "0"
        return self._column(f"SELECT id FROM function WHERE {where}", *patterns)  # noqa: S608

    def find_callers_in_macros(self, macros: Iterable[str]) -> list[int]:
        """The functions with a call that one of these macros makes, under no condition."""
        names = list(macros)
        among = f"IN ({', '.join('?' * len(names))})"
        where = f"macro IN (SELECT id FROM text WHERE text {among})"  # noqa: S608
        where += " AND guards = (SELECT id FROM text WHERE text = '')"
        return self._column(f"SELECT DISTINCT caller FROM site WHERE {where}", *names)  # noqa: S608

    def find_shared_names(self) -> set[str]:
        """The names that several functions have."""
        return set(self._column("SELECT name FROM function GROUP BY name HAVING count(*) > 1"))

    def find_address_taken(self) -> list[tuple[int, int]]:
        """(function, number of its signature) of the functions whose address is taken."""
        return self.reader.fetch_rows(
            "SELECT id, signature FROM function WHERE address_taken ORDER BY id")

    def find_enterable_functions(self) -> set[int]:
        """The functions that code outside their file may call: of external linkage, or with their
        address taken."""
        return set(self._column("SELECT id FROM function WHERE scope = '' OR address_taken"))

    def find_alias_targets(self) -> set[str]:
        """The names of the functions that others stand for by an alias attribute."""
        return set(self._column("SELECT DISTINCT alias_of FROM function WHERE alias_of != ''"))

    def find_undefined_functions(self) -> list[tuple[int, str]]:
        """(number, name) of the functions without a definition."""
        return self.reader.fetch_rows("SELECT id, name FROM function WHERE file IS NULL")

    def find_assembler_functions(self, among: Iterable[int]) -> list[int]:
        """Those functions that assembler defines: they have no type."""
        found: list[int] = []
        for condition, values in _iter_id_conditions(among):
            found += self._column(
                "SELECT f.id FROM function f JOIN text t ON t.id = f.signature"  # noqa: S608
                f" WHERE t.text = '' AND file IS NOT NULL AND f.id {condition}", *values)
        return found

    def find_function_around(self, location: Location) -> int | None:
        """The function whose definition a location lies in."""
        found = self._column(
            "SELECT f.id FROM function f JOIN file ON file.id = f.file WHERE path = ? AND line <= ?"
            " AND end_line >= ? ORDER BY line DESC LIMIT 1",
            location.path, location.line, location.line)
        return found[0] if found else None

    def _select_functions(self, where: str, *values: object) -> list[KnownFunction]:
        rows = self.reader.fetch_rows(f"{_FUNCTIONS} WHERE {where} ORDER BY f.id", values)
        return [
            KnownFunction(
                row[0], FunctionId(row[1], row[2], row[3]), _location(row, 4),
                tuple(json.loads(row[7])) if row[7] else (), row[8] or "", row[9] or "",
                bool(row[10]), row[11] or 0,
            )
            for row in rows
        ]

    # Objects

    def known_object(self, number: int) -> KnownObject:
        """The object of this number."""
        return self._select_objects("o.id = ?", number)[0]

    def find_all_objects(self) -> list[KnownObject]:
        """Every object, by number."""
        return self._select_objects("1")

    def find_objects(self, name: str) -> list[KnownObject]:
        """The objects of this name."""
        return self._select_objects("o.name = ?", name)

    def find_objects_in(self, path: str) -> list[tuple[KnownObject, int]]:
        """The objects that a file defines, each with its last line."""
        ends = dict(self.reader.fetch_rows(
            "SELECT o.id, end_line FROM object o JOIN file ON file.id = o.file WHERE path = ?",
            (path,)))
        return [(each, ends[each.number] or 0) for each in self._select_objects("path = ?", path)]

    def find_tables_of_type(self, type_: str) -> list[KnownObject]:
        """The objects of a type whose initialisers bind something."""
        return self._select_objects(
            'o.type = ? AND EXISTS (SELECT 1 FROM binding b WHERE b."table" = o.id)', type_)

    def list_tables(self, pattern: str) -> list[KnownObject]:
        """The objects whose initialisers bind something, and whose names fit a shell pattern."""
        return self._select_objects(
            'o.name GLOB ? AND EXISTS (SELECT 1 FROM binding b WHERE b."table" = o.id)', pattern)

    def find_table_names(self, record: str) -> list[str]:
        """The names of the objects whose initialisers bind a field of a record."""
        return self._column(
            'SELECT DISTINCT o.name FROM binding b JOIN object o ON o.id = b."table"'
            " WHERE b.record = ?", record)

    def _select_objects(self, where: str, *values: object) -> list[KnownObject]:
        rows = self.reader.fetch_rows(f"{_OBJECTS} WHERE {where} ORDER BY o.id", values)
        return [
            KnownObject(row[0], ObjectId(row[1], row[2], row[3]), _location(row, 4), row[7] or "")
            for row in rows
        ]

    # Call sites

    def load_sites(self, numbers: Iterable[int]) -> list[KnownSite]:
        """The call sites of these numbers, ascending."""
        return [site for among, values in _iter_id_conditions(numbers)
                for site in self._select_sites(f"s.id {among}", *values)]

    def load_site_locations(self, numbers: Iterable[int]) -> tuple[Location, ...]:
        """Where the call sites of these numbers are, ascending by number."""
        return tuple(
            Location(*row) for among, values in _iter_id_conditions(numbers)
            for row in self.reader.fetch_rows(
                'SELECT path, s.line, s."column" FROM site s JOIN file ON file.id = s.file'  # noqa: S608
                f" WHERE s.id {among} ORDER BY s.id", values))

    def load_site_places(self, numbers: Iterable[int]) -> dict[int, tuple[Location, str]]:
        """Call site -> its location, and what it goes through ("" for a direct call)."""
        return {
            row[0]: (Location(*row[1:4]), row[4] or "")
            for among, values in _iter_id_conditions(numbers)
            for row in self.reader.fetch_rows(
                'SELECT s.id, path, s.line, s."column", h.text FROM site s'  # noqa: S608
                " JOIN file ON file.id = s.file LEFT JOIN text h ON h.id = s.holder"
                f" WHERE s.id {among}", values)}

    def load_evidence(self, numbers: Iterable[int]) -> dict[int, tuple[Evidence, ...]]:
        """Number -> chain of evidence."""
        return {
            number: self.reader.decode_evidence(chain)
            for among, values in _iter_id_conditions(numbers)
            for number, chain in self.reader.fetch_rows(
                f"SELECT id, chain FROM evidence WHERE id {among}", values)}  # noqa: S608

    def find_sites_at(self, path: str, line: int) -> list[KnownSite]:
        """The call sites that start at a line."""
        return self._select_sites("file.path = ? AND s.line = ?", path, line)

    def find_sites_over(self, path: str, line: int) -> list[KnownSite]:
        """The call sites that start before a line and end on it or after it."""
        return self._select_sites(
            "file.path = ? AND s.line < ? AND s.end_line >= ?", path, line, line)

    def find_sites_in(self, path: str) -> list[KnownSite]:
        """The call sites in a file."""
        return self._select_sites("file.path = ?", path)

    def find_sites_between(self, first: int, last: int) -> list[KnownSite]:
        """The call sites from `first` to `last` (exclusive)."""
        return self._select_sites("s.id >= ? AND s.id < ?", first, last)

    def find_sites_through(self, holder: str) -> list[int]:
        """The numbers of the call sites that go through the holder of this name."""
        return self._column(
            "SELECT id FROM site WHERE holder = (SELECT text FROM holder WHERE name = ?)"
            " ORDER BY id", holder)

    def find_called_slots(self, record: str) -> list[str]:
        """The slots of a record that calls go through."""
        return self._column(
            "SELECT name FROM holder WHERE substr(name, 1, length(?1) + 1) = ?1 || '.' AND EXISTS"
            " (SELECT 1 FROM site WHERE site.holder = holder.text)", record)

    def find_sites_of_macro(self, macro: str, most: int) -> list[KnownSite]:
        """The first call sites, at `most` so many, that a macro hides."""
        return self._select_sites(
            f"s.id IN (SELECT id FROM site WHERE macro = {_TEXT_ID} ORDER BY id LIMIT ?)",  # noqa: S608
            macro, most)

    def find_sites_of_macros(self, macros: Iterable[str]) -> list[MacroSite]:
        """The call sites that macros of these names hide."""
        found: list[MacroSite] = []
        names = list(macros)
        for first in range(0, len(names), _BATCH):
            batch = names[first:first + _BATCH]
            marks = ", ".join("?" * len(batch))
            found += [MacroSite(*row) for row in self.reader.fetch_rows(
                "SELECT s.id, caller, e.text, m.text FROM site s"  # noqa: S608
                " JOIN text e ON e.id = s.expression JOIN text m ON m.id = s.macro"
                f" WHERE s.macro IN (SELECT id FROM text WHERE text IN ({marks})) ORDER BY s.id",
                tuple(batch))]
        return found

    def find_nearest_call_lines(self, path: str, line: int) -> list[int]:
        """The three lines of a file with calls that are nearest to a line, the nearest first."""
        return self._column(
            "SELECT DISTINCT line FROM site JOIN file ON file.id = site.file WHERE path = ?"
            " ORDER BY abs(line - ?) LIMIT 3", path, line)

    def find_callers_using(self, name: str) -> list[int]:
        """The functions with a call that a macro of this name hides, or that goes through a
        pointer which is written so."""
        return self._column(
            "SELECT DISTINCT caller FROM site WHERE macro IN (SELECT id FROM text WHERE text = ?1)"
            " OR (holder IS NOT NULL AND expression IN (SELECT id FROM text WHERE text = ?1))",
            name)

    def find_callers_through(self, expression: str) -> list[int]:
        """The functions with an indirect call that is written so, ascending, each once."""
        return self._column(
            "SELECT DISTINCT s.caller FROM site s JOIN text e ON e.id = s.expression"
            " WHERE s.holder IS NOT NULL AND e.text = ? ORDER BY s.caller", expression)

    def find_calls_through(
        self, records: Sequence[str], fields: Sequence[str]
    ) -> list[HolderCall]:
        """The call sites that go through a field of one of some records, or whose expression names
        one of some fields."""
        wanted = ["instr(e.text, ?)"] * len(fields)
        wanted += ["h.name > ? AND h.name < ?"] * len(records)
        bounds = [bound for record in records for bound in (f"{record}.", f"{record}/")]
        where = " OR ".join(f"({condition})" for condition in wanted)
        rows = self.reader.fetch_rows(
            "SELECT s.id, h.name, e.text FROM site s JOIN holder h ON h.text = s.holder"  # noqa: S608
            f" JOIN text e ON e.id = s.expression WHERE {where} ORDER BY s.id",
            (*fields, *bounds))
        return [HolderCall(*row) for row in rows]

    def find_holder_ids(self, first: int, last: int) -> dict[int, int]:
        """Call site -> id of its holder, for the call sites from `first` to `last` (exclusive)
        that go through one."""
        return dict(self.reader.fetch_rows(
            "SELECT id, holder FROM site WHERE id >= ? AND id < ? AND holder IS NOT NULL",
            (first, last)))

    def find_unresolved_calls(self) -> list[UnresolvedCall]:
        """All unresolved call sites, ascending."""
        return [UnresolvedCall(*row) for row in self.reader.fetch_rows(
            "SELECT s.id, caller, text, t.id FROM site s JOIN text t ON t.id = s.signature"
            " WHERE status = 'unresolved' ORDER BY s.id")]

    def is_call_macro(self, name: str) -> bool:
        """Whether a macro of this name hides a call."""
        return self._exists(f"site WHERE macro IN {_TEXT_ID}", name)

    def has_call_through_field(self, field: str) -> bool:
        """Whether an indirect call reads its table from this field (`x->FIELD->slot()`)."""
        return self._exists(
            "site s JOIN text t ON t.id = s.expression WHERE s.holder IS NOT NULL"
            " AND (instr(t.text, ?) OR instr(t.text, ?))", f">{field}->", f".{field}->")

    def _select_sites(self, where: str, *values: object) -> list[KnownSite]:
        rows = self.reader.fetch_rows(f"{_SITES} WHERE {where} ORDER BY s.id", values)
        return [_make_site(row) for row in rows]

    # Bindings

    def find_slot_bindings(self) -> list[KnownBinding]:
        """Everything that is bound to a field of a record."""
        return self._select_bindings("b.record <> '' AND b.field <> ''")

    def find_bindings_in(self, path: str) -> list[KnownBinding]:
        """What a file binds."""
        return self._select_bindings("path = ?", path)

    def find_bindings_in_table(self, table: int) -> list[KnownBinding]:
        """What the initialiser of an object binds."""
        return self._select_bindings('b."table" = ?', table)

    def find_bindings_in_tables(self, name: str) -> list[KnownBinding]:
        """What the initialisers of the objects of a name bind."""
        return self._select_bindings('b."table" IN (SELECT id FROM object WHERE name = ?)', name)

    def find_table_binding(self, table: int, function: int, holder: str) -> KnownBinding | None:
        """Where the initialiser of an object binds a function to a holder."""
        found = self._select_bindings(
            'b."table" = ? AND b.function = ? AND h.text = ?', table, function, holder)
        return found[0] if found else None

    def find_bindings_to_holder(self, name: str) -> list[KnownBinding]:
        """What is bound to the holder of this name."""
        return self._select_bindings("b.holder = (SELECT text FROM holder WHERE name = ?)", name)

    def find_stores_for_assembler(self) -> list[KnownBinding]:
        """The functions that code puts into variables through which assembler calls."""
        return self._select_bindings(
            'b.function IS NOT NULL AND b."table" IS NULL AND b.holder IN'
            " (SELECT s.holder FROM site s JOIN function f ON f.id = s.caller"
            " JOIN text t ON t.id = f.signature WHERE s.holder IS NOT NULL AND t.text = '')")

    def find_bindings_to_slot(self, name: str) -> list[KnownBinding]:
        """What is bound to RECORD.FIELD, or to the holder of this name."""
        record, _, field = name.rpartition(".")
        return (self.find_bindings_to_field(record, field) if record
                else self.find_bindings_to_holder(name))

    def find_bindings_to_field(self, record: str, field: str) -> list[KnownBinding]:
        """What is bound to a field of a record, or of an object of this record type."""
        return self._select_bindings("b.record = ? AND b.field = ?", record, field)

    def find_bindings_to_record(self, record: str) -> list[KnownBinding]:
        """What is bound to any field of a record."""
        return self._select_bindings("b.record = ?", record)

    def find_slots_bound_at(self, path: str, line: int) -> list[str]:
        """The slots that something is put into at a line, by their records."""
        return self._column(
            "SELECT DISTINCT record || '.' || field FROM binding b JOIN file ON file.id = b.file"
            " WHERE path = ? AND b.line = ? AND record <> ''", path, line)

    def find_bindings_of_function(self, function: int) -> list[KnownBinding]:
        """What a function is bound to."""
        return self._select_bindings("b.function = ?", function)

    def find_bindings_of_functions(self, name: str) -> list[KnownBinding]:
        """What the functions of a name are bound to."""
        return self._select_bindings("b.function IN (SELECT id FROM function WHERE name = ?)", name)

    def find_installs(self, table: int) -> list[KnownBinding]:
        """Where the address of an object is put, or passed to a call."""
        return self._select_bindings("b.object = ?", table)

    def find_installs_of_objects(self, name: str) -> list[KnownBinding]:
        """Where the addresses of the objects of a name are put, or passed to a call."""
        return self._select_bindings("b.object IN (SELECT id FROM object WHERE name = ?)", name)

    def find_bound_slots(self, record: str, field: str) -> list[str]:
        """The slots (`record.field`) with bindings, of this record or with this field."""
        return self._column(
            "SELECT DISTINCT record || '.' || field FROM binding WHERE record = ? OR field = ?",
            record, field)

    def count_slot_bindings(self, pattern: str) -> list[tuple[str, int]]:
        """(slot, how much is bound to it) of the slots that fit a shell pattern, by name."""
        return self.reader.fetch_rows(
            "SELECT record || '.' || field AS slot, count(*) FROM binding"
            " WHERE record <> '' AND field <> '' AND slot GLOB ? GROUP BY slot ORDER BY slot",
            (pattern,))

    def count_bindings_to_fields(self, field: str) -> list[tuple[str, int]]:
        """(slot, how much is bound to it) of the slots with this field, those with most first."""
        return self.reader.fetch_rows(
            "SELECT record || '.' || field, count(*) FROM binding WHERE field = ?1"
            " OR substr(field, -length(?1) - 1) = '.' || ?1"
            " GROUP BY record, field ORDER BY count(*) DESC, record", (field,))

    def find_table_copies_to_field(self, record: str, field: str) -> list[KnownTableCopy]:
        """The tables that copies bring into a field of a record."""
        return self._select_table_copies("record = ? AND field = ?", record, field)

    def find_copies_of_table(self, table: int) -> list[KnownTableCopy]:
        """The fields that copies bring a table into."""
        return self._select_table_copies("object = ?", table)

    def _select_bindings(self, where: str, *values: object) -> list[KnownBinding]:
        rows = self.reader.fetch_rows(f"{_BINDINGS} WHERE {where} ORDER BY b.id", values)
        return [
            KnownBinding(row[0], row[1], row[2], row[3], Location(row[4], row[5], row[6]),
                         TransferKind(row[7]))
            for row in rows]

    def _select_table_copies(self, where: str, *values: object) -> list[KnownTableCopy]:
        rows = self.reader.fetch_rows(
            f"{_TABLE_COPIES} WHERE {where} ORDER BY copied_table.id", values)
        return [
            KnownTableCopy(holder, table, self.reader.read_evidence(evidence), bool(whole))
            for holder, table, evidence, whole in rows]

    # Names of holders, files, deferred calls

    def is_holder(self, name: str) -> bool:
        """Whether anything is bound to a holder of this name, or called through it."""
        return self._exists("holder WHERE name = ?", name)

    def find_member_aliases(self, name: str) -> dict[str, list[str]]:
        """Last member -> slots that end with it, of the paths that a macro stands for."""
        found: dict[str, list[str]] = {}
        for member, slot in self.reader.fetch_rows(
                "SELECT member, slot FROM alias WHERE name = ? ORDER BY id", (name,)):
            found.setdefault(member, []).append(slot)
        return found

    def find_macro_definitions(self, name: str) -> list[KnownMacroDefinition]:
        """Where the files that units read define a macro, in the order of the files."""
        return [KnownMacroDefinition(Location(path, line), text)
                for path, line, text in self.reader.fetch_rows(
                    "SELECT path, line, text FROM macro JOIN unit_file u ON u.id = macro.file"
                    " WHERE name = ? ORDER BY macro.id", (name,))]

    def list_macros(self, pattern: str) -> list[tuple[str, Location]]:
        """(name, where it is defined) of the macros whose names fit a shell pattern, by name."""
        return [(name, Location(path, line)) for name, path, line in self.reader.fetch_rows(
            "SELECT name, path, line FROM macro JOIN unit_file u ON u.id = macro.file"
            " WHERE name GLOB ? ORDER BY name, macro.id", (pattern,))]

    def find_macros_in(self, path: str) -> list[tuple[str, Location]]:
        """(name, where it is defined) of the macros that a file defines."""
        return [(name, Location(path, line)) for name, line in self.reader.fetch_rows(
            "SELECT name, line FROM macro JOIN unit_file u ON u.id = macro.file WHERE path = ?",
            (path,))]

    def is_read(self, path: str) -> bool:
        """Whether a unit read this file."""
        return self._exists("unit_file WHERE path = ?", path)

    def find_macros_mentioning(self, name: str) -> list[str]:
        """The macros whose definitions mention a macro."""
        return self._column("SELECT macro FROM macro_use WHERE mentioned = ?", name)

    def find_cited_files(self, path: str) -> list[str]:
        """The cited files with this path, or with a path that ends with it."""
        return self._column(
            "SELECT path FROM file WHERE path = ? OR substr(path, -length(?) - 1) = '/' || ?",
            path, path, path)

    def find_read_files(self) -> list[str]:
        """The files that units read, headers first, then by path."""
        return self._column("SELECT path FROM unit_file ORDER BY path NOT LIKE '%.h', path")

    def has_files_in(self, path: str) -> bool:
        """Whether units read this file, or files below this folder."""
        return bool(self._column(
            "SELECT 1 FROM unit_file WHERE path = ? OR (path > ? AND path < ?) LIMIT 1",
            path, f"{path}/", f"{path}0"))

    def find_read_headers(self) -> list[str]:
        """The headers that units read, by number."""
        return self._column("SELECT path FROM unit_file WHERE path LIKE '%.h' ORDER BY id")

    def find_open_requests(self) -> list[OpenRequestRow]:
        """The requests to run something later for which no callee was found."""
        return [OpenRequestRow(*row) for row in self.reader.fetch_rows(
            "SELECT site, caller, k.text, r.text, a.text, key_unknown FROM request q"
            " JOIN site s ON s.id = q.site JOIN text k ON k.id = q.kind"
            " JOIN text r ON r.id = q.reason JOIN text a ON a.id = q.requested ORDER BY q.id")]

    def find_deferred_callbacks(self) -> list[DeferredCallbackRow]:
        """The functions that are registered to be run later."""
        return [DeferredCallbackRow(*row) for row in self.reader.fetch_rows(
            "SELECT text, function, key_unknown FROM deferred_callback d"
            " JOIN text ON text.id = d.kind")]

    def _column(self, statement: str, *values: object) -> list[Any]:
        """The only column of the rows of a statement."""
        return [row[0] for row in self.reader.fetch_rows(statement, values)]

    def _exists(self, rest: str, *values: object) -> bool:
        return bool(self.reader.fetch_rows(f"SELECT 1 FROM {rest} LIMIT 1", values))  # noqa: S608


def _iter_id_conditions(numbers: Iterable[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What stands behind a column that is one of these ids, ascending, some at a time, and the
    values of its parameters. One id is a parameter: SQLite then prepares the statement only once.
    """
    ordered = sorted(numbers)
    for first in range(0, len(ordered), _BATCH):
        batch = ordered[first:first + _BATCH]
        if len(batch) == 1:
            yield "= ?", (batch[0],)
        else:
            yield f"IN ({', '.join(map(str, batch))})", ()


def _location(row: tuple[Any, ...], at: int) -> Location | None:
    return None if row[at] is None else Location(row[at], row[at + 1], row[at + 2])


def _make_site(row: tuple[Any, ...]) -> KnownSite:
    path = row[2]
    return KnownSite(
        number=row[0], caller=row[1], location=Location(path, row[3], row[4]),
        extent=Extent(Location(path, row[3], row[4]), row[5], row[6]), ordinal=row[7],
        expression=row[8], macro=row[9], status=SiteStatus(row[10]), holder=row[11] or "",
        rule=row[12], reason=row[13], callback=row[15], proof=row[16],
        guards=tuple(
            decode_guard(Extent(Location(path, line, column), end_line, end_column), truths)
            for line, column, end_line, end_column, *truths in json.loads(row[14] or "[]")
        ),
    )
