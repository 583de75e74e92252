"""Function summaries: what a call of a function registers or requests, through any number of
wrappers.

A function that passes its own parameter on, as key or callback, to a function with a summary
has that summary itself, with the parameter left open. Follows open summaries to the callers, by
name and through pointers, until they are closed.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import product
from typing import NamedTuple

from kgraph.model.facts import CallSite, Definition, Function
from kgraph.model.ids import FunctionId
from kgraph.model.location import Location
from kgraph.model.values import Load, Parameter, Value
from kgraph.resolve.deferred.keys import KeyEvaluator, Meaning, OwnParameter
from kgraph.resolve.deferred.specification import Action, Field, KeyPart

Condition = tuple[OwnParameter, FunctionId]  # only where this function is handed to this parameter
Position = tuple[str, int]  # a definition's key, index in its calls
Site = tuple[Definition, int]


class Summary(NamedTuple):
    """What a call of a function does; an Own is the function's parameter, open until called. `key`
    is None, and `callback` too, where it could not be told.
    """

    kind: str
    action: Action
    key: tuple[Meaning, ...] | None
    callback: Meaning | None
    field: Field | None = None
    parts: tuple[KeyPart, ...] = ()
    condition: Condition | None = None

    @property
    def is_open(self) -> bool:
        """Whether it depends on who calls."""
        return any(isinstance(part, OwnParameter) for part in (*(self.key or ()), self.callback))


class ClosedSummary(NamedTuple):
    """A duty with nothing open, where it was settled: at a call of `named`, or at a plain write
    (`position` is None)."""

    duty: Summary
    location: Location
    position: Position | None = None
    named: str = ""


class SummaryPropagation:
    """Follows duties up. `calls` are the call sites that reach a function, `keys` gives the
    evaluator of a definition, `functions_of` what a value that no definition tells holds.
    """

    def __init__(
        self,
        calls: Mapping[FunctionId, list[Site]],
        keys: Callable[[Definition], KeyEvaluator],
        link: Callable[[FunctionId], FunctionId],
        functions_of: Callable[[Value], set[FunctionId]],
    ) -> None:
        self._calls = calls
        self._keys = keys
        self._link = link
        self._functions_of = functions_of
        self.open_summaries: dict[FunctionId, set[Summary]] = defaultdict(set)
        self._work: list[tuple[FunctionId, Summary]] = []
        self.closed_summaries: dict[ClosedSummary, None] = {}

    def add_summary(self, function: FunctionId, duty: Summary) -> None:
        """Let a function have a duty."""
        if duty not in self.open_summaries[function]:
            self.open_summaries[function].add(duty)
            self._work.append((function, duty))

    def propagate(self) -> None:
        """Follow all duties to the callers."""
        while self._work:
            function, duty = self._work.pop()
            for definition, position in self._calls.get(function, ()):
                self._called(definition, position, duty, function)

    def close_summary(self, definition: Definition, item: ClosedSummary) -> None:
        """Write down what is known completely; leave to the callers what is open."""
        subject = definition.subject
        if not item.duty.is_open:
            self.closed_summaries[item._replace(duty=item.duty._replace(condition=None))] = None
        elif isinstance(subject, Function):
            self.add_summary(self._link(subject.id), item.duty)

    def find_callbacks(self, definition: Definition, value: Value) -> set[Meaning]:
        """The functions that a value may be, and own parameters."""
        found = self._keys(definition).evaluate(value)
        known: set[Meaning] = set()
        known.update(m for m in found if isinstance(m, FunctionId | OwnParameter | int))
        if len(known) < len(found) or not found:
            known.update(self._functions_of(value))
        return known

    def _called(
        self, definition: Definition, position: int, duty: Summary, function: FunctionId
    ) -> None:
        """A call of `function`, which has this duty."""
        call = definition.calls[position]
        for given in self._conditions(definition, call, duty, function):
            self._closed(definition, position, duty, given)

    def _conditions(
        self, definition: Definition, call: CallSite, duty: Summary, function: FunctionId
    ) -> set[Condition | None]:
        """On what it depends whether this call has the duty: a call through the caller's own
        parameter only where that is this function. Nothing where it has not."""
        target = call.target
        if isinstance(target, Load) and isinstance(target.place.holder, Parameter):
            return {(OwnParameter(target.place.holder.index), function)}
        if duty.condition is None:
            return {None}
        parameter, wanted = duty.condition
        handed = {meaning for value in _arguments_for(call, parameter)
                  for meaning in self.find_callbacks(definition, value)}
        found: set[Condition | None] = {
            (meaning, wanted) for meaning in handed if isinstance(meaning, OwnParameter)}
        return found | ({None} if wanted in handed else set())

    def _closed(
        self, definition: Definition, position: int, duty: Summary, given: Condition | None
    ) -> None:
        """The duty with the arguments of a call in the place of open parameters."""
        call = definition.calls[position]
        keys = self._keys(definition)

        def key_part(part: Meaning) -> set[Meaning]:
            if not isinstance(part, OwnParameter):
                return {part}
            return {
                meaning
                for value in _arguments_for(call, part)
                for meaning in keys.evaluate(value)
                if not isinstance(meaning, FunctionId)
            }

        def callbacks(callback: Meaning | None) -> set[Meaning | None]:
            if not isinstance(callback, OwnParameter):
                return {callback}
            if duty.field is not None:
                return set(key_part(callback)) or {None}
            return {meaning for value in _arguments_for(call, callback)
                    for meaning in self.find_callbacks(definition, value)} or {None}

        names: set[tuple[Meaning, ...] | None] = {None}
        if duty.key is not None:
            names = set(product(*map(key_part, duty.key))) or {None}
        for key, callback in product(names, callbacks(duty.callback)):
            closed = duty._replace(key=key, callback=callback, condition=given)
            self.close_summary(definition, ClosedSummary(
                closed, call.location, (definition.key, position), _callee_text(call)))


def _arguments_for(call: CallSite, parameter: OwnParameter) -> tuple[Value, ...]:
    """What a call hands to a parameter of its callee."""
    return call.arguments[parameter.index] if parameter.index < len(call.arguments) else ()


def _callee_text(call: CallSite) -> str:
    """What a call site calls, as it is written."""
    return str(call.target) if isinstance(call.target, FunctionId) else call.expression
