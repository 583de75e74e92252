"""Scans a file for its includes, macros and names, without a preprocessor.

Conditions are not evaluated: a line counts whatever it stands under. Must not know which file an
include reads; include_graph does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from kgraph.textfile import normalise_newlines, read_regular_file

_DIRECTIVE = re.compile(
    rb'^[ \t]*#[ \t]*(?:include(_next)?[ \t]*(["<])([^">\n]+)[">]'
    rb"|(?:define|undef)[ \t]+(\w+)((?:\\\n|[^\n])*))", re.MULTILINE)
_INCLUDE = re.compile(rb'#[ \t]*include(_next)?[ \t]*(["<])([^">\n]+)[">]')
# A macro that a header applies outside functions may define functions (TRACE_EVENT). On linux-4.6.2
# reading one takes as long as reading so many bytes.
_APPLICATION = re.compile(rb"^[A-Z][A-Z0-9_]*\(", re.MULTILINE)
_APPLICATION_COST = 16_000
_GUARD = re.compile(
    rb"^[ \t]*#[ \t]*(?:ifndef|if[ \t]*![ \t]*defined)[ \t]*\(?[ \t]*(\w+)[^\n]*\s*\n"
    rb"[ \t]*#[ \t]*define[ \t]+\1\b|^[ \t]*#[ \t]*pragma[ \t]+once\b", re.MULTILINE)
# Matches comments, which go, and literals, which may look like comments and stay.
_COMMENT = re.compile(
    rb"""/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])')""", re.DOTALL)
_NAME = re.compile(rb"[A-Za-z_]\w*")
_LITERAL = re.compile(rb"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.DOTALL)
_TEST = re.compile(rb"^[ \t]*#[ \t]*ifn?def\b[^\n]*|\bdefined[ \t]*\(?[ \t]*\w+", re.MULTILINE)
_CALLED = re.compile(rb"\b([A-Za-z_]\w*)\s*\(")
_OBJECT_LIKE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(?!\w|\()", re.MULTILINE)
_CHANGE = re.compile(rb"^[ \t]*#[ \t]*(define|undef)[ \t]+(\w+)", re.MULTILINE)
_WARNING = re.compile(
    rb"^[ \t]*#[ \t]*ifn?def[^\n]*\s*\n[ \t]*#[ \t]*warning[^\n]*\s*\n[ \t]*#[ \t]*endif[^\n]*",
    re.MULTILINE)
_FALLBACK = re.compile(
    rb"^[ \t]*#[ \t]*ifndef[ \t]+(\w+)\s*\n[ \t]*#[ \t]*define[ \t]+\1\b", re.MULTILINE)


class Include(NamedTuple):
    """An include directive.

    `is_searched`: the name is in angle brackets and is looked up along the search folders. Any
    other (in quotes, include_next) may read any file whose path ends with the name.
    """

    name: str
    is_searched: bool


class MacroChange(NamedTuple):
    """A #define or #undef of a macro."""

    name: str


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """What one file says to the preprocessor, comments left out.

    `directives` are its includes and macro changes in order. `code` are the identifiers outside
    macro bodies and literals; `bodies` those in the bodies of each macro, literals left out.
    `fallbacks` are the macros that it defines only where they are not defined (`#ifndef X`, then
    `#define X`).

    `names_between` are the names of `code` before each include (and after the one before it);
    `macros_between` the macros that change there, and at the end those after the last include.
    """

    directives: tuple[Include | MacroChange, ...]
    code: frozenset[str]
    bodies: dict[str, frozenset[str]]
    fallbacks: frozenset[str]
    names_between: tuple[frozenset[str], ...]
    macros_between: tuple[frozenset[str], ...]

    @property
    def includes(self) -> list[Include]:
        """The includes, in order."""
        return [each for each in self.directives if isinstance(each, Include)]


@lru_cache(maxsize=3000)
def scan_file(path: str) -> ScannedFile:
    """Scan a file; one that cannot be read counts as empty."""
    return _scan(_read_code(path))


@lru_cache(maxsize=3000)
def scan_without_skipped(path: str, skipped: tuple[tuple[int, int], ...]) -> ScannedFile:
    """Scan a file, but for the stretches that conditions left out.

    A stretch is given by the lines of the directives before and after it. The conditions
    themselves count.
    """
    if not skipped:
        return scan_file(path)
    # A directive goes on after a comment of several lines.
    lines = _COMMENT.sub(lambda found: found[1] or b" " + b"\\\n" * found[0].count(b"\n"),
                         _read_raw(path)).split(b"\n")
    for first, last in skipped:
        start = next((at for at in range(first, last) if not lines[at - 1].endswith(b"\\")), last)
        lines[start:last - 1] = [b""] * max(0, last - 1 - start)
    return _scan(b"\n".join(lines))


def _scan(content: bytes) -> ScannedFile:
    directives: list[Include | MacroChange] = []
    bodies: dict[str, frozenset[str]] = {}
    names_between: list[frozenset[str]] = []
    macros_between: list[set[str]] = [set()]
    end = 0
    for found in _DIRECTIVE.finditer(content):
        is_next, sign, include, macro, body = found.groups()
        if macro:
            name = _decode(macro)
            directives.append(MacroChange(name))
            macros_between[-1].add(name)
            bodies[name] = bodies.get(name, frozenset()) | _find_names(_LITERAL.sub(b'""', body))
        else:
            directives.append(_make_include(is_next, sign, include))
            names_between.append(_find_names(_strip_directives(content[end:found.start()])))
            macros_between.append(set())
            end = found.end()
    code = frozenset[str]().union(
        *names_between, _find_names(_strip_directives(content[end:])))
    fallbacks = frozenset(name for name in map(_decode, _FALLBACK.findall(content))
                          if directives.count(MacroChange(name)) == 1)
    return ScannedFile(tuple(directives), code, bodies, fallbacks, tuple(names_between),
                       tuple(map(frozenset, macros_between)))


@lru_cache(maxsize=10_000)
def list_includes(path: str) -> tuple[Include, ...]:
    """The includes of a file, those in comments as well. Faster than scan_file."""
    return tuple(_make_include(*found) for found in _INCLUDE.findall(_read_raw(path)))


def _make_include(is_next: bytes | None, sign: bytes, name: bytes) -> Include:
    # include_next continues after the folder of its own file
    return Include(_decode(name), sign == b"<" and not is_next)


@lru_cache(maxsize=10_000)
def estimate_reading_cost(path: str) -> int:
    """Roughly what reading a header costs, in bytes of plain text."""
    content = _read_raw(path)
    return len(content) + _APPLICATION_COST * len(_APPLICATION.findall(content))


@lru_cache(maxsize=10_000)
def has_include_guard(path: str) -> bool:
    """Whether a header makes sure that it is read once."""
    return _GUARD.search(_read_raw(path)) is not None


@dataclass(frozen=True, slots=True)
class NameUses:
    """How one file uses names.

    `expanded` are names in its code that a macro may replace; those that it only tests (#ifdef,
    defined) are not. `called` are names before a parenthesis, and tested ones. `object_like` are
    the macros that it defines without parameters at least once. `left_defined` are the macros that
    it defines last, `undefined` those that it undefines anywhere.
    """

    expanded: frozenset[str]
    called: frozenset[str]
    object_like: frozenset[str]
    left_defined: frozenset[str]
    undefined: frozenset[str]


@lru_cache(maxsize=3000)
def scan_name_uses(path: str) -> NameUses:
    """How a file uses names.

    A macro's name that is passed to another macro, to be applied there, is not looked for: headers
    do that with their own macros only.
    """
    content = _read_code(path)
    code = _strip_directives(content)
    tested = b" ".join(_TEST.findall(code))
    changes = [(what, _decode(name)) for what, name in _CHANGE.findall(content)]
    last = {name: what for what, name in changes}
    return NameUses(
        expanded=_find_names(_TEST.sub(b"", code)),
        called=_decode_all(_CALLED.findall(code)) | _find_names(tested),
        object_like=_decode_all(_OBJECT_LIKE.findall(content)),
        left_defined=frozenset(name for name, what in last.items() if what == b"define"),
        undefined=frozenset(name for what, name in changes if what == b"undef"))


def has_parameters(path: str, macro: str) -> bool:
    """Whether every definition of a macro in a file has a list of parameters."""
    pattern = rb"^[ \t]*#[ \t]*define[ \t]+" + macro.encode() + rb"\b(\(?)"
    return all(re.findall(pattern, _read_code(path), re.MULTILINE))


def can_apply(path: str, macro: str) -> bool:
    """Whether a file may apply a macro that has parameters, or may test for it.

    It cannot if each mention is followed, on the same line, by a sign other than a parenthesis or
    a comma: whatever macro both are passed to, the sign stays between the name and any
    parenthesis. A mention in a macro's body counts as an application.
    """
    if macro in scan_file(path).code:
        word = macro.encode()
        pattern = (rb"\bdefined[ \t]+" + word + rb"\b|\b" + word
                   + rb"\b(?![ \t]*[;=.\[\]+*/%<>|&^?:!{}-])")
        if re.search(pattern, _strip_directives(_read_code(path))):
            return True
    return any(macro in body for body in scan_file(path).bodies.values())


def clear_header_caches() -> None:
    """Forget what was read from files, which may have changed."""
    for cached in (scan_file, scan_without_skipped, scan_name_uses, list_includes,
                   estimate_reading_cost, has_include_guard):
        cached.cache_clear()


def _read_raw(path: str) -> bytes:
    """A file as it is; empty if it cannot be read."""
    try:
        return normalise_newlines(read_regular_file(path))
    except OSError:
        return b""


def _read_code(path: str) -> bytes:
    """A file without comments; empty if it cannot be read."""
    return _COMMENT.sub(rb" \1", _read_raw(path))


def _strip_directives(content: bytes) -> bytes:
    """Code without includes, macro definitions, and what is tested only for a warning.

    Literals are emptied, because no macro changes them.
    """
    return _WARNING.sub(b"", _LITERAL.sub(b'""', _DIRECTIVE.sub(b"", content)))


def _find_names(content: bytes) -> frozenset[str]:
    return _decode_all(set(_NAME.findall(content)))


def _decode_all(names: Iterable[bytes]) -> frozenset[str]:
    return frozenset(map(_decode, names))


def _decode(name: bytes) -> str:
    return intern(name.decode("utf-8", "surrogateescape"))
