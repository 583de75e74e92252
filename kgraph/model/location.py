"""Locations in source files: what a citation consists of."""

from msgspec import Struct


class Location(Struct, frozen=True, order=True, gc=False):
    """A point in a file. `path` is relative to the tree; line and column count from 1."""

    path: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"

    def is_in(self, folder: str) -> bool:
        """Whether it is in a folder or file of the tree; "" is the tree."""
        return not folder or self.path == folder or self.path.startswith(f"{folder}/")


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


class ParameterTest(Struct, frozen=True, order=True, gc=False):
    """What a condition asks of a parameter of its function: `(parameter & mask) == value`, or `!=`
    unless `is_equal`.

    A mask is as wide as the parameter. Both numbers are signed, of 64 bits.
    """

    parameter: int
    mask: int
    value: int
    is_equal: bool


class Guard(Struct, frozen=True, order=True, gc=False):
    """A condition around a call site: the call runs only if its truth is `holds`.

    `is_early_exit`: the condition is that of an exit before the call (`if (c) return;`), not one
    around it. `expected` is the truth that the source calls likely, if it does. `tests` must all
    be true of what the caller passed for the call to run; of a parameter that is written in the
    function, or whose address is taken, there are none.
    """

    extent: Extent
    holds: bool
    is_early_exit: bool = False
    expected: bool | None = None
    tests: tuple[ParameterTest, ...] = ()
