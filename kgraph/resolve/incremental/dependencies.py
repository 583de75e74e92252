"""Dependencies of a resolution: what other facts would have to touch to change it.

Collects the footprint. Some marks say what the solver did: which locals and parameters it
solved (NEEDED), which functions forward callbacks (FORWARDS) or register and run deferred calls
(DUTY), which identities have several definitions (TWINS), which names assembler gives (SYMBOL).
The others count the facts that mention something: a function or object, a slot, an address that
is taken (TAKEN; within an object, GIVEN), a slot that is a record (RECORD), an object that is
installed (INSTALLS). They count facts, not definitions, so that one fact more or less changes
the count by what it mentions. Must not know what is concluded from a mark.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import Footprint, MarkKey, hash_keys, hash_weighted_keys
from kgraph.model.values import POINTEE
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.fact_rows import DefinitionRow, FactRows
from kgraph.resolve.installed_tables import find_root_objects, is_export_section
from kgraph.resolve.interning import (
    ADDRESS,
    FUNCTION,
    LOAD,
    NONE,
    OBJECT,
    PARAMETER,
    SLOT,
    VARIABLE,
    HolderKey,
)
from kgraph.resolve.models.declared import load_copy_functions
from kgraph.resolve.solving.relevance import RelevanceSlice

NEEDED, FORWARDS, DUTY, TWINS = "needed", "forwards", "duty", "twins"
NAMED_FUNCTION, NAMED_OBJECT, NAMED_SLOT = "function", "object", "slot"
SYMBOL = "symbol"
TAKEN, GIVEN, RECORD, INSTALLS = "taken", "given", "record", "installs"


def collect_footprint(
    constraints: Constraints, need: RelevanceSlice, forwarding: Iterable[int],
    duties: Iterable[FunctionId],
) -> Footprint:
    """The footprint of a solved system. `forwarding` are the numbers of linked functions."""
    facts = constraints.nodes.facts
    weights = hash_weighted_keys(count_mentions(facts))
    weights |= hash_keys(_iter_needed_keys(constraints, need))
    weights |= hash_keys((FORWARDS, *_identity_key(constraints.nodes.function_id(number)))
                      for number in forwarding)
    weights |= hash_keys((DUTY, *_identity_key(function)) for function in duties)
    weights |= hash_keys((TWINS, *_identity_key(subject)) for subject in facts.duplicates)
    weights |= hash_keys((SYMBOL, name) for name in facts.asm_names)
    return Footprint(weights)


def needed_variable_key(function: FunctionId, name: str) -> MarkKey:
    """The key of a local that has to be solved."""
    return (NEEDED, *_identity_key(function), "v", name)


def needed_parameter_key(function: FunctionId, index: int) -> MarkKey:
    """The key of a parameter of a linked function that has to be solved."""
    return (NEEDED, *_identity_key(function), "p", index)


def _iter_needed_keys(constraints: Constraints, need: RelevanceSlice) -> Iterator[MarkKey]:
    """The locals and parameters that were solved. A local whose address is taken is left out: that
    is seen in its own function."""
    nodes = constraints.nodes
    taken = constraints.address_taken
    for node, is_needed in enumerate(need.is_needed):
        if is_needed:
            key = nodes.keys[node]
            if key[0] == VARIABLE and node not in taken:
                yield needed_variable_key(nodes.function_id(key[1]), key[2])
            elif key[0] == PARAMETER:
                yield needed_parameter_key(nodes.function_id(key[1]), key[2])


def count_mentions(facts: FactRows) -> Counter[MarkKey]:
    """How many facts mention what, by key."""
    return _MentionCounter(facts).counts


class _MentionCounter:
    """Counts the mentions of all rows: first of values, then of what each value stands for."""

    def __init__(self, facts: FactRows) -> None:
        self._names = names = facts.interner
        self._rows = names.value_rows
        self._holders = names.holder_keys
        self._objects = facts.objects
        self.counts: Counter[MarkKey] = Counter()
        values: Counter[int] = Counter()
        bases: Counter[int] = Counter()
        given: Counter[int] = Counter()
        for row in facts.definitions:
            self._sites(row, values, given)
            self._writes(row, values, bases, given)
        self._installs(facts)
        self._aliases(facts)
        self._known: dict[int, tuple[MarkKey, ...]] = {NONE: ()}
        for value, count in values.items():
            self._add(self._of_value(value), count)
        for base, count in bases.items():
            self._add((*self._of_value(base), *self._record(base)), count)
        for value, count in given.items():
            self._add(self._of_address(value), count)

    def _add(self, keys: Iterable[MarkKey], count: int) -> None:
        for key in keys:
            self.counts[key] += count

    def _sites(self, row: DefinitionRow, values: Counter[int], given: Counter[int]) -> None:
        copies = load_copy_functions()
        ids = self._names.function_ids
        for site in row.sites:
            arguments = [value for choice in site.arguments for value in choice]
            values.update(arguments)
            if site.callee == NONE:
                values[site.target] += 1
                continue
            self.counts[_function_key(ids[site.callee])] += 1
            if ids[site.callee].name not in copies:
                given.update(arguments)

    def _writes(
        self, row: DefinitionRow, values: Counter[int], bases: Counter[int], given: Counter[int]
    ) -> None:
        exports = self._is_export(row)
        for write in row.writes:
            key = self._holders[write.holder]
            values[write.value] += 1
            bases[write.base] += write.base != NONE
            self._add(self._of_holder(key), 1)
            if write.table != NONE:
                self.counts[_object_key(self._names.object_ids[write.table])] += 1
            if not exports and (key[0] != SLOT or key[2] != POINTEE):
                given[write.value] += 1

    def _is_export(self, row: DefinitionRow) -> bool:
        return row.object != NONE and is_export_section(
            self._objects[self._names.object_ids[row.object]].section)

    def _installs(self, facts: FactRows) -> None:
        """Count what tables.installed_objects finds."""
        roots = find_root_objects(facts)
        found: Counter[int] = Counter()
        for row in facts.definitions:
            if self._is_export(row):
                continue
            mentioned = [roots[value] for site in row.sites for choice in site.arguments
                         for value in choice]
            mentioned += [roots[site.target] for site in row.sites if site.target != NONE]
            mentioned += [roots[write.value] for write in row.writes]
            mentioned += [roots[write.base] for write in row.writes if write.base != NONE]
            found.update(root for root in mentioned if root not in (NONE, row.object))
        for number, count in found.items():
            identity = self._names.object_ids[number]
            self.counts[INSTALLS, identity.name, identity.scope] += count

    def _aliases(self, facts: FactRows) -> None:
        """An alias mentions what it stands for, in each scope that linkage looks in."""
        for subjects, kind in ((facts.functions, NAMED_FUNCTION), (facts.objects, NAMED_OBJECT)):
            for subject in subjects.values():
                if subject.alias_of:
                    scopes = {subject.id.scope, "", subject.location.path}
                    self._add(((kind, subject.alias_of, scope) for scope in scopes), 1)

    def _of_value(self, value: int) -> tuple[MarkKey, ...]:
        """What a value mentions, its bases included."""
        known = self._known.get(value)
        if known is None:
            kind, first, base = self._rows[value]
            if kind == FUNCTION:
                known = (_function_key(self._names.function_ids[first]),)
            elif kind in (LOAD, ADDRESS):
                known = (*self._of_holder(self._holders[first]), *self._of_value(base),
                         *self._record(base))
            else:
                known = ()
            self._known[value] = known
        return known

    def _of_holder(self, key: HolderKey) -> tuple[MarkKey, ...]:
        if key[0] == SLOT:
            return ((NAMED_SLOT, *key[1:]),)
        if key[0] == OBJECT:
            return (_object_key(self._names.object_ids[key[1]]),)
        return (_function_key(self._names.function_ids[key[1]]),)

    def _record(self, base: int) -> tuple[MarkKey, ...]:
        """The slot whose address a base is: it holds a record."""
        if base == NONE:
            return ()
        kind, holder, _ = self._rows[base]
        if kind == ADDRESS and self._holders[holder][0] == SLOT:
            return ((RECORD, *self._holders[holder][1:]),)
        return ()

    def _of_address(self, value: int) -> tuple[MarkKey, ...]:
        """What follows from an address that is passed or written; of what lies in a local, nothing
        but that of a slot: the rest is seen in its function."""
        kind, holder, base = self._rows[value]
        if kind != ADDRESS:
            return ()
        key = self._holders[holder]
        if key[0] == OBJECT:
            return ((TAKEN, *_object_key(self._names.object_ids[key[1]])),)
        if key[0] != SLOT or key[2] == POINTEE:
            return ()
        slot = (NAMED_SLOT, *key[1:])
        root = self._root(base)
        if root is None:
            return ((TAKEN, *slot), (GIVEN, *slot))
        if root[0] == OBJECT:
            return ((TAKEN, *slot), (GIVEN, *slot, *_object_key(self._names.object_ids[root[1]])))
        return ((TAKEN, *slot),)

    def _root(self, value: int) -> HolderKey | None:
        """The object or local that an address lies in."""
        while value != NONE:
            kind, holder, base = self._rows[value]
            if kind != ADDRESS:
                return None
            if self._holders[holder][0] in (OBJECT, VARIABLE, PARAMETER):
                return self._holders[holder]
            value = base
        return None


def _identity_key(identity: FunctionId | ObjectId) -> tuple[str, str, str]:
    return identity.name, identity.scope, identity.image


def _function_key(function: FunctionId) -> MarkKey:
    return NAMED_FUNCTION, function.name, function.scope


def _object_key(identity: ObjectId) -> MarkKey:
    return NAMED_OBJECT, identity.name, identity.scope
