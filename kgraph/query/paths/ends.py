"""Ends of a path that are several functions: a slot, a table, a file, a pattern, `syscall:*`.

One search over the bare calls orders the pairs of functions, the nearest first; the paths of these
are then searched for one after another.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush

from msgspec import Struct
from msgspec.structs import replace

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.ids import VMLINUX
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import KnownFunction, PathAnswer
from kgraph.query.call_site import Place, find_file
from kgraph.query.find import find_matching_functions, is_pattern
from kgraph.query.lookup import has_function, write_name
from kgraph.query.ops import find_bindings
from kgraph.query.paths.question import PathQuestion, find_paths

_MAX_TRIES = 8  # pairs to look at that have no path, although calls lead from one to the other


class PathEnd(Struct, frozen=True):
    """An end of a path as it is written, and the functions that it may be."""

    text: str
    functions: tuple[KnownFunction, ...]


def find_end(graph: CallGraph, text: str) -> PathEnd | None:
    """The functions that an end of a path means; None if it is the name of one function.

    Raises LookupFailed where it means none.
    """
    functions: Iterable[KnownFunction]
    if is_pattern(text):
        functions = find_matching_functions(graph, text)
    elif Place.parse(text).is_file:
        functions = graph.find_functions_in(_find_folder(graph, text))
    elif not has_function(graph, text) and _is_bound(graph, text):
        functions = [row.bound for row in find_bindings(graph, text)
                     if isinstance(row.bound, KnownFunction)]
    else:
        return None
    known = {each.number: each for each in functions if each.location is not None}
    if any(each.id.image == VMLINUX for each in known.values()):
        known = {number: each for number, each in known.items() if each.id.image == VMLINUX}
    if not known:
        raise LookupFailed(f"`{text}` means no function", "`kgraph find` finds names")
    return PathEnd(text, tuple(known.values()))


def find_paths_between(
    graph: CallGraph, question: PathQuestion, callers: Sequence[int], callees: Sequence[int]
) -> tuple[PathQuestion, PathAnswer]:
    """The question on the nearest pair of functions that has a path, and the answer: `count` paths,
    of one pair each. Without any path: why the nearest pair has none.
    """
    answers: list[tuple[PathQuestion, PathAnswer]] = []
    failed: list[tuple[PathQuestion, PathAnswer]] = []
    is_open = False
    for caller, callee in _iter_pairs(graph, question, callers, callees):
        if len(answers) == question.count or len(failed) == _MAX_TRIES:
            is_open = True
            break
        pair = _ask_pair(graph, question, caller, callee)
        if pair is not None:
            (answers if pair[1].paths else failed).append(pair)
    if not answers and not failed:
        pair = _ask_pair(graph, question, callers[0], callees[0])
        failed += [] if pair is None else [pair]
    if not answers:
        return failed[0]
    paths = tuple(path for _, answer in answers for path in answer.paths)
    return replace(answers[0][0], count=question.count), PathAnswer(
        paths, others_at_least=is_open)


def _is_bound(graph: CallGraph, text: str) -> bool:
    try:
        return bool(find_bindings(graph, text))
    except LookupFailed:
        return False


def _find_folder(graph: CallGraph, text: str) -> str:
    """The path of a file, or of a folder from the top of the tree."""
    folder = text.rstrip("/")
    return folder if graph.find_functions_in(folder) else find_file(graph, text)


def _ask_pair(
    graph: CallGraph, question: PathQuestion, caller: int, callee: int
) -> tuple[PathQuestion, PathAnswer] | None:
    """The question on two functions, and its answer; None if no name tells them from others."""
    names = [write_name(graph, graph.function(number)) for number in (caller, callee)]
    pair = replace(question, caller=names[0], callee=names[1], count=1, count_others=False)
    try:
        return pair, find_paths(graph, pair)
    except LookupFailed:
        if question.via or question.avoid or question.bind:
            raise
        return None


def _iter_pairs(
    graph: CallGraph, question: PathQuestion, callers: Sequence[int], callees: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Pairs of functions between which calls lead, the nearest first: one for each caller, or, for
    a single caller, one for each callee.
    """
    is_forward = len(callers) == 1
    starts, ends = (callers, callees) if is_forward else (callees, callers)
    nearest = iter_nearest(graph, starts, set(ends), is_forward=is_forward,
                            deferred=question.deferred)
    for end, start in nearest:
        if end != start:
            yield (start, end) if is_forward else (end, start)


def iter_nearest(
    graph: CallGraph, starts: Sequence[int], ends: set[int], *, is_forward: bool, deferred: bool
) -> Iterator[tuple[int, int]]:
    """(an end, the start that is nearest to it), the nearest first: Dijkstra's algorithm over the
    calls, whatever these hand on.
    """
    settled: set[int] = set()
    queue = [(0, number, number) for number in starts]
    others = graph.hop_callee if is_forward else graph.hop_caller
    while queue and ends:
        cost, here, start = heappop(queue)
        if here in settled:
            continue
        settled.add(here)
        if here in ends:
            ends.discard(here)
            yield here, start
        hops = (range(graph.hop_start[here], graph.hop_start[here + 1]) if is_forward
                else graph.hops_to(here))
        for hop in hops:
            if others[hop] not in settled and (
                    deferred or graph.kind(graph.hop_edge[hop]) is not EdgeKind.DEFERRED):
                heappush(queue, (cost + graph.hop_cost[hop], others[hop], start))
