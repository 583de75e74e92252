"""Scans a file for its includes, macros and names, without a preprocessor.

Conditions are not evaluated: a line counts whatever it stands under. So the files that are
reachable over includes may be too many. They are too few only where a macro names an included
file, and clang reports which files a unit read.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

from kgraph.textfile import normalise_newlines, read_regular_file

# What an item of a file is: something said of a macro, or an include, whose file is sought along
# the folders only where it stands in angle brackets.
MACRO, INCLUDE, SOUGHT = range(3)
_ITEM = re.compile(
    rb'^[ \t]*#[ \t]*(?:include(_next)?[ \t]*(["<])([^">\n]+)[">]'
    rb"|(?:define|undef)[ \t]+(\w+)((?:\\\n|[^\n])*))", re.MULTILINE)
_INCLUDE = re.compile(rb'#[ \t]*include(_next)?[ \t]*(["<])([^">\n]+)[">]')
# A macro that a header applies outside functions makes functions of it (TRACE_EVENT): on
# linux-4.6.2 it takes as long to read as so many bytes.
_EXPANDED = re.compile(rb"^[A-Z][A-Z0-9_]*\(", re.MULTILINE)
_EXPANSION = 16_000
_GUARD = re.compile(
    rb"^[ \t]*#[ \t]*(?:ifndef|if[ \t]*![ \t]*defined)[ \t]*\(?[ \t]*(\w+)[^\n]*\s*\n"
    rb"[ \t]*#[ \t]*define[ \t]+\1\b|^[ \t]*#[ \t]*pragma[ \t]+once\b", re.MULTILINE)
# comments, which are left out; literals, which may look like them, stay
_COMMENT = re.compile(
    rb"""/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])')""", re.DOTALL)
_NAME = re.compile(rb"[A-Za-z_]\w*")
_LITERAL = re.compile(rb"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.DOTALL)
_ASKED = re.compile(rb"^[ \t]*#[ \t]*ifn?def\b[^\n]*|\bdefined[ \t]*\(?[ \t]*\w+", re.MULTILINE)
_APPLIED = re.compile(rb"\b([A-Za-z_]\w*)\s*\(")
_PLAIN = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(?!\w|\()", re.MULTILINE)
_CHANGED = re.compile(rb"^[ \t]*#[ \t]*(define|undef)[ \t]+(\w+)", re.MULTILINE)
_WARNING = re.compile(
    rb"^[ \t]*#[ \t]*ifn?def[^\n]*\s*\n[ \t]*#[ \t]*warning[^\n]*\s*\n[ \t]*#[ \t]*endif[^\n]*",
    re.MULTILINE)
_FALLBACK = re.compile(
    rb"^[ \t]*#[ \t]*ifndef[ \t]+(\w+)\s*\n[ \t]*#[ \t]*define[ \t]+\1\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One file, without comments: `items` are its includes (INCLUDE or SOUGHT, name) and macros
    (MACRO, name) in order; `code` the identifiers outside of macro bodies and literals; `bodies`
    those in the bodies of each macro, but for literals; `fallbacks` the macros that it defines only
    where they are not defined, right behind the question whether they are; `between` the
    identifiers of `code` before each include, behind the one before; `said` the macros of which
    something is said there, at last behind all includes."""

    items: tuple[tuple[int, str], ...]
    code: frozenset[str]
    bodies: dict[str, frozenset[str]]
    fallbacks: frozenset[str]
    names_between: tuple[frozenset[str], ...]
    macros_between: tuple[frozenset[str], ...]

    @property
    def includes(self) -> list[str]:
        """The names that it includes, as written."""
        return [name for what, name in self.items if what != MACRO]


@lru_cache(maxsize=3000)
def scan_file(path: str) -> ScannedFile:
    """What a file holds; nothing, where it cannot be read."""
    return _said(_content(path))


@lru_cache(maxsize=3000)
def scan_without_skipped(path: str, skipped: tuple[tuple[int, int], ...]) -> ScannedFile:
    """What a file holds but for stretches that conditions leave out, given by the lines of the
    directives before and behind; what these ask counts."""
    if not skipped:
        return scan_file(path)
    # a directive goes on behind a comment of several lines
    lines = _COMMENT.sub(lambda found: found[1] or b" " + b"\\\n" * found[0].count(b"\n"),
                         _raw(path)).split(b"\n")
    for first, last in skipped:
        start = next((at for at in range(first, last) if not lines[at - 1].endswith(b"\\")), last)
        lines[start:last - 1] = [b""] * max(0, last - 1 - start)
    return _said(b"\n".join(lines))


def _said(content: bytes) -> ScannedFile:
    items: list[tuple[int, str]] = []
    bodies: dict[str, frozenset[str]] = {}
    between: list[frozenset[str]] = []
    said: list[set[str]] = [set()]
    end = 0
    for found in _ITEM.finditer(content):
        again, sign, include, macro, body = found.groups()
        if macro:
            name = _text(macro)
            items.append((MACRO, name))
            said[-1].add(name)
            bodies[name] = bodies.get(name, frozenset()) | _names(_LITERAL.sub(b'""', body))
        else:
            items.append((_kind(again, sign), _text(include)))
            between.append(_names(_code(content[end:found.start()])))
            said.append(set())
            end = found.end()
    code = frozenset[str]().union(*between, _names(_code(content[end:])))
    fallbacks = frozenset(name for name in map(_text, _FALLBACK.findall(content))
                          if items.count((MACRO, name)) == 1)
    return ScannedFile(tuple(items), code, bodies, fallbacks, tuple(between),
                      tuple(map(frozenset, said)))


@lru_cache(maxsize=10_000)
def list_includes(path: str) -> tuple[tuple[int, str], ...]:
    """What a file includes, also in comments, as (INCLUDE or SOUGHT, name)."""
    return tuple((_kind(again, sign), _text(name))
                 for again, sign, name in _INCLUDE.findall(_raw(path)))


@lru_cache(maxsize=10_000)
def estimate_reading_cost(path: str) -> int:
    """Roughly what it takes to read a header, in bytes of plain text."""
    content = _raw(path)
    return len(content) + _EXPANSION * len(_EXPANDED.findall(content))


@lru_cache(maxsize=10_000)
def has_include_guard(path: str) -> bool:
    """Whether a header sees to it that it is read once."""
    return _GUARD.search(_raw(path)) is not None


@dataclass(frozen=True, slots=True)
class NameUses:
    """How one file's code uses names: `expanded` are those that a macro may stand for, not those
    that it only asks of whether there is a macro; `applied` those that stand before a parenthesis,
    or are asked for; `plain` the macros that it defines without parameters, at least once; `left`
    those that it defines last, `taken_back` those that it takes back anywhere."""

    expanded: frozenset[str]
    applied: frozenset[str]
    plain: frozenset[str]
    left: frozenset[str]
    taken_back: frozenset[str]


@lru_cache(maxsize=3000)
def scan_name_uses(path: str) -> NameUses:
    """How a file uses names. That it hands the name of a macro on, to be applied elsewhere, is not
    looked for: headers do that with their own."""
    content = _content(path)
    code = _code(content)
    asked = b" ".join(_ASKED.findall(code))
    changes = [(what, _text(name)) for what, name in _CHANGED.findall(content)]
    last = {name: what for what, name in changes}
    return NameUses(
        _names(_ASKED.sub(b"", code)),
        frozenset(map(_text, _APPLIED.findall(code))) | _names(asked),
        frozenset(map(_text, _PLAIN.findall(content))),
        frozenset(name for name, what in last.items() if what == b"define"),
        frozenset(name for what, name in changes if what == b"undef"))


def has_parameters(path: str, name: str) -> bool:
    """Whether every definition of a macro in a file has a list of parameters."""
    pattern = rb"^[ \t]*#[ \t]*define[ \t]+" + name.encode() + rb"\b(\(?)"
    return all(re.findall(pattern, _content(path), re.MULTILINE))


def can_apply(path: str, name: str) -> bool:
    """Whether a file may apply a macro that takes arguments, or asks if there is one. It does not
    where on the same line some sign follows each mention that neither opens or closes a
    parenthesis nor ends an argument: what follows stays between the name and any parenthesis,
    whatever macro both are handed to. A mention in a macro's body counts as an application."""
    if name in scan_file(path).code:
        word = name.encode()
        pattern = (rb"\bdefined[ \t]+" + word + rb"\b|\b" + word
                   + rb"\b(?![ \t]*[;=.\[\]+*/%<>|&^?:!{}-])")
        if re.search(pattern, _code(_content(path))):
            return True
    return any(name in body for body in scan_file(path).bodies.values())


def _kind(again: bytes | None, sign: bytes) -> int:
    """What an include is: `include_next` goes on behind the folder of its own file."""
    return SOUGHT if sign == b"<" and not again else INCLUDE


def _content(path: str) -> bytes:
    """A file without comments; empty, where it cannot be read."""
    return _COMMENT.sub(rb" \1", _raw(path))


def _raw(path: str) -> bytes:
    try:
        return normalise_newlines(read_regular_file(path))
    except OSError:
        return b""


def _code(content: bytes) -> bytes:
    """What is neither an include nor a macro's definition, without what stands in literals, which
    no macro changes, and without what is asked for a warning only."""
    return _WARNING.sub(b"", _LITERAL.sub(b'""', _ITEM.sub(b"", content)))


def clear_header_caches() -> None:
    """Forget what was read of files: they may have changed."""
    for known in (
        scan_file,
        scan_without_skipped,
        scan_name_uses,
        list_includes,
        estimate_reading_cost,
        has_include_guard,
    ):
        known.cache_clear()


def _names(content: bytes) -> frozenset[str]:
    return frozenset(map(_text, set(_NAME.findall(content))))


def _text(name: bytes) -> str:
    return intern(name.decode("utf-8", "surrogateescape"))


class SuffixIndex:
    """Files by the ends of their names: what an include's name may mean. `folders` are those along
    which it is sought first, in their order."""

    def __init__(self, files: Iterable[str], folders: Sequence[str] = ()) -> None:
        self._folders = tuple(map(os.path.normpath, folders))
        self._files: dict[str, list[str]] = {}
        for file in files:
            tail = ""
            for part in reversed(file.split("/")):
                tail = f"{part}/{tail}" if tail else part
                self._files.setdefault(tail, []).append(file)

    def find(self, name: str, what: int = INCLUDE) -> list[str]:
        """The files that an include of `name` may read."""
        tail = os.path.normpath(name) if "./" in name or "//" in name else name
        while tail.startswith("../"):
            tail = tail[3:]
        found = self._files.get(tail, [])
        if what == SOUGHT and len(found) > 1:
            for folder in self._folders:
                if (file := f"{folder}/{name}") in found:
                    return [file]
        return found


def build_include_graph(files: Iterable[str], tails: SuffixIndex) -> dict[str, tuple[str, ...]]:
    """For each file the files that its includes may read, in their order."""
    return {file: tuple(dict.fromkeys(target for what, name in scan_file(file).items
                                      if what != MACRO for target in tails.find(name, what)))
            for file in files}


def iter_reading_order(starts: Iterable[str], graph: Mapping[str, tuple[str, ...]],
                  known: dict[str, int], begun: dict[str, int]) -> Iterator[str]:
    """The files of `closure`, in the order in which they are read; each joins `known`, with its
    place in that, when the next is asked for. `begun` has those that are not read to the end yet,
    and at which of the files that they include they are, from 1."""
    open_ = [iter(list(starts))]
    names = [""]
    while open_:
        for file in open_[-1]:
            begun[names[-1]] = begun.get(names[-1], 0) + 1
            if file not in known:
                yield file
                known[file] = len(known)
                open_.append(iter(graph.get(file, ())))
                names.append(file)
                break
        else:
            open_.pop()
            begun.pop(names.pop(), None)


def find_reachable(starts: Iterable[str], graph: Mapping[str, tuple[str, ...]],
            known: Collection[str] = ()) -> set[str]:
    """The files that are reached from `starts`, these included, without those `known` before."""
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        file = waiting.pop()
        if file not in reached and file not in known:
            reached.add(file)
            waiting.extend(graph.get(file, ()))
    return reached
