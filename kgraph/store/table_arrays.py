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
_Bound = tuple[int, str, int, str]  # a function, the record, the table, its folder
_FEWEST_FOLDERS = 4
_LARGEST_ROW = 16  # tables; a longer row is no record


class TableNumbers:
    """The numbers that the index gives to functions, objects and texts, and the folders of objects
    ("" for headers).
    """

    def __init__(
        self, functions: Mapping[FunctionId, int], objects: Mapping[ObjectId, int],
        texts: Mapping[str, int], folders: Mapping[ObjectId, str],
    ) -> None:
        self.functions = functions
        self.objects = objects
        self.texts = texts
        self.folders = folders


def build_table_arrays(
    bindings: Iterable[BoundSlot], numbers: TableNumbers
) -> dict[str, "array[int]"]:
    """The arrays of TABLE_ARRAYS. Their order does not depend on the ids of texts."""
    text, bound = numbers.texts, sorted(_find_bound(bindings, numbers))
    partners = sorted(_find_partners(bindings, numbers, {row[2] for row in bound}))
    kin = sorted(_find_kin(bound))
    arrays = {name: array(code) for name, code in TABLE_ARRAYS.items()}
    arrays["bound_function"].extend(row[0] for row in bound)
    arrays["bound_record"].extend(text[row[1]] for row in bound)
    arrays["bound_table"].extend(row[2] for row in bound)
    arrays["bound_folder"].extend(text[row[3]] if row[3] else -1 for row in bound)
    arrays["partner_table"].extend(one for one, _ in partners)
    arrays["partner_other"].extend(other for _, other in partners)
    arrays["kin_record"].extend(text[one] for one, _ in kin)
    arrays["kin_other"].extend(text[other] for _, other in kin)
    return arrays


def _find_bound(bindings: Iterable[BoundSlot], numbers: TableNumbers) -> set[_Bound]:
    """Each function in a table."""
    return {
        (numbers.functions[row.value], slot.record, numbers.objects[row.table],
         numbers.folders.get(row.table, ""))
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


def _find_kin(bound: Iterable[_Bound]) -> set[tuple[str, str]]:
    """The pairs, both ways, of record types that are kin."""
    folders: dict[str, set[str]] = defaultdict(set)
    for _, record, _, folder in bound:
        if folder:
            folders[record].add(folder)
    many = {record: found for record, found in folders.items() if len(found) >= _FEWEST_FOLDERS}
    found: set[tuple[str, str]] = set()
    for one, other in combinations(sorted(many), 2):
        both = len(many[one] & many[other])
        if both >= _FEWEST_FOLDERS and 2 * both >= min(len(many[one]), len(many[other])):
            found |= {(one, other), (other, one)}
    return found
