"""The arrays of what guards ask of parameters, and of what call sites hand to these.

Of what is handed on only that is kept which some test may ask: it goes to a parameter that a
guard of the callee tests, or that the callee hands on unchanged to such a parameter.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from kgraph.model.facts import HandedKind
from kgraph.model.resolution import EdgeKind
from kgraph.store.arrays import ARRAYS
from kgraph.store.call_rows import CallRow

NamedArrays = dict[str, "array[int]"]
TEST_ARRAYS = ("test_site", "test_parameter", "test_mask", "test_value", "test_equal")
CONSTANT_ARRAYS = ("constant_site", "constant_parameter", "constant_value", "constant_kind")
THROUGH_ARRAYS = ("through_site", "through_path")
HANDED_ARRAYS = ("handed_site", "handed_path", "handed_value")
_DEFERRED = list(EdgeKind).index(EdgeKind.DEFERRED)


def make_condition_arrays() -> NamedArrays:
    """The arrays without a row."""
    return {name: array(ARRAYS[name]) for name in (*TEST_ARRAYS, *CONSTANT_ARRAYS)}


def add_call(arrays: NamedArrays, number: int, call: CallRow) -> None:
    """Add what a call says; `number` is that of its call site."""
    for test in call.tests:
        _append(arrays, TEST_ARRAYS, (number, *test))
    for handed in call.handed:
        _append(arrays, CONSTANT_ARRAYS, (number, *handed))


def _append(arrays: NamedArrays, names: tuple[str, ...], row: tuple[int, ...]) -> None:
    for name, value in zip(names, row, strict=True):
        arrays[name].append(value)


def find_relevant_parameters(edges: NamedArrays, conditions: NamedArrays) -> set[tuple[int, int]]:
    """(function, parameter) of the parameters that are tested, or handed on to one that is."""
    caller_of = _CallerFinder(edges["site_start"])
    found = {
        (caller_of.find(site), parameter)
        for site, parameter in _iter_distinct(
            conditions["test_site"], conditions["test_parameter"])}
    sources = _group_handed_parameters(edges, conditions)
    queue = list(found)
    while queue:
        for source in sources.get(queue.pop(), ()):
            if source not in found:
                found.add(source)
                queue.append(source)
    return found


def select_relevant_constants(
    edges: NamedArrays, conditions: NamedArrays, relevant: set[tuple[int, int]]
) -> NamedArrays:
    """The constant_* arrays with the rows that lead to a relevant parameter."""
    selected = {name: array(ARRAYS[name]) for name in CONSTANT_ARRAYS}
    for row in zip(*(conditions[name] for name in CONSTANT_ARRAYS), strict=True):
        site, parameter = row[:2]
        if any((callee, parameter) in relevant
               for callee in _find_callees(edges, site)):
            _append(selected, CONSTANT_ARRAYS, row)
    return selected


def find_conditions(
    arrays: NamedArrays, site: int, *, gets_arguments: bool
) -> set[tuple[int, ...]]:
    """What a call site asks of parameters and, if its callee gets them, what it hands on; of access
    paths, too. Rows of each kind have a length of their own.
    """
    found = {*_list_rows(arrays, TEST_ARRAYS, site), *_list_rows(arrays, THROUGH_ARRAYS, site)}
    if gets_arguments:
        found |= _find_handed(arrays, site)
        found.update(_list_rows(arrays, HANDED_ARRAYS, site))
    return found


def _find_handed(arrays: NamedArrays, site: int) -> set[tuple[int, ...]]:
    """What a call site hands on, so that less of it says less: what is known of bits of an own
    parameter is one item with it, because without it they are the parameter's.
    """
    rows = _list_rows(arrays, CONSTANT_ARRAYS, site)
    own = {parameter for parameter, _, kind in rows if kind == HandedKind.PARAMETER}
    found = {row for row in rows if row[0] not in own}
    for parameter in own:
        found.add(tuple(number for row in rows if row[0] == parameter for number in row))
    return found


def _list_rows(
    arrays: NamedArrays, names: tuple[str, ...], site: int
) -> list[tuple[int, ...]]:
    """The rows of a call site, without it."""
    sites = arrays[names[0]]
    first = bisect_left(sites, site)
    if first == len(sites) or sites[first] != site:
        return []
    last = bisect_right(sites, site, first)
    return list(zip(*(arrays[name][first:last] for name in names[1:]), strict=True))


def _iter_distinct(*columns: Iterable[int]) -> Iterable[tuple[int, ...]]:
    """The rows of some columns that differ from the row before."""
    before: tuple[int, ...] = ()
    for row in zip(*columns, strict=True):
        if row != before:
            yield row
        before = row


class _CallerFinder:
    """Finds the callers of call sites, fast if these come in order."""

    def __init__(self, site_start: "array[int]") -> None:
        self._start = site_start
        self._range = range(0)
        self._caller = -1

    def find(self, site: int) -> int:
        """The function that a call site is in."""
        if site not in self._range:
            self._caller = bisect_right(self._start, site) - 1
            self._range = range(self._start[self._caller], self._start[self._caller + 1])
        return self._caller


def _find_callees(edges: NamedArrays, site: int) -> "array[int] | list[int]":
    """The functions that get the arguments of a call site."""
    first, last = edges["edge_start"][site], edges["edge_start"][site + 1]
    callees = edges["edge_callee"][first:last]
    if last - first > 1 or (callees and edges["edge_kind"][first] == _DEFERRED):
        kinds = edges["edge_kind"][first:last]
        if _DEFERRED in kinds:
            return [callee for callee, kind in zip(callees, kinds, strict=True)
                    if kind != _DEFERRED]
    return callees


def _group_handed_parameters(
    edges: NamedArrays, conditions: NamedArrays
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Parameter of a callee -> the parameters of callers that are handed on to it."""
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    caller_of = _CallerFinder(edges["site_start"])
    for site, parameter, value, kind in zip(
            *(conditions[name] for name in CONSTANT_ARRAYS), strict=True):
        if kind == HandedKind.PARAMETER:
            source = caller_of.find(site), value
            for callee in _find_callees(edges, site):
                found.setdefault((callee, parameter), []).append(source)
    return found
