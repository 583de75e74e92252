"""What a value may be, by way of the values that are written to locals and parameters.

Locals may be copied to one another in chains of any length, and in circles: states that lead to
one another share their alternatives, and each is looked at once.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

_State = TypeVar("_State", bound=Hashable)
_Found = TypeVar("_Found", bound=Hashable)
Step = tuple[Iterable[_Found], Iterable[_State]]


class AlternativeFinder(Generic[_State, _Found]):
    """Finds all that states may come to: Tarjan's algorithm of strongly connected components."""

    def __init__(self) -> None:
        self._known: dict[_State, frozenset[_Found] | None] = {}
        self._found: dict[_State, set[_Found] | None] = {}
        self._order: dict[_State, int] = {}
        self._lowest: dict[_State, int] = {}
        self._open: list[_State] = []
        self._work: list[tuple[_State, Iterator[_State]]] = []

    def find(
        self, start: _State, expand: Callable[[_State], Step[_Found, _State] | None]
    ) -> frozenset[_Found] | None:
        """All that a state may come to; None if it may be more than is known.

        `expand`, always the same, says what a state is by itself, and which states it may be
        besides; None if it may be more than is known. Kept here, a method would tie its object to
        this one in a circle, so that nothing of both is freed.
        """
        if start not in self._known:
            self._enter(start, expand)
        while self._work:
            state, following = self._work[-1]
            if not self._descend(state, following, expand):
                self._work.pop()
                if self._lowest[state] == self._order[state]:
                    self._close(state)
                if self._work:
                    self._hand_on(state, self._work[-1][0])
        return self._known[start]

    def _enter(
        self, state: _State, expand: Callable[[_State], Step[_Found, _State] | None]
    ) -> None:
        self._order[state] = self._lowest[state] = len(self._order)
        self._open.append(state)
        step = expand(state)
        self._found[state] = None if step is None else set(step[0])
        self._work.append((state, iter(() if step is None else step[1])))

    def _descend(
        self, state: _State, following: Iterator[_State],
        expand: Callable[[_State], Step[_Found, _State] | None],
    ) -> bool:
        """Go on to a state that was not looked at yet; False if there is none."""
        for other in following:
            if other not in self._order:
                self._enter(other, expand)
                return True
            self._hand_on(other, state)
        return False

    def _hand_on(self, state: _State, above: _State) -> None:
        if state in self._known:
            self._found[above] = _unite(self._found[above], self._known[state])
        else:
            self._lowest[above] = min(self._lowest[above], self._lowest[state])

    def _close(self, root: _State) -> None:
        """Note what the members of a component may come to, all of them the same."""
        members: list[_State] = []
        united: set[_Found] | None = set()
        while not members or members[-1] != root:
            members.append(self._open.pop())
            united = _unite(united, self._found.pop(members[-1]))
        self._known.update(
            dict.fromkeys(members, None if united is None else frozenset(united)))


def _unite(
    one: set[_Found] | None, other: set[_Found] | frozenset[_Found] | None
) -> set[_Found] | None:
    if one is None or other is None:
        return None
    one |= other
    return one
