"""What every way from one function to another passes: the dominators of the last.

The ways are those of Adjacency, which has every call that a path can take, and more. So a function
that is found here is on every path that the index has; that a path is refused for what it has fixed
before may make further functions necessary. A function is certain if no open call (see no_path)
that is reached without it might lead on.
"""

from msgspec.structs import replace

from kgraph.graph import CallGraph
from kgraph.graph.nx import find_dominators
from kgraph.graph.parts import find_distances
from kgraph.model.results import RequiredAnswer, RequiredFunction
from kgraph.query.lookup import find_function
from kgraph.query.paths.adjacency import Adjacency
from kgraph.query.paths.no_path import explain_no_path
from kgraph.query.paths.question import PathQuestion, make_search


def find_required(graph: CallGraph, question: PathQuestion) -> RequiredAnswer:
    """The functions that every way passes, in order. Raises LookupFailed as find_paths does."""
    adjacency = make_search(graph, question).space.adjacency
    first, last = (
        find_function(graph, name).number for name in (question.caller, question.callee))
    forward = find_distances(adjacency.iter_callees, (first,))
    if last not in forward:
        return RequiredAnswer((), explain_no_path(adjacency, first, last))
    among = find_distances(adjacency.iter_callers, (last,)).keys() & forward.keys()
    pairs = ((caller, callee) for caller in among for callee in adjacency.iter_callees(caller)
             if callee in among)
    return RequiredAnswer(tuple(
        RequiredFunction(graph.function(number), number in (first, last) or not _is_open_without(
            adjacency, number, (first, last)))
        for number in find_dominators(pairs, first, last)))


def _is_open_without(adjacency: Adjacency, number: int, ends: tuple[int, int]) -> bool:
    """Whether an open call might lead from one end to the other without a function."""
    constraints = adjacency.constraints
    without = replace(constraints, avoid=constraints.avoid | {number})
    return explain_no_path(Adjacency(adjacency.graph, without), *ends).is_open
