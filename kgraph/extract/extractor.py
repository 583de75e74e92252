"""Turns translation units into UnitFacts.

One Extractor lives in one worker process. It remembers the keys of the definitions that it has
read, so a function in a header is read once. Which unit supplies it does not matter: the key
covers the text after preprocessing.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from kgraph.extract.asm.units import read_assembly_unit, read_file_scope_asm
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import (
    ERROR,
    IN_MACRO,
    C,
    children,
    count_errors,
    list_inclusions,
    parse_file,
    pretty,
    spelling,
    take_text,
)
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.definition_context import UnitContext
from kgraph.extract.definitions import read_function, read_object
from kgraph.extract.identities import Identities, make_definition_key
from kgraph.extract.pch.compatible import HeaderMatcher, find_shared_files
from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.extract.pch.include_scan import clear_header_caches
from kgraph.extract.pch.make import HeaderMaker
from kgraph.extract.pch.select import HeaderPlan
from kgraph.extract.sources import SourceMap, clear_source_caches
from kgraph.extract.types import TypeCache
from kgraph.model.facts import Definition, Diagnostic, UnitFacts
from kgraph.model.ids import VMLINUX
from kgraph.model.location import Location
from kgraph.model.units import TranslationUnit

_KEEP_GOING = 0x200  # CXTranslationUnit_KeepGoing: a missing header is not the end
_MAX_ERRORS = 20


class Extractor:
    """Reads facts. `root` is the tree, `build` the folder of generated files, both absolute."""

    def __init__(self, root: Path, build: Path | None, seen: set[str],
                 headers: Sequence[PrecompiledHeader] = ()) -> None:
        """`seen` holds keys that need not be read again; it grows. `headers` may be used where
        they change no facts; their own definitions are not read with a unit."""
        clear_source_caches()
        clear_header_caches()
        folders = [str(root)] if build is None else [str(build), str(root)]
        self._roots = tuple(sorted(folders, key=len, reverse=True))
        self._seen = seen
        self._index = C.clang_createIndex(0, 0)
        self._own_only = C.clang_createIndex(1, 0)  # excludes a precompiled header's declarations
        self._agreement = HeaderMatcher(headers)

    def extract(self, unit: TranslationUnit) -> UnitFacts:
        """The facts of a unit. One that cannot be parsed at all comes back as failed."""
        if unit.is_assembly:
            return read_assembly_unit(unit, SourceMap(self._roots), self._seen)
        for header in self._agreement.iter_headers(unit):
            facts = self._with_header(unit, header)
            if facts is not None:
                return facts
        code, handle = parse_file(self._index, unit.file, _arguments(unit), _KEEP_GOING)
        if handle is None:
            reason = f"libclang could not parse it (error code {code})"
            return UnitFacts(unit.path, unit.object, (), (), failed=reason)
        try:
            return self._facts(unit, handle, (name for name, _ in list_inclusions(handle)))
        finally:
            C.clang_disposeTranslationUnit(handle)

    def _with_header(self, unit: TranslationUnit, header: PrecompiledHeader) -> UnitFacts | None:
        """The facts of a unit read with a precompiled header; None if it has to be read without."""
        arguments = ["-include-pch", header.file, *_arguments(unit)]
        _code, handle = parse_file(self._own_only, unit.file, arguments, _KEEP_GOING)
        if handle is None:
            return None
        try:
            if count_errors(handle):
                return None
            own = [name for name, _ in list_inclusions(handle)]
            shared = find_shared_files(header, unit, own)
            if shared is None:
                return None
            return self._facts(unit, handle, (*own, *shared), header)
        finally:
            C.clang_disposeTranslationUnit(handle)

    def extract_header(self, plan: HeaderPlan, stem: Path
                       ) -> tuple[PrecompiledHeader, tuple[Definition, ...]] | None:
        """Make a precompiled header at `stem`.pch, and read the definitions in it; None if it
        cannot be made."""
        made = HeaderMaker(plan, stem).make()
        if made is None:
            return None
        header, handle = made
        nobody = TranslationUnit("", "", VMLINUX, "", plan.directory, plan.flags)
        sources = SourceMap(self._roots)
        reading = _Reading(
            nobody, UnitContext(Identities(nobody, sources), sources, TypeCache()), set()
        )
        try:
            definitions = reading.run(C.clang_getTranslationUnitCursor(handle))
        finally:
            C.clang_disposeTranslationUnit(handle)
        return header, tuple(definitions)

    def _facts(self, unit: TranslationUnit, handle: int, read: Iterable[str],
               header: PrecompiledHeader | None = None) -> UnitFacts:
        sources = SourceMap(self._roots)
        names = set(read)
        files = sorted({path for path in map(sources.find_citation_path, names) if path})
        errors = _errors(handle, sources)
        if not sources.find_citation_path(unit.file):
            return UnitFacts(unit.path, unit.object, (), (), errors,
                             failed="it lies outside the tree")
        reading = _Reading(
            unit, UnitContext(Identities(unit, sources), sources, TypeCache()), self._seen
        )
        definitions = reading.run(C.clang_getTranslationUnitCursor(handle))
        if header is not None:
            for path in files:
                reading.keys.extend(header.keys.get(path, ()))
        return UnitFacts(unit.path, unit.object, tuple(sorted(set(reading.keys))),
                         tuple(definitions), errors, tuple(files),
                         foreign=_misses_system_header(unit, errors)
                         or any(map(sources.is_foreign, names)))


def _misses_system_header(unit: TranslationUnit, errors: Iterable[Diagnostic]) -> bool:
    """Whether a header is missing that may come to be in a folder of the system."""
    return "-nostdinc" not in unit.arguments and any(
        error.message.endswith("file not found") for error in errors)


def _arguments(unit: TranslationUnit) -> list[str]:
    return [*unit.arguments, "-working-directory", unit.directory]


class _Reading:
    """The reading of one translation unit's definitions."""

    def __init__(self, unit: TranslationUnit, context: UnitContext, seen: set[str]) -> None:
        self.unit = unit
        self.context = context
        self.seen = seen
        self.keys: list[str] = []

    def run(self, root: Cursor) -> list[Definition]:
        policy = C.clang_getCursorPrintingPolicy(root)
        found: list[Definition] = []
        for cursor in children(root):
            if cursor.kind == kinds.FUNCTION:
                found.extend(self._function(cursor, policy))
            elif cursor.kind == kinds.VAR:
                found.extend(self._object(cursor, policy))
            elif cursor.kind == kinds.UNEXPOSED_DECL:
                found.extend(self._file_scope(cursor, policy))
        C.clang_PrintingPolicy_dispose(policy)
        return found

    def _function(self, cursor: Cursor, policy: int) -> list[Definition]:
        printed = ""
        if not C.clang_isCursorDefinition(cursor):
            # only a unit's own file makes aliases: headers are full of plain declarations
            if not self._in_own_file(cursor):
                return []
            printed = pretty(cursor, policy)
            if "alias(" not in printed:
                return []
        return self._read(cursor, printed or pretty(cursor, policy), read_function)

    def _in_own_file(self, cursor: Cursor) -> bool:
        place = C.clang_getCursorLocation(cursor)
        if place.code & IN_MACRO:  # clang says no for any macro's expansion
            return self.context.sources.locate(place).path == self.unit.path
        return bool(C.clang_Location_isFromMainFile(place))

    def _object(self, cursor: Cursor, policy: int) -> list[Definition]:
        if C.clang_Cursor_getStorageClass(cursor) == kinds.STORAGE_EXTERN:
            return []
        if not self.context.types.of(cursor).can_lead_to_function:
            return []
        return self._read(cursor, pretty(cursor, policy), read_object)

    def _file_scope(self, cursor: Cursor, policy: int) -> list[Definition]:
        """What assembler outside functions defines, where a declaration is that."""
        printed = pretty(cursor, policy)
        location = self.context.sources.locate_cursor(cursor)
        if "asm" not in printed or not location.path:
            return []
        image = self.context.identities.find_scope(location.path)[1]
        own_file = location.path.endswith(".c")
        found = read_file_scope_asm(printed, location, self.unit.path if own_file else "", image)
        self.keys.extend(definition.key for definition in found)
        fresh = [definition for definition in found if definition.key not in self.seen]
        self.seen.update(definition.key for definition in fresh)
        return fresh

    def _read(
        self,
        cursor: Cursor,
        printed: str,
        rule: Callable[[UnitContext, Cursor, str, str], list[Definition]],
    ) -> list[Definition]:
        location = self.context.sources.locate_cursor(cursor)
        if not location.path:
            return []
        names = self.context.identities
        image = names.image = names.find_scope(location.path)[1]
        own_file = location.path.endswith(".c")
        key = make_definition_key(f"{image}:{self.unit.path if own_file else ''}", location,
                             spelling(cursor), self.context.sources.mask_roots(printed))
        if key in self.seen:
            self.keys.extend(_with_inner(key, self.seen))
            return []
        definitions = rule(self.context, cursor, key, printed)
        self.keys.extend(definition.key for definition in definitions)
        self.seen.update(definition.key for definition in definitions)
        return definitions


def _with_inner(key: str, seen: set[str]) -> list[str]:
    """A definition's key and those of the static objects inside it."""
    keys = [key]
    while (inner := f"{key}.{len(keys) - 1}") in seen:
        keys.append(inner)
    return keys


def _errors(handle: int, sources: SourceMap) -> tuple[Diagnostic, ...]:
    """The parse errors, at most 20."""
    found: list[Diagnostic] = []
    for number in range(C.clang_getNumDiagnostics(handle)):
        diagnostic = C.clang_getDiagnostic(handle, number)
        if C.clang_getDiagnosticSeverity(diagnostic) >= ERROR and len(found) < _MAX_ERRORS:
            place: Location | None = sources.locate(C.clang_getDiagnosticLocation(diagnostic))
            message = take_text(C.clang_getDiagnosticSpelling(diagnostic))
            found.append(Diagnostic(place if place and place.path else None, message))
        C.clang_disposeDiagnostic(diagnostic)
    return tuple(found)
