"""A precompiled header of the headers that most translation units read, and who may use it.

Parsing headers is the larger part of parsing a kernel file. The choice of headers is computed
from the units. It must not change what a file means, so a unit uses the precompiled header only
where its flags are the header's, but for macros that the precompiled files never test, and where
its file defines no macro, before an include, that they test (a default, `#ifndef X` / `#define X`,
may be overridden). A unit that has an error with the precompiled header is parsed without.

Limit: a unit sees declarations of headers that it does not include itself. A unit that tests
whether such a header was read would differ; comparing `export --facts` of an index made with and
of one made without precompiled headers shows it.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kgraph.extract.libclang import C, included_files, parse
from kgraph.model.units import TranslationUnit

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*<([^>\n]+)>", re.MULTILINE)
_ANY_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include\b", re.MULTILINE)
_DEFINE = re.compile(rb"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)", re.MULTILINE)
_TEST = re.compile(rb"^[ \t]*#[ \t]*(ifdef|ifndef|if|elif)\b((?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*)",
                   re.MULTILINE)
_DEFAULT = re.compile(rb"^[ \t]*#[ \t]*ifndef[ \t]+(\w+)[^\n]*\n(?:[ \t]*\n|//[^\n]*\n)*"
                      rb"[ \t]*#[ \t]*define[ \t]+\1\b", re.MULTILINE)
_WORD = re.compile(rb"[A-Za-z_]\w*")

_COMMON = 0.04  # a header belongs in if this part of the units includes it directly
_WORTHWHILE = 12  # units that must share flags before a precompiled header pays
_FOR_SERIALIZATION = 0x2 | 0x4  # Incomplete | ForSerialization
_ERROR = 3


@dataclass(frozen=True, slots=True)
class Precompiled:
    """A precompiled header: `source` and `file` on disk, the `flags` that made it, the names
    that its files `tests` in conditions, the absolute names of the `files` it holds."""

    source: str
    file: str
    directory: str
    flags: tuple[str, ...]
    tests: frozenset[str]
    files: tuple[str, ...]


def shared_flags(arguments: Iterable[str]) -> tuple[str, ...]:
    """A unit's arguments without its macros."""
    return tuple(a for a in arguments if not a.startswith("-D"))


def _flag_groups(units: Iterable[TranslationUnit]) -> list[list[TranslationUnit]]:
    """Units whose flags agree but for macros and for folders searched after the common ones."""
    groups: dict[tuple[str, ...], list[TranslationUnit]] = {}
    for unit in units:
        key = tuple(a for a in shared_flags(unit.arguments) if not a.startswith("-I"))
        groups.setdefault((unit.directory, *key), []).append(unit)
    return [group for _key, group in sorted(groups.items()) if len(group) >= _WORTHWHILE]


def _common_headers(units: list[TranslationUnit]) -> list[str]:
    counts: Counter[str] = Counter()
    for unit in units:
        names = set(_INCLUDE.findall(_read(unit.file)))
        counts.update(name.decode("utf-8", "replace") for name in names)
    least = max(2.0, _COMMON * len(units))
    chosen = [name for name, count in counts.items() if count >= least]
    return sorted(chosen, key=lambda name: (-counts[name], name))


def _common_arguments(units: list[TranslationUnit]) -> tuple[str, ...]:
    """The arguments that all units have, in the order of the first."""
    sets = [set(unit.arguments) for unit in units]
    shared = set.intersection(*sets)
    return tuple(a for a in units[0].arguments if a in shared)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def tested_names(contents: Iterable[bytes]) -> frozenset[str]:
    """The identifiers in conditions of preprocessor text, but for defaults of the same file."""
    names: set[bytes] = set()
    for content in contents:
        defaults = Counter(_DEFAULT.findall(content))
        tests: Counter[bytes] = Counter()
        for _kind, condition in _TEST.findall(content):
            tests.update(set(_WORD.findall(condition)))
        names.update(name for name, count in tests.items() if count > defaults[name])
    return frozenset(name.decode("ascii", "replace") for name in names)


def precompile(units: Iterable[TranslationUnit], folder: Path) -> list[Precompiled]:
    """Make the precompiled headers that pay for a set of units, in an existing folder."""
    index = C.clang_createIndex(0, 0)
    made = []
    for number, group in enumerate(_flag_groups(units)):
        headers = _common_headers(group)
        while headers:
            found = _make(index, headers, group, folder / f"common-{number}")
            if found is not None:
                made.append(found)
                break
            headers = headers[:len(headers) // 2]
    C.clang_disposeIndex(index)
    return made


def _make(index: int, headers: list[str], group: list[TranslationUnit], stem: Path,
          ) -> Precompiled | None:
    """Write one precompiled header; None if the headers do not parse together."""
    source = stem.with_suffix(".h")
    source.write_text("".join(f"#include <{name}>\n" for name in headers))
    flags = _common_arguments(group)
    directory = group[0].directory
    _code, handle = parse(index, str(source), ["-x", "c-header", *flags, "-working-directory",
                                              directory], _FOR_SERIALIZATION)
    if handle is None:
        return None
    try:
        errors = [n for n in range(C.clang_getNumDiagnostics(handle)) if _is_error(handle, n)]
        file = stem.with_suffix(".pch")
        if errors or C.clang_saveTranslationUnit(handle, str(file).encode(), 0):
            return None
        files = tuple(sorted(set(included_files(handle)) - {str(source)}))
    finally:
        C.clang_disposeTranslationUnit(handle)
    return Precompiled(str(source), str(file), directory, flags,
                       tested_names(map(_read, files)), files)


def _is_error(handle: int, number: int) -> bool:
    diagnostic = C.clang_getDiagnostic(handle, number)
    severity = C.clang_getDiagnosticSeverity(diagnostic)
    C.clang_disposeDiagnostic(diagnostic)
    return bool(severity >= _ERROR)


def usable(unit: TranslationUnit, made: Iterable[Precompiled]) -> Precompiled | None:
    """The precompiled header that means the same to a unit as its includes do, if any."""
    for candidate in made:
        if unit.directory == candidate.directory and _flags_agree(
                unit.arguments, candidate) and not (_early_macros(unit.file) & candidate.tests):
            return candidate
    return None


def _flags_agree(arguments: tuple[str, ...], header: Precompiled) -> bool:
    given = set(header.flags)
    search = [a for a in arguments if a.startswith("-I")]
    wanted = [a for a in header.flags if a.startswith("-I")]
    if search[:len(wanted)] != wanted or not given <= set(arguments):
        return False
    for argument in arguments:
        if argument in given or argument.startswith("-I"):
            continue
        if not argument.startswith("-D") or _macro_name(argument) in header.tests:
            return False
    return True


def _macro_name(argument: str) -> str:
    found = re.match(r"-D\s*([A-Za-z_]\w*)", argument)
    return found[1] if found else ""


def _early_macros(path: str) -> frozenset[str]:
    """The macros that a file defines or undefines before its last include."""
    content = _read(path)
    last = 0
    for found in _ANY_INCLUDE.finditer(content):
        last = found.start()
    return frozenset(name.decode("ascii", "replace") for name in _DEFINE.findall(content[:last]))
