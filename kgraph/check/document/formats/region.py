"""What a reader of a format finds: a run of lines, and what each of them claims."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

SURE = 90
LIKELY = 60


@dataclass(frozen=True, slots=True)
class ReadCall:
    """What a line claims: a function `name` that is entered, or `name` and those that it goes
    `onward` to, each called by the one before it. `caller` is the place of the line whose (last)
    function calls `name`, None for a root. `is_frame`: the line stands in a printed stack.
    """

    name: str
    onward: tuple[str, ...] = ()
    caller: int | None = None
    is_frame: bool = False


@dataclass(slots=True)
class Region:
    """A run of lines of one format: `end` is the place behind its last line; `calls` are its claims
    by the places of their lines; `continued` are lines that belong to the claim above them;
    `unread` are lines that look like a claim of the format and cannot be read, with the reason.
    """

    end: int
    calls: dict[int, ReadCall] = field(default_factory=dict)
    continued: set[int] = field(default_factory=set)
    unread: dict[int, str] = field(default_factory=dict)


class FormatReader(Protocol):
    """A reader of one format."""

    name: str

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """How sure it is that its format begins at `place`, in percent; 0 for not at all."""
        ...

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The run of lines that begins at `place`."""
        ...
