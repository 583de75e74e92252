"""Collects the footprint of a resolution: what its result depends on.

A change of the facts can change the result only where it touches the footprint, which is a set of
marks. Some marks record what the solver did: which locals and parameters it solved (NEEDED), which
functions forward callbacks (FORWARDS) or register and run deferred calls (DUTY), which identities
have several definitions (TWINS), which names assembler gives (SYMBOL), whether functions without a
definition may fill something (OPEN).

The other marks count the facts that mention something: a function or object, a slot, an address
that is taken (TAKEN; within an object, GIVEN), a slot that is a record (RECORD), an object that is
installed (INSTALLS). They count facts, not definitions: adding or removing one fact changes only
the counts of what it mentions. Must not know what is concluded from a mark.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import Footprint, MarkKey, hash_keys, hash_weighted_keys
from kgraph.model.values import POINTEE
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.fact_rows import DefinitionRow, FactRows
from kgraph.resolve.installed_tables import count_installs, is_export_row
from kgraph.resolve.interning import (
    NONE,
    AddressRow,
    FunctionRow,
    HolderKey,
    LoadRow,
    ObjectKey,
    ParameterKey,
    SlotKey,
    VariableKey,
)
from kgraph.resolve.models.declared import load_copy_functions
from kgraph.resolve.solving.relevance import RelevanceSlice

NEEDED, FORWARDS, DUTY, TWINS = "needed", "forwards", "duty", "twins"
NAMED_FUNCTION, NAMED_OBJECT, NAMED_SLOT = "function", "object", "slot"
SYMBOL = "symbol"
OPEN: MarkKey = ("open",)
TAKEN, GIVEN, RECORD, INSTALLS = "taken", "given", "record", "installs"
_Keys = tuple[MarkKey, ...]


def collect_footprint(
    constraints: Constraints, relevance: RelevanceSlice, forwarding: Iterable[int],
    duties: Iterable[FunctionId], *, is_open: bool,
) -> Footprint:
    """The footprint of a solved system. `forwarding` are the numbers of linked functions;
    `is_open`: functions without a definition may fill something."""
    facts, function_id = constraints.nodes.facts, constraints.nodes.function_id
    weights = hash_weighted_keys(count_mentions(facts, constraints.installs))
    weights |= hash_keys(_iter_needed_keys(constraints, relevance))
    weights |= hash_keys(identity_key(FORWARDS, function_id(number)) for number in forwarding)
    weights |= hash_keys(identity_key(DUTY, function) for function in duties)
    weights |= hash_keys(identity_key(TWINS, subject) for subject in facts.duplicates)
    weights |= hash_keys((SYMBOL, name) for name in facts.asm_names)
    if is_open:
        weights |= hash_keys([OPEN])
    return Footprint(weights)


def identity_key(kind: str, identity: FunctionId | ObjectId) -> MarkKey:
    """The key of a mark of this kind about a function or object."""
    return (kind, identity.name, identity.scope, identity.image)


def needed_variable_key(function: FunctionId, name: str) -> MarkKey:
    """The key of a local that was solved."""
    return (*identity_key(NEEDED, function), "v", name)


def needed_parameter_key(function: FunctionId, index: int) -> MarkKey:
    """The key of a parameter of a linked function that was solved."""
    return (*identity_key(NEEDED, function), "p", index)


def name_key(identity: FunctionId | ObjectId) -> MarkKey:
    """The key of a name that facts mention: a function or object, in any image."""
    kind = NAMED_FUNCTION if isinstance(identity, FunctionId) else NAMED_OBJECT
    return (kind, identity.name, identity.scope)


def named_keys(key: MarkKey) -> _Keys:
    """The keys of the names that a mark of TAKEN, GIVEN or INSTALLS is about."""
    if key[0] == INSTALLS:
        return ((NAMED_OBJECT, *key[1:]),)
    if key[0] == TAKEN:
        return (key[1:],)
    slot, within = key[1:5], key[5:]  # GIVEN
    return (slot, within) if within else (slot,)


def _iter_needed_keys(constraints: Constraints, relevance: RelevanceSlice) -> Iterator[MarkKey]:
    """The locals and parameters that were solved.

    A local whose address is taken is left out: that is seen in its own function.
    """
    nodes, taken = constraints.nodes, constraints.address_taken
    for node, is_needed in enumerate(relevance.is_needed):
        if is_needed:
            key = nodes.keys[node]
            if isinstance(key, VariableKey):
                if node not in taken:
                    yield needed_variable_key(nodes.function_id(key.function), key.name)
            elif isinstance(key, ParameterKey):
                yield needed_parameter_key(nodes.function_id(key.function), key.index)


def count_mentions(facts: FactRows, installs: Counter[int] | None = None) -> Counter[MarkKey]:
    """How many facts mention each key. `installs` come from count_installs; without them they are
    counted."""
    counter = _MentionCounter(facts)
    counter.add_installs(count_installs(facts) if installs is None else installs)
    return counter.counts


class _MentionCounter:
    """Counts the mentions of all rows: first of numbers, then of what each number stands for."""

    def __init__(self, facts: FactRows) -> None:
        self._facts = facts
        self._rows = facts.interner.value_rows
        self._holders = facts.interner.holder_keys
        self.counts: Counter[MarkKey] = Counter()
        self._values: Counter[int] = Counter()
        self._bases: Counter[int] = Counter()
        self._given: Counter[int] = Counter()
        self._callees: Counter[int] = Counter()
        self._written: Counter[int] = Counter()  # holders
        self._tables: Counter[int] = Counter()
        self._known: dict[int, _Keys] = {NONE: ()}
        functions, names = facts.interner.function_ids, load_copy_functions()
        self._copying = {number for number, each in enumerate(functions) if each.name in names}
        for row in facts.definitions:
            self._count_sites(row)
            self._count_writes(row)
        self._count_aliases()
        self._add_counts()

    def _add_counts(self) -> None:
        objects, functions = self._facts.interner.object_ids, self._facts.interner.function_ids
        for callee, count in self._callees.items():
            self.counts[name_key(functions[callee])] += count
        for table, count in self._tables.items():
            self.counts[name_key(objects[table])] += count
        for holder, count in self._written.items():
            self._add(self._holder_keys(self._holders[holder]), count)
        for value, count in self._values.items():
            self._add(self._value_keys(value), count)
        for base, count in self._bases.items():
            self._add((*self._value_keys(base), *self._record_keys(base)), count)
        for value, count in self._given.items():
            self._add(self._address_keys(value), count)

    def _add(self, keys: Iterable[MarkKey], count: int) -> None:
        for key in keys:
            self.counts[key] += count

    def _count_sites(self, row: DefinitionRow) -> None:
        values: list[int] = []
        given: list[int] = []
        callees: list[int] = []
        for site in row.sites:
            is_given = site.callee != NONE and site.callee not in self._copying
            if site.callee == NONE:
                values.append(site.target)
            else:
                callees.append(site.callee)
            for choice in site.arguments:
                values += choice
                if is_given:
                    given += choice
        self._values.update(values)
        self._given.update(given)
        self._callees.update(callees)

    def _count_writes(self, row: DefinitionRow) -> None:
        writes = [*row.writes, *row.moves] if row.moves else row.writes
        if not writes:
            return
        self._values.update([write.value for write in writes])
        self._written.update([write.holder for write in writes])
        self._bases.update([write.base for write in writes if write.base != NONE])
        self._tables.update([write.table for write in writes if write.table != NONE])
        if not is_export_row(self._facts, row):
            self._given.update([
                write.value for write in writes if not self._is_store(write.holder)])

    def _is_store(self, holder: int) -> bool:
        key = self._holders[holder]
        return isinstance(key, SlotKey) and key.field == POINTEE

    def add_installs(self, installs: Counter[int]) -> None:
        """Count what installed_tables found."""
        for number, count in installs.items():
            identity = self._facts.interner.object_ids[number]
            self.counts[INSTALLS, identity.name, identity.scope] += count

    def _count_aliases(self) -> None:
        """An alias mentions what it stands for, in each scope that linkage looks in."""
        kinds = ((self._facts.functions, NAMED_FUNCTION), (self._facts.objects, NAMED_OBJECT))
        for subjects, kind in kinds:
            for subject in subjects.values():
                if subject.alias_of:
                    scopes = {subject.id.scope, "", subject.location.path}
                    self._add(((kind, subject.alias_of, scope) for scope in scopes), 1)

    def _value_keys(self, value: int) -> _Keys:
        """What a value mentions, its bases included."""
        known = self._known.get(value)
        if known is None:
            row = self._rows[value]
            known = ()
            if isinstance(row, FunctionRow):
                known = (name_key(self._facts.interner.function_ids[row.function]),)
            elif isinstance(row, LoadRow | AddressRow):
                known = (*self._holder_keys(self._holders[row.holder]),
                         *self._value_keys(row.base), *self._record_keys(row.base))
            self._known[value] = known
        return known

    def _holder_keys(self, key: HolderKey) -> _Keys:
        if isinstance(key, SlotKey):
            return (_slot_key(key),)
        if isinstance(key, ObjectKey):
            return (name_key(self._facts.interner.object_ids[key.object]),)
        return (name_key(self._facts.interner.function_ids[key.function]),)

    def _record_keys(self, base: int) -> _Keys:
        """The slot whose address a base is: it holds a record."""
        row = self._rows[base] if base != NONE else None
        if isinstance(row, AddressRow):
            key = self._holders[row.holder]
            if isinstance(key, SlotKey):
                return ((RECORD, key.record, key.field, key.scope),)
        return ()

    def _address_keys(self, value: int) -> _Keys:
        """What follows from an address that is passed or written.

        For what lies in a local that is its slot only: the rest is seen in its function.
        """
        row = self._rows[value]
        if not isinstance(row, AddressRow):
            return ()
        key = self._holders[row.holder]
        if isinstance(key, ObjectKey):
            return ((TAKEN, *name_key(self._facts.interner.object_ids[key.object])),)
        if not isinstance(key, SlotKey) or key.field == POINTEE:
            return ()
        slot = _slot_key(key)
        root = self._find_root(row.base)
        if root is None:
            return ((TAKEN, *slot), (GIVEN, *slot))
        if isinstance(root, ObjectKey):
            within = name_key(self._facts.interner.object_ids[root.object])
            return ((TAKEN, *slot), (GIVEN, *slot, *within))
        return ((TAKEN, *slot),)

    def _find_root(self, value: int) -> HolderKey | None:
        """The object or local that an address lies in."""
        while value != NONE:
            row = self._rows[value]
            if not isinstance(row, AddressRow):
                return None
            key = self._holders[row.holder]
            if isinstance(key, ObjectKey | VariableKey | ParameterKey):
                return key
            value = row.base
        return None


def _slot_key(key: SlotKey) -> MarkKey:
    return (NAMED_SLOT, key.record, key.field, key.scope)
