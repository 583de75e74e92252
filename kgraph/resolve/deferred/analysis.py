"""The analysis of deferred calls: collects the facts, follows wrappers, matches requests.

A rule says which argument of a function is the key and which the callback; a slot rule, that an
assignment to the slot registers a callback under the place of its record.

Limits: a key that comes from a list or the heap is known only within the function that made it.
All objects of one record type share the keys of its fields.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from kgraph.logs import PackageLogger
from kgraph.model.facts import Binding, Definition, Flow, Function
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Holder, Slot, TransferKind, Value
from kgraph.resolve.deferred.keys import KeyEvaluator, Meaning, OwnParameter, find_address_target
from kgraph.resolve.deferred.matching import DeferredEdges, RequestMatcher, field_kind
from kgraph.resolve.deferred.record_rows import RecordRows
from kgraph.resolve.deferred.specification import Action, DeferralRule, DeferralRules
from kgraph.resolve.deferred.summaries import (
    ClosedSummary,
    SitePosition,
    Summary,
    SummaryPropagation,
)
from kgraph.resolve.fact_rows import FactRows
from kgraph.resolve.interning import NONE
from kgraph.resolve.linkage import FunctionLinker
from kgraph.resolve.models.declared import Field

_NOTHING: frozenset[Meaning] = frozenset()
_LOG = PackageLogger("kgraph.resolve")


class DeferredCallAnalysis:
    """Collects what matters of the definitions that pass, then finds their deferred calls.

    After that, `relevant_functions` are those with a summary and those whose results were
    evaluated. `find` gives the definition of a key again; None: the definitions that pass are kept.
    """

    def __init__(
        self, rules: DeferralRules, find: Callable[[str], Definition] | None = None
    ) -> None:
        self.rules = rules
        self._kept: dict[str, Definition] = {}
        self._is_keeping = find is None
        self._find = find or self._kept.__getitem__
        fields = {row.field for row in rules.functions if row.field is not None}
        self._kinds: dict[Field, set[str]] = defaultdict(set)
        for field, kind in (*rules.slots, *((field, field_kind(field)) for field in fields)):
            self._kinds[field].add(kind)
        parts = {part.field for row in rules.functions for part in row.parts}
        self._record_rows = RecordRows(parts | fields)
        self._functions: dict[FunctionId, list[str]] = defaultdict(list)
        self._writes: list[tuple[str, Binding | Flow]] = []
        self._named: set[FunctionId] = set()  # that calls name
        self._keys: dict[str, KeyEvaluator] = {}
        self._returned: dict[FunctionId, frozenset[Meaning]] = {}
        self._pointed: dict[Slot, set[Slot | ObjectId]] = defaultdict(set)
        self.relevant_functions: list[FunctionId] = []

    def collect(self, definitions: Iterable[Definition]) -> Iterator[Definition]:
        """The same definitions; notes those with a call or a write that may matter."""
        for definition in definitions:
            subject = definition.subject
            if self._is_keeping:
                self._kept[definition.key] = definition
            if isinstance(subject, Function):
                self._functions[subject.id].append(definition.key)
            for fact in definition.bindings:
                self._collect_write(definition, fact, fact.place.holder, fact.value)
            for flow in definition.flows:
                self._collect_write(definition, flow, flow.target.holder, flow.source)
            self._record_rows.collect(definition)
            yield definition

    def _collect_write(
        self, definition: Definition, fact: Binding | Flow, holder: Holder, value: Value
    ) -> None:
        """Note what is written to a slot: a callback, or the address of what a request names."""
        if not isinstance(holder, Slot):
            return
        if (holder.record, holder.field) in self._kinds:
            self._writes.append((definition.key, fact))
        target = find_address_target(value, self.rules.carriers)
        if target is not None and target != holder:
            self._pointed[holder].add(target)

    def find_edges(
        self,
        facts: FactRows,
        callees: Mapping[SitePosition, Iterable[FunctionId]],
        find_functions: Callable[[Value], set[FunctionId]],
        find_overlapping: Callable[[Slot], set[FunctionId]],
    ) -> DeferredEdges:
        """The deferred callees of call sites.

        `callees` are those of calls through pointers. Once everything is solved, `find_functions`
        gives the functions in a value, and `find_overlapping` those that come to a slot from what
        shares its storage.
        """
        self._linker = FunctionLinker(facts.functions)
        calls = self._find_calls(facts, callees)
        propagation = SummaryPropagation(
            calls, self._get_evaluator, self._linker.link, find_functions)
        self._add_declared(propagation, calls, facts)
        counting = {row.key for row in facts.definitions}
        for key, write in self._writes:
            if key not in counting:
                continue
            keys = self._get_evaluator(key)
            if isinstance(write, Flow) and write.how in (
                    TransferKind.OVERLAY, TransferKind.CARRIER):
                self._add_overlap(propagation, keys, write, find_overlapping)
            else:
                self._add_assignment(propagation, keys, write)
        propagation.propagate()
        self.relevant_functions = [
            function for function, found in propagation.open_summaries.items() if found]
        self.relevant_functions += self._returned
        self._keys.clear()
        edges = RequestMatcher(self._record_rows).match(propagation.closed_summaries)
        _LOG.debug("%d deferred requests, %d without a callee", len(edges.requests),
                   sum(not request.edges for request in edges.requests))
        return edges

    def _find_calls(
        self, facts: FactRows, callees: Mapping[SitePosition, Iterable[FunctionId]],
    ) -> dict[FunctionId, list[SitePosition]]:
        """The call sites that reach each function, by name or through a pointer."""
        calls: dict[FunctionId, list[SitePosition]] = defaultdict(list)
        linked: dict[int, list[SitePosition]] = {}
        for row in facts.definitions:
            for site in row.sites:
                if site.callee != NONE and site.symbol_use is None:
                    found = linked.get(site.callee)
                    if found is None:
                        named = facts.interner.function_ids[site.callee]
                        self._named.add(named)
                        found = linked[site.callee] = calls[self._linker.link(named)]
                    found.append((row.key, site.position))
        for position, reached in callees.items():
            for function in reached:
                calls[function].append(position)
        return calls

    def _add_declared(
        self,
        propagation: SummaryPropagation,
        calls: Mapping[FunctionId, list[SitePosition]],
        facts: FactRows,
    ) -> None:
        """Give the functions that rules declare their summaries."""
        declared: dict[str, list[DeferralRule]] = defaultdict(list)
        for row in self.rules.functions:
            declared[row.function].append(row)
        reached = {(function.name, function) for function in calls}
        reached |= {(named.name, self._linker.link(named)) for named in self._named}
        for name, function in sorted(reached):
            for row in declared.get(name, ()):
                known = facts.functions.get(function)
                if row.applies_to(function, known.location.path if known else ""):
                    key = tuple(map(OwnParameter, row.key))
                    callback = None if row.callback is None else OwnParameter(row.callback)
                    propagation.add_summary(function, Summary(
                        row.kind, row.action, key, callback, row.field, row.parts))

    def _get_evaluator(self, key: str) -> KeyEvaluator:
        keys = self._keys.get(key)
        if keys is None:
            keys = self._keys[key] = KeyEvaluator(
                self._find(key), self.rules.carriers, self._linker.link, self._evaluate_return,
                self._pointed)
        return keys

    def _evaluate_return(self, function: FunctionId) -> frozenset[Meaning]:
        """What a function returns, without its own parameters: their values are not known here."""
        known = self._returned.get(function)
        if known is None:
            self._returned[function] = _NOTHING  # where it calls itself
            known = self._returned[function] = frozenset(
                meaning
                for key in self._functions.get(function, ())
                for meaning in self._get_evaluator(key).evaluate_return()
                if not isinstance(meaning, OwnParameter)
            )
        return known

    def _add_overlap(
        self, propagation: SummaryPropagation, keys: KeyEvaluator, flow: Flow,
        find_overlapping: Callable[[Slot], set[FunctionId]],
    ) -> None:
        """A slot that shares storage with another one runs what is registered there, under a key
        that nobody knows. What the slot itself is filled with is not among that."""
        slot = flow.target.holder
        if isinstance(slot, Slot):
            for kind in self._kinds[slot.record, slot.field]:
                for callback in find_overlapping(slot):
                    summary = Summary(kind, Action.REGISTER, None, callback)
                    propagation.close_summary(keys, ClosedSummary(summary, flow.location))

    def _add_assignment(
        self, propagation: SummaryPropagation, evaluator: KeyEvaluator, write: Binding | Flow
    ) -> None:
        """A write to a slot registers what is written, under the place of the record."""
        value: Value
        table: ObjectId | None = None
        if isinstance(write, Binding):
            place, value, table = write.place, write.value, write.table
        else:
            place, value = write.target, write.source
        slot = place.holder
        if not isinstance(slot, Slot):
            return
        records = evaluator.evaluate_record(place, table)
        keys: list[tuple[Meaning, ...] | None] = [
            (key,) for key in records if not isinstance(key, FunctionId)]
        kinds = self._kinds[slot.record, slot.field]
        callbacks = propagation.find_callbacks(evaluator, value)
        for kind, key, callback in product(kinds, keys or [None], callbacks):
            summary = Summary(kind, Action.REGISTER, key, callback)
            propagation.close_summary(evaluator, ClosedSummary(summary, write.location))
