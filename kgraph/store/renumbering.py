"""Numbers of rows that lie in the order of their names, after some went and others came."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Renumbering:
    """`gone` are numbers of rows that are no more; `come`, one for each row that came, the number
    of the former row that it stands before; rows that came to one place in their order."""

    def __init__(self, gone: Iterable[int] = (), come: Iterable[int] = ()) -> None:
        self._gone = sorted(gone)
        self._come = sorted(come)

    def new(self, number: int) -> int:
        """The number of a row that stayed."""
        return number + bisect_right(self._come, number) - bisect_left(self._gone, number)

    def of_come(self, position: int) -> int:
        """The number of the position-th row that came."""
        place = self._come[position]
        return place + position - bisect_left(self._gone, place)

    def all(self, count: int) -> list[int]:
        """The new numbers of all former rows, `count` of them; those of rows that went are of no
        use."""
        numbers: list[int] = []
        for stop in sorted({*self._come, *(gone + 1 for gone in self._gone), count}):
            start = len(numbers)
            if stop > start:
                first = self.new(start)
                numbers.extend(range(first, first + stop - start))
        return numbers

    def expression(self, column: str) -> str:
        """The new number as SQL; NULL where the column is."""
        shifts = [f" + ({column} >= {place})" for place in self._come]
        shifts += [f" - ({column} > {place})" for place in self._gone]
        return column + "".join(shifts)
