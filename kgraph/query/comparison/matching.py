"""Which function of one graph is which of another.

A function is the same if its name, its image and, if it is static, its file are. Of the rest those
that are alone with their name in both have moved. One that is left may have been renamed, if it
is still in its file, in one that others of its file moved to, or has a caller in common that names
it. This is guessed from what it calls (a callee that many share counts little), from its
parameters, its file and its name, and only where each is the other's best match. A guess names
further callees, so there is a second round.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from math import log

from msgspec import Struct

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import KnownFunction

_ROUNDS = 2
_SHARED_BY = 100  # a callee of more functions suggests no candidates
_LEAST_CALLS = 0.3
_LEAST_LIKENESS = 0.6
_WEIGHTS = {"calls": 0.5, "parameters": 0.2, "file": 0.15, "name": 0.15}

_Bag = Counter[str]


class Pairing(Struct, frozen=True, gc=False):
    """`after` maps functions of the first graph, the `old` ones, to those of the second; `guessed`
    has the likeness of the pairs that were guessed."""

    old: list[KnownFunction]
    new: list[KnownFunction]
    after: dict[int, int]
    guessed: dict[int, float]


def pair_functions(before: CallGraph, after: CallGraph) -> Pairing:
    """Pair the functions of two graphs."""
    old, new = before.find_all_functions(), after.find_all_functions()
    by_id = {each.id: each.number for each in new}
    pairs = {each.number: by_id[each.id] for each in old if each.id in by_id}
    _pair_moved(old, new, pairs)
    guesses = _Guesses(_Side(before, old), _Side(after, new), pairs)
    for _ in range(_ROUNDS):
        if not guesses.add_best():
            break
    return Pairing(old, new, pairs, guesses.likeness)


def _pair_moved(
    old: Iterable[KnownFunction], new: Iterable[KnownFunction], pairs: dict[int, int]
) -> None:
    """Pair what is alone with its name on both sides."""
    taken = set(pairs.values())
    left, right = (_group_by_name(each for each in side if each.number not in known)
                   for side, known in ((old, pairs), (new, taken)))
    for key, functions in left.items():
        others = right.get(key, ())
        if len(functions) == len(others) == 1:
            pairs[functions[0]] = others[0]


def _group_by_name(functions: Iterable[KnownFunction]) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in functions:
        found[each.id.name, each.id.image].append(each.number)
    return found


class _Side:
    """One of the two graphs."""

    def __init__(self, graph: CallGraph, functions: list[KnownFunction]) -> None:
        self.functions = functions
        self._graph = graph

    def find_callers(self, number: int) -> list[int]:
        """The functions that call one by its name."""
        graph = self._graph
        return [caller for caller in graph.callers_of(number)
                if any(graph.edge_callee[edge] == number and graph.kind(edge) is EdgeKind.DIRECT
                       for edge in graph.edges_from(caller))]

    def collect_calls(self, number: int, names: Mapping[int, str]) -> _Bag:
        """What a function calls by name. `names` replaces those of callees."""
        graph = self._graph
        return Counter(
            names.get(callee) or self.functions[callee].id.name
            for edge in graph.edges_from(number) if graph.kind(edge) is EdgeKind.DIRECT
            for callee in (graph.edge_callee[edge],))


class _Guesses:
    """Guesses which functions were renamed, and enters them into `pairs`."""

    def __init__(self, before: _Side, after: _Side, pairs: dict[int, int]) -> None:
        self._before, self._after = before, after
        self._pairs = pairs
        self._files = self._map_files()
        self.likeness: dict[int, float] = {}

    def _map_files(self) -> dict[str, set[str]]:
        """The files that functions of each file are in now: where at least two went."""
        moves = Counter(
            (one.location.path, two.location.path)
            for number, other in self._pairs.items()
            for one, two in ((self._before.functions[number], self._after.functions[other]),)
            if one.location and two.location)
        found: dict[str, set[str]] = defaultdict(set)
        for (old, new), count in moves.items():
            if count > 1 or old == new:
                found[old].add(new)
        return found

    def _may_be_one(self, number: int, other: int) -> bool:
        one, two = self._before.functions[number], self._after.functions[other]
        assert one.location is not None
        assert two.location is not None
        if one.id.image != two.id.image:
            return False
        old, new = one.location.path, two.location.path
        if old == new or new in self._files.get(old, ()):
            return True
        callers = {self._pairs.get(caller) for caller in self._before.find_callers(number)}
        return any(caller in callers for caller in self._after.find_callers(other))

    def add_best(self) -> bool:
        """Enter the pairs that are best for both. False if there are none."""
        taken = set(self._pairs.values())
        names = {number: self._after.functions[other].id.name
                 for number, other in self._pairs.items()}
        old = {each.number: bag for each in self._before.functions
               if each.location and each.number not in self._pairs
               and (bag := self._before.collect_calls(each.number, names))}
        new = {each.number: bag for each in self._after.functions
               if each.location and each.number not in taken
               and (bag := self._after.collect_calls(each.number, {}))}
        found = self._score(old, new)
        best_old, best_new = _find_best(found), _find_best(
            {(other, number): score for (number, other), score in found.items()})
        added = {number: other for number, other in best_old.items()
                 if best_new.get(other) == number}
        self._pairs.update(added)
        self.likeness.update({number: found[number, other] for number, other in added.items()})
        return bool(added)

    def _score(
        self, old: Mapping[int, _Bag], new: Mapping[int, _Bag]
    ) -> dict[tuple[int, int], float]:
        """The likeness of the pairs that may be one function."""
        users: dict[str, list[int]] = defaultdict(list)
        for number, bag in new.items():
            for name in bag:
                users[name].append(number)
        counts = Counter(name for bag in old.values() for name in bag)
        weights = {name: 1 / log(2 + counts[name] + len(users[name])) for name in
                   counts.keys() | users.keys()}
        found: dict[tuple[int, int], float] = {}
        for number, bag in old.items():
            candidates = {other for name in bag if len(users.get(name, ())) <= _SHARED_BY
                          for other in users.get(name, ())}
            for other in candidates:
                calls = _compare_bags(bag, new[other], weights)
                if calls >= _LEAST_CALLS and self._may_be_one(number, other):
                    likeness = self._weigh(number, other, calls)
                    if likeness >= _LEAST_LIKENESS:
                        found[number, other] = likeness
        return found

    def _weigh(self, number: int, other: int, calls: float) -> float:
        one, two = self._before.functions[number], self._after.functions[other]
        assert one.location is not None
        assert two.location is not None
        parts = {
            "calls": calls,
            "parameters": _compare_sets(set(one.parameters), set(two.parameters)),
            "file": float(one.location.path == two.location.path),
            "name": SequenceMatcher(None, one.id.name, two.id.name).ratio(),
        }
        return sum(_WEIGHTS[part] * share for part, share in parts.items())


def _compare_bags(one: _Bag, two: _Bag, weights: Mapping[str, float]) -> float:
    """The share of the calls that two functions have in common, weighed."""
    common = sum(count * weights[name] for name, count in (one & two).items())
    return common / sum(count * weights[name] for name, count in (one | two).items())


def _compare_sets(one: set[str], two: set[str]) -> float:
    return len(one & two) / len(one | two) if one | two else 1.0


def _find_best(found: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """Of each first one the second that it is most like; none if two are equally so."""
    best: dict[int, tuple[float, int | None]] = {}
    for (one, two), score in found.items():
        known = best.get(one, (0.0, None))
        if score > known[0]:
            best[one] = score, two
        elif score == known[0]:
            best[one] = score, None
    return {one: two for one, (_, two) in best.items() if two is not None}
