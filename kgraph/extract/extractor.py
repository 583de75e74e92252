"""Turns translation units into UnitFacts.

One Extractor lives in one worker process. It remembers the keys of the definitions that it has
read, so a function in a header is read once. Which unit supplies it does not matter: the key covers
the text after preprocessing.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from kgraph.extract.asm.preprocess import find_target
from kgraph.extract.asm.units import read_assembly_unit, read_file_scope_asm
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import (
    ERROR,
    IN_MACRO,
    C,
    count_errors,
    get_spelling,
    list_children,
    list_inclusions,
    parse_file,
    print_declaration,
    take_text,
)
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.definition_context import UnitContext
from kgraph.extract.definitions import read_function, read_object
from kgraph.extract.identities import Identities, make_definition_key
from kgraph.extract.pch.compatible import find_shared_files, iter_matching_headers
from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.extract.pch.include_scan import clear_header_caches
from kgraph.extract.pch.precompile import HeaderMaker
from kgraph.extract.pch.select import HeaderPlan
from kgraph.extract.sources import SourceMap, clear_source_caches
from kgraph.logs import PackageLogger
from kgraph.model.facts import Definition, Diagnostic, UnitFacts
from kgraph.model.ids import VMLINUX
from kgraph.model.units import TranslationUnit

_KEEP_GOING = 0x200  # CXTranslationUnit_KeepGoing: parse on after a missing header
_MAX_ERRORS = 20
_LOG = PackageLogger("kgraph.extract")


class Extractor:
    """Reads the facts of translation units, one after another."""

    def __init__(self, root: Path, build: Path | None, seen: set[str],
                 headers: Sequence[PrecompiledHeader] = ()) -> None:
        """`root` is the tree, `build` the folder of generated files, both absolute.

        Definitions whose key is in `seen` are not read again; new keys are added to it. `headers`
        are used where they change no facts. The definitions inside them are not read with a unit,
        see extract_header.
        """
        clear_source_caches()
        clear_header_caches()
        folders = [str(root)] if build is None else [str(build), str(root)]
        self._roots = tuple(sorted(folders, key=len, reverse=True))
        self._seen = seen
        self._headers = headers
        self._index = C.clang_createIndex(0, 0)
        self._own_only = C.clang_createIndex(1, 0)  # hides a precompiled header's declarations

    def extract(self, unit: TranslationUnit) -> UnitFacts:
        """The facts of a unit; `failed` says why if it cannot be parsed at all."""
        if unit.is_assembly:
            return read_assembly_unit(unit, SourceMap(self._roots), self._seen)
        for header in iter_matching_headers(self._headers, unit):
            facts = self._extract_with_header(unit, header)
            if facts is not None:
                return facts
        code, handle = parse_file(self._index, unit.file, _list_arguments(unit), _KEEP_GOING)
        if handle is None:
            reason = f"libclang could not parse it (error code {code})"
            return UnitFacts(unit.path, unit.object, (), (), failed=reason)
        try:
            return self._read_unit(unit, handle, (name for name, _ in list_inclusions(handle)))
        finally:
            C.clang_disposeTranslationUnit(handle)

    def extract_header(
        self, plan: HeaderPlan, stem: Path
    ) -> tuple[PrecompiledHeader, tuple[Definition, ...]] | None:
        """Make a precompiled header at `stem`.pch and read the definitions in it.

        Returns None if it cannot be made.
        """
        made = HeaderMaker(plan, stem).make()
        if made is None:
            return None
        header, handle = made
        nobody = TranslationUnit("", "", VMLINUX, "", plan.directory, plan.flags)
        reader = _UnitExtraction(nobody, SourceMap(self._roots), set())
        try:
            definitions = reader.read(C.clang_getTranslationUnitCursor(handle))
        finally:
            C.clang_disposeTranslationUnit(handle)
        return header, tuple(definitions)

    def _extract_with_header(
        self, unit: TranslationUnit, header: PrecompiledHeader
    ) -> UnitFacts | None:
        """The facts of a unit, read with a precompiled header; None if that may change them."""
        arguments = ["-include-pch", header.file, *_list_arguments(unit)]
        _code, handle = parse_file(self._own_only, unit.file, arguments, _KEEP_GOING)
        if handle is None:
            return None
        try:
            if count_errors(handle):
                _LOG.debug("%s: read without %s, which gives it errors", unit.path, header.file)
                return None
            own = [name for name, _ in list_inclusions(handle)]
            shared = find_shared_files(header, unit, own)
            if shared is None:
                return None
            return self._read_unit(unit, handle, (*own, *shared), header)
        finally:
            C.clang_disposeTranslationUnit(handle)

    def _read_unit(self, unit: TranslationUnit, handle: int, read: Iterable[str],
                   header: PrecompiledHeader | None = None) -> UnitFacts:
        """The facts of a parsed unit; `read` are the files that it read."""
        sources = SourceMap(self._roots)
        names = set(read)
        files = sorted({path for path in map(sources.find_citation_path, names) if path})
        errors = _list_errors(handle, sources)
        if not sources.find_citation_path(unit.file):
            return UnitFacts(unit.path, unit.object, (), (), errors,
                             failed="it lies outside the tree")
        reader = _UnitExtraction(unit, sources, self._seen)
        definitions = reader.read(C.clang_getTranslationUnitCursor(handle))
        keys = set(reader.keys)
        if header is not None:
            for path in files:
                keys.update(header.keys.get(path, ()))
        return UnitFacts(
            unit.path, unit.object, tuple(sorted(keys)), tuple(definitions), errors, tuple(files),
            foreign=_lacks_system_header(unit, errors) or any(map(sources.is_foreign, names)))


def _lacks_system_header(unit: TranslationUnit, errors: Iterable[Diagnostic]) -> bool:
    """Whether a header is missing that may appear in a system folder later."""
    return "-nostdinc" not in unit.arguments and any(
        error.message.endswith("file not found") for error in errors)


def _list_arguments(unit: TranslationUnit) -> list[str]:
    return [*unit.arguments, "-working-directory", unit.directory]


def _list_errors(handle: int, sources: SourceMap) -> tuple[Diagnostic, ...]:
    """The first 20 parse errors."""
    found: list[Diagnostic] = []
    for number in range(C.clang_getNumDiagnostics(handle)):
        diagnostic = C.clang_getDiagnostic(handle, number)
        if C.clang_getDiagnosticSeverity(diagnostic) >= ERROR and len(found) < _MAX_ERRORS:
            location = sources.locate(C.clang_getDiagnosticLocation(diagnostic))
            message = take_text(C.clang_getDiagnosticSpelling(diagnostic))
            found.append(Diagnostic(location if location.path else None, message))
        C.clang_disposeDiagnostic(diagnostic)
    return tuple(found)


class _UnitExtraction:
    """Reads the definitions of one translation unit; `keys` are those of all of them."""

    def __init__(self, unit: TranslationUnit, sources: SourceMap, seen: set[str]) -> None:
        self.keys: list[str] = []
        self._unit = unit
        self._context = UnitContext(Identities(unit, sources), sources)
        self._seen = seen

    def read(self, root: Cursor) -> list[Definition]:
        """The definitions whose key was not seen before."""
        found: list[Definition] = []
        record: Cursor | None = None  # the one that a name is declared with next
        for cursor in list_children(root):
            if record is not None and cursor.kind in (
                    kinds.VAR, kinds.TYPEDEF, kinds.FUNCTION):
                self._context.identities.name_record(record, get_spelling(cursor))
            record = cursor if cursor.kind in (kinds.STRUCT, kinds.UNION) else None
            if cursor.kind == kinds.FUNCTION:
                found.extend(self._read_function(cursor))
            elif cursor.kind == kinds.VAR:
                found.extend(self._read_object(cursor))
            elif cursor.kind == kinds.UNEXPOSED_DECL:
                found.extend(self._read_file_scope_asm(cursor))
        return found

    def _read_function(self, cursor: Cursor) -> list[Definition]:
        printed = ""
        if not C.clang_isCursorDefinition(cursor):
            # Only the unit's own file makes aliases; headers are full of plain declarations.
            if not self._is_in_own_file(cursor):
                return []
            printed = print_declaration(cursor)
            if "alias(" not in printed:
                return []
        return self._read_definition(cursor, printed or print_declaration(cursor), read_function)

    def _is_in_own_file(self, cursor: Cursor) -> bool:
        start = C.clang_getCursorLocation(cursor)
        if start.code & IN_MACRO:  # clang says no for every macro expansion
            return self._context.sources.locate(start).path == self._unit.path
        return bool(C.clang_Location_isFromMainFile(start))

    def _read_object(self, cursor: Cursor) -> list[Definition]:
        if C.clang_Cursor_getStorageClass(cursor) == kinds.STORAGE_EXTERN:
            return []
        if not self._context.types.of(cursor).can_lead_to_function:
            return []
        return self._read_definition(cursor, print_declaration(cursor), read_object)

    def _read_file_scope_asm(self, cursor: Cursor) -> list[Definition]:
        """What assembler outside functions defines, if a declaration is that."""
        printed = print_declaration(cursor)
        location = self._context.sources.locate_cursor(cursor)
        if "asm" not in printed or not location.path:
            return []
        image = self._context.identities.find_scope(location.path)[1]
        found = read_file_scope_asm(
            printed, location, self._owner_of(location.path), image, find_target(self._unit))
        self.keys.extend(definition.key for definition in found)
        fresh = [definition for definition in found if definition.key not in self._seen]
        self._seen.update(definition.key for definition in fresh)
        return fresh

    def _read_definition(
        self, cursor: Cursor, printed: str,
        rule: Callable[[UnitContext, Cursor, str, str], list[Definition]],
    ) -> list[Definition]:
        location = self._context.sources.locate_cursor(cursor)
        if not location.path:
            return []
        image = self._context.identities.enter_file(location.path)
        key = make_definition_key(
            f"{image}:{self._owner_of(location.path)}", location, get_spelling(cursor),
            self._context.sources.mask_roots(printed))
        if key in self._seen:
            self.keys.extend(_list_with_inner(key, self._seen))
            return []
        with self._context.sources.cite_outside(location):
            definitions = rule(self._context, cursor, key, printed)
        self.keys.extend(definition.key for definition in definitions)
        self._seen.update(definition.key for definition in definitions)
        return definitions

    def _owner_of(self, path: str) -> str:
        """The unit that the definitions of a file belong to, "" for a header."""
        return self._unit.path if path.endswith(".c") else ""


def _list_with_inner(key: str, seen: set[str]) -> list[str]:
    """A definition's key and those of the static objects inside it."""
    keys = [key]
    while (inner := f"{key}.{len(keys) - 1}") in seen:
        keys.append(inner)
    return keys
