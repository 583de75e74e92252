"""What the text of units that did not parse cleanly may name.

Such a unit says only a part of what it does. What it may write or call stands in its text, or in
the macros that this uses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

_MOST_PARTS = 3  # of which macros of the kernel make a name


@dataclass(frozen=True, slots=True)
class UnreadText:
    """The identifiers of a text, with those of its macros.

    `initialised` are the names that stand where braces fill something, among them those of the
    records. `joins_names`: a macro makes names of parts. `files` are the files with the text.
    `reason` says what may be missing for want of it.
    """

    names: frozenset[str]
    initialised: frozenset[str]
    joins_names: bool
    files: frozenset[str]
    reason: str

    def make_test(self) -> Callable[[str, str], bool]:
        """A test whether the text may name something: by its name, and by its scope."""

        @cache
        def is_named(name: str) -> bool:
            return name in self.names or (self.joins_names and self._is_joined(name, _MOST_PARTS))

        @cache
        def is_visible(scope: str) -> bool:
            return ".c" not in scope or any(file in scope for file in self.files)

        return lambda name, scope: is_named(name) and is_visible(scope)

    def _is_joined(self, name: str, parts: int) -> bool:
        """Whether a name is made of so many names or fewer."""
        if name in self.names or name.isdigit():
            return True
        return parts > 1 and any(
            name[:end] in self.names and self._is_joined(name[end:], parts - 1)
            for end in range(1, len(name)))
