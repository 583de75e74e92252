"""Explains why there is no path: how far each end reaches, and what keeps the answer open.

A call is open where kgraph cannot see what it calls: an unresolved call site, a deferred request
without a known callee, a function without a definition in the index. So is the store of a function
into a variable from which assembler goes on to it: when it does, no call shows. The answer is open
if one of these, reached from the caller, might lead to the callee, perhaps by way of others. Only
those are named from which it takes the fewest further ones. What an open call might enter:

- a call site of known type the functions of that type whose address is taken;
- a request the functions that are registered for what it may mean;
- any other, a *blind* call, every function that other files can name, or whose address is taken.

In the index of a whole kernel a function without a definition is no open call: a kernel is linked
without libraries, so the compiler has removed the calls of it. Neither is a function, also one of
assembler with a call through a register, that calls nothing back (leaf_functions.toml).
"""

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources

from kgraph.graph import CallGraph
from kgraph.model.results import AssemblerStore, Frontier, KnownFunction, Reach
from kgraph.query.paths.adjacency import Adjacency

Successors = Callable[[int], Iterable[int]]
_MAX_LISTED = 8
_MAX_UNDEFINED = 6


def explain_no_path(
    adjacency: Adjacency, source: int, target: int, via_passed: int = 0
) -> Frontier:
    """The frontier between two functions, after `via_passed` of the functions to pass. Forwarded
    callbacks are ignored.
    """
    graph = adjacency.graph
    forward = _Reachable(source, adjacency.make_callee_function(via_passed))
    backward = _Reachable(target, adjacency.iter_callers)
    open_calls = _OpenCalls(adjacency, forward, backward)
    unresolved, undefined = open_calls.find_sites(), open_calls.find_undefined()
    return Frontier(
        graph.function(source), graph.function(target),
        Reach(
            len(forward.order), tuple(map(graph.function, forward.last[:_MAX_LISTED])),
            tuple(map(graph.site, unresolved[:_MAX_LISTED])), len(unresolved),
            tuple(map(graph.function, undefined[:_MAX_UNDEFINED])), len(undefined),
        ),
        Reach(len(backward.order), tuple(map(graph.function, backward.last[:_MAX_LISTED]))),
        by_type=bool(unresolved),
        is_connected=target in forward.order,
        by_request=open_calls.has_request(),
        assembler_stores=open_calls.find_stores(),
        assembler_entries=_find_assembler_entries(graph, target),
    )


class _Reachable:
    """The functions that can be reached, each with its place in the order in which a breadth-first
    search reaches them; `last` are those farthest away.
    """

    def __init__(self, start: int, find_following: Successors) -> None:
        self.order = {start: 0}
        self.last = layer = [start]
        while layer:
            self.last, layer = layer, []
            for function in self.last:
                for other in find_following(function):
                    if other not in self.order:
                        self.order[other] = len(self.order)
                        layer.append(other)

    def sort_nearest_first(self, functions: Iterable[int]) -> list[int]:
        """Those of `functions` that were reached."""
        order = self.order
        return sorted((each for each in functions if each in order), key=order.__getitem__)


class _OpenCalls:
    """The open calls in functions that `forward` reached that might lead to what `backward` started
    from.
    """

    def __init__(self, adjacency: Adjacency, forward: _Reachable, backward: _Reachable) -> None:
        self._graph = graph = adjacency.graph
        self._adjacency = adjacency
        self._forward = forward
        self._undefined = _find_open_functions(graph)
        self._enterable = graph.find_enterable_functions()
        self._requests = [
            (caller, callee) for caller in graph.open_requests.callers
            for callee in graph.open_requests.iter_candidates(caller)
        ] if adjacency.constraints.deferred else []
        self._stores = [
            (storing, store) for store in graph.find_stores_for_assembler()
            if (storing := graph.find_function_around(store.location)) is not None]
        self._leading: set[int] = set()
        self._are_blind_leading = False
        self._find_leading(backward)

    def find_sites(self) -> list[int]:
        """The unresolved call sites, nearest first."""
        by_type = self._graph.by_type
        callers = self._forward.sort_nearest_first(by_type.callers)
        sites = (site for function in callers for site in by_type.sites_of(function))
        return [site for site in sites if self._is_leading(site)]

    def find_stores(self) -> tuple[AssemblerStore, ...]:
        """The stores for assembler."""
        return tuple(
            AssemblerStore(self._graph.function(function), store.holder, store.location)
            for storing, store in self._stores
            if storing in self._forward.order and (function := store.function) in self._leading)

    def find_undefined(self) -> list[int]:
        """The functions without a definition, nearest first."""
        if not self._are_blind_leading:
            return []
        return self._forward.sort_nearest_first(self._undefined)

    def has_request(self) -> bool:
        """Whether there is an open request."""
        return any(caller in self._forward.order and callee in self._leading
                   for caller, callee in self._requests)

    def _is_leading(self, site: int) -> bool:
        by_type = self._graph.by_type
        if by_type.has_unknown_type(site):
            caller = self._graph.function(self._graph.caller_of(site))
            return self._are_blind_leading and not _is_leaf(caller.id.name)
        if self._adjacency.constraints.types:
            return False  # its candidates are ordinary callees
        return not self._leading.isdisjoint(by_type.callees(site))

    def _find_leading(self, backward: _Reachable) -> None:
        """Find what leads to the target: by calls alone, then by one open call, by two ... until an
        open call that was reached does.
        """
        self._add_leading(backward.order)
        while not (self.find_sites() or self.find_undefined() or self.has_request()
                   or self.find_stores()):
            more = self._find_open_callers() - self._leading - self._adjacency.constraints.avoid
            if not more:
                break
            self._add_leading(more)

    def _add_leading(self, functions: Iterable[int]) -> None:
        """Add functions and all that calls lead from to them."""
        found, stack = self._leading, [*functions]
        found.update(stack)
        while stack:
            callers = {*self._adjacency.iter_callers(stack.pop())} - found
            found |= callers
            stack += callers
        self._are_blind_leading = not found.isdisjoint(self._enterable)

    def _find_open_callers(self) -> set[int]:
        """The functions with an open call that leads to the target, and those that are one."""
        by_type = self._graph.by_type
        found = {caller for caller in by_type.callers
                 if any(map(self._is_leading, by_type.sites_of(caller)))}
        found.update(caller for caller, callee in self._requests if callee in self._leading)
        found.update(storing for storing, store in self._stores if store.function in self._leading)
        return found | self._undefined if self._are_blind_leading else found


def _find_open_functions(graph: CallGraph) -> set[int]:
    """The functions without a definition that may call anything."""
    if graph.is_whole:
        return set()
    return {number for number, name in graph.find_undefined_functions() if not _is_leaf(name)}


def _is_leaf(name: str) -> bool:
    """Whether a function of this name is known to call nothing back."""
    names, prefixes = _load_leaf_functions()
    return name in names or name.startswith(prefixes)


@cache
def _load_leaf_functions() -> tuple[frozenset[str], tuple[str, ...]]:
    """The names of the functions that call nothing back, and prefixes of such names."""
    text = resources.files("kgraph.query.paths").joinpath("leaf_functions.toml").read_text("utf-8")
    rows = tomllib.loads(text)["leaf"]
    return (frozenset(name for row in rows for name in row.get("names", ())),
            tuple(prefix for row in rows for prefix in row.get("prefixes", ())))


def _find_assembler_entries(graph: CallGraph, target: int) -> tuple[KnownFunction, ...]:
    """The functions in assembler that call a function, if nothing else does."""
    callers = graph.callers_of(target)
    if len(graph.find_assembler_functions(callers)) < len(callers):
        return ()
    return tuple(map(graph.function, callers[:_MAX_LISTED]))
