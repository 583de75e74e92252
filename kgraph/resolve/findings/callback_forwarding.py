"""Callback forwarding: which functions a call site hands to parameters that are called.

A parameter is forwarding if its function calls it, perhaps through local copies, or hands it to
a forwarding parameter of a function that it calls directly. kgraph follows only what is surely
that parameter or a known function. If any alternative is something else, it says nothing about
the site, and a search has to take every candidate there.
"""

from kgraph.model.resolution import CallbackForward
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.fact_rows import SiteRow
from kgraph.resolve.interning import CONSTANT, FUNCTION, LOAD, NONE, PARAMETER, VARIABLE

SitePosition = tuple[int, int]  # definition, site: indexes into Facts.definitions and its sites
Alternatives = frozenset[tuple[int, int]]  # (FUNCTION, linked function) or (PARAMETER, index)


class CallbackForwarding:
    """`called[position]` is the parameter that an indirect call goes through; `handed[position]`
    what a direct call hands to forwarding parameters.
    """

    def __init__(self, constraints: Constraints) -> None:
        self._nodes = constraints.nodes
        self._constraints = constraints
        self._rows = self._nodes.interner.value_rows
        self._facts = self._nodes.facts
        self._written: dict[int, list[int]] = {}
        self._known: dict[int, Alternatives | None] = {}
        self._callers: dict[int, list[tuple[SitePosition, SiteRow]]] = {}
        self.called_parameters: dict[SitePosition, int] = {}
        self.forwarding: set[int] = set()  # linked functions with forwarding parameters
        self._handed: dict[SitePosition, set[tuple[int, int, int]]] = {}
        self._read_definitions()
        self._follow()

    def _read_definitions(self) -> None:
        keys, holders = self._nodes.interner.holder_keys, self._nodes.holder_nodes
        functions = self._nodes.linked_functions
        for number, row in enumerate(self._facts.definitions):
            if row.function == NONE:
                continue
            for write in row.writes:
                if keys[write.holder][0] in (VARIABLE, PARAMETER):
                    self._written.setdefault(holders[write.holder], []).append(write.value)
            for position, site in enumerate(row.sites):
                if site.callee != NONE and site.arguments:
                    callee = functions[site.callee]
                    self._callers.setdefault(callee, []).append(((number, position), site))

    def _follow(self) -> None:
        work: list[tuple[int, int]] = []
        for number, row in enumerate(self._facts.definitions):
            for position, site in enumerate(row.sites):
                if site.target == NONE:
                    continue
                meant = self._alternatives(site.target)
                if meant is not None and len(meant) == 1:
                    [(kind, index)] = meant
                    if kind == PARAMETER:
                        self.called_parameters[number, position] = index
                        work.append((self._nodes.linked_functions[site.caller], index))
        seen: set[tuple[int, int]] = set()
        while work:
            parameter = work.pop()
            if parameter not in seen:
                seen.add(parameter)
                self.forwarding.add(parameter[0])
                work += self._hand(*parameter)

    def _hand(self, function: int, index: int) -> list[tuple[int, int]]:
        """Write down what each call hands to a parameter; gives the parameters handed on."""
        handed_on = []
        for position, site in self._callers.get(function, ()):
            if index >= len(site.arguments):
                continue
            alternatives: set[tuple[int, int]] = set()
            for value in site.arguments[index]:
                meant = self._alternatives(value)
                if meant is None:
                    break
                alternatives |= meant
            else:
                for kind, number in alternatives:
                    self._handed.setdefault(position, set()).add((index, kind, number))
                    if kind == PARAMETER:
                        handed_on.append((self._nodes.linked_functions[site.caller], number))
        return handed_on

    def list_forwards(self, position: SitePosition) -> tuple[CallbackForward, ...]:
        """The Forwards of a direct call, sorted."""
        rows = self._handed.get(position)
        if rows is None:
            return ()
        forwards = [
            CallbackForward(
                parameter, self._nodes.function_id(number) if kind == FUNCTION else number
            )
            for parameter, kind, number in rows
        ]
        return tuple(sorted(forwards, key=lambda f: (f.parameter, str(type(f.value)),
                                                     repr(f.value))))

    def _alternatives(self, value: int) -> Alternatives | None:
        """The functions and own parameters that a value may be; None where it may be more."""
        if value in self._known:
            return self._known[value]
        self._known[value] = None
        meant = self._known[value] = self._evaluate(value, set())
        return meant

    def _evaluate(self, value: int, path: set[int]) -> Alternatives | None:
        if value == CONSTANT:
            return frozenset()
        kind, first, _ = self._rows[value]
        if kind == FUNCTION:
            return frozenset(((FUNCTION, self._nodes.linked_functions[first]),))
        return self._local(self._nodes.holder_nodes[first], path) if kind == LOAD else None

    def _local(self, node: int, path: set[int]) -> Alternatives | None:
        """What a local or a parameter may be, if nothing unseen can write to it."""
        if node in path:
            return frozenset()
        key = self._nodes.keys[node]
        written = self._written.get(node, [])
        if node in self._constraints.address_taken:
            return None
        if key[0] == PARAMETER and not written and not self._nodes.is_variadic(node):
            return frozenset(((PARAMETER, key[2]),))
        return self._union(written, path | {node}) if key[0] == VARIABLE and written else None

    def _union(self, written: list[int], path: set[int]) -> Alternatives | None:
        result: Alternatives = frozenset()
        for value in written:
            meant = self._evaluate(value, path)
            if meant is None:
                return None
            result |= meant
        return result
