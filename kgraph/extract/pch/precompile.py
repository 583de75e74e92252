"""Makes the precompiled headers that `select` planned."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from kgraph.extract.clang.api import (
    C,
    count_errors,
    find_first_error,
    get_spelling,
    list_children,
    list_inclusions,
    list_macro_definitions,
    list_skipped_lines,
    parse_file,
    save_unit,
)
from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.extract.pch.include_graph import (
    SuffixIndex,
    build_include_graph,
    drop_unfollowed_includes,
    list_search_folders,
)
from kgraph.extract.pch.include_scan import scan_file, scan_name_uses
from kgraph.extract.pch.macro_dependencies import find_macro_dependencies
from kgraph.extract.pch.select import HeaderPlan

_PROBE = "kgraph_asks_"
# CXTranslationUnit_DetailedPreprocessingRecord | Incomplete | ForSerialization
_FOR_SERIALIZATION = 0x1 | 0x2 | 0x4


class HeaderMaker:
    """Makes the precompiled header of a plan. The source of each attempt is `stem`.h."""

    def __init__(self, plan: HeaderPlan, stem: Path) -> None:
        self._plan = plan
        self._source = stem.with_suffix(".h")
        self._file = stem.with_suffix(".pch")
        self._blamed = ""

    def make(self) -> tuple[PrecompiledHeader, int] | None:
        """The header, and clang's handle of what was parsed for it, which the caller disposes of.

        Leaves out headers that do not parse after the others. Returns None if no header can be
        made.
        """
        handle = self._parse(self._plan.names)
        if handle is None:
            handle = self._parse(self._select_parsable())
        if handle is None:
            return None
        if save_unit(handle, str(self._file)):
            header = self._describe(handle)
            if header is not None:
                return header, handle
        C.clang_disposeTranslationUnit(handle)
        return None

    def _parse(self, names: Sequence[str]) -> int | None:
        """Clang's handle of a header that includes these; None if it has an error, `_blamed`
        then is the first one with an error."""
        self._source.write_bytes(os.fsencode("".join(f"#include <{name}>\n" for name in names)))
        handle = self._parse_source(self._source, ["-x", "c-header"], _FOR_SERIALIZATION)
        if handle is not None and count_errors(handle):
            line = find_first_error(handle)
            self._blamed = names[line - 1] if 0 < line <= len(names) else ""
            C.clang_disposeTranslationUnit(handle)
            return None
        self._blamed = ""
        return handle

    def _parse_source(
        self, source: Path, first: list[str], options: int, *, own_only: bool = False
    ) -> int | None:
        arguments = [*first, *self._plan.flags, "-working-directory", self._plan.directory]
        return parse_file(C.clang_createIndex(own_only, 0), str(source), arguments, options)[1]

    def _select_parsable(self) -> tuple[str, ...]:
        """The headers that parse after one another. Those that do not are found by dividing lists:
        at the header with the first error, or in the middle."""
        accepted: tuple[str, ...] = ()
        waiting = [self._plan.names]
        while waiting:
            names = waiting.pop()
            handle = self._parse((*accepted, *names))
            if handle is not None:
                C.clang_disposeTranslationUnit(handle)
                accepted = (*accepted, *names)
            elif len(names) > 1:
                place = names.index(self._blamed) if self._blamed in names else 0
                cuts = (place, place + 1) if place else (len(names) // 2,)
                parts = [names[i:j] for i, j in pairwise((0, *cuts, len(names)))]
                waiting += filter(None, reversed(parts))
        return accepted

    def _describe(self, handle: int) -> PrecompiledHeader | None:
        """What is to be known of the header; None if clang does not tell."""
        inclusions = list_inclusions(handle)
        header = self._describe_includes(inclusions)
        defined = self._find_defined_macros(header.macros)
        if defined is None:
            return None
        first_includers = dict(reversed(inclusions))  # some files are read many times
        times_read = Counter(name for name, _ in inclusions)
        skipped = {file: tuple(lines) for file, lines in list_skipped_lines(handle).items()
                   if times_read[file] == 1}
        header = replace(
            header, defined=defined, macro_definers=_find_macro_definers(handle, header),
            followed_includes=drop_unfollowed_includes(header.includes, first_includers))
        return replace(
            header, dependencies=find_macro_dependencies(header, first_includers, skipped))

    def _describe_includes(self, inclusions: Iterable[tuple[str, str]]) -> PrecompiledHeader:
        source = str(self._source)
        # clang tells who included a file first; the text tells who else would have.
        found = [(name, includer) for name, includer in inclusions if name != source]
        names = dict.fromkeys(name for name, _ in found)
        graph = build_include_graph(
            names, SuffixIndex(names, list_search_folders(self._plan.flags)))
        forced = []
        for name, includer in found:
            if includer in graph:
                graph[includer] = tuple(dict.fromkeys((*graph[includer], name)))
            elif includer != source:
                forced.append(name)
        return PrecompiledHeader(
            str(self._file), self._plan.directory, self._plan.flags, tuple(forced), graph,
            folder=self._plan.folder)

    def _find_defined_macros(self, macros: Iterable[str]) -> frozenset[str] | None:
        """Which macros are defined at the end of the header; None if clang does not tell.

        Asks clang by a source that declares a variable for each macro that is defined.
        """
        names = sorted(macros)
        source = self._source.with_suffix(".c")
        source.write_text("".join(f"#ifdef {name}\nextern int {_PROBE}{number};\n#endif\n"
                                  for number, name in enumerate(names)))
        handle = self._parse_source(source, ["-include-pch", str(self._file)], 0, own_only=True)
        if handle is None:
            return None
        found = map(get_spelling, list_children(C.clang_getTranslationUnitCursor(handle)))
        defined = frozenset(names[int(name.removeprefix(_PROBE))] for name in found
                            if name.startswith(_PROBE))
        C.clang_disposeTranslationUnit(handle)
        return defined


def _find_macro_definers(handle: int, header: PrecompiledHeader) -> dict[str, tuple[str, ...]]:
    """PrecompiledHeader.macro_definers: those that really defined or undefined a macro.

    If the final definition is a fallback, other fallbacks matter, too.
    """
    defining: dict[str, list[str]] = {
        name: [] for name, files in header.macros.items() if len(files) > 1}
    for name, file in list_macro_definitions(handle):
        if name in defining:
            defining[name].append(file)
    return {name: _order_definers(name, files, header) for name, files in defining.items()}


def _order_definers(
    macro: str, defining: list[str], header: PrecompiledHeader
) -> tuple[str, ...]:
    if not defining:
        return ()
    final = defining[-1]
    is_fallback = final in header.includes and macro in scan_file(final).fallbacks
    others = {*defining, *(file for file in header.macros[macro]
                           if macro in scan_name_uses(file).undefined
                           or (is_fallback and macro in scan_file(file).fallbacks))}
    return (*sorted(others - {final}), final)
