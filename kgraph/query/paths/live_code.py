"""Code that nothing runs hands nothing on.

A function whose name is used as a value only in functions that nothing calls (their callers are in
another configuration) is never called through a pointer: tick_setup_hrtimer_broadcast() would hang
bc_handler() into a timer, and nothing calls it on x86. This is what a linker finds that drops
unused sections, so it is known of whole kernels alone.
"""

from functools import cached_property

from kgraph.graph import CallGraph
from kgraph.model.ids import VMLINUX
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, Verdict
from kgraph.store.arrays import FLAG_INDIRECT, FLAG_TYPE

NAME = "live code"
_ASSEMBLER = ".S"


class LiveCode:
    """The rule of code that nothing runs. A path that starts in such code may go on in it."""

    name = NAME
    is_of_parameters = False

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._is_asked = graph.is_whole and not graph.reader.coverage.errors
        self._dead: dict[int, bool] = {}

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop calls through a pointer what only dead code hands on."""
        return (self._is_asked and hop.flags & (FLAG_INDIRECT | FLAG_TYPE) == FLAG_INDIRECT
                and hop.callee in self._graph.takers and self._is_dead(hop.callee))

    def judge(
        self, hop: OutgoingHop, own: Facts, _bindings: tuple[tuple[int, int], ...]
    ) -> Verdict:
        """Refuse what is never handed on, unless the path starts in such code."""
        if own or not self.concerns(hop):
            return Verdict(own)
        return Verdict(refused="only code that nothing calls hands this function on")

    def facts_at_start(self, function: int) -> Facts:
        """Whether the path starts in code that nothing runs."""
        return (Fact(NAME, 0, 1),) if self._is_asked and self._is_dead(function) else ()

    def _is_dead(self, function: int) -> bool:
        """Whether nothing that runs calls a function or hands it on."""
        known = self._dead.get(function)
        if known is None:
            known = self._dead[function] = self._find_live(function) is None
        return known

    def _find_live(self, function: int) -> int | None:
        """A function that may be entered from outside, from which calls or values lead to one."""
        seen, waiting = {function}, [function]
        while waiting:
            here = waiting.pop()
            callers = self._find_users(here)
            if callers is None:
                return here
            new = [each for each in callers if each not in seen]
            seen.update(new)
            waiting += new
        self._dead.update(dict.fromkeys(seen, True))
        return None

    def _find_users(self, function: int) -> list[int] | None:
        """The functions that call a function by name, or use it as a value; None if anything else
        may: a table, assembler, an alias, another image.
        """
        graph = self._graph
        takers = graph.takers.get(function)
        hops = graph.hops_to(function)
        by_name = [graph.hop_caller[hop] for hop in hops
                   if not graph.hop_flags[hop] & FLAG_INDIRECT]
        if takers is None:
            known = graph.function(function)
            if (len(by_name) < len(hops) or known.address_taken or known.location is None
                    or known.location.path.endswith(_ASSEMBLER) or known.id.image != VMLINUX
                    or known.id.name in self._alias_targets):
                return None
        return [*by_name, *(takers or ())]

    @cached_property
    def _alias_targets(self) -> set[str]:
        return self._graph.find_alias_targets()
