"""The rows of `kgraph ops`: which function or object is bound to which holder, and where.

Rows are bindings to slots and objects, and functions and tables that are passed as arguments.
Also finds where each table is first installed, for the evidence of calls whose base is not
known. A row of the kernel's symbol table binds nothing. An argument counts as an install only
if there is no other.
"""

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.resolution import BoundSlot
from kgraph.model.values import TransferKind
from kgraph.resolve.constraint_graph import Nodes
from kgraph.resolve.fact_rows import DefinitionRow, SiteRow, WriteRow
from kgraph.resolve.installed_tables import is_export_section
from kgraph.resolve.interning import ADDRESS, FUNCTION, NONE, OBJECT, PARAMETER, SLOT
from kgraph.resolve.operands import Operands


class BindingRows:
    """`rows` are all bindings, sorted; `installs` the first install of each linked table."""

    def __init__(self, nodes: Nodes, values: Operands) -> None:
        self._nodes = nodes
        self._values = values
        self._value_rows = nodes.interner.value_rows
        self._found: dict[tuple[object, ...], BoundSlot] = {}
        self.installs: dict[int, BoundSlot] = {}
        self._tables = self._find_tables()
        for definition in nodes.facts.definitions:
            subject = nodes.linked_objects[definition.object] if definition.object != NONE else NONE
            if not self._exports(definition):
                for write in definition.writes:
                    if write.binding:
                        self._write(write, subject)
            for site in definition.sites:
                if site.callee != NONE:
                    self._arguments(site)
        self.rows = tuple(self._found[key] for key in sorted(self._found))

    def _exports(self, definition: DefinitionRow) -> bool:
        if definition.object == NONE:
            return False
        identity = self._nodes.object_id(definition.object)
        return is_export_section(self._nodes.facts.objects[identity].section)

    def _find_tables(self) -> set[int]:
        """The linked objects that a function is bound in."""
        tables: set[int] = set()
        for definition in self._nodes.facts.definitions:
            for write in definition.writes:
                if write.table != NONE and self._value_rows[write.value][0] == FUNCTION:
                    tables.add(self._nodes.linked_objects[write.table])
        return tables

    def _write(self, write: WriteRow, subject: int) -> None:
        key = self._nodes.interner.holder_keys[write.holder]
        if key[0] in (SLOT, OBJECT):
            self._add(self._nodes.holder_nodes[write.holder], write, subject)

    def _arguments(self, site: SiteRow) -> None:
        callee = self._nodes.linked_functions[site.callee]
        for index, choice in enumerate(site.arguments):
            for value in choice:
                if self._is_function_or_table(value):
                    parameter = self._nodes.intern_node((PARAMETER, callee, index))
                    passed = WriteRow(value, NONE, NONE, site.location, TransferKind.ARGUMENT, NONE,
                                      binding=True)
                    self._add(parameter, passed, NONE)

    def _is_function_or_table(self, value: int) -> bool:
        kind = self._value_rows[value][0]
        return kind == FUNCTION or (kind == ADDRESS and self._object(value) in self._tables)

    def _object(self, value: int) -> int:
        root = self._values.roots[value]
        key = self._nodes.keys[root] if root != NONE else (NONE,)
        return int(key[1]) if key[0] == OBJECT else NONE

    def _add(self, node: int, write: WriteRow, subject: int) -> None:
        """Add what `write` puts into the holder `node`; `subject` is the object it stands in."""
        kind, first, _ = self._value_rows[write.value]
        bound: FunctionId | ObjectId
        number = NONE
        if kind == FUNCTION:
            bound = self._nodes.function_id(self._nodes.linked_functions[first])
        elif kind == ADDRESS and self._object(write.value) != NONE:
            number = self._object(write.value)
            bound = self._nodes.object_id(number)
        else:
            return
        holder = self._nodes.holder(node)
        if holder is None:
            return
        where = self._nodes.interner.location_list[write.location]
        table = None
        if write.table != NONE:
            table = self._nodes.object_id(self._nodes.linked_objects[write.table])
        order = (_order(where), repr(holder), kind, _identity(bound), write.how, _identity(table))
        row = self._found.setdefault(order, BoundSlot(holder, bound, table, where, write.how))
        if number not in (NONE, subject):
            self._install(number, row)

    def _install(self, table: int, row: BoundSlot) -> None:
        known = self.installs.get(table)
        if known is None or _install_order(row) < _install_order(known):
            self.installs[table] = row


def _order(location: Location) -> tuple[str, int, int]:
    return location.path, location.line, location.column


def _identity(identity: FunctionId | ObjectId | None) -> tuple[str, str, str]:
    if identity is None:
        return "", "", ""
    return identity.name, identity.scope, identity.image


def _install_order(row: BoundSlot) -> tuple[bool, tuple[str, int, int], str]:
    return row.how is TransferKind.ARGUMENT, _order(row.location), repr(row.holder)
