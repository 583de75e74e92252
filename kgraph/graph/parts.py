"""Which functions a part of the graph has: a folder, what is near some functions, or what lies
between two. Also the calls of all functions as arrays, for searches of your own.

Must not know networkx: rows of a table are parts, too.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from kgraph.graph.callgraph import CallGraph

Neighbours = Callable[[int], Iterable[int]]


@dataclass(frozen=True, slots=True)
class GraphPart:
    """Which functions a graph has: those that meet every condition that is given, all by default.

    `functions` are numbers. `folder` is a path of the tree: functions defined in or below it.
    `around` are numbers of functions: they, and what reaches one of them or is reached from one in
    at most `depth` calls. `between` are two numbers: what lies on a way of at most `depth` calls
    from the first to the second; None for as many calls as the shortest way has.
    """

    functions: frozenset[int] | None = None
    folder: str = ""
    around: tuple[int, ...] = ()
    between: tuple[int, int] | None = None
    depth: int | None = None


def select_functions(graph: CallGraph, part: GraphPart) -> list[int]:
    """The numbers of the functions of a part, ascending."""
    chosen = set(range(len(graph)))
    if part.functions is not None:
        chosen &= part.functions
    if part.around:
        depth = 1 if part.depth is None else part.depth
        chosen &= {
            number for neighbours in (graph.callers_of, graph.callees_of)
            for number in find_distances(neighbours, part.around, depth)}
    if part.between is not None:
        chosen &= _find_between(graph, *part.between, part.depth)
    if part.folder:
        chosen &= {function.number for function in graph.find_functions_in(part.folder)}
    return sorted(chosen)


def find_distances(
    neighbours: Neighbours, start: Iterable[int], depth: int | None = None
) -> dict[int, int]:
    """Function -> the fewest calls that lead to it from one of `start`, nearest first."""
    layer = list(start)
    found = dict.fromkeys(layer, 0)
    distance = 0
    while layer and distance != depth:
        distance += 1
        following = []
        for number in layer:
            for other in neighbours(number):
                if other not in found:
                    found[other] = distance
                    following.append(other)
        layer = following
    return found


def _find_between(graph: CallGraph, first: int, last: int, depth: int | None) -> set[int]:
    """The functions on the ways of at most `depth` calls from one function to another."""
    forward = find_distances(graph.callees_of, (first,), depth)
    if last not in forward:
        return set()
    most = forward[last] if depth is None else depth
    backward = find_distances(graph.callers_of, (last,), most)
    return {number for number, distance in forward.items()
            if distance + backward.get(number, most + 1) <= most}


class CallArrays:
    """Who calls whom, for all functions at once. A function is its number (`KnownFunction.number`).

    The callees of function n are `callees[callee_start[n]:callee_start[n + 1]]`, its callers
    `callers[caller_start[n]:caller_start[n + 1]]`: plain arrays of the module `array`, which numpy
    and scipy take as they are (compressed rows). A function stands there once for each kind of call
    and slot. Every candidate of every indirect call is a callee, as is what runs deferred; whether
    a call can happen after those before it only a path question tells.
    """

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self.callee_start = graph.hop_start
        self.callees = graph.hop_callee
        self.caller_start = graph.back_start

    @cached_property
    def callers(self) -> "array[int]":
        """The callers of all functions, one function's after another's."""
        return array("I", map(self._graph.hop_caller.__getitem__, self._graph.back_hop))

    def __len__(self) -> int:
        return len(self.callee_start) - 1

    def callees_of(self, number: int) -> "array[int]":
        """The callees of a function."""
        return self.callees[self.callee_start[number]:self.callee_start[number + 1]]

    def callers_of(self, number: int) -> "array[int]":
        """The callers of a function."""
        return self.callers[self.caller_start[number]:self.caller_start[number + 1]]

    def iter_pairs(self) -> Iterator[tuple[int, int]]:
        """(caller, callee) of all calls."""
        return zip(self._graph.hop_caller, self.callees, strict=True)

    def find_distances(
        self, start: Iterable[int], depth: int | None = None, *, upwards: bool = False
    ) -> dict[int, int]:
        """Function -> the fewest calls that lead to it from one of `start`, nearest first.
        `upwards`: to one of `start` from it."""
        return find_distances(self.callers_of if upwards else self.callees_of, start, depth)
