"""Explains why there is no path: how far each end reaches, and what keeps the answer open.

A call is open where kgraph cannot see what it calls: an unresolved call site, a deferred request
without a known callee, a function without a definition in the index. So is the store of a function
into a variable from which assembler goes on to it: when it does, no call shows. The answer is open
if one of these, reached from the caller, might lead to the callee, perhaps by way of others; only
those that might are named. What an open call might enter:

- a call site of known type the functions of that type whose address is taken;
- a request the functions that are registered for what it may mean;
- any other, a *blind* call, every function that other files can name, or whose address is taken.

In the index of a whole kernel a function without a definition is no open call: a kernel is linked
without libraries, so the compiler has removed the calls of it; but one that Rust code defines is.
Neither is a function, also one of assembler with a call through a register, that calls nothing back
(leaf_functions.toml).
"""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources

from kgraph.graph import CallGraph
from kgraph.model.results import AssemblerStore, Frontier, KnownFunction, OpenCallers, Reach
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
    forward = Reachable((source,), adjacency.make_callee_function(via_passed))
    backward = Reachable((target,), adjacency.iter_callers)
    open_calls = OpenCalls(adjacency, (target,))
    unresolved = open_calls.find_sites(forward)
    undefined = open_calls.find_undefined(forward)
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
        by_request=open_calls.has_request(forward),
        assembler_stores=open_calls.find_stores(forward),
        assembler_entries=_find_assembler_entries(graph, target),
    )


def find_open_callers(graph: CallGraph, function: int) -> OpenCallers:
    """What may call a function where kgraph cannot see what is called."""
    by_type = graph.by_type
    sites = list(by_type.sites_for(function))
    undefined: set[int] = set()
    if function in graph.find_enterable_functions():
        sites += [site for caller in by_type.callers if not _is_leaf(graph.function(caller).id.name)
                  for site in by_type.sites_of(caller) if by_type.has_unknown_type(site)]
        undefined = _find_open_functions(graph)
    requests = any(function in graph.open_requests.iter_candidates(caller)
                   for caller in graph.open_requests.callers)
    stores = any(store.function == function for store in graph.find_stores_for_assembler())
    return OpenCallers(tuple(map(graph.site, sites[:_MAX_LISTED])), len(sites), len(undefined),
                       by_request=requests, by_assembler=stores)


class Reachable:
    """The functions that can be reached, each with its place in the order in which a breadth-first
    search reaches them; `last` are those farthest away.
    """

    def __init__(self, starts: Iterable[int], find_following: Successors) -> None:
        self.order = {start: number for number, start in enumerate(dict.fromkeys(starts))}
        self.last = layer = list(self.order)
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


class OpenCalls:
    """The open calls that might lead to one of some functions, the targets. `leading` are the
    functions that reach one if every open call goes wherever it might.
    """

    def __init__(self, adjacency: Adjacency, targets: Iterable[int]) -> None:
        self._graph = graph = adjacency.graph
        self._adjacency = adjacency
        self._undefined = _find_open_functions(graph)
        self._enterable = graph.find_enterable_functions()
        self._requesting: dict[int, set[int]] = defaultdict(set)
        if adjacency.constraints.deferred:
            for caller in graph.open_requests.callers:
                for callee in graph.open_requests.iter_candidates(caller):
                    self._requesting[callee].add(caller)
        self._stores = [
            (storing, store) for store in graph.find_stores_for_assembler()
            if (storing := graph.find_function_around(store.location)) is not None]
        self._are_blind_leading = False
        self.leading = self._find_leading(targets)

    def find_sites(self, reachable: Reachable) -> list[int]:
        """The unresolved call sites in the functions that were reached, nearest first."""
        by_type = self._graph.by_type
        callers = reachable.sort_nearest_first(by_type.callers)
        sites = (site for function in callers for site in by_type.sites_of(function))
        return [site for site in sites if self._is_leading(site)]

    def find_stores(self, reachable: Reachable) -> tuple[AssemblerStore, ...]:
        """The stores, in functions that were reached, of a function that leads to the target."""
        return tuple(
            AssemblerStore(self._graph.function(function), store.holder, store.location)
            for storing, store in self._stores
            if storing in reachable.order and (function := store.function) in self.leading)

    def find_undefined(self, reachable: Reachable) -> list[int]:
        """The functions without a definition that were reached, nearest first."""
        return reachable.sort_nearest_first(self._undefined) if self._are_blind_leading else []

    def has_request(self, reachable: Reachable) -> bool:
        """Whether a function that was reached makes an open request."""
        return any(
            callee in self.leading and not callers.isdisjoint(reachable.order)
            for callee, callers in self._requesting.items())

    def _is_leading(self, site: int) -> bool:
        by_type = self._graph.by_type
        if by_type.has_unknown_type(site):
            caller = self._graph.function(self._graph.caller_of(site))
            return self._are_blind_leading and not _is_leaf(caller.id.name)
        if self._adjacency.constraints.types:
            return False  # its candidates are ordinary callees
        return not self.leading.isdisjoint(by_type.callees(site))

    def _find_leading(self, targets: Iterable[int]) -> set[int]:
        """The functions that reach a target if every open call goes wherever it might."""
        found, avoid = set(targets), self._adjacency.constraints.avoid
        stack = list(found)
        while stack:
            function = stack.pop()
            callers = {*self._adjacency.iter_callers(function), *self._find_open_callers(function)}
            if function in self._enterable and not self._are_blind_leading:
                self._are_blind_leading = True
                callers.update(self._find_blind_functions())
            callers -= found
            callers -= avoid
            found |= callers
            stack += callers
        return found

    def _find_open_callers(self, function: int) -> set[int]:
        """The functions with an open call of which `function` is a candidate."""
        callers = set(map(self._graph.caller_of, self._graph.by_type.sites_for(function)))
        callers.update(self._requesting.get(function, ()))
        callers.update(storing for storing, store in self._stores if store.function == function)
        return callers

    def _find_blind_functions(self) -> set[int]:
        """The functions with blind calls, and those that may make any."""
        by_type = self._graph.by_type
        return self._undefined | {
            caller for caller in by_type.callers
            if any(map(by_type.has_unknown_type, by_type.sites_of(caller)))
            and not _is_leaf(self._graph.function(caller).id.name)}


def _find_open_functions(graph: CallGraph) -> set[int]:
    """The functions without a definition that may call anything."""
    rust = graph.description.rust
    return {number for number, name in graph.find_undefined_functions()
            if (name in rust if graph.is_whole else not _is_leaf(name))}


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
