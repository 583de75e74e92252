"""Callback forwarding: which functions a call site hands to parameters that are called.

A parameter is forwarding if its function calls it, perhaps through local copies, or hands it to
a forwarding parameter of a function that it calls directly. kgraph follows what is surely that
parameter or a known function. If any alternative is something else, such as what a field holds, the
solved set of the argument is handed on: where that is complete, and less than all that the calls
through the parameter may call. Else a search has to take every candidate there.
"""

from kgraph.model.codes import (
    ForwardedValue,
    forwarded_function,
    forwarded_parameter,
    is_function,
    parameter_index,
)
from kgraph.model.ids import FunctionId
from kgraph.model.resolution import CallbackForward
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.findings.alternatives import AlternativeFinder, Step
from kgraph.resolve.findings.argument_sets import ArgumentSets
from kgraph.resolve.findings.direct_callers import DirectCallers, SiteIndex
from kgraph.resolve.interning import (
    CONSTANT,
    NONE,
    FunctionRow,
    LoadRow,
    ParameterKey,
    VariableKey,
)

Alternatives = frozenset[ForwardedValue]
_ParameterOf = tuple[int, int]  # a linked function, the index of its parameter


class CallbackForwarding:
    """`called_parameters` are the parameters that indirect calls go through; `forwarding` the
    linked functions with forwarding parameters."""

    def __init__(
        self, constraints: Constraints, arguments: ArgumentSets, callers: DirectCallers
    ) -> None:
        self._arguments = arguments
        self._callers = callers
        self._nodes = constraints.nodes
        self._address_taken = constraints.address_taken
        self._rows = self._nodes.interner.value_rows
        self._definitions = self._nodes.facts.definitions
        self._written: dict[int, list[int]] = {}  # local or parameter: the values written to it
        self._finder = AlternativeFinder[int, ForwardedValue]()
        self._forwards: dict[SiteIndex, set[tuple[int, ForwardedValue]]] = {}
        self._handed_to: dict[_ParameterOf, set[_ParameterOf]] = {}  # a parameter, as another
        self._unknown: dict[SiteIndex, set[_ParameterOf]] = {}  # that get something else
        self._sets: dict[SiteIndex, list[CallbackForward]] = {}
        self.called_parameters: dict[SiteIndex, int] = {}
        self.forwarding: set[int] = set()
        self._read_definitions()
        self._find_called_parameters()
        self._follow_callers()
        self._find_sets()

    def _read_definitions(self) -> None:
        keys, nodes = self._nodes.interner.holder_keys, self._nodes.holder_nodes
        for row in self._definitions:
            if row.function == NONE:
                continue
            for write in row.writes:
                if isinstance(keys[write.holder], VariableKey | ParameterKey):
                    self._written.setdefault(nodes[write.holder], []).append(write.value)

    def _find_called_parameters(self) -> None:
        """Find the calls that go through exactly one value, a parameter of their function."""
        for number, row in enumerate(self._definitions):
            for index, site in enumerate(row.sites):
                if site.target == NONE:
                    continue
                alternatives = self._find_alternatives(site.target)
                if alternatives is not None and len(alternatives) == 1:
                    [value] = alternatives
                    if not is_function(value):
                        self.called_parameters[number, index] = parameter_index(value)

    def _follow_callers(self) -> None:
        """Follow called parameters to what the callers hand to them."""
        functions = self._nodes.linked_functions
        work: list[_ParameterOf] = [
            (functions[self._definitions[number].sites[index].caller], parameter)
            for (number, index), parameter in self.called_parameters.items()]
        seen: set[_ParameterOf] = set()
        while work:
            parameter = work.pop()
            if parameter not in seen:
                seen.add(parameter)
                self.forwarding.add(parameter[0])
                work += self._note_callers(*parameter)

    def _note_callers(self, function: int, index: int) -> list[_ParameterOf]:
        """Note what each call hands to a parameter. Returns the parameters that are handed on."""
        handed_on: list[_ParameterOf] = []
        for position, site in self._callers.iter_sites(function):
            if index >= len(site.arguments):
                continue
            values = self._union(site.arguments[index])
            if not values:
                self._unknown.setdefault(position, set()).add((function, index))
                continue
            for value in values:
                self._forwards.setdefault(position, set()).add((index, value))
                if not is_function(value):
                    own = self._nodes.linked_functions[site.caller], parameter_index(value)
                    self._handed_to.setdefault(own, set()).add((function, index))
                    handed_on.append(own)
        return handed_on

    def _find_sets(self) -> None:
        """Note the sets that call sites hand on."""
        called = {
            (self._nodes.linked_functions[self._definitions[number].sites[index].caller], parameter)
            for (number, index), parameter in self.called_parameters.items()}
        candidates: dict[_ParameterOf, frozenset[int]] = {}
        described: dict[frozenset[int], tuple[FunctionId, ...]] = {}
        for (number, index), parameters in self._unknown.items():
            arguments = self._definitions[number].sites[index].arguments
            for parameter in parameters:
                if parameter not in candidates:
                    candidates[parameter] = frozenset().union(*(
                        self._arguments.find_received(*each)
                        for each in self._find_reached(parameter) & called))
                found = self._arguments.find(arguments[parameter[1]])
                if found is None or candidates[parameter] <= found:
                    continue
                found &= candidates[parameter]
                if found not in described:
                    described[found] = tuple(sorted(map(self._nodes.function_id, found)))
                self._sets.setdefault((number, index), []).append(
                    CallbackForward(parameter[1], described[found]))

    def _find_reached(self, parameter: _ParameterOf) -> set[_ParameterOf]:
        """A parameter and those that it is handed on to."""
        seen, stack = {parameter}, [parameter]
        while stack:
            following = self._handed_to.get(stack.pop(), set()) - seen
            seen |= following
            stack += following
        return seen

    def list_forwards(self, position: SiteIndex) -> tuple[CallbackForward, ...]:
        """What a direct call hands to forwarding parameters, sorted."""
        rows = self._forwards.get(position, ())
        forwards = [CallbackForward(parameter, self._describe(value)) for parameter, value in rows]
        forwards.sort(key=lambda f: (f.parameter, str(type(f.value)), repr(f.value)))
        sets = self._sets.get(position, ())
        return (*forwards, *sorted(sets, key=lambda forward: forward.parameter))

    def _describe(self, value: ForwardedValue) -> FunctionId | int:
        return self._nodes.function_id(value) if is_function(value) else parameter_index(value)

    def _union(self, values: tuple[int, ...]) -> Alternatives | None:
        """The alternatives of several values; None if one of them may be more."""
        result: Alternatives = frozenset()
        for value in values:
            alternatives = self._find_alternatives(value)
            if alternatives is None:
                return None
            result |= alternatives
        return result

    def _find_alternatives(self, value: int) -> Alternatives | None:
        """The functions and own parameters that a value may be; None if it may be more."""
        return self._finder.find(value, self._expand)

    def _expand(self, value: int) -> Step[ForwardedValue, int] | None:
        """What a value is by itself, or the values that it may be. A local or a parameter is known
        if nothing unseen can write to it."""
        if value == CONSTANT:
            return (), ()
        row = self._rows[value]
        if isinstance(row, FunctionRow):
            return (forwarded_function(self._nodes.linked_functions[row.function]),), ()
        if not isinstance(row, LoadRow):
            return None
        node = self._nodes.holder_nodes[row.holder]
        key = self._nodes.keys[node]
        written = self._written.get(node, ())
        if node in self._address_taken:
            return None
        if isinstance(key, ParameterKey) and not written and not self._nodes.is_variadic(node):
            return (forwarded_parameter(key.index),), ()
        return ((), written) if isinstance(key, VariableKey) and written else None
