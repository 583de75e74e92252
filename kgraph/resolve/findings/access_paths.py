"""Access paths: what a call goes through, where that is reached from a parameter of its function.

`walk->ops->pmd_entry(...)` goes through the fields `mm_walk.ops` and `mm_walk_ops.pmd_entry` of
what a parameter points to. The callers are followed, by direct calls and calls through their
parameters, to those that hand on the address of an object, of a local record, or of a record that
lies in others: there it is known which functions the call has. A caller may hand on its own
parameter, or put it into a field of a local record.

What a static object holds is what was solved for it, whenever it was written. A local record holds
what its own function writes to it: no field counts that is written through a pointer anywhere,
whose address is taken, or that shares its place, and no record that is copied. A record that lies
in others holds what is written to any that lies there (embedded_writes.py).
"""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from kgraph.model.codes import is_token, operand_token
from kgraph.model.resolution import HandedFunctions
from kgraph.model.values import POINTEE
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import OverlapKey
from kgraph.resolve.fact_rows import SiteRow
from kgraph.resolve.findings.alternatives import AlternativeFinder, Step
from kgraph.resolve.findings.direct_callers import DirectCallers, SiteIndex
from kgraph.resolve.findings.embedded_writes import EmbeddedWrites
from kgraph.resolve.findings.unresolved import NoCandidateReasons
from kgraph.resolve.interning import (
    CONSTANT,
    NONE,
    AddressRow,
    FunctionRow,
    LoadRow,
    ObjectKey,
    ParameterKey,
    SlotKey,
    VariableKey,
)
from kgraph.resolve.solving.object_sensitivity import Solution
from kgraph.resolve.solving.solver import EMPTY

_Slots = tuple[int, ...]  # the nodes of the fields, from the outside in
_MOST_SLOTS = 3
_NO_FUNCTION = NONE  # among alternatives: it may be that a record holds nothing


class AccessPath(NamedTuple):
    """Fields that are reached from the parameter of this number."""

    parameter: int
    slots: _Slots


_Alternatives = frozenset[AccessPath | int]  # an int is a linked function
_State = tuple[int, _Slots]  # a value, and the fields that are reached from it
_PathOf = tuple[int, AccessPath]  # with the linked function whose parameter it is


class AccessPaths:
    """The access paths of the indirect call sites `positions`, and what call sites hand to them.

    `handing` are the linked functions with a parameter that something known is handed to."""

    def __init__(
        self, constraints: Constraints, solution: Solution, reasons: NoCandidateReasons,
        callers: DirectCallers, positions: Iterable[SiteIndex],
    ) -> None:
        self._callers = callers
        self._nodes = constraints.nodes
        self._constraints = constraints
        self._solution = solution
        self._reasons = reasons
        self._rows = self._nodes.interner.value_rows
        self._definitions = self._nodes.facts.definitions
        self._written: dict[int, list[int]] = {}  # local or parameter: the values written to it
        self._fields: dict[tuple[int, int], list[int]] = {}  # of local records, by record and slot
        self._unstable_slots = set(constraints.address_taken)
        self._copied_locals: set[int] = set()
        self._finder = AlternativeFinder[_State, AccessPath | int]()
        self._inside = AlternativeFinder[_State, AccessPath | int]()
        self._assigned_slots: set[int] = set()  # that hold records
        self._copied_records: set[str] = set()  # types; not to such a slot
        self._handed: dict[SiteIndex, dict[AccessPath, AccessPath | frozenset[int]]] = {}
        self._called: dict[SiteIndex, AccessPath] = {}
        self._callees: dict[SiteIndex, list[int]] = {}  # of calls through parameters
        self._calling: dict[int, list[tuple[SiteIndex, SiteRow]]] = {}  # these calls, by callee
        self._copied = {each for copy in constraints.copies for each in (copy.record, copy.within)}
        self._read_definitions()
        self._note_copied_records()
        self._embedded = EmbeddedWrites(constraints, self._written, callers)
        self._find_called(positions)
        self._add_calls_through_parameters()
        self._live = self._select_live(self._follow_callers())
        self.handing = {function for function, _ in self._live} | self._embedded.followed

    def _read_definitions(self) -> None:
        keys, nodes = self._nodes.interner.holder_keys, self._nodes.holder_nodes
        roots = self._constraints.survey.roots
        for row in self._definitions:
            for write in row.writes:
                node, key = nodes[write.holder], keys[write.holder]
                if isinstance(key, VariableKey | ParameterKey):
                    self._written.setdefault(node, []).append(write.value)
                elif isinstance(key, SlotKey):
                    root = roots[write.base] if write.base != NONE else NONE
                    if root != NONE and key.field == POINTEE:
                        self._copied_locals.add(root)
                    elif root != NONE:
                        self._fields.setdefault((root, node), []).append(write.value)
                    elif write.table == NONE:
                        self._unstable_slots.add(node)

    def _note_copied_records(self) -> None:
        """Let no local or embedded record count that something is copied into as a whole."""
        keys = self._nodes.keys
        for copy in self._constraints.copies:
            node = NONE
            if is_token(copy.destination):
                token = operand_token(copy.destination)
                node = self._nodes.token_nodes[token]
                self._copied_locals.add(self._nodes.token_roots[token])
            if node != NONE and isinstance(keys[node], SlotKey):
                self._assigned_slots.add(node)  # what lies beside it keeps what it holds
            else:
                self._copied_records.update((copy.record, copy.within))

    def _find_called(self, positions: Iterable[SiteIndex]) -> None:
        for number, index in positions:
            row = self._definitions[number]
            if row.function == NONE or index >= len(row.sites):
                continue
            alternatives = self._evaluate(row.sites[index].target, ())
            if alternatives is not None and len(alternatives) == 1:
                [path] = alternatives
                if isinstance(path, AccessPath):
                    self._called[number, index] = path

    def _add_calls_through_parameters(self) -> None:
        """Make the callers of what is called through a parameter known as such."""
        sets, functions = self._solution.solver.sets, self._nodes.token_functions
        for number, index in self._constraints.call_numbers:
            site = self._definitions[number].sites[index]
            alternatives = self._evaluate(site.target, ())
            if not site.arguments or alternatives is None or len(alternatives) != 1:
                continue
            [path] = alternatives
            if isinstance(path, AccessPath) and not path.slots:
                node = self._nodes.find_node(ParameterKey(self._caller(site), path.parameter))
                callees = {functions[token] for token in sets.get(node, EMPTY)} - {NONE}
                self._callees[number, index] = sorted(callees)
                for callee in callees:
                    self._calling.setdefault(callee, []).append(((number, index), site))

    def _follow_callers(self) -> dict[_PathOf, set[_PathOf]]:
        """Follow the paths to what callers hand on. Returns, for those of callers, to what they
        are handed on; those to which something known is handed stand under themselves."""
        handed_to: dict[_PathOf, set[_PathOf]] = {}
        work: list[_PathOf] = [
            (self._caller(self._definitions[number].sites[index]), path)
            for (number, index), path in self._called.items()]
        seen: set[_PathOf] = set()
        while work:
            path_of = work.pop()
            if path_of in seen:
                continue
            seen.add(path_of)
            for position, site in chain(self._callers.iter_sites(path_of[0]),
                                        self._calling.get(path_of[0], ())):
                value = self._find_handed(site, path_of[1])
                if value is None:
                    continue
                self._handed.setdefault(position, {})[path_of[1]] = value
                own = path_of
                if isinstance(value, AccessPath):
                    own = self._caller(site), value
                    work.append(own)
                handed_to.setdefault(own, set()).add(path_of)
        return handed_to

    def _caller(self, site: SiteRow) -> int:
        return self._nodes.linked_functions[site.caller]

    def _find_handed(self, site: SiteRow, path: AccessPath) -> AccessPath | frozenset[int] | None:
        """What a call hands to a path: a path of its caller, or one of a set of functions."""
        if path.parameter >= len(site.arguments):
            return None
        found: set[AccessPath | int] = set()
        for value in site.arguments[path.parameter]:
            alternatives = self._evaluate(value, path.slots)
            if alternatives is None:
                return None
            found |= alternatives
        own = [each for each in found if isinstance(each, AccessPath)]
        if own:
            return own[0] if len(found) == 1 else None
        functions = frozenset(each for each in found if isinstance(each, int))
        if not path.slots:
            return None  # callback_forwarding.py
        return functions - {_NO_FUNCTION} if functions else None

    def _select_live(self, handed_to: dict[_PathOf, set[_PathOf]]) -> set[_PathOf]:
        """The paths that something known comes to."""
        live: set[_PathOf] = set()
        work = [path_of for path_of, others in handed_to.items() if path_of in others]
        while work:
            path_of = work.pop()
            if path_of not in live:
                live.add(path_of)
                work += handed_to.get(path_of, ())
        return live

    def list_handed(self, position: SiteIndex) -> tuple[HandedFunctions, ...]:
        """What a direct call, or one through a parameter, hands to access paths of its callees,
        sorted.
        """
        found: list[HandedFunctions] = []
        handed = self._handed.get(position)
        if not handed:
            return ()
        site = self._definitions[position[0]].sites[position[1]]
        callees = self._callees.get(position)
        if callees is None:
            callees = [self._nodes.linked_functions[site.callee]]
        for path, value in handed.items():
            if not any((callee, path) in self._live for callee in callees):
                continue
            if not isinstance(value, AccessPath):
                functions = tuple(sorted(map(self._nodes.function_id, value)))
                found.append(HandedFunctions(self._describe(path), functions))
            elif (self._caller(site), value) in self._live:
                found.append(HandedFunctions(self._describe(path), self._describe(value)))
        return tuple(sorted(found, key=lambda each: each.path))

    def find_called(self, position: SiteIndex) -> str:
        """The access path that an indirect call goes through, "" if nothing is known of it."""
        path = self._called.get(position)
        if path is None:
            return ""
        site = self._definitions[position[0]].sites[position[1]]
        return self._describe(path) if (self._caller(site), path) in self._live else ""

    def _describe(self, path: AccessPath) -> str:
        keys = [self._nodes.slot_key(slot) for slot in path.slots]
        fields = [f"{key.record}.{key.field}" + (f"@{key.scope}" if key.scope else "")
                  for key in keys]
        return " ".join([f"#{path.parameter}", *fields])

    def _evaluate(self, value: int, slots: _Slots) -> _Alternatives | None:
        """What the fields `slots`, reached from a value, may be; None if they may be more."""
        return self._finder.find((value, slots), self._expand)

    def _expand(self, state: _State) -> Step[AccessPath | int, _State] | None:
        """What a value with fields is by itself, or the values with fields that it may be."""
        value, slots = state
        if value == CONSTANT:
            return (), ()
        row = self._rows[value]
        if isinstance(row, FunctionRow):
            return None if slots else ((self._nodes.linked_functions[row.function],), ())
        if not isinstance(row, LoadRow | AddressRow):
            return None
        node = self._nodes.holder_nodes[row.holder]
        key = self._nodes.keys[node]
        if isinstance(row, AddressRow):
            return self._expand_address(node, state) if slots else None
        if isinstance(key, SlotKey):
            if row.base == NONE or key.field == POINTEE or len(slots) == _MOST_SLOTS:
                return None
            return (), ((row.base, (node, *slots)),)
        return self._expand_holder(node, slots)

    def _expand_address(
        self, node: int, state: _State
    ) -> Step[AccessPath | int, _State] | None:
        """What lies at the address of an object, of a local, or of a record in others."""
        key, slots = self._nodes.keys[node], state[1]
        if isinstance(key, VariableKey):
            return self._expand_field(node, slots)
        if isinstance(key, SlotKey):
            content = self._inside.find(state, self._expand_inside)
        else:
            content = self._find_content(node, slots) if isinstance(key, ObjectKey) else None
        return None if content is None else (content, ())

    def _find_content(self, root: int, slots: _Slots) -> _Alternatives | None:
        """The functions in a field of a static object; None if they are not all known."""
        if len(slots) > 1:
            return None
        nodes = self._solution.objects.find_content(root, slots[0])
        if nodes is None or any(map(self._reasons.may_hold_more, nodes)):
            return None
        tokens = {token for node in nodes for token in self._solution.solver.sets.get(node, EMPTY)}
        found = {self._nodes.token_functions[token] for token in tokens} - {NONE}
        return frozenset(found or {_NO_FUNCTION})

    def _expand_inside(self, state: _State) -> Step[AccessPath | int, _State] | None:
        """What a value that some function puts into a record in others is, or may be."""
        value, slots = state
        row = self._rows[value]
        if isinstance(row, AddressRow) and slots:
            node = self._nodes.holder_nodes[row.holder]
            if isinstance(self._nodes.keys[node], SlotKey):
                return self._expand_embedded(node, slots)
        step = self._expand(state)
        if step is None or any(isinstance(each, AccessPath) for each in step[0]):
            return None  # a parameter of that function
        return step

    def _expand_embedded(
        self, record: int, slots: _Slots
    ) -> Step[AccessPath | int, _State] | None:
        """What is written to a field of the records that lie in the field `record` of others."""
        slot, rest = slots[0], slots[1:]
        if (slot in self._constraints.address_taken or self._reasons.may_hold_unknown(slot)
                or self._nodes.slot_key(slot).record in self._copied_records
                or any(self._nodes.find_node(OverlapKey(each)) != NONE for each in (slot, record))
                or record in self._assigned_slots):
            return None
        values = self._embedded.list_values(record, slot)
        return None if values is None else (
            (_NO_FUNCTION,), [(value, rest) for value in values])

    def _expand_field(self, record: int, slots: _Slots) -> Step[AccessPath | int, _State] | None:
        """What is written to a field of a local record."""
        slot, rest = slots[0], slots[1:]
        key = self._nodes.slot_key(slot)
        if (slot in self._unstable_slots or key.record in self._copied
                or record in self._copied_locals or record in self._written
                or self._nodes.find_node(OverlapKey(slot)) != NONE):
            return None
        return (), [(value, rest) for value in self._fields.get((record, slot), ())]

    def _expand_holder(self, node: int, slots: _Slots) -> Step[AccessPath | int, _State] | None:
        """What is reached from a local or a parameter, if nothing unseen can write to it."""
        if node in self._constraints.address_taken:
            return None
        key = self._nodes.keys[node]
        written = self._written.get(node, [])
        if isinstance(key, ParameterKey) and not written and not self._nodes.is_variadic(node):
            return (AccessPath(key.index, slots),), ()
        if not isinstance(key, VariableKey) or not written:
            return None
        return (), [(value, slots) for value in written]
