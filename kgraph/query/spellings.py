"""What a name may be called in another release of the kernel: the rows of spellings.toml.

Read only when an index does not have a name, or `syscall:NAME` is asked for.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct, convert

SYSCALL = "syscall"  # the qualifier of `syscall:read`
_SYSCALL_KIND = "system call"


class Spelling(Struct, frozen=True):
    """Names of one thing; `*` is the same text in all of them. Rows of one `kind` replace each
    other where a release has no name of a row.
    """

    names: tuple[str, ...]
    reason: str
    kind: str = ""

    def find_stem(self, name: str) -> str | None:
        """The text that `*` stands for in a name of this row; None if it is not one."""
        for pattern in self.names:
            start, star, end = pattern.partition("*")
            if (name == pattern) if not star else (
                    len(name) > len(start) + len(end)
                    and name.startswith(start) and name.endswith(end)):
                return name[len(start):len(name) - len(end)] if star else ""
        return None

    def spell(self, stem: str) -> Iterator[str]:
        """The names of this row for a stem."""
        return (pattern.replace("*", stem) for pattern in self.names)


@cache
def load_spellings() -> tuple[Spelling, ...]:
    """All rows, in their order."""
    text = Path(__file__).with_name("spellings.toml").read_text(encoding="utf-8")
    return convert(tomllib.loads(text)["spelling"], tuple[Spelling, ...])


def iter_spellings(name: str) -> Iterator[str]:
    """The names that the thing of this name may have in other releases, likely ones first."""
    for row in load_spellings():
        stem = row.find_stem(name)
        if stem is not None:
            yield from row.spell(stem)
            for other in load_spellings():
                if row.kind and other.kind == row.kind:
                    yield from other.spell(stem)


def iter_syscall_names(call: str) -> Iterator[str]:
    """The names of the functions of a system call, its entry first."""
    for row in load_spellings():
        if row.kind == _SYSCALL_KIND:
            yield from row.spell(call)


def iter_syscall_patterns() -> Iterator[re.Pattern[str]]:
    """What names of entries of system calls look like; the group is the system call."""
    row = next(row for row in load_spellings() if row.kind == _SYSCALL_KIND)
    for pattern in row.names:
        yield re.compile(re.escape(pattern).replace(r"\*", "(.+)"))
