"""Ids that do not depend on the order in which things arrive.

Texts get provisional ids while they are added, and final ids in the order of the texts.
"""

from array import array
from collections.abc import Container, Mapping


class StableIds:
    """Ids of texts. Texts of `old` keep theirs; new ones get the ids after those, first in the
    order of arrival, and from `settle` on in the order of the texts."""

    def __init__(self, old: Mapping[str, int] | None = None) -> None:
        self._numbers = dict(old or {})
        self._first = max(self._numbers.values(), default=-1) + 1
        self._next = self._first

    def assign(self, text: str) -> int:
        """The provisional id of a text."""
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = self._next
            self._next += 1
        return number

    def is_old(self, text: str) -> bool:
        """Whether a text is one of `old`."""
        return self._numbers.get(text, self._first) < self._first

    def new_ids(self) -> dict[str, int]:
        """New text -> its provisional id."""
        return {text: n for text, n in self._numbers.items() if n >= self._first}

    def all_ids(self) -> Mapping[str, int]:
        """Text -> its provisional id."""
        return self._numbers

    def find_texts(self, numbers: Container[int]) -> set[str]:
        """The texts of some provisional ids."""
        return {text for text, number in self._numbers.items() if number in numbers}

    def settle(self) -> "array[int]":
        """Provisional id -> final id."""
        final = array("I", range(self._next))
        for number, (_, provisional) in enumerate(sorted(self.new_ids().items()), self._first):
            final[provisional] = number
        return final
