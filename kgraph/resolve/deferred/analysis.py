"""The analysis of deferred calls: collects the facts, follows wrappers, matches requests.

A rule says which argument of a function is the key and which the callback; a slot rule, that an
assignment to the slot registers a callback under the place of its record.

Limits: a key that comes from a list or the heap is known only within the function that made it.
All objects of one record type share the keys of its fields.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from kgraph.model.facts import Binding, Definition, Flow, Function
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Holder, Slot, Value
from kgraph.resolve.deferred.keys import KeyEvaluator, Meaning, OwnParameter, find_address_target
from kgraph.resolve.deferred.matching import DeferredEdges, RequestMatcher, field_kind
from kgraph.resolve.deferred.record_rows import RecordRows
from kgraph.resolve.deferred.specification import Action, DeferralRule, DeferralRules, Field
from kgraph.resolve.deferred.summaries import (
    ClosedSummary,
    Position,
    Site,
    Summary,
    SummaryPropagation,
)
from kgraph.resolve.fact_rows import FactRows
from kgraph.resolve.linkage import FunctionLinker

_NOTHING: frozenset[Meaning] = frozenset()


class DeferredCallAnalysis:
    """Watches definitions pass, then finds their deferred calls."""

    def __init__(self, rows: DeferralRules) -> None:
        self._rows = rows
        fields = {row.field for row in rows.functions if row.field is not None}
        self._kinds: dict[Field, set[str]] = defaultdict(set)
        for field, kind in (*rows.slots, *((field, field_kind(field)) for field in fields)):
            self._kinds[field].add(kind)
        parts = {part.field for row in rows.functions for part in row.parts}
        self._table_rows = RecordRows(parts | fields)
        self._calls: dict[FunctionId, list[Site]] = defaultdict(list)
        self._indirect: dict[str, Definition] = {}
        self._functions: dict[FunctionId, list[Definition]] = defaultdict(list)
        self._writes: list[tuple[Definition, Binding | Flow]] = []
        self._keys: dict[str, KeyEvaluator] = {}
        self._returned: dict[FunctionId, frozenset[Meaning]] = {}
        self._pointed: dict[Slot, set[Slot | ObjectId]] = defaultdict(set)
        self._duties: SummaryPropagation | None = None

    def collect(self, definitions: Iterable[Definition]) -> Iterator[Definition]:
        """The same definitions; those with a call or a write that may matter are kept."""
        for definition in definitions:
            subject = definition.subject
            if isinstance(subject, Function):
                self._functions[subject.id].append(definition)
            for position, call in enumerate(definition.calls):
                if isinstance(call.target, FunctionId):
                    self._calls[call.target].append((definition, position))
                else:
                    self._indirect[definition.key] = definition
            for fact in definition.bindings:
                self._put(definition, fact, fact.place.holder, fact.value)
            for flow in definition.flows:
                self._put(definition, flow, flow.target.holder, flow.source)
            self._table_rows.collect(definition)
            yield definition

    def _put(
        self, definition: Definition, fact: Binding | Flow, holder: Holder, value: Value
    ) -> None:
        """Keep what is put into a slot: a callback, or the address of what is asked for by it."""
        if not isinstance(holder, Slot):
            return
        if (holder.record, holder.field) in self._kinds:
            self._writes.append((definition, fact))
        target = find_address_target(value, self._rows.carriers)
        if target is not None and target != holder:
            self._pointed[holder].add(target)

    def find_edges(
        self,
        facts: FactRows,
        callees: Mapping[Position, Iterable[FunctionId]],
        functions_of: Callable[[Value], set[FunctionId]],
    ) -> DeferredEdges:
        """The deferred callees of call sites. `callees` are those of calls through pointers,
        `functions_of` what is known of a value once everything is solved.
        """
        self._linker = FunctionLinker(facts.functions)
        living = {row.key: {site.position for site in row.sites} for row in facts.definitions}
        calls = self._reaching(living, callees)
        duties = self._duties = SummaryPropagation(
            calls, self._keys_of, self._linker.link, functions_of
        )
        self._declare(duties, calls, facts)
        for definition, write in self._writes:
            if definition.key in living:
                self._assigned(duties, definition, write)
        duties.propagate()
        return RequestMatcher(self._table_rows).match(duties.closed_summaries)

    def list_relevant_functions(self) -> list[FunctionId]:
        """The functions whose calls register or run something, and those whose results were looked
        at, once deferred calls are found."""
        held = self._duties.open_summaries if self._duties is not None else {}
        return [function for function, known in held.items() if known] + list(self._returned)

    def _reaching(
        self, living: Mapping[str, set[int]], callees: Mapping[Position, Iterable[FunctionId]]
    ) -> dict[FunctionId, list[Site]]:
        """The call sites that reach each function, by name or through a pointer."""
        calls: dict[FunctionId, list[Site]] = defaultdict(list)
        for named, sites in self._calls.items():
            calls[self._linker.link(named)] += [
                (definition, position) for definition, position in sites
                if position in living.get(definition.key, ())]
        for (key, position), reached in callees.items():
            for function in reached:
                calls[function].append((self._indirect[key], position))
        return calls

    def _declare(
        self, duties: SummaryPropagation, calls: Mapping[FunctionId, list[Site]], facts: FactRows
    ) -> None:
        """Give the declared functions their duties."""
        declared: dict[str, list[DeferralRule]] = defaultdict(list)
        for row in self._rows.functions:
            declared[row.function].append(row)
        reached = {(function.name, function) for function in calls}
        reached |= {(named.name, self._linker.link(named)) for named in self._calls}
        for name, function in sorted(reached):
            for row in declared.get(name, ()):
                known = facts.functions.get(function)
                if row.applies_to(function, known.location.path if known else ""):
                    key = tuple(map(OwnParameter, row.key))
                    callback = None if row.callback is None else OwnParameter(row.callback)
                    duties.add_summary(function, Summary(
                        row.kind, row.action, key, callback, row.field, row.parts))

    def _keys_of(self, definition: Definition) -> KeyEvaluator:
        keys = self._keys.get(definition.key)
        if keys is None:
            keys = KeyEvaluator(definition, self._rows.carriers, self._linker.link, self._gives,
                        self._pointed)
            self._keys[definition.key] = keys
        return keys

    def _gives(self, function: FunctionId) -> frozenset[Meaning]:
        """What a function returns, but for its own parameters, whose values are not known here."""
        known = self._returned.get(function)
        if known is None:
            self._returned[function] = _NOTHING  # where it calls itself
            known = self._returned[function] = frozenset(
                meaning
                for definition in self._functions.get(function, ())
                for meaning in self._keys_of(definition).evaluate_return()
                if not isinstance(meaning, OwnParameter)
            )
        return known

    def _assigned(
        self, duties: SummaryPropagation, definition: Definition, write: Binding | Flow
    ) -> None:
        """A write to a slot: registers what is written under the place of the record."""
        value: Value
        table: ObjectId | None = None
        if isinstance(write, Binding):
            place, value, table = write.place, write.value, write.table
        else:
            place, value = write.target, write.source
        slot = place.holder
        if not isinstance(slot, Slot):
            return
        around = self._keys_of(definition).evaluate_record(place, table)
        keys: list[tuple[Meaning, ...] | None] = [
            (key,) for key in around if not isinstance(key, FunctionId)]
        kinds, callbacks = (
            self._kinds[slot.record, slot.field],
            duties.find_callbacks(definition, value),
        )
        for kind, key, callback in product(kinds, keys or [None], callbacks):
            duty = Summary(kind, Action.REGISTER, key, callback)
            duties.close_summary(definition, ClosedSummary(duty, write.location))
