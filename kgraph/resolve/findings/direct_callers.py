"""The direct calls that hand something on, by the function that is called."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from kgraph.resolve.constraint_graph import Nodes
from kgraph.resolve.fact_rows import SiteRow
from kgraph.resolve.interning import NONE

SiteIndex = tuple[int, int]  # indexes into FactRows.definitions and the sites of that


class DirectCallers:
    """Finds the call sites in functions that call a linked function by name, with arguments."""

    def __init__(self, nodes: Nodes) -> None:
        self._definitions = nodes.facts.definitions
        rows = [
            (nodes.linked_functions[site.callee], number, index)
            for number, row in enumerate(self._definitions) if row.function != NONE
            for index, site in enumerate(row.sites) if site.callee != NONE and site.arguments]
        rows.sort()
        self._callees = array("I", [callee for callee, _, _ in rows])
        self._numbers = array("I", [number for _, number, _ in rows])
        self._indexes = array("I", [index for _, _, index in rows])

    def iter_sites(self, function: int) -> Iterator[tuple[SiteIndex, SiteRow]]:
        """The call sites that call a function."""
        first = bisect_left(self._callees, function)
        for row in range(first, bisect_right(self._callees, function, first)):
            number, index = self._numbers[row], self._indexes[row]
            yield (number, index), self._definitions[number].sites[index]
