"""A path from an interrupt, an NMI or a softirq does not sleep.

It may only leave that context behind a deferred call that runs in process context. path_rules.toml
says which functions enter such a context, which sleep, and where deferred callbacks run. A function
that says in its text that it may sleep does. One that nothing calls but such entries, whether by
name or through a pointer, runs where they do.
"""

from functools import cached_property

from kgraph.graph import CallGraph
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, Verdict
from kgraph.query.paths.path_rules import RunContext, load_path_rules
from kgraph.store.arrays import FLAG_DEFERRED, FLAG_INDIRECT, FLAG_TYPE

NAME = "context"
_ATOMIC = (Fact(NAME, 0, 1),)
_MOST_CALLERS = 1000  # to look at; what more functions lead to is called from everywhere
_NOTHING = Verdict()
_STAYS = Verdict(_ATOMIC)


class ExecutionContext:
    """The rule of contexts that may not sleep."""

    name = NAME
    is_of_parameters = False

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop may enter a context."""
        return hop.is_deferred or hop.callee in self._atomic

    def judge(
        self, hop: OutgoingHop, own: Facts, _bindings: tuple[tuple[int, int], ...]
    ) -> Verdict:
        """Refuse what sleeps in a context that may not."""
        is_atomic = self._follow(
            hop.callee, is_atomic=bool(own), is_deferred=hop.is_deferred)
        if is_atomic is None:
            return Verdict(refused="an interrupt or a softirq may not sleep")
        return _STAYS if is_atomic else _NOTHING

    def facts_at_start(self, function: int) -> Facts:
        """A path starts in an interrupt if its first function is an entry, only a callback that
        runs in one, or called from nowhere else.
        """
        if function in self._atomic:
            return _ATOMIC
        if self._find_context(function) is RunContext.ATOMIC and not self._is_called_by_name(
                function):
            return _ATOMIC
        return _ATOMIC if self._is_called_in_interrupts_only(function) else ()

    def may_reach(self, source: int, target: int, excluded_flags: int) -> bool:
        """Whether calls lead from one function to another without a hop that this rule refuses, or
        that has one of these flags. Looks at functions alone, and sees in time that from an
        interrupt nothing does.
        """
        graph = self._graph
        if not self.facts_at_start(source):
            return True
        seen: set[tuple[int, bool]] = {(source, True)}
        waiting = list(seen)
        while waiting:
            function, is_atomic = waiting.pop()
            for hop in range(graph.hop_start[function], graph.hop_start[function + 1]):
                callee, flags = graph.hop_callee[hop], graph.hop_flags[hop]
                if flags & excluded_flags:
                    continue
                after = self._follow(
                    callee, is_atomic=is_atomic, is_deferred=bool(flags & FLAG_DEFERRED))
                if after is None or (callee, after) in seen:
                    continue
                if callee == target:
                    return True
                seen.add((callee, after))
                waiting.append((callee, after))
        return False

    def _follow(self, callee: int, *, is_atomic: bool, is_deferred: bool) -> bool | None:
        """Whether a callee runs where it may not sleep; None if it would sleep there."""
        if is_deferred:
            context = self._find_context(callee)
            if context is not RunContext.CALLER:
                return context is RunContext.ATOMIC
        if is_atomic and callee in self._sleeping:
            return None
        return is_atomic or callee in self._atomic

    def _is_called_by_name(self, function: int) -> bool:
        graph = self._graph
        hops = graph.hops_to(function)
        return any(not graph.hop_flags[hop] & FLAG_INDIRECT for hop in hops)

    def _is_called_in_interrupts_only(self, function: int) -> bool:
        """Whether all calls that lead to a function come from entries of such a context. A function
        without a known caller, or with one only that it calls itself, may be called from anywhere.
        """
        graph = self._graph
        seen, waiting, is_entered = {function}, [function], False
        while waiting:
            here = waiting.pop()
            hops = graph.hops_to(here)
            if not hops or len(seen) > _MOST_CALLERS:
                return False
            for hop in hops:
                caller, flags = graph.hop_caller[hop], graph.hop_flags[hop]
                if flags & FLAG_TYPE:
                    return False
                if flags & FLAG_DEFERRED:
                    context = self._find_context(here)
                    if context is RunContext.ATOMIC:
                        is_entered = True
                        continue
                    if context is RunContext.PROCESS:
                        return False
                if caller in self._atomic:
                    is_entered = True
                elif caller not in seen:
                    seen.add(caller)
                    waiting.append(caller)
        return is_entered

    def _find_context(self, function: int) -> RunContext:
        """Where a deferred callback runs; in process context if it is of several kinds."""
        contexts = self._contexts.get(function, {RunContext.PROCESS})
        return next(iter(contexts)) if len(contexts) == 1 else RunContext.PROCESS

    @cached_property
    def _contexts(self) -> dict[int, set[RunContext]]:
        declared = load_path_rules().contexts
        found: dict[int, set[RunContext]] = {}
        for row in self._graph.find_deferred_callbacks():
            context = declared.get(row.kind, RunContext.PROCESS)
            found.setdefault(row.function, set()).add(context)
        return found

    @cached_property
    def _atomic(self) -> frozenset[int]:
        return frozenset(self._graph.find_functions_matching(load_path_rules().atomic))

    @cached_property
    def _sleeping(self) -> frozenset[int]:
        rules = load_path_rules()
        named = self._graph.find_functions_matching(rules.sleeping)
        annotated = self._graph.find_callers_in_macros(rules.annotations)
        return frozenset((*named, *annotated)) - self._atomic
