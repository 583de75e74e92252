"""What became of a way: the paths between two functions in two graphs, side by side."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from kgraph.graph import CallGraph
from kgraph.model.comparison import Change, WayComparison, WayStep
from kgraph.model.location import Location
from kgraph.model.results import KnownFunction, Path, PathAnswer
from kgraph.query.comparison.matching import Pairing, pair_functions

_Stop = tuple[KnownFunction, Location | None]  # a function, and where it is called from


def compare_paths(
    before: CallGraph, after: CallGraph, answers: tuple[PathAnswer, PathAnswer]
) -> WayComparison:
    """The first paths of two answers side by side."""
    old, new = (answer.paths[0] if answer.paths else None for answer in answers)
    is_open = tuple(answer.frontier is not None and answer.frontier.is_open for answer in answers)
    steps: tuple[WayStep, ...] = ()
    if old is not None and new is not None:
        steps = tuple(_iter_steps(old, new, pair_functions(before, after)))
    return WayComparison(old, new, steps, (is_open[0], is_open[1]))


def _iter_steps(old: Path, new: Path, pairs: Pairing) -> Iterator[WayStep]:
    left, right = _list_stops(old), _list_stops(new)
    ends = {0: right[0][0].number, len(left) - 1: right[-1][0].number}  # asked for as the same
    names = [ends.get(at, pairs.after.get(function.number, -1 - function.number))
             for at, (function, _) in enumerate(left)]
    matcher = SequenceMatcher(
        None, names, [function.number for function, _ in right], autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            for (one, place), (two, other) in zip(left[first:last], right[start:end], strict=True):
                yield _make_step(one, two, place, other)
        else:
            for function, place in left[first:last]:
                yield WayStep(Change.GONE, function.id.name, function.id.name, place, None)
            for function, place in right[start:end]:
                yield WayStep(Change.NEW, function.id.name, "", None, place)


def _make_step(
    one: KnownFunction, two: KnownFunction, before: Location | None, after: Location | None
) -> WayStep:
    is_renamed = one.id.name != two.id.name
    return WayStep(Change.RENAMED if is_renamed else None, two.id.name, one.id.name, before, after)


def _list_stops(path: Path) -> list[_Stop]:
    first: list[_Stop] = [(path.hops[0].caller, None)]
    return first + [(hop.callee, hop.site.location) for hop in path.hops]
