"""Builds the graph's arrays after the call sites of some functions changed.

Puts them together from runs of the previous arrays and what stands between these. Must not know
SQL.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from kgraph.model.codes import ForwardedValue, is_function, is_parameter, set_number
from kgraph.model.resolution import EdgeKind
from kgraph.store.call_rows import CallRow
from kgraph.store.condition_arrays import (
    CONSTANT_ARRAYS,
    TEST_ARRAYS,
    add_call,
    find_relevant_parameters,
    select_relevant_constants,
)
from kgraph.store.hop_arrays import (
    HOP_ARRAYS,
    group_forwards_by_site,
    reverse_hops,
    select_hops,
)
from kgraph.store.table_arrays import TABLE_ARRAYS

NamedArrays = dict[str, "array[int]"]
_DIRECT = list(EdgeKind).index(EdgeKind.DIRECT)
_EDGES = ("edge_callee", "edge_kind", "edge_evidence")
_SITES = (("forward_site", ("forward_parameter", "forward_value")),
          ("callback_site", ("callback_parameter",)), ("slot_site", ("slot_record",)),
          ("handed_site", ("handed_path", "handed_value")), ("through_site", ("through_path",)))
_FORWARDED = ("forward_value", "handed_value")
_CONDITIONS = ((TEST_ARRAYS[0], TEST_ARRAYS[1:]), (CONSTANT_ARRAYS[0], CONSTANT_ARRAYS[1:]))


class PatchConflict(Exception):
    """The previous graph is not the one that the change was found for."""


@dataclass(slots=True)
class PatchedSite:
    """A call site: `like` a previous one (its number), or a direct call of `callee` (a new number).
    `holder` is the id of the text of its holder, -1 for none."""

    call: CallRow
    like: int | None
    callee: int
    holder: int


@dataclass(slots=True)
class KeptFunctions:
    """The previous functions from `first` up to `last`, without this, as they were."""

    first: int
    last: int


@dataclass(slots=True)
class PatchedFunction:
    """One function, with all its call sites, in order; `price` is that of price_function."""

    folder: int
    price: int
    sites: list[PatchedSite] = field(default_factory=list)


class ArrayPatch:
    """Builds the new arrays.

    `numbers` are the new numbers of the previous functions, None for removed ones, `objects` those
    of the objects; `uncited` is the evidence of a call that needs none.
    """

    def __init__(
        self, previous: NamedArrays, numbers: Sequence[int | None], objects: Sequence[int | None],
        uncited: int,
    ) -> None:
        self._previous = previous
        self._numbers = numbers
        self._objects = objects
        self._uncited = uncited
        self._new: NamedArrays = {
            name: array(content.typecode) for name, content in previous.items()}
        self._new["site_start"].append(0)
        self._new["hop_start"].append(0)

    def build(self, pieces: Sequence[KeptFunctions | PatchedFunction]) -> NamedArrays:
        """The new arrays of `pieces`, which are all functions in the order of their new numbers."""
        for piece in pieces:
            if isinstance(piece, KeptFunctions):
                self._copy_functions(piece)
            else:
                self._add_function(piece)
        new = self._new
        new["edge_start"].append(len(new["edge_callee"]))
        relevant = find_relevant_parameters(new, new)
        new.update(select_relevant_constants(new, new, relevant))
        self._add_hops(pieces)
        self._copy_tables()
        self._copy_sets()
        for name in ("taken_function", "taken_by"):
            new[name].extend(map(self._map_function, self._previous[name]))
        new["back_start"], new["back_hop"] = reverse_hops(
            new["hop_callee"], len(new["hop_start"]) - 1)
        self._check_relevance(pieces, relevant)
        return new

    def _check_relevance(
        self, pieces: Sequence[KeptFunctions | PatchedFunction], relevant: set[tuple[int, int]]
    ) -> None:
        """Raises PatchConflict if, by the edit, a parameter matters now, or no longer, to a caller
        that is kept: it would hand on other constants."""
        before = {(self._numbers[function], parameter)
                  for function, parameter in find_relevant_parameters(
                      self._previous, self._previous)}
        kept: set[int] = set()
        number = 0
        for piece in pieces:
            count = 1
            if isinstance(piece, KeptFunctions):
                count = piece.last - piece.first
                kept.update(range(number, number + count))
            number += count
        for function, _ in before ^ relevant:
            if function is not None and not kept.isdisjoint(self._iter_callers(function)):
                raise PatchConflict

    def _iter_callers(self, function: int) -> Iterator[int]:
        new = self._new
        for place in range(new["back_start"][function], new["back_start"][function + 1]):
            yield new["hop_caller"][new["back_hop"][place]]

    def _map_function(self, old: int) -> int:
        return _map(self._numbers, old)

    def _map_forwarded(self, old: ForwardedValue) -> int:
        return self._map_function(old) if is_function(old) else old

    def _copy_functions(self, run: KeptFunctions) -> None:
        """Copy the call sites, edges and forwarded values of a run."""
        old, new = self._previous, self._new
        first, last = (old["site_start"][end] for end in (run.first, run.last))
        for name in ("folder", "function_price"):
            new[name].extend(old[name][run.first:run.last])
        new["site_price"].extend(old["site_price"][first:last])
        shift = len(new["edge_start"]) - first
        new["site_start"].extend(
            [start + shift for start in old["site_start"][run.first + 1:run.last + 1]])
        begin, end = old["edge_start"][first], old["edge_start"][last]
        step = len(new["edge_callee"]) - begin
        new["edge_start"].extend([start + step for start in old["edge_start"][first:last]])
        self._copy_edges(begin, end)
        for sites, others in (*_SITES, *_CONDITIONS):
            low, high = (bisect_left(old[sites], site) for site in (first, last))
            new[sites].extend([site + shift for site in old[sites][low:high]])
            self._copy_of_sites(others, low, high)

    def _copy_edges(self, begin: int, end: int) -> None:
        old, new = self._previous, self._new
        new["edge_callee"].extend(map(self._map_function, old["edge_callee"][begin:end]))
        new["edge_kind"].extend(old["edge_kind"][begin:end])
        new["edge_evidence"].extend(old["edge_evidence"][begin:end])

    def _copy_of_sites(self, names: tuple[str, ...], low: int, high: int) -> None:
        for name in names:
            values = self._previous[name][low:high]
            if name in _FORWARDED:
                forwarded = cast("Iterable[ForwardedValue]", values)
                self._new[name].extend(map(self._map_forwarded, forwarded))
            else:
                self._new[name].extend(values)

    def _add_function(self, piece: PatchedFunction) -> None:
        old, new = self._previous, self._new
        new["folder"].append(piece.folder)
        new["function_price"].append(piece.price)
        new["site_price"].extend(site.call.price for site in piece.sites)
        for site in piece.sites:
            number = len(new["edge_start"])
            add_call(new, number, site.call)
            new["edge_start"].append(len(new["edge_callee"]))
            if site.like is None:
                for name, value in zip(_EDGES, (site.callee, _DIRECT, self._uncited), strict=True):
                    new[name].append(value)
                continue
            self._copy_edges(old["edge_start"][site.like], old["edge_start"][site.like + 1])
            for sites, others in _SITES:
                low, high = (bisect_left(old[sites], site.like + end) for end in (0, 1))
                new[sites].extend([number] * (high - low))
                self._copy_of_sites(others, low, high)
        new["site_start"].append(len(new["edge_start"]))

    def _copy_tables(self) -> None:
        """Copy what tables say of each other; no table changed."""
        mapped = {"bound_function": self._numbers, "bound_table": self._objects,
                  "partner_table": self._objects, "partner_other": self._objects}
        for name in TABLE_ARRAYS:
            numbers = mapped.get(name)
            for old in self._previous[name]:
                self._new[name].append(old if numbers is None else _map(numbers, old))

    def _copy_sets(self) -> None:
        """Copy the sets of functions that call sites hand on. Raises PatchConflict if no call site
        hands one on any more."""
        old, new = self._previous, self._new
        new["set_start"].extend(old["set_start"])
        new["set_function"].extend(map(self._map_function, old["set_function"]))
        used = {set_number(value) for name in _FORWARDED
                for value in cast("Iterable[ForwardedValue]", new[name])
                if not is_function(value) and not is_parameter(value)}
        if len(used) != len(new["set_start"]) - 1:
            raise PatchConflict

    def _add_hops(self, pieces: Sequence[KeptFunctions | PatchedFunction]) -> None:
        new = self._new
        forwards = group_forwards_by_site(new)
        callbacks = set(new["callback_site"])
        number = 0
        for piece in pieces:
            if isinstance(piece, KeptFunctions):
                self._copy_hops(piece, number)
                number += piece.last - piece.first
            else:
                first = new["site_start"][number]
                holders = _OffsetList(first, [site.holder for site in piece.sites])
                for row in select_hops(number, new, holders, forwards, callbacks):  # type: ignore[arg-type]
                    for name, value in zip(HOP_ARRAYS, row, strict=True):
                        new[name].append(value)
                new["hop_start"].append(len(new["hop_edge"]))
                number += 1

    def _copy_hops(self, run: KeptFunctions, number: int) -> None:
        old, new = self._previous, self._new
        begin, end = (old["hop_start"][bound] for bound in (run.first, run.last))
        shift = len(new["hop_edge"]) - begin
        edges = [array_["edge_start"][array_["site_start"][at]]
                 for array_, at in ((new, number), (old, run.first))]
        step, turn = edges[0] - edges[1], number - run.first
        new["hop_edge"].extend([edge + step for edge in old["hop_edge"][begin:end]])
        new["hop_caller"].extend([caller + turn for caller in old["hop_caller"][begin:end]])
        new["hop_callee"].extend(map(self._map_function, old["hop_callee"][begin:end]))
        for name in ("hop_width", "hop_flags", "hop_cost"):
            new[name].extend(old[name][begin:end])
        new["hop_start"].extend(
            [start + shift for start in old["hop_start"][run.first + 1:run.last + 1]])


def _map(numbers: Sequence[int | None], old: int) -> int:
    number = numbers[old]
    if number is None:
        raise PatchConflict
    return number


class _OffsetList:
    """A list whose first item does not have the number 0."""

    def __init__(self, first: int, items: list[int]) -> None:
        self._first = first
        self._items = items

    def __getitem__(self, number: int) -> int:
        return self._items[number - self._first]
