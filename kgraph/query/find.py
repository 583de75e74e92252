"""Names that match a pattern: functions, macros, tables, slots."""

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.ids import VMLINUX
from kgraph.model.location import Location
from kgraph.model.results import KnownFunction, NamedThing
from kgraph.query.lookup import suggest_functions
from kgraph.query.spellings import SYSCALL, iter_syscall_patterns

KINDS = ("function", "macro", "table", "slot")
_GLOB = re.compile(r"[*?\[]")
_REGEX = re.compile(r"[\^$+|(){}\\]|\.\*")


class NamePattern(Struct, frozen=True):
    r"""A pattern as it is written: `PATH:PATTERN`, where PATH limits it to a folder or file. A text
    with `^ $ + | ( ) { } \\` or `.*` is a regular expression, one with `* ? [` a shell pattern,
    and any other text a part of a name. `syscall:PATTERN` are system calls.
    """

    qualifier: str
    text: str

    @classmethod
    def parse(cls, written: str) -> "NamePattern":
        """The pattern in a text, which may stand between slashes if it is a regular expression."""
        text = written.strip()
        if len(text) > 2 and text.startswith("/") and text.endswith("/"):
            return cls("", f"(?:{text[1:-1]})")
        text = text.removesuffix("()")
        qualifier, _, name = text.rpartition(":")
        return cls(qualifier, name) if not _REGEX.search(qualifier) else cls("", text)

    @property
    def glob(self) -> str:
        """A shell pattern that whatever matches fits as well."""
        if _REGEX.search(self.text):
            return "*"
        return self.text if _GLOB.search(self.text) else f"*{self.text}*"

    def compile(self, flags: int = 0) -> re.Pattern[str]:
        """The pattern as a regular expression for `search`. Raises LookupFailed."""
        if _REGEX.search(self.text):
            try:
                return re.compile(self.text, flags)
            except (re.error, OverflowError, RecursionError) as error:
                raise LookupFailed(f"`{self.text}` is no regular expression: {error}",
                                   "put a backslash before brackets that are meant") from error
        if _GLOB.search(self.text):
            return re.compile(rf"\A{fnmatch.translate(self.text)}", flags)
        return re.compile(re.escape(self.text), flags)


def is_pattern(text: str) -> bool:
    """Whether a text is a pattern by its form, not a name."""
    return bool(_GLOB.search(text.rpartition(":")[2]))


def find_names(
    graph: CallGraph, pattern: str, kinds: Sequence[str] = KINDS
) -> list[NamedThing]:
    """What has a name that matches, kind by kind, by name; ignoring case where nothing else fits.

    Raises LookupFailed for an empty pattern, one that is not understood, and where nothing fits.
    """
    wanted = NamePattern.parse(pattern)
    if not wanted.text:
        raise LookupFailed("the pattern is empty", "write a part of a name, or `tcp_*rcv*`")
    for flags, glob in ((0, wanted.glob), (re.IGNORECASE, "*")):
        finder = _Finder(graph, wanted.qualifier, wanted.compile(flags), glob)
        found = [each for kind in KINDS if kind in kinds for each in finder.iter_kind(kind)]
        if found:
            return found
    raise LookupFailed(f"nothing matches `{pattern}`", suggest_functions(graph, wanted.text))


def find_matching_functions(graph: CallGraph, pattern: str) -> list[KnownFunction]:
    """The defined functions whose names match, as for find_names; of vmlinux where an image has a
    copy of the same source. Raises LookupFailed for a pattern that is not understood.
    """
    wanted = NamePattern.parse(pattern)
    return _Finder(graph, wanted.qualifier, wanted.compile(), wanted.glob).find_functions()


class _Finder(NamedTuple):
    """What is looked for: names that `matcher` finds, all of which fit `glob`."""

    graph: CallGraph
    qualifier: str
    matcher: re.Pattern[str]
    glob: str

    def iter_kind(self, kind: str) -> Iterator[NamedThing]:
        """The names of a kind."""
        if kind == "function":
            for function in self.find_functions():
                yield NamedThing(kind, function.id.name, function.location, function.id.image)
        elif self.qualifier != SYSCALL:
            yield from {"macro": self._iter_macros, "table": self._iter_tables,
                        "slot": self._iter_slots}[kind]()

    def find_functions(self) -> list[KnownFunction]:
        """The functions, in the order of their names."""
        if self.qualifier == SYSCALL:
            numbers = _select_syscalls(self.graph.list_function_names("*"), self.matcher)
        else:
            numbers = [number for number, name in self.graph.list_function_names(self.glob)
                       if self.matcher.search(name)]
        shown: dict[tuple[object, ...], KnownFunction] = {}
        for function in self.graph.load_functions(numbers):
            if self.qualifier in (SYSCALL, function.id.image) or self._is_meant(function.location):
                key = function.id.name, function.location, function.id.scope
                if key not in shown or function.id.image == VMLINUX:
                    shown[key] = function
        return sorted(shown.values(), key=lambda each: each.number)

    def _iter_macros(self) -> Iterator[NamedThing]:
        for name, location in self.graph.list_macros(self.glob):
            if self.matcher.search(name) and self._is_meant(location):
                yield NamedThing("macro", name, location)

    def _iter_tables(self) -> Iterator[NamedThing]:
        for table in self.graph.list_tables(self.glob):
            if self.matcher.search(table.id.name) and self._is_meant(table.location):
                yield NamedThing("table", table.id.name, table.location, table.id.image, table.type)

    def _iter_slots(self) -> Iterator[NamedThing]:
        for slot, count in () if self.qualifier else self.graph.count_slot_bindings(self.glob):
            if self.matcher.search(slot):
                yield NamedThing("slot", slot, bindings=count)

    def _is_meant(self, location: Location | None) -> bool:
        """Whether a place is in the file, or below the folder, that the qualifier names; its end is
        enough.
        """
        path, place = location.path if location else "", self.qualifier.strip("/")
        return not self.qualifier or f"/{place}/" in f"/{path}/"


def _select_syscalls(
    names: Iterable[tuple[int, str]], matcher: re.Pattern[str]
) -> list[int]:
    """The entries of the system calls that match, one of each."""
    found: dict[str, int] = {}
    names = list(names)
    for pattern in iter_syscall_patterns():
        for number, name in names:
            call = pattern.fullmatch(name)
            if call is not None and matcher.search(call[1]):
                found.setdefault(call[1], number)
    return sorted(found.values())
