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

from kgraph.model.facts import CallSite, Function
from kgraph.model.ids import FunctionId
from kgraph.model.location import Location
from kgraph.model.values import Load, Parameter, Value
from kgraph.resolve.deferred.keys import KeyEvaluator, Meaning, OwnParameter
from kgraph.resolve.deferred.specification import Action, KeyPart
from kgraph.resolve.models.declared import Field

Condition = tuple[OwnParameter, FunctionId]  # holds for calls that pass the function as parameter
SitePosition = tuple[str, int]  # a definition's key, index in its calls


class Summary(NamedTuple):
    """What a call of a function registers or requests.

    An OwnParameter is a parameter of the function: it stays open until the function is called.
    `key` is None if it is not known, and so is `callback`. With a `condition` the summary holds
    only where that function is handed to that parameter.
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
    """A summary without open parameters, and where it was closed.

    That is a call of `callee`, or a plain write (`position` is None).
    """

    summary: Summary
    location: Location
    position: SitePosition | None = None
    callee: str = ""


class SummaryPropagation:
    """Follows open summaries to the callers.

    `calls` are the call sites that reach a function, `evaluator` gives that of a definition's key,
    `find_functions` the functions in a value of which its definition says nothing.
    """

    def __init__(
        self,
        calls: Mapping[FunctionId, list[SitePosition]],
        evaluator: Callable[[str], KeyEvaluator],
        link: Callable[[FunctionId], FunctionId],
        find_functions: Callable[[Value], set[FunctionId]],
    ) -> None:
        self._calls = calls
        self._evaluator = evaluator
        self._link = link
        self._find_functions = find_functions
        self.open_summaries: dict[FunctionId, set[Summary]] = defaultdict(set)
        self._work: list[tuple[FunctionId, Summary]] = []
        self.closed_summaries: dict[ClosedSummary, None] = {}

    def add_summary(self, function: FunctionId, summary: Summary) -> None:
        """Let a function have a summary."""
        if summary not in self.open_summaries[function]:
            self.open_summaries[function].add(summary)
            self._work.append((function, summary))

    def propagate(self) -> None:
        """Follow all open summaries to the callers."""
        while self._work:
            function, summary = self._work.pop()
            for key, position in self._calls.get(function, ()):
                self._apply_to_call(self._evaluator(key), position, summary, function)

    def close_summary(self, keys: KeyEvaluator, item: ClosedSummary) -> None:
        """Enter a summary if it is closed, and leave it to the callers if it is still open."""
        subject = keys.definition.subject
        if not item.summary.is_open:
            summary = item.summary._replace(condition=None)
            self.closed_summaries[item._replace(summary=summary)] = None
        elif isinstance(subject, Function):
            self.add_summary(self._link(subject.id), item.summary)

    def find_callbacks(self, keys: KeyEvaluator, value: Value) -> set[Meaning]:
        """The functions that a value may be, and parameters of its function."""
        found = keys.evaluate(value)
        known: set[Meaning] = set()
        known.update(m for m in found if isinstance(m, FunctionId | OwnParameter | int))
        if len(known) < len(found) or not found:
            known.update(self._find_functions(value))
        return known

    def _apply_to_call(
        self, keys: KeyEvaluator, position: int, summary: Summary, function: FunctionId
    ) -> None:
        """Close what a call of `function`, which has this summary, closes."""
        call = keys.definition.calls[position]
        for condition in self._find_conditions(keys, call, summary, function):
            self._fill_in(keys, position, summary, condition)

    def _find_conditions(
        self, keys: KeyEvaluator, call: CallSite, summary: Summary, function: FunctionId
    ) -> set[Condition | None]:
        """The conditions on which this call has the summary; none if it never has.

        A call through a parameter of the caller has it only where that is this function.
        """
        target = call.target
        if isinstance(target, Load) and isinstance(target.place.holder, Parameter):
            return {(OwnParameter(target.place.holder.index), function)}
        if summary.condition is None:
            return {None}
        parameter, wanted = summary.condition
        handed = {meaning for value in _arguments_for(call, parameter)
                  for meaning in self.find_callbacks(keys, value)}
        found: set[Condition | None] = {
            (meaning, wanted) for meaning in handed if isinstance(meaning, OwnParameter)}
        return found | ({None} if wanted in handed else set())

    def _fill_in(
        self, evaluator: KeyEvaluator, position: int, summary: Summary,
        condition: Condition | None,
    ) -> None:
        """Put the arguments of a call in the place of open parameters."""
        definition = evaluator.definition
        call = definition.calls[position]

        def fill_key(part: Meaning) -> set[Meaning]:
            if not isinstance(part, OwnParameter):
                return {part}
            return {
                meaning
                for value in _arguments_for(call, part)
                for meaning in evaluator.evaluate(value)
                if not isinstance(meaning, FunctionId)
            }

        def fill_callback(callback: Meaning | None) -> set[Meaning | None]:
            if not isinstance(callback, OwnParameter):
                return {callback}
            if summary.field is not None:
                return set(fill_key(callback)) or {None}
            return {meaning for value in _arguments_for(call, callback)
                    for meaning in self.find_callbacks(evaluator, value)} or {None}

        keys: set[tuple[Meaning, ...] | None] = {None}
        if summary.key is not None:
            keys = set(product(*map(fill_key, summary.key))) or {None}
        for key, callback in product(keys, fill_callback(summary.callback)):
            closed = summary._replace(key=key, callback=callback, condition=condition)
            self.close_summary(evaluator, ClosedSummary(
                closed, call.location, (definition.key, position), _callee_text(call)))


def _arguments_for(call: CallSite, parameter: OwnParameter) -> tuple[Value, ...]:
    """What a call passes to a parameter of its callee."""
    return call.arguments[parameter.index] if parameter.index < len(call.arguments) else ()


def _callee_text(call: CallSite) -> str:
    """The callee of a call site, as the source writes it."""
    return str(call.target) if isinstance(call.target, FunctionId) else call.expression
