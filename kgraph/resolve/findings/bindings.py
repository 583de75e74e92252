"""The rows of `kgraph ops`: which function or object is bound to which holder, and where.

Rows are bindings to slots and objects, and functions and tables that are passed as arguments.
Also finds where each table is first installed, for the evidence of calls whose base is not
known. A row of the kernel's symbol table binds nothing. An argument counts as an install only
if there is no other.
"""

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.resolution import BoundSlot
from kgraph.model.values import Holder, TransferKind
from kgraph.resolve.constraint_graph import Nodes
from kgraph.resolve.fact_rows import SiteRow, WriteRow
from kgraph.resolve.installed_tables import is_export_row
from kgraph.resolve.interning import NONE, AddressRow, FunctionRow, ObjectKey, ParameterKey
from kgraph.resolve.operands import TableSurvey


class BindingRows:
    """`rows` are all bindings, sorted; `installs` the first install of each linked table."""

    def __init__(self, nodes: Nodes, survey: TableSurvey) -> None:
        self._nodes = nodes
        self._roots = survey.roots
        self._value_rows = nodes.interner.value_rows
        self._found: dict[tuple[object, ...], BoundSlot] = {}
        self.installs: dict[int, BoundSlot] = {}
        self._tables = self._find_tables()
        self._collect()
        self.rows = tuple(self._found[key] for key in sorted(self._found))
        self._found.clear()

    def _collect(self) -> None:
        facts, linked = self._nodes.facts, self._nodes.linked_objects
        for definition in facts.definitions:
            subject = linked[definition.object] if definition.object != NONE else NONE
            if not is_export_row(facts, definition):
                for write in definition.writes:
                    if write.is_binding:
                        self._add_write(write, subject)
            for site in definition.sites:
                if site.callee != NONE:
                    self._add_arguments(site)

    def _find_tables(self) -> set[int]:
        """The linked objects that a function is bound in."""
        return {
            self._nodes.linked_objects[write.table]
            for definition in self._nodes.facts.definitions for write in definition.writes
            if write.table != NONE and isinstance(self._value_rows[write.value], FunctionRow)}

    def _add_write(self, write: WriteRow, subject: int) -> None:
        """Add a binding to a slot or object; `subject` is the object that it stands in."""
        node = self._nodes.holder_nodes[write.holder]
        if not self._nodes.is_slot(node) and not isinstance(self._nodes.keys[node], ObjectKey):
            return
        holder = self._nodes.holder(node)
        bound = self._find_bound(write.value)
        if holder is None or bound is None:
            return
        table = None
        if write.table != NONE:
            table = self._nodes.object_id(self._nodes.linked_objects[write.table])
        row = self._add_row(holder, bound, table, write.location, write.how)
        installed = self._find_object(write.value)
        if installed not in (NONE, subject):
            self._note_install(installed, row)

    def _add_arguments(self, site: SiteRow) -> None:
        """Add the functions and tables that a direct call passes."""
        callee = self._nodes.linked_functions[site.callee]
        for index, choice in enumerate(site.arguments):
            for value in choice:
                bound = self._find_bound(value)
                table = self._find_object(value)
                if bound is None or (table != NONE and table not in self._tables):
                    continue
                node = self._nodes.intern_node(ParameterKey(callee, index))
                holder = self._nodes.holder(node)
                if holder is not None:
                    row = self._add_row(
                        holder, bound, None, site.location, TransferKind.ARGUMENT)
                    if table != NONE:
                        self._note_install(table, row)

    def _find_bound(self, value: int) -> FunctionId | ObjectId | None:
        """The function that a value is, or the object that it is an address in."""
        row = self._value_rows[value]
        if isinstance(row, FunctionRow):
            return self._nodes.function_id(self._nodes.linked_functions[row.function])
        number = self._find_object(value)
        return None if number == NONE else self._nodes.object_id(number)

    def _find_object(self, value: int) -> int:
        """The linked object that a value is an address in, or NONE."""
        root = self._roots[value]
        if root == NONE or not isinstance(self._value_rows[value], AddressRow):
            return NONE
        key = self._nodes.keys[root]
        return key.object if isinstance(key, ObjectKey) else NONE

    def _add_row(
        self, holder: Holder, bound: FunctionId | ObjectId, table: ObjectId | None, location: int,
        how: TransferKind,
    ) -> BoundSlot:
        where = self._nodes.interner.location(location)
        order = (
            _location_key(where), repr(holder), isinstance(bound, FunctionId),
            _identity_key(bound), how, _identity_key(table))
        return self._found.setdefault(order, BoundSlot(holder, bound, table, where, how))

    def _note_install(self, table: int, row: BoundSlot) -> None:
        known = self.installs.get(table)
        if known is None or _install_order(row) < _install_order(known):
            self.installs[table] = row


def _location_key(location: Location) -> tuple[str, int, int]:
    return location.path, location.line, location.column


def _identity_key(identity: FunctionId | ObjectId | None) -> tuple[str, str, str]:
    if identity is None:
        return "", "", ""
    return identity.name, identity.scope, identity.image


def _install_order(row: BoundSlot) -> tuple[bool, tuple[str, int, int], str]:
    return row.how is TransferKind.ARGUMENT, _location_key(row.location), repr(row.holder)
