"""libclang, bound for speed: flat structures and the few functions that extraction needs.

Owns every ctypes prototype. clang.cindex only finds the library: its Cursor objects cost several
times what a plain structure does, and visiting is the larger part of the work. Structures follow
clang-c/Index.h of LLVM 16 to 18. Knows nothing of facts.
"""

import ctypes
import os
from collections.abc import Callable
from ctypes import (
    CDLL,
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_longlong,
    c_size_t,
    c_uint,
    c_void_p,
)
from typing import Any

from clang.cindex import conf

from kgraph.errors import ToolError


class Cursor(Structure):
    """CXCursor. `d0` is the declaration, `d1` the statement or expression."""

    _fields_ = [
        ("kind", c_int), ("xdata", c_int), ("d0", c_size_t), ("d1", c_size_t), ("d2", c_size_t),
    ]
    kind: int
    d0: int
    d1: int


class SourceLocation(Structure):
    """CXSourceLocation. The high bit of `code` is set inside a macro expansion."""

    _fields_ = [("p0", c_size_t), ("p1", c_size_t), ("code", c_uint)]
    p0: int
    p1: int
    code: int


class SourceRange(Structure):
    """CXSourceRange; `begin` and `end` are codes of SourceLocation."""

    _fields_ = [("p0", c_size_t), ("p1", c_size_t), ("begin", c_uint), ("end", c_uint)]
    p0: int
    p1: int
    begin: int
    end: int


class Type(Structure):
    """CXType. `d0` identifies a type within a translation unit."""

    _fields_ = [("kind", c_int), ("d0", c_size_t), ("d1", c_size_t)]
    kind: int
    d0: int


class _String(Structure):
    _fields_ = [("data", c_void_p), ("flags", c_uint)]


IN_MACRO = 0x80000000
_VISITOR = CFUNCTYPE(c_int, Cursor, Cursor, c_void_p)
_FIELD_VISITOR = CFUNCTYPE(c_int, Cursor, c_void_p)
_INCLUSION = CFUNCTYPE(None, c_void_p, POINTER(SourceLocation), c_uint, c_void_p)
CONTINUE, RECURSE = 1, 2
ERROR = 3  # CXDiagnostic_Error, the first severity that is one

_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "clang_createIndex": (c_void_p, [c_int, c_int]),
    "clang_disposeTranslationUnit": (None, [c_void_p]),
    "clang_getTranslationUnitCursor": (Cursor, [c_void_p]),
    "clang_visitChildren": (c_uint, [Cursor, _VISITOR, c_void_p]),
    "clang_getInclusions": (None, [c_void_p, _INCLUSION, c_void_p]),
    "clang_getCString": (c_char_p, [_String]),
    "clang_disposeString": (None, [_String]),
    "clang_getCursorSpelling": (_String, [Cursor]),
    "clang_getTypeSpelling": (_String, [Type]),
    "clang_getFileName": (_String, [c_void_p]),
    "clang_getDiagnosticSpelling": (_String, [c_void_p]),
    "clang_getCursorPrettyPrinted": (_String, [Cursor, c_void_p]),
    "clang_getCursorPrintingPolicy": (c_void_p, [Cursor]),
    "clang_PrintingPolicy_dispose": (None, [c_void_p]),
    "clang_getCursorLocation": (SourceLocation, [Cursor]),
    "clang_getCursorExtent": (SourceRange, [Cursor]),
    "clang_getFileLocation": (
        None,
        [SourceLocation, POINTER(c_void_p), POINTER(c_uint), POINTER(c_uint), POINTER(c_uint)],
    ),
    "clang_isCursorDefinition": (c_uint, [Cursor]),
    "clang_getCanonicalCursor": (Cursor, [Cursor]),
    "clang_Location_isFromMainFile": (c_int, [SourceLocation]),
    "clang_getCursorDefinition": (Cursor, [Cursor]),
    "clang_getCursorReferenced": (Cursor, [Cursor]),
    "clang_Cursor_getNumArguments": (c_int, [Cursor]),
    "clang_Cursor_getArgument": (Cursor, [Cursor, c_uint]),
    "clang_getCursorLinkage": (c_int, [Cursor]),
    "clang_Cursor_getStorageClass": (c_int, [Cursor]),
    "clang_Cursor_getVarDeclInitializer": (Cursor, [Cursor]),
    "clang_getCursorSemanticParent": (Cursor, [Cursor]),
    "clang_getCursorType": (Type, [Cursor]),
    "clang_getCanonicalType": (Type, [Type]),
    "clang_getPointeeType": (Type, [Type]),
    "clang_getArrayElementType": (Type, [Type]),
    "clang_Type_visitFields": (c_uint, [Type, _FIELD_VISITOR, c_void_p]),
    "clang_Cursor_isBitField": (c_uint, [Cursor]),
    "clang_getArraySize": (c_longlong, [Type]),
    "clang_getTypeDeclaration": (Cursor, [Type]),
    "clang_getEnumConstantDeclValue": (c_longlong, [Cursor]),
    "clang_getCursorBinaryOperatorKind": (c_int, [Cursor]),
    "clang_getCursorUnaryOperatorKind": (c_int, [Cursor]),
    "clang_Cursor_isFunctionInlined": (c_uint, [Cursor]),
    "clang_Cursor_Evaluate": (c_void_p, [Cursor]),
    "clang_EvalResult_getKind": (c_int, [c_void_p]),
    "clang_EvalResult_getAsLongLong": (c_longlong, [c_void_p]),
    "clang_EvalResult_dispose": (None, [c_void_p]),
    "clang_getNumDiagnostics": (c_uint, [c_void_p]),
    "clang_getDiagnostic": (c_void_p, [c_void_p, c_uint]),
    "clang_getDiagnosticSeverity": (c_int, [c_void_p]),
    "clang_getDiagnosticLocation": (SourceLocation, [c_void_p]),
    "clang_disposeDiagnostic": (None, [c_void_p]),
    "clang_saveTranslationUnit": (c_int, [c_void_p, c_char_p, c_uint]),
    "clang_parseTranslationUnit2": (
        c_int,
        [c_void_p, c_char_p, POINTER(c_char_p), c_int, c_void_p, c_uint, c_uint,
         POINTER(c_void_p)],
    ),
}


def _load() -> Any:
    # libclang parses on a thread of its own, with 8 MB of stack; a worker has far more.
    os.environ.setdefault("LIBCLANG_NOTHREADS", "1")
    try:
        library = CDLL(conf.get_filename())
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        raise ToolError(
            f"libclang cannot be used: {error}",
            "install it again: pip install --force-reinstall 'libclang>=18,<19'",
        ) from None
    return library


C = _load()


def text(string: _String) -> str:
    """The content of a CXString, which is disposed of."""
    raw = C.clang_getCString(string)
    value = raw.decode("utf-8", "surrogateescape") if raw else ""
    C.clang_disposeString(string)
    return value


def spelling(cursor: Cursor) -> str:
    """The name of a declaration, or of what an expression refers to."""
    return text(C.clang_getCursorSpelling(cursor))


def key_of(cursor: Cursor) -> int:
    """What identifies a cursor's entity within its translation unit: the declaration's address,
    or the statement's (a declaration's `d1` is 0 or 1)."""
    d1 = cursor.d1
    return d1 if d1 > 1 else cursor.d0


def children(cursor: Cursor) -> list[Cursor]:
    """The direct children of a cursor."""
    found: list[Cursor] = []
    append = found.append

    def visit(child: Cursor, _parent: Cursor, _data: object) -> int:
        append(child)
        return CONTINUE

    C.clang_visitChildren(cursor, _VISITOR(visit), None)
    return found


def parameters(function: Cursor) -> list[Cursor]:
    """The parameters of a function declaration (its children hold those of its types too)."""
    return [C.clang_Cursor_getArgument(function, position)
            for position in range(max(0, C.clang_Cursor_getNumArguments(function)))]


def record_fields(type_: Type) -> list[Cursor]:
    """The fields of a record in order, unnamed members (anonymous unions) among them."""
    found: list[Cursor] = []
    append = found.append

    def visit(field: Cursor, _data: object) -> int:
        append(field)
        return 1

    C.clang_Type_visitFields(type_, _FIELD_VISITOR(visit), None)
    return found


def walk(cursor: Cursor, visit: Callable[[Cursor, Cursor, object], int]) -> None:
    """Call `visit(cursor, parent, None)` on what is under a cursor, in source order."""
    C.clang_visitChildren(cursor, _VISITOR(visit), None)


def inclusions(unit: int) -> list[tuple[str, str]]:
    """All files that a translation unit read, as clang opened them, each with the file that
    included it first ("" for the main file). What a precompiled header holds is not among them."""
    found: list[tuple[str, str]] = []

    def visit(handle: int, stack: Any, depth: int, _data: object) -> None:
        includer = ""
        if depth:
            file = c_void_p()
            C.clang_getFileLocation(stack[0], byref(file), None, None, None)
            includer = text(C.clang_getFileName(file)) if file.value else "<command line>"
        found.append((text(C.clang_getFileName(handle)), includer))

    C.clang_getInclusions(unit, _INCLUSION(visit), None)
    return found


def error_count(unit: int) -> int:
    """How many errors clang found in a translation unit."""
    count = 0
    for number in range(C.clang_getNumDiagnostics(unit)):
        diagnostic = C.clang_getDiagnostic(unit, number)
        count += C.clang_getDiagnosticSeverity(diagnostic) >= ERROR
        C.clang_disposeDiagnostic(diagnostic)
    return count


def save(unit: int, file: str) -> bool:
    """Write a translation unit as a precompiled header; whether that could be done."""
    code: int = C.clang_saveTranslationUnit(unit, file.encode("utf-8", "surrogateescape"), 0)
    return code == 0


def evaluate_integer(cursor: Cursor) -> int | None:
    """The value of an integer constant expression, None where clang cannot tell."""
    result = C.clang_Cursor_Evaluate(cursor)
    if not result:
        return None
    value = C.clang_EvalResult_getAsLongLong(result) if C.clang_EvalResult_getKind(
        result) == 1 else None
    C.clang_EvalResult_dispose(result)
    return value


def parse(index: int, path: str, arguments: list[str], options: int) -> tuple[int, int | None]:
    """Parse a file: (CXErrorCode, handle or None)."""
    encoded = [a.encode("utf-8", "surrogateescape") for a in arguments]
    array = (c_char_p * len(encoded))(*encoded)
    handle = ctypes.c_void_p()
    code = C.clang_parseTranslationUnit2(
        index, path.encode("utf-8", "surrogateescape"), array, len(encoded), None, 0, options,
        byref(handle))
    return code, handle.value


class Locator:
    """Reads file, line and column of source locations, reusing its out-parameters."""

    def __init__(self) -> None:
        self._file = c_void_p()
        self._line = c_uint()
        self._column = c_uint()
        self._offset = c_uint()
        self._references = (byref(self._file), byref(self._line), byref(self._column),
                            byref(self._offset))

    def read(self, location: SourceLocation) -> tuple[int | None, int, int]:
        """(file handle or None, line, column) of where a reader of the file sees the location:
        in a macro's argument where it is written, in a macro's body where the macro is used."""
        C.clang_getFileLocation(location, *self._references)
        return self._file.value, self._line.value, self._column.value
