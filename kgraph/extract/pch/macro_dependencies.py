"""Finds the macros that a precompiled file takes from files that it does not include itself.

What these macros mean in it depends on what was read before. A unit may use the precompiled header
only if it has read the same definers before; compatible asks that.
"""

from collections.abc import Mapping
from typing import NamedTuple

from kgraph.extract.pch.header import (
    IRRELEVANT_MACROS,
    MacroDependency,
    PrecompiledHeader,
    order_definers,
)
from kgraph.extract.pch.include_graph import find_reachable
from kgraph.extract.pch.include_scan import (
    Include,
    ScannedFile,
    scan_file,
    scan_name_uses,
    scan_without_skipped,
)

SkippedLines = Mapping[str, tuple[tuple[int, int], ...]]


class _Definer(NamedTuple):
    """A file that defines or undefines a macro, after including so many files."""

    file: str
    includes_before: int
    is_fallback: bool


def find_macro_dependencies(
    header: PrecompiledHeader, includers: Mapping[str, str], skipped: SkippedLines
) -> dict[str, tuple[MacroDependency, ...]]:
    """What each file took from files that it does not include.

    Files that every unit reads first are there for all of them. `includers` says which file
    included each first. `skipped` are the stretches that conditions left out of files that were
    read once: what these conditions test is part of what the file takes, so they leave out the same
    wherever the file takes the same.
    """
    forced = header.read_first.keys()
    finder = _OutsideMacroFinder(header, skipped)
    found: dict[str, tuple[MacroDependency, ...]] = {}
    read = dict(header.read_first)
    for file in header.includes:
        open_files = _find_open_files(file, header, includers)
        if file not in forced:
            settled = find_reachable([file], header.includes) | forced
            # Asking for the whole file is much faster, and seldom finds a macro.
            if finder.find(file, settled, whole=True):
                names = finder.find(file, settled, whole=False)
                groups = sorted({_list_definers(header, name) for name in names})
                if groups:
                    found[file] = tuple(
                        _make_dependency(group, read, open_files) for group in groups)
        read.setdefault(file, len(read))
    return found


class _OutsideMacroFinder:
    """Finds the macros of a file that other files than a given set define."""

    def __init__(self, header: PrecompiledHeader, skipped: SkippedLines) -> None:
        self._header = header
        self._skipped = skipped
        self._uses = {file: scan_name_uses(file) for file in header.includes}
        self._defined = self._find_defined()

    def find(self, file: str, settled: set[str], *, whole: bool) -> set[str]:
        """The macros that a file uses, also through other macros, and not only `settled` define.

        Looks at the `whole` file, or leaves out what conditions left out. A macro with parameters
        has to be applied.
        """
        uses = self._uses[file]
        code = scan_file(file).code if whole else self._scan(file).code
        found = {name for name in code & self._defined
                 if name in uses.called or any(name in self._uses[definer].object_like
                                               for definer in self._header.macros[name])}
        waiting = found & uses.expanded
        while waiting:
            found |= waiting
            reached = set[str]().union(*(
                self._header.bodies[name] if whole else self._find_body(name) for name in waiting))
            waiting = (reached & self._defined) - found
        return {name for name in found if not self._header.find_definers(name) <= settled}

    def _scan(self, file: str) -> ScannedFile:
        return scan_without_skipped(file, self._skipped.get(file, ()))

    def _find_body(self, macro: str) -> set[str]:
        """The names in the bodies of a macro where conditions hold."""
        return set[str]().union(*(self._scan(definer).bodies.get(macro, ())
                                  for definer in self._header.macros[macro]))

    def _find_defined(self) -> frozenset[str]:
        """The macros that are defined at the end, or until another file undefines them."""
        undefining: dict[str, set[str]] = {}
        for file, uses in self._uses.items():
            for name in uses.undefined:
                undefining.setdefault(name, set()).add(file)
        temporary = {name for name, files in undefining.items()
                     if any(files - {definer} for definer in self._header.macros[name]
                            if name in self._uses[definer].left_defined)}
        return ((self._header.defined | temporary)
                - IRRELEVANT_MACROS - self._header.attribute_macros)


def _list_definers(header: PrecompiledHeader, macro: str) -> tuple[_Definer, ...]:
    return tuple(_Definer(file, _count_includes_before(header, file, macro),
                          macro in scan_file(file).fallbacks)
                 for file in sorted(header.find_definers(macro)))


def _count_includes_before(header: PrecompiledHeader, definer: str, macro: str) -> int:
    """How many files a definer includes before it defines or undefines a macro."""
    targets: dict[str, None] = {}
    for directive in scan_file(definer).directives:
        if isinstance(directive, Include):
            targets |= dict.fromkeys(header.files_by_suffix.find(directive))
        elif directive.name == macro:
            break
    return len(targets.keys() & set(header.followed_includes[definer]))


def _make_dependency(
    group: tuple[_Definer, ...], read: Mapping[str, int], open_files: Mapping[str, int]
) -> MacroDependency:
    definers = {definer.file: definer.includes_before for definer in group}
    fallbacks = frozenset(definer.file for definer in group if definer.is_fallback)
    return MacroDependency(definers, fallbacks,
                           order_definers(definers, fallbacks, read, open_files))


def _find_open_files(
    file: str, header: PrecompiledHeader, includers: Mapping[str, str]
) -> dict[str, int]:
    """The files that were open when a file was read first, and the include that they were at."""
    found: dict[str, int] = {}
    while (includer := includers.get(file, "")) in header.includes:
        found[includer] = header.followed_includes[includer].index(file) + 1
        file = includer
    return found
