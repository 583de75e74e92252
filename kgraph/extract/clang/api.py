"""The functions of libclang that extraction needs, over flat structures, for speed.

clang.cindex is used only to find the library: its Cursor objects cost several times what a plain
structure does. Where the C extension is built (see accelerator), its functions replace those that
deal with cursors, types and locations, here and in `C`.
"""

import os
from collections.abc import Callable
from ctypes import CDLL, byref, c_char_p, c_uint, c_void_p
from typing import Any

from clang.cindex import conf

from kgraph.errors import ToolError
from kgraph.extract.clang import kinds
from kgraph.extract.clang.accelerator import ACCELERATOR, prefer_extension
from kgraph.extract.clang.ctypes_api import (
    FIELD_VISITOR,
    INCLUSION,
    PROTOTYPES,
    VISITOR,
    Cursor,
    SourceLocation,
    SourceRange,
    String,
    Type,
)

IN_MACRO = 0x80000000  # a bit of SourceLocation.code: the location is in a macro expansion
CONTINUE, RECURSE = 1, 2  # CXChildVisitResult
ERROR = 3  # CXDiagnostic_Error, the lowest severity that is an error
_COMPILER_VARIABLES = {"CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH"}


def _load_library() -> Any:
    # libclang parses on a thread of its own with 8 MB of stack; a worker has far more.
    os.environ.setdefault("LIBCLANG_NOTHREADS", "1")
    try:
        library = CDLL(conf.get_filename())
        for name, (result, arguments) in PROTOTYPES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
        if ACCELERATOR is not None:
            ACCELERATOR.load(conf.get_filename())
            for name in PROTOTYPES.keys() & vars(ACCELERATOR).keys():
                setattr(library, name, getattr(ACCELERATOR, name))
    except (OSError, AttributeError) as error:
        raise ToolError(
            f"cannot use libclang: {error}",
            "install it again: pip install --force-reinstall 'libclang>=18,<19'",
        ) from None
    return library


C = _load_library()


# ---- cursors and types


def take_text(string: String) -> str:
    """The content of a CXString, which is disposed of."""
    raw = C.clang_getCString(string)
    value = raw.decode("utf-8", "surrogateescape") if raw else ""
    C.clang_disposeString(string)
    return value


@prefer_extension
def get_spelling(cursor: Cursor) -> str:
    """The name of a declaration, or of what an expression refers to."""
    return take_text(C.clang_getCursorSpelling(cursor))


@prefer_extension
def get_type_spelling(type_: Type) -> str:
    """A type as C spells it."""
    return take_text(C.clang_getTypeSpelling(type_))


@prefer_extension
def print_declaration(cursor: Cursor) -> str:
    """A declaration as clang prints it: macros expanded, attributes in front."""
    policy = C.clang_getCursorPrintingPolicy(cursor)
    printed = take_text(C.clang_getCursorPrettyPrinted(cursor, policy))
    C.clang_PrintingPolicy_dispose(policy)
    return printed


@prefer_extension
def get_key(cursor: Cursor) -> int:
    """Identifies what a cursor stands for within its translation unit.

    It is the address of the declaration or statement (a declaration's `d1` is 0 or 1).
    """
    d1 = cursor.d1
    return d1 if d1 > 1 else cursor.d0


@prefer_extension
def list_children(cursor: Cursor) -> list[Cursor]:
    """The direct children of a cursor."""
    found: list[Cursor] = []
    append = found.append

    def visit(child: Cursor, _parent: Cursor, _data: object) -> int:
        append(child)
        return CONTINUE

    C.clang_visitChildren(cursor, VISITOR(visit), None)
    return found


@prefer_extension
def list_parameters(function: Cursor) -> list[Cursor]:
    """The parameters of a function declaration (its children also hold those of its types)."""
    return [C.clang_Cursor_getArgument(function, position)
            for position in range(max(0, C.clang_Cursor_getNumArguments(function)))]


@prefer_extension
def list_fields(type_: Type) -> list[Cursor]:
    """The fields of a record in order, unnamed members (anonymous unions) included."""
    found: list[Cursor] = []
    append = found.append

    def visit(field: Cursor, _data: object) -> int:
        append(field)
        return 1

    C.clang_Type_visitFields(type_, FIELD_VISITOR(visit), None)
    return found


@prefer_extension
def evaluate_integer(cursor: Cursor) -> int | None:
    """The value of an integer constant expression, None if clang cannot tell."""
    result = C.clang_Cursor_Evaluate(cursor)
    if not result:
        return None
    is_integer = C.clang_EvalResult_getKind(result) == 1
    value = C.clang_EvalResult_getAsLongLong(result) if is_integer else None
    C.clang_EvalResult_dispose(result)
    return value


def visit_descendants(cursor: Cursor, visit: Callable[[Cursor, Cursor, object], int]) -> None:
    """Call `visit(cursor, parent, None)` for everything below a cursor, in source order."""
    C.clang_visitChildren(cursor, VISITOR(visit), None)


# ---- locations

_FILE, _LINE, _COLUMN, _OFFSET = c_void_p(), c_uint(), c_uint(), c_uint()
_DECODED = byref(_FILE), byref(_LINE), byref(_COLUMN), byref(_OFFSET)


@prefer_extension
def decode_location(location: SourceLocation) -> tuple[int | None, int, int]:
    """(file handle or None, line, column) of a location as a reader of the file sees it.

    For code in a macro argument this is where the argument is written; for code in a macro body,
    where the macro is used.
    """
    C.clang_getFileLocation(location, *_DECODED)
    return _FILE.value, _LINE.value, _COLUMN.value


@prefer_extension
def get_start(extent: SourceRange) -> SourceLocation:
    """Where a range starts."""
    return SourceLocation(extent.p0, extent.p1, extent.begin)


@prefer_extension
def get_end(extent: SourceRange) -> SourceLocation:
    """Where a range ends."""
    return SourceLocation(extent.p0, extent.p1, extent.end)


# ---- translation units


def bypass_driver_includes(arguments: list[str]) -> list[str]:
    """The arguments, with `-include` passed to the compiler proper.

    Given `-include X`, clang's driver would use an X.pch or X.gch next to X, whatever it holds.
    """
    found: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "-include":
            found += ["-Xclang", word, "-Xclang", next(words, "")]
        else:
            found.append(word)
    return found


def parse_file(
    index: int, path: str, arguments: list[str], options: int
) -> tuple[int, int | None]:
    """Parse a file: (CXErrorCode, handle or None).

    Environment variables that add include folders are removed first.
    """
    for name in _COMPILER_VARIABLES & os.environ.keys():
        del os.environ[name]
    encoded = [a.encode("utf-8", "surrogateescape") for a in bypass_driver_includes(arguments)]
    array = (c_char_p * len(encoded))(*encoded)
    handle = c_void_p()
    code = C.clang_parseTranslationUnit2(
        index, path.encode("utf-8", "surrogateescape"), array, len(encoded), None, 0, options,
        byref(handle))
    return code, handle.value


def save_unit(unit: int, file: str) -> bool:
    """Write a translation unit as a precompiled header; False if that fails."""
    code: int = C.clang_saveTranslationUnit(unit, file.encode("utf-8", "surrogateescape"), 0)
    return code == 0


def count_errors(unit: int) -> int:
    """How many errors clang found in a translation unit."""
    count = 0
    for number in range(C.clang_getNumDiagnostics(unit)):
        diagnostic = C.clang_getDiagnostic(unit, number)
        count += C.clang_getDiagnosticSeverity(diagnostic) >= ERROR
        C.clang_disposeDiagnostic(diagnostic)
    return count


def find_first_error(unit: int) -> int:
    """The line of the main file that the first error of a translation unit is on, or that includes
    the file with it for the first time; 0 if there is no error, or clang does not tell.
    """
    name = ""
    for number in range(C.clang_getNumDiagnostics(unit)):
        diagnostic = C.clang_getDiagnostic(unit, number)
        is_error = C.clang_getDiagnosticSeverity(diagnostic) >= ERROR
        location = C.clang_getDiagnosticLocation(diagnostic)
        C.clang_disposeDiagnostic(diagnostic)
        if is_error:
            handle, line, _ = decode_location(location)
            if C.clang_Location_isFromMainFile(location):
                return line
            name = take_text(C.clang_getFileName(handle)) if handle else ""
            break
    lines: list[int] = []

    def visit(handle: int, stack: Any, depth: int, _data: object) -> None:
        if depth and not lines and take_text(C.clang_getFileName(handle)) == name:
            C.clang_getFileLocation(stack[depth - 1], *_DECODED)
            lines.append(_LINE.value)

    if name:
        C.clang_getInclusions(unit, INCLUSION(visit), None)
    return lines[0] if lines else 0


def list_inclusions(unit: int) -> list[tuple[str, str]]:
    """(file, includer) for every file that a translation unit read, named as clang opened it.

    The includer is the file that included it first, "" for the main file. Files inside a
    precompiled header are not listed.
    """
    found: list[tuple[str, str]] = []

    def visit(handle: int, stack: Any, depth: int, _data: object) -> None:
        includer = ""
        if depth:
            file = c_void_p()
            C.clang_getFileLocation(stack[0], byref(file), None, None, None)
            includer = take_text(C.clang_getFileName(file)) if file.value else "<command line>"
        found.append((take_text(C.clang_getFileName(handle)), includer))

    C.clang_getInclusions(unit, INCLUSION(visit), None)
    return found


def list_macro_definitions(unit: int) -> list[tuple[str, str]]:
    """(macro, file) for every macro definition of a translation unit, in order.

    The unit must have been parsed with a detailed preprocessing record.
    """
    found: list[tuple[str, str]] = []
    files: dict[int | None, str] = {}
    for cursor in list_children(C.clang_getTranslationUnitCursor(unit)):
        if cursor.kind == kinds.MACRO_DEFINITION:
            handle = decode_location(C.clang_getCursorLocation(cursor))[0]
            if handle not in files:
                files[handle] = take_text(C.clang_getFileName(handle)) if handle else ""
            found.append((get_spelling(cursor), files[handle]))
    return found


def list_skipped_lines(unit: int) -> dict[str, list[tuple[int, int]]]:
    """The stretches of each file that conditions left out, once for each time one did.

    A stretch is given by the lines of the directives before and after it. The unit must have been
    parsed with a detailed preprocessing record.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    skipped = C.clang_getAllSkippedRanges(unit)
    for number in range(skipped.contents.count):
        stretch = skipped.contents.ranges[number]
        lines = []
        for code in (stretch.begin, stretch.end):
            C.clang_getFileLocation(SourceLocation(stretch.p0, stretch.p1, code), *_DECODED)
            lines.append(_LINE.value)
        if _FILE.value:
            name = take_text(C.clang_getFileName(_FILE))
            found.setdefault(name, []).append((lines[0], lines[1]))
    C.clang_disposeSourceRangeList(skipped)
    return found
