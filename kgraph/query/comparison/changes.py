"""What differs between two graphs whose functions were paired."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kgraph.graph import CallGraph
from kgraph.model.comparison import (
    BindingChange,
    Change,
    Comparison,
    EdgeChange,
    FunctionChange,
    NameChange,
)
from kgraph.model.location import Location
from kgraph.model.results import KnownFunction
from kgraph.query.comparison.matching import Pairing, pair_functions

_Edges = dict[tuple[int, int], dict[str, int]]  # caller, callee: kind: the first call site


class _Bound(NamedTuple):
    """A binding, by names: the same in two indexes if it is the same in the source."""

    slot: str
    value: str
    table: str


def compare_graphs(before: CallGraph, after: CallGraph, folder: str = "") -> Comparison:
    """Everything that differs; in `folder`, a folder or file, if one is given: what is defined,
    called or bound there in either."""
    return _GraphComparison(before, after, folder).compare()


class _GraphComparison:
    def __init__(self, before: CallGraph, after: CallGraph, folder: str) -> None:
        self._before, self._after = before, after
        self._folder = folder.strip("/").removeprefix("./")
        self._pairs: Pairing = pair_functions(before, after)
        self._old, self._new = self._pairs.old, self._pairs.new
        self._from = {other: number for number, other in self._pairs.after.items()}

    def compare(self) -> Comparison:
        """Compare functions, edges, bindings and what is registered to run later."""
        functions = tuple(self._iter_functions())
        edges, with_functions = self._compare_edges()
        bindings = self._compare_bindings()
        old, new = (sum(each.location is not None and self._is_inside(each.location)
                        for each in side) for side in (self._old, self._new))
        differing = sum(each.before is not None and each.change is not Change.CHANGED
                        for each in functions)
        return Comparison(
            old, new, old - differing, functions, edges, with_functions, bindings[0], bindings[1],
            self._compare_deferred())

    def _is_inside(self, location: Location | None) -> bool:
        return not self._folder if location is None else location.is_in(self._folder)

    # Functions

    def _iter_functions(self) -> Iterator[FunctionChange]:
        for one in self._old:
            if one.location is None:
                continue
            other = self._pairs.after.get(one.number)
            two = None if other is None or self._new[other].location is None else self._new[other]
            if self._is_inside(one.location) or (two and self._is_inside(two.location)):
                yield from self._compare_functions(one, two)
        for two in self._new:
            if two.location is None or not self._is_inside(two.location):
                continue
            number = self._from.get(two.number)
            if number is None or self._old[number].location is None:
                yield FunctionChange(Change.NEW, None, two)

    def _compare_functions(
        self, one: KnownFunction, two: KnownFunction | None
    ) -> Iterator[FunctionChange]:
        if two is None:
            yield FunctionChange(Change.GONE, one, None)
            return
        assert one.location is not None
        assert two.location is not None
        likeness = self._pairs.guessed.get(one.number)
        if likeness is not None:
            yield FunctionChange(Change.RENAMED, one, two, likeness)
        elif one.location.path != two.location.path or one.id != two.id:
            yield FunctionChange(Change.MOVED, one, two)
        if one.parameters != two.parameters:
            yield FunctionChange(Change.CHANGED, one, two)

    # Edges

    def _compare_edges(self) -> tuple[tuple[EdgeChange, ...], int]:
        """The edges between functions of both, and how many came or went with a function."""
        old = _collect_edges(self._before, self._pairs.after, self._are_inside(self._old))
        own = {number: number for number in self._from}
        new = _collect_edges(self._after, own, self._are_inside(self._new))
        changes = []
        for pair in sorted(old.known.keys() | new.known.keys()):
            before, after = old.known.get(pair, {}), new.known.get(pair, {})
            if before.keys() != after.keys():
                changes.append((pair, before, after))
        places = [graph.load_site_places({min(kinds.values()) for kinds in found if kinds})
                  for graph, found in (
                      (self._before, [before for _, before, after in changes if not after]),
                      (self._after, [after for _, _, after in changes]))]
        return tuple(
            EdgeChange(
                Change.CHANGED if before and after else Change.NEW if after else Change.GONE,
                self._new[caller], self._new[callee], tuple(sorted(before)), tuple(sorted(after)),
                places[bool(after)][min((after or before).values())][0])
            for (caller, callee), before, after in changes), old.others + new.others

    def _are_inside(self, functions: list[KnownFunction]) -> list[bool]:
        return [self._is_inside(each.location) for each in functions]

    # Bindings

    def _compare_bindings(self) -> tuple[tuple[BindingChange, ...], tuple[NameChange, ...]]:
        """The bindings of one index only, and the slots that only one of them binds anything to."""
        names = [each.id.name for each in self._old]
        for number, other in self._pairs.after.items():
            names[number] = self._new[other].id.name
        old = _name_bindings(self._before, names)
        new = _name_bindings(self._after, [each.id.name for each in self._new])
        changes: list[BindingChange] = []
        slots: list[NameChange] = []
        for change, here, there in ((Change.GONE, old, new), (Change.NEW, new, old)):
            others = {each.slot for each in there}
            found = [(each, place) for each, place in here.items()
                     if each not in there and self._is_inside(place)]
            changes += [BindingChange(change, *each, place)
                        for each, place in sorted(found)]
            slots += [NameChange(change, slot)
                      for slot in sorted({each.slot for each, _ in found} - others)]
        return tuple(changes), tuple(slots)

    # What is registered to run later

    def _compare_deferred(self) -> tuple[NameChange, ...]:
        """The functions that only one index registers."""
        old = {(row.kind, self._pairs.after.get(row.function, -1 - row.function))
               for row in self._before.find_deferred_callbacks()}
        new = {(row.kind, row.function) for row in self._after.find_deferred_callbacks()}
        found = []
        for change, rows in ((Change.GONE, old - new), (Change.NEW, new - old)):
            named = ((kind, self._old[-1 - number] if number < 0 else self._new[number])
                     for kind, number in rows)
            found += [NameChange(change, name, kind) for kind, name in sorted(
                (kind, function.id.name) for kind, function in named
                if self._is_inside(function.location))]
        return tuple(found)


class _EdgeSet(NamedTuple):
    """Edges between functions of both graphs, in the numbers of the second, and how many others
    there are."""

    known: _Edges
    others: int


def _collect_edges(
    graph: CallGraph, numbers: Mapping[int, int], inside: list[bool]
) -> _EdgeSet:
    known: _Edges = {}
    others = 0
    for caller in range(len(graph)):
        if not inside[caller]:
            continue
        source = numbers.get(caller)
        for edge in graph.edges_from(caller):
            target = numbers.get(graph.edge_callee[edge])
            if source is None or target is None:
                others += 1
            else:
                kinds = known.setdefault((source, target), {})
                kinds.setdefault(graph.kind(edge).value, graph.site_of(edge))
    return _EdgeSet(known, others)


def _name_bindings(graph: CallGraph, names: list[str]) -> dict[_Bound, Location]:
    """The bindings to fields by names, each with its first place. `names` are those that functions
    have in the newer index, as far as they are there."""
    objects = [each.id.name for each in graph.find_all_objects()]
    found: dict[_Bound, Location] = {}
    for row in graph.find_slot_bindings():
        value = "" if row.object is None else f"&{objects[row.object]}"
        if row.function is not None:
            value = names[row.function]
        table = "" if row.table is None else objects[row.table]
        found.setdefault(_Bound(row.holder, value, table), row.location)
    return found


def iter_unknown_parts(before: CallGraph, after: CallGraph) -> Iterable[str]:
    """Why something may be called gone or new that is not: one line for each index that is not
    whole."""
    for word, graph in (("older", before), ("newer", after)):
        about, account = graph.description, graph.reader.coverage
        if about.only:
            yield f"the {word} index has only {', '.join(about.only)}"
        elif account.failed:
            yield f"the {word} index lacks {account.failed} units that could not be parsed"
