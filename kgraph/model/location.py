"""Locations in source files: what a citation consists of."""

from msgspec import Struct


class Location(Struct, frozen=True, order=True, gc=False):
    """A point in a file. `path` is relative to the tree; line and column count from 1."""

    path: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Extent(Struct, frozen=True, order=True, gc=False):
    """A stretch of source: from a Location up to, but not including, a line and column."""

    start: Location
    end_line: int
    end_column: int = 0

    def __str__(self) -> str:
        return str(self.start)


# A call site keeps its innermost guards, at most so many. Without a limit, a chain of n `else if`
# would hold n * n / 2 of them. The most in linux-4.6.2 are 76.
MAX_GUARDS = 100


class Guard(Struct, frozen=True, order=True, gc=False):
    """A condition around a call site: the call runs only if its truth is `holds`."""

    extent: Extent
    holds: bool
