"""Sets of functions that call sites hand on, where it is not known which function it is.

Many call sites hand on the same set, so sets are numbered, in the order of their functions.
"""

from array import array
from collections.abc import Iterable, Mapping

from kgraph.model.ids import FunctionId
from kgraph.model.resolution import ResolvedSite

SET_ARRAYS = {"set_start": "I", "set_function": "I"}
FunctionSet = tuple[FunctionId, ...]


def number_sets(
    sites: Iterable[ResolvedSite], functions: Mapping[FunctionId, int]
) -> tuple[dict[FunctionSet, int], dict[str, "array[int]"]]:
    """The numbers of the sets that call sites hand on, and the arrays of SET_ARRAYS."""
    sets = {value for site in sites
            for value in (*(forward.value for forward in site.forwards),
                          *(handed.value for handed in site.handed))
            if isinstance(value, tuple)}
    rows = sorted((sorted(functions[name] for name in names), names) for names in sets)
    start, members = array("I", [0]), array("I")
    for numbers, _ in rows:
        members.extend(numbers)
        start.append(len(members))
    arrays = {"set_start": start, "set_function": members}
    return {names: number for number, (_, names) in enumerate(rows)}, arrays
