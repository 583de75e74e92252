"""Writes a Resolution into an index: rows for what is shown, arrays for what is searched.

Also writes the tables that resolve names: holders by their text, and macros that stand for a
member.
"""

import json
import re
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import MappingProxyType

from kgraph.model.codes import (
    ForwardedValue,
    forwarded_function,
    forwarded_parameter,
    forwarded_set,
)
from kgraph.model.facts import Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.resolution import (
    BoundSlot,
    CallbackForward,
    Candidate,
    CopiedTable,
    EdgeKind,
    Evidence,
    Resolution,
    ResolvedSite,
)
from kgraph.model.values import Parameter
from kgraph.store.arrays import build_footprint_arrays, write_array
from kgraph.store.call_rows import CallRow
from kgraph.store.condition_arrays import (
    NamedArrays,
    add_call,
    find_relevant_parameters,
    make_condition_arrays,
    select_relevant_constants,
)
from kgraph.store.facts_writer import CitedFiles
from kgraph.store.hop_arrays import build_hop_arrays
from kgraph.store.hop_costs import price_function
from kgraph.store.macro_tables import write_macro_tables
from kgraph.store.set_arrays import FunctionSet, number_sets
from kgraph.store.table_arrays import TableNumbers, build_table_arrays, find_slot
from kgraph.textfile import read_regular_file, unescape_name

_KINDS = {kind: number for number, kind in enumerate(EdgeKind)}
_EDGE_ARRAYS = ("edge_callee", "edge_kind", "edge_evidence")
_DEFINITIONS_AT_ONCE = 100  # that one function has
Row = tuple[object, ...]
FindCalls = Callable[[str], Sequence[CallRow]]


class GraphWriter:
    """Writes one Resolution. `taken` are the functions whose address is taken; `takers` has the
    functions that take it, where nothing else does."""

    def __init__(
        self, connection: sqlite3.Connection, files: CitedFiles, taken: AbstractSet[FunctionId],
        takers: Mapping[FunctionId, Iterable[FunctionId]] = MappingProxyType({}),
    ) -> None:
        self._connection = connection
        self._files = files
        self._taken = taken
        self._takers = takers
        self._texts: dict[str, int] = {}
        self._functions: dict[FunctionId, int] = {}
        self._objects: dict[ObjectId, int] = {}
        self._chains: dict[tuple[Evidence, ...], int] = {}
        self._sets: dict[FunctionSet, int] = {}
        self._requesting: set[tuple[str, int]] = set()
        self._arrays: dict[str, array[int]] = {}

    def write(self, resolution: Resolution, find_calls: FindCalls) -> None:
        """Write the whole graph. `find_calls` gives the calls of a definition, by its key."""
        self._write_functions(resolution)
        self._write_objects(resolution)
        sites: list[ResolvedSite] = []
        conditions = make_condition_arrays()
        self._insert("site", self._iter_site_rows(
            _group_by_caller(resolution.sites, self._functions, find_calls), sites, conditions))
        self._sets, sets = number_sets(resolution.sites, self._functions)
        self._arrays |= sets
        self._requesting = {(request.key, request.position) for request in resolution.requests}
        self._collect_edges(sites)
        self._write_requests(resolution, sites)
        self._insert("binding", map(self._make_binding_row, count(), resolution.bindings))
        self._insert("copied_table", map(self._make_copy_row, count(), resolution.copied_tables))
        self._insert("evidence", self._iter_chain_rows())
        holders = [self._holder_id(site) for site in sites]
        defined = {function.id: function for function in resolution.functions}
        self._arrays["function_price"] = array(
            "B", [price_function(name.name, defined.get(name)) for name in self._functions])
        self._arrays |= self._select_conditions(conditions)
        self._arrays |= build_hop_arrays(self._arrays, holders)
        self._arrays |= self._build_table_arrays(resolution)
        self._arrays |= self._build_taker_arrays()
        self._arrays |= build_footprint_arrays(resolution.footprint.weights)
        for name, numbers in self._arrays.items():
            write_array(self._connection, name, numbers)
        self._insert("text", ((number, text) for text, number in self._texts.items()))

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        columns = len(self._connection.execute(f"PRAGMA table_info({table})").fetchall())
        places = ", ".join("?" * columns)
        self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608

    def _text_id(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _file_id(self, location: Location) -> int:
        return self._files.assign_id(location.path, location.line)

    def _write_functions(self, resolution: Resolution) -> None:
        defined = {function.id: function for function in resolution.functions}
        named = set(defined)
        candidates = {}  # many sites share theirs
        for site in resolution.sites:
            named.add(site.caller)
            candidates[id(site.candidates)] = site.candidates
            for forward in site.forwards:
                if isinstance(forward.value, FunctionId):
                    named.add(forward.value)
                elif isinstance(forward.value, tuple):
                    named.update(forward.value)
            for handed in site.handed:
                if isinstance(handed.value, tuple):
                    named.update(handed.value)
        for shared in candidates.values():
            named.update(candidate.callee for candidate in shared)
        named.update(row.value for row in resolution.bindings if isinstance(row.value, FunctionId))
        named.update(callback.function for callback in resolution.callbacks)
        self._functions = {
            name: number for number, name in enumerate(sorted(named, key=_function_sort_key))
        }
        self._arrays["folder"] = array(
            "i", (find_folder(defined.get(name), self._text_id) for name in self._functions))
        self._insert("function", (
            (number, name.name, name.scope, name.image,
             *function_columns(defined.get(name), self._file_id, self._text_id),
             int(name in self._taken))
            for name, number in self._functions.items()
        ))

    def _write_objects(self, resolution: Resolution) -> None:
        defined = {thing.id: thing for thing in resolution.objects}
        named = set(defined)
        for row in resolution.bindings:
            named.update(name for name in (row.value, row.table) if isinstance(name, ObjectId))
        named.update(row.table for row in resolution.copied_tables)
        self._objects = {name: number for number, name in enumerate(sorted(named))}
        rows: list[Row] = []
        for name, number in self._objects.items():
            columns = object_columns(defined.get(name), self._file_id)
            rows.append((number, name.name, name.scope, name.image, *columns))
        self._insert("object", rows)

    def _build_table_arrays(self, resolution: Resolution) -> dict[str, "array[int]"]:
        slots = (find_slot(row.holder) for row in resolution.bindings)
        folders = {
            thing.id: thing.location.path.rpartition("/")[0] for thing in resolution.objects
            if not thing.location.path.endswith(".h")}
        names = {slot.record for slot in slots if slot is not None} | set(folders.values())
        numbers = TableNumbers(
            self._functions, self._objects, {name: self._text_id(name) for name in sorted(names)},
            folders)
        return build_table_arrays(resolution.bindings, numbers)

    def _holder_id(self, site: ResolvedSite) -> int:
        return -1 if site.holder is None else self._text_id(str(site.holder))

    def _iter_site_rows(
        self, found: Iterable[tuple[CallRow, ResolvedSite]], sites: list[ResolvedSite],
        conditions: NamedArrays,
    ) -> Iterator[Row]:
        """The rows of call sites. Adds these to `sites`, what guards ask to `conditions`."""
        prices = self._arrays["site_price"] = array("B")
        for number, (call, site) in enumerate(found):
            sites.append(site)
            prices.append(call.price)
            if call.tests or call.handed:
                add_call(conditions, number, call)
            yield self._make_site_row(number, call, site)

    def _make_site_row(self, number: int, call: CallRow, site: ResolvedSite) -> Row:
        caller = self._functions[site.caller]
        return (
            number, caller, *place_columns(call, self._files.assign_id),
            self._text_id(call.expression), self._text_id(call.macro), site.status.value,
            None if site.holder is None else self._holder_id(site), self._text_id(site.rule),
            self._text_id(site.reason), self._text_id(call.signature),
            self._text_id(call.guards),
            _find_own_parameter(site), self._chain_id(site.proof) if site.proof else None,
        )

    def _write_requests(self, resolution: Resolution, sites: list[ResolvedSite]) -> None:
        numbers = {(site.key, site.position): number for number, site in enumerate(sites)}
        without = [request for request in resolution.requests if not request.edges]
        self._insert("request", (
            (number, numbers[request.key, request.position], self._text_id(request.kind),
             self._text_id(request.reason), self._text_id(request.requested),
             int(request.key_unknown))
            for number, request in enumerate(without)
        ))
        self._insert("deferred_callback", (
            (number, self._text_id(callback.kind), self._functions[callback.function],
             int(callback.key_unknown))
            for number, callback in enumerate(resolution.callbacks)
        ))

    def _collect_edges(self, sites: list[ResolvedSite]) -> None:
        arrays = {
            name: array(code) for name, code in (
                ("edge_start", "I"), ("edge_callee", "I"), ("edge_kind", "B"),
                ("edge_evidence", "I"), ("forward_site", "I"), ("forward_parameter", "I"),
                ("forward_value", "i"), ("callback_site", "I"), ("callback_parameter", "I"),
                ("slot_site", "I"), ("slot_record", "I"), ("handed_site", "I"),
                ("handed_path", "I"), ("handed_value", "i"), ("through_site", "I"),
                ("through_path", "I"),
            )
        }
        site_start = array("I", bytes(4 * (len(self._functions) + 1)))
        known: dict[int, tuple[list[int], ...]] = {}  # many sites share their candidates
        for number, site in enumerate(sites):
            site_start[self._functions[site.caller] + 1] += 1
            arrays["edge_start"].append(len(arrays["edge_callee"]))
            edges = known.get(id(site.candidates))
            if edges is None:
                edges = known[id(site.candidates)] = self._make_edges(site.candidates)
            for name, numbers in zip(_EDGE_ARRAYS, edges, strict=True):
                arrays[name].extend(numbers)
            if site.handed or site.through:
                self._collect_access_paths(number, site, arrays)
            if site.forwards or site.holder is not None:
                self._collect_forwards(number, site, arrays)
        arrays["edge_start"].append(len(arrays["edge_callee"]))
        for function in range(len(self._functions)):
            site_start[function + 1] += site_start[function]
        self._arrays |= {"site_start": site_start, **arrays}

    def _select_conditions(self, conditions: NamedArrays) -> NamedArrays:
        relevant = find_relevant_parameters(self._arrays, conditions)
        return conditions | select_relevant_constants(self._arrays, conditions, relevant)

    def _build_taker_arrays(self) -> dict[str, "array[int]"]:
        numbers = self._functions
        rows = sorted((numbers[function], numbers[taker])
                      for function, takers in self._takers.items() if function in numbers
                      for taker in takers if taker in numbers)
        return {"taken_function": array("I", [row[0] for row in rows]),
                "taken_by": array("I", [row[1] for row in rows])}

    def _make_edges(self, candidates: tuple[Candidate, ...]) -> tuple[list[int], ...]:
        """The edges to candidates, as columns: callees, kinds, ids of chains of evidence."""
        rows = sorted(((self._functions[candidate.callee], candidate) for candidate in candidates),
                      key=lambda row: (row[0], row[1].kind, row[1].evidence))
        return ([callee for callee, _ in rows], [_KINDS[candidate.kind] for _, candidate in rows],
                [self._chain_id(candidate.evidence) for _, candidate in rows])

    def _collect_forwards(
        self, number: int, site: ResolvedSite, arrays: dict[str, "array[int]"]
    ) -> None:
        rows = sorted(
            (forward.parameter, self._encode_forwarded(forward)) for forward in site.forwards)
        for parameter, value in rows:
            arrays["forward_site"].append(number)
            arrays["forward_parameter"].append(parameter)
            arrays["forward_value"].append(value)
        own = _find_own_parameter(site)
        if own is not None and (site.key, site.position) not in self._requesting:
            arrays["callback_site"].append(number)
            arrays["callback_parameter"].append(own)
        slot = None if site.holder is None else find_slot(site.holder)
        if slot is not None:
            arrays["slot_site"].append(number)
            arrays["slot_record"].append(self._text_id(slot.record))

    def _collect_access_paths(
        self, number: int, site: ResolvedSite, arrays: dict[str, "array[int]"]
    ) -> None:
        for handed in site.handed:
            value = handed.value
            arrays["handed_site"].append(number)
            arrays["handed_path"].append(self._text_id(handed.path))
            arrays["handed_value"].append(
                forwarded_parameter(self._text_id(value)) if isinstance(value, str)
                else forwarded_set(self._sets[value]))
        if site.through:
            arrays["through_site"].append(number)
            arrays["through_path"].append(self._text_id(site.through))

    def _encode_forwarded(self, forward: CallbackForward) -> ForwardedValue:
        if isinstance(forward.value, FunctionId):
            return forwarded_function(self._functions[forward.value])
        if isinstance(forward.value, tuple):
            return forwarded_set(self._sets[forward.value])
        return forwarded_parameter(forward.value)

    def _chain_id(self, chain: tuple[Evidence, ...]) -> int:
        return self._chains.setdefault(chain, len(self._chains))

    def _iter_chain_rows(self) -> Iterable[Row]:
        for chain, number in self._chains.items():
            lines = [
                [item.role.value, self._file_id(item.location), item.location.line,
                 item.location.column, item.holder]
                for item in chain
            ]
            yield number, json.dumps(lines, separators=(",", ":"), ensure_ascii=False)

    def _make_copy_row(self, number: int, row: CopiedTable) -> Row:
        return (
            number, self._text_id(str(row.holder)), row.holder.record, row.holder.field,
            self._objects[row.table], self._chain_id(row.evidence), int(row.is_complete),
        )

    def _make_binding_row(self, number: int, row: BoundSlot) -> Row:
        slot = find_slot(row.holder)
        value = row.value
        return (
            number, self._text_id(str(row.holder)), slot.record if slot else "",
            slot.field if slot else "",
            self._functions[value] if isinstance(value, FunctionId) else None,
            self._objects[value] if isinstance(value, ObjectId) else None,
            None if row.table is None else self._objects[row.table],
            self._file_id(row.location), row.location.line, row.location.column, row.how.value,
        )


def _group_by_caller(
    sites: Iterable[ResolvedSite], functions: Mapping[FunctionId, int], find_calls: FindCalls
) -> Iterator[tuple[CallRow, ResolvedSite]]:
    """The call sites in the order of their callers, those of one by place."""
    of_caller: list[list[ResolvedSite]] = [[] for _ in functions]
    for site in sites:
        of_caller[functions[site.caller]].append(site)
    find = lru_cache(_DEFINITIONS_AT_ONCE)(find_calls)
    for group in of_caller:
        found = [(find(site.key)[site.position], site) for site in group]
        found.sort(key=lambda item: item[0].place)
        yield from found


def function_columns(
    function: Function | None, file: Callable[[Location], int], text: Callable[[str], int]
) -> Row:
    """The columns of a function from `file` to `macro`, which come from its definition."""
    if function is None:
        return (None,) * 11
    place = function.location
    return (
        file(place), place.line, place.column, function.extent.end_line,
        function.extent.end_column, text(function.signature),
        json.dumps(function.parameters), int(function.weak), int(function.inline),
        function.alias_of, text(function.macro),
    )


def find_folder(function: Function | None, text: Callable[[str], int]) -> int:
    """The id of the folder that defines a function; -1 for functions of headers, which belong to
    every folder that calls them."""
    if function is None or function.location.path.endswith(".h"):
        return -1
    return text(function.location.path.rpartition("/")[0])


def object_columns(thing: Object | None, file: Callable[[Location], int]) -> Row:
    """The columns of an object from `file` to `alias_of`, which come from its definition."""
    if thing is None:
        return (None,) * 8
    place = thing.location
    return (
        file(place), place.line, place.column, thing.extent.end_line, thing.extent.end_column,
        thing.type, thing.section, thing.alias_of,
    )


def place_columns(call: CallRow, file: Callable[[str, int], int]) -> Row:
    """The columns of a call site from `file` to `ordinal`."""
    return (file(call.path, call.line), call.line, call.column, call.end_line, call.end_column,
            call.ordinal)


def _function_sort_key(function: FunctionId) -> tuple[str, str, str]:
    return function.name, function.scope, function.image


def _find_own_parameter(site: ResolvedSite) -> int | None:
    holder = site.holder
    if isinstance(holder, Parameter) and holder.function == site.caller:
        return holder.index
    return None


_ALIAS = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(?:\w+\.)*(\w+)[ \t]*(?:/\*.*)?$", re.MULTILINE
)


def write_name_tables(connection: sqlite3.Connection, root: Path, build: Path | None) -> None:
    """Fill the tables `holder`, `alias`, `macro` and `macro_use`. A header that cannot be read now
    has no aliases and no macros.
    """
    write_macro_tables(connection, root, build)
    connection.execute(
        "INSERT INTO holder SELECT text, id FROM text WHERE id IN"
        " (SELECT holder FROM site UNION SELECT holder FROM binding"
        " UNION SELECT holder FROM copied_table)"
    )
    fields: dict[str, list[str]] = {}
    for record, field in connection.execute(
        "SELECT * FROM (SELECT record, field FROM binding"
        " UNION SELECT record, field FROM copied_table)"
        " ORDER BY record || '.' || field"
    ):
        fields.setdefault(field.rpartition(".")[2], []).append(f"{record}.{field}")
    headers = connection.execute(
        "SELECT path, generated FROM file WHERE path LIKE '%.h' ORDER BY id").fetchall()
    for path, generated in headers:
        folder = build if generated else root
        found = [] if folder is None else list(_iter_aliases(Path(folder, unescape_name(path))))
        connection.executemany(
            "INSERT OR IGNORE INTO alias (name, member, slot) VALUES (?, ?, ?)",
            [(name, member, slot) for name, member in found for slot in fields.get(member, ())])


def _iter_aliases(header: Path) -> Iterator[tuple[str, str]]:
    """(macro, last member) of the macros of a header that stand for a path of members."""
    try:
        data = read_regular_file(header)
    except OSError:
        return
    for name, member in _ALIAS.findall(data):
        if name != member and name.isascii() and member.isascii():
            yield name.decode(), member.decode()
