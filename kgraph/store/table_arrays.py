"""What tables say of each other: arrays that tell a search which tables are of one object.

A row of a table that has two other tables pairs them: inetsw_array has tcp_prot beside
inet_stream_ops. Two record types are kin if most folders that have tables of the one have tables of
the other: a file system has its file_operations and its address_space_operations.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.resolution import BoundSlot
from kgraph.model.values import Holder, ObjectField, Slot

TABLE_ARRAYS = {
    "bound_function": "I", "bound_record": "I", "bound_table": "I", "bound_folder": "i",
    "partner_table": "I", "partner_other": "I", "kin_record": "I", "kin_other": "I",
}
_FEWEST_FOLDERS = 4
_LARGEST_ROW = 16  # tables; a longer row is no record


class TableNumbers:
    """The numbers that the index gives to functions, objects, texts, and to folders of objects."""

    def __init__(
        self, functions: Mapping[FunctionId, int], objects: Mapping[ObjectId, int],
        texts: Mapping[str, int], folders: Mapping[ObjectId, int],
    ) -> None:
        self.functions = functions
        self.objects = objects
        self.texts = texts
        self.folders = folders


def build_table_arrays(
    bindings: Iterable[BoundSlot], numbers: TableNumbers
) -> dict[str, "array[int]"]:
    """The arrays of TABLE_ARRAYS."""
    bound = sorted(_iter_bound(bindings, numbers))
    partners = sorted(_find_partners(bindings, numbers, {row[2] for row in bound}))
    columns = [*(zip(*bound, strict=True) if bound else [()] * 4),
               *(zip(*partners, strict=True) if partners else [()] * 2),
               *(zip(*kin, strict=True) if (kin := sorted(_find_kin(bound))) else [()] * 2)]
    return {name: array(code, column)
            for (name, code), column in zip(TABLE_ARRAYS.items(), columns, strict=True)}


def _iter_bound(
    bindings: Iterable[BoundSlot], numbers: TableNumbers
) -> set[tuple[int, int, int, int]]:
    """(function, record, table, folder of the table) of each function in a table."""
    return {
        (numbers.functions[row.value], numbers.texts[slot.record], numbers.objects[row.table],
         numbers.folders.get(row.table, -1))
        for row in bindings
        if row.table is not None and isinstance(row.value, FunctionId)
        and (slot := find_slot(row.holder)) is not None and slot.record
    }


def find_slot(holder: Holder) -> Slot | None:
    """The field that a holder is."""
    if isinstance(holder, ObjectField):
        return holder.slot
    return holder if isinstance(holder, Slot) else None


def _find_partners(
    bindings: Iterable[BoundSlot], numbers: TableNumbers, tables: set[int]
) -> set[tuple[int, int]]:
    """The pairs, both ways, of tables with functions that a row of another table has."""
    by_table: dict[ObjectId, list[BoundSlot]] = defaultdict(list)
    for row in bindings:
        if row.table is not None and isinstance(row.value, ObjectId):
            by_table[row.table].append(row)
    found: set[tuple[int, int]] = set()
    for rows in by_table.values():
        for group in split_rows(rows):
            here = [numbers.objects[row.value] for row in group if isinstance(row.value, ObjectId)]
            here = [number for number in here if number in tables]
            if len(here) <= _LARGEST_ROW:
                for one, other in combinations(here, 2):
                    found |= {(one, other), (other, one)}
    return found


def split_rows(bindings: Iterable[BoundSlot]) -> list[list[BoundSlot]]:
    """The bindings of one table by row. A new row begins where a field repeats."""
    rows: list[list[BoundSlot]] = [[]]
    held: set[str] = set()
    for row in sorted(bindings, key=lambda each: (each.location, str(each.holder))):
        if str(row.holder) in held:
            rows.append([])
            held = set()
        held.add(str(row.holder))
        rows[-1].append(row)
    return rows


def _find_kin(bound: Iterable[tuple[int, int, int, int]]) -> set[tuple[int, int]]:
    """The pairs, both ways, of record types that are kin."""
    folders: dict[int, set[int]] = defaultdict(set)
    for _, record, _, folder in bound:
        if folder >= 0:
            folders[record].add(folder)
    many = {record: found for record, found in folders.items() if len(found) >= _FEWEST_FOLDERS}
    found: set[tuple[int, int]] = set()
    for one, other in combinations(sorted(many), 2):
        both = len(many[one] & many[other])
        if both >= _FEWEST_FOLDERS and 2 * both >= min(len(many[one]), len(many[other])):
            found |= {(one, other), (other, one)}
    return found
