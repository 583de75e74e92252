"""The arrays of numbers that hold the graph: what each one means, and how it is stored.

An array is read and written whole. For a kernel that is a few megabytes in a few milliseconds,
without one Python object per number. Each array has a checksum of its own.
"""

import sqlite3
import sys
import zlib
from array import array
from collections.abc import Mapping

from kgraph.errors import StoreError
from kgraph.model.codes import (
    ForwardedValue,
    is_function,
    is_parameter,
    parameter_index,
    set_number,
)

REBUILD_HINT = "run `kgraph index TREE --again`"
# name -> type. "start" arrays are offsets: the items of x are those from start[x] to start[x + 1].
#   folder         function -> id of the folder that defines it; -1: a header, or nowhere
#   site_start     function -> its call sites (call sites lie in the order of their callers)
#   edge_start     call site -> its edges (candidates; the callee of a direct call)
#   edge_callee    edge -> function
#   edge_kind      edge -> position of its kind in EdgeKind
#   edge_evidence  edge -> id of its chain of evidence
#   hop_start      function -> hops that leave it (hop_arrays.py): of the edges that a search cannot
#                  tell apart one
#   hop_edge, hop_caller, hop_callee, hop_width (candidates of its call site), hop_flags (FLAG_*)
#   back_start     function -> hops that reach it; back_hop: their numbers
#   hop_cost       hop -> what it costs a path (hop_costs.py)
#   site_price, function_price: what a call site, and a call of a function, add to that
#   bound_function, bound_record, bound_table, bound_folder: a function in a table, with the ids of
#                  the texts of the record and of the table's folder (table_arrays.py). Ordered by
#                  function.
#   partner_table, partner_other: tables that a row of another table has; both ways
#   kin_record, kin_other: texts of record types that are implemented together; both ways
#   forward_site, forward_parameter, forward_value: a call site hands a function, what its caller
#                  got in a parameter of its own, or one function of a set (model/codes.py), to a
#                  parameter of its callee. Ordered by call site.
#   set_start      set -> its functions; set_function: these, ascending. Sets are in their order.
#   handed_site, handed_path, handed_value: a call site hands a function, one of a set, or what an
#                  access path of its caller is (coded as a parameter) to an access path of its
#                  callee; paths are ids of texts. Ordered by call site.
#   through_site, through_path: call sites that go through an access path of their caller
#   callback_site, callback_parameter: call sites that go through a parameter of their caller, but
#                  not those that also ask for something to be run later
#   slot_site, slot_record: call sites that go through a field, and the text of its record
#   test_site, test_parameter, test_mask, test_value, test_equal: what the guards of a call site ask
#                  of parameters of its caller (model.location.ParameterTest). Ordered by call site.
#   constant_site, constant_parameter, constant_value, constant_kind: what a call site hands to a
#                  parameter of its callees (model.facts.HandedValue), if a guard of a callee tests
#                  the parameter, or the callee hands it on to one that is tested. Deferred calls
#                  get nothing of it. Ordered by call site.
#   taken_function, taken_by: a function whose name only functions use as a value, and one of
#                  these. Ordered by function.
#   footprint_mark, footprint_weight: the marks of model/incremental.py, sorted, and their weights
ARRAYS = {
    "folder": "i", "site_start": "I", "edge_start": "I", "edge_callee": "I", "edge_kind": "B",
    "edge_evidence": "I", "hop_start": "I", "hop_edge": "I", "hop_caller": "I",
    "hop_callee": "I", "hop_width": "I", "hop_flags": "B", "back_start": "I", "back_hop": "I",
    "hop_cost": "I", "site_price": "B", "function_price": "B",
    "bound_function": "I", "bound_record": "I", "bound_table": "I", "bound_folder": "i",
    "partner_table": "I", "partner_other": "I", "kin_record": "I", "kin_other": "I",
    "forward_site": "I", "forward_parameter": "I", "forward_value": "i",
    "set_start": "I", "set_function": "I",
    "handed_site": "I", "handed_path": "I", "handed_value": "i",
    "through_site": "I", "through_path": "I",
    "callback_site": "I", "callback_parameter": "I", "slot_site": "I", "slot_record": "I",
    "test_site": "I", "test_parameter": "I", "test_mask": "q", "test_value": "q", "test_equal": "B",
    "constant_site": "I", "constant_parameter": "I", "constant_value": "q", "constant_kind": "B",
    "taken_function": "I", "taken_by": "I",
    "footprint_mark": "Q", "footprint_weight": "I",
}
FLAG_INDIRECT = 1  # not a direct call
FLAG_DEFERRED = 2
FLAG_TYPE = 4  # a candidate by type only
FLAG_CALLBACK = 8  # through a parameter of the caller
FLAG_FORWARDS = 16  # its call site hands functions on


def decode_forwarded(value: ForwardedValue) -> tuple[int | None, int | None, int | None]:
    """(function, index of the caller's own parameter, set) of a `forward_value`; two are None."""
    if is_function(value):
        return value, None, None
    if is_parameter(value):
        return None, parameter_index(value), None
    return None, None, set_number(value)


def build_footprint_arrays(weights: Mapping[int, int]) -> dict[str, "array[int]"]:
    """The two arrays of a footprint."""
    marks = array("Q", sorted(weights))
    return {"footprint_mark": marks, "footprint_weight": array("I", map(weights.get, marks))}  # type: ignore[arg-type]


def write_array(connection: sqlite3.Connection, name: str, numbers: "array[int]") -> None:
    """Store one array, in little-endian order."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    data = numbers.tobytes()
    connection.execute(
        "INSERT INTO array VALUES (?, ?, ?, ?)", (name, numbers.typecode, zlib.crc32(data), data)
    )


def read_array(
    connection: sqlite3.Connection, name: str, database: str = "main"
) -> "array[int]":
    """One array of an attached database. Raises StoreError if it is missing or damaged."""
    row = connection.execute(
        f"SELECT type, crc, data FROM {database}.array WHERE name = ?", (name,)).fetchone()  # noqa: S608
    if row is None or row[0] != ARRAYS[name] or zlib.crc32(row[2]) != row[1]:
        raise StoreError(f"the index is damaged (array {name})", REBUILD_HINT)
    numbers = array(ARRAYS[name])
    numbers.frombytes(row[2])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
