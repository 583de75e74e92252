"""Makes the precompiled headers that `select` planned."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from kgraph.extract.clang.api import (
    C,
    count_errors,
    get_spelling,
    list_children,
    list_inclusions,
    list_macro_definitions,
    list_skipped_lines,
    parse_file,
    save_unit,
)
from kgraph.extract.pch.header import (
    PrecompiledHeader,
    drop_unfollowed_includes,
    find_macro_dependencies,
    list_search_folders,
)
from kgraph.extract.pch.include_scan import (
    SuffixIndex,
    build_include_graph,
    scan_file,
    scan_name_uses,
)
from kgraph.extract.pch.select import HeaderPlan

_ASKED = "kgraph_asks_"
# CXTranslationUnit_DetailedPreprocessingRecord | Incomplete | ForSerialization
_FOR_SERIALIZATION = 0x1 | 0x2 | 0x4


class HeaderMaker:
    """Makes the precompiled header of a plan. Each attempt's source is `stem`.h."""

    def __init__(self, plan: HeaderPlan, stem: Path) -> None:
        self._plan = plan
        self._source = stem.with_suffix(".h")
        self._file = stem.with_suffix(".pch")

    def make(self) -> tuple[PrecompiledHeader, int] | None:
        """The header and clang's handle of what was parsed for it, which the caller disposes of;
        None if it cannot be made. Headers that do not parse after the others are left out."""
        handle = self._parse(self._plan.names)
        if handle is None:
            handle = self._parse(self._accepted())
        if handle is None:
            return None
        if save_unit(handle, str(self._file)):
            described = self._described(handle)
            defined = self._defined(described.macros)
            if defined is not None:
                described = replace(
                    described, defined=defined, macro_definers=_makers(handle, described)
                )
                read = list_inclusions(handle)
                first = dict(reversed(read))  # some files are read again and again
                times = Counter(name for name, _ in read)
                skipped = {file: tuple(lines) for file, lines in list_skipped_lines(handle).items()
                           if times[file] == 1}
                described = replace(
                    described, followed_includes=drop_unfollowed_includes(described.includes, first)
                )
                return replace(
                    described, dependencies=find_macro_dependencies(described, first, skipped)
                ), handle
        C.clang_disposeTranslationUnit(handle)
        return None

    def _accepted(self) -> tuple[str, ...]:
        """The headers that parse after one another, found by halving what does not."""
        accepted: tuple[str, ...] = ()
        waiting = [self._plan.names]
        while waiting:
            names = waiting.pop()
            handle = self._parse((*accepted, *names))
            if handle is not None:
                C.clang_disposeTranslationUnit(handle)
                accepted = (*accepted, *names)
            elif len(names) > 1:
                waiting += [names[len(names) // 2:], names[:len(names) // 2]]
        return accepted

    def _parse(self, names: Sequence[str]) -> int | None:
        self._source.write_bytes(os.fsencode("".join(f"#include <{name}>\n" for name in names)))
        handle = self._read(self._source, ["-x", "c-header"], _FOR_SERIALIZATION)
        if handle is not None and count_errors(handle):
            C.clang_disposeTranslationUnit(handle)
            return None
        return handle

    def _read(self, source: Path, first: list[str], options: int, *, own: bool = False
              ) -> int | None:
        arguments = [*first, *self._plan.flags, "-working-directory", self._plan.directory]
        return parse_file(C.clang_createIndex(own, 0), str(source), arguments, options)[1]

    def _defined(self, macros: Iterable[str]) -> frozenset[str] | None:
        """Which macros are defined at the end of the header, None if that cannot be told: clang is
        asked, by a source that declares a variable for each that is."""
        names = sorted(macros)
        source = self._source.with_suffix(".c")
        source.write_text("".join(f"#ifdef {name}\nextern int {_ASKED}{number};\n#endif\n"
                                  for number, name in enumerate(names)))
        handle = self._read(source, ["-include-pch", str(self._file)], 0, own=True)
        if handle is None:
            return None
        found = map(get_spelling, list_children(C.clang_getTranslationUnitCursor(handle)))
        defined = frozenset(names[int(name.removeprefix(_ASKED))] for name in found
                            if name.startswith(_ASKED))
        C.clang_disposeTranslationUnit(handle)
        return defined

    def _described(self, handle: int) -> PrecompiledHeader:
        source = str(self._source)
        # clang tells who read a file first; text tells who else would have
        found = [(name, includer) for name, includer in list_inclusions(handle) if name != source]
        names = dict.fromkeys(name for name, _ in found)
        graph = build_include_graph(
            names, SuffixIndex(names, list_search_folders(self._plan.flags))
        )
        forced = []
        for name, includer in found:
            if includer in graph:
                graph[includer] = tuple(dict.fromkeys((*graph[includer], name)))
            elif includer != source:
                forced.append(name)
        return PrecompiledHeader(str(self._file), self._plan.directory, self._plan.flags,
                           tuple(forced), graph, folder=self._plan.folder)


def _makers(handle: int, header: PrecompiledHeader) -> dict[str, tuple[str, ...]]:
    """For each macro of which several files say something, those that matter to its meaning: that
    did define it or take it back, and other fallbacks, if it is one; the last that defined it at
    the end."""
    defined: dict[str, list[str]] = {
        name: [] for name, owners in header.macros.items() if len(owners) > 1}
    for name, file in list_macro_definitions(handle):
        if name in defined:
            defined[name].append(file)
    return {name: _in_order(name, files, header) for name, files in defined.items()}


def _in_order(name: str, makers: list[str], header: PrecompiledHeader) -> tuple[str, ...]:
    if not makers:
        return ()
    final = makers[-1]
    is_fallback = final in header.includes and name in scan_file(final).fallbacks
    others = {*makers, *(owner for owner in header.macros[name]
                         if name in scan_name_uses(owner).taken_back
                         or (is_fallback and name in scan_file(owner).fallbacks))}
    return (*sorted(others - {final}), final)
