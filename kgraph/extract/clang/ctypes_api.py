"""The structures and prototypes of the functions of libclang that extraction needs, for ctypes.

They follow clang-c/Index.h of LLVM 16 to 18.
"""

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_int,
    c_longlong,
    c_size_t,
    c_uint,
    c_void_p,
)
from typing import Any


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


class SourceRanges(Structure):
    """CXSourceRangeList, which its receiver disposes of."""

    _fields_ = [("count", c_uint), ("ranges", POINTER(SourceRange))]
    count: int
    ranges: Any


class Type(Structure):
    """CXType. `d0` identifies a type within a translation unit."""

    _fields_ = [("kind", c_int), ("d0", c_size_t), ("d1", c_size_t)]
    kind: int
    d0: int


class String(Structure):
    """CXString, which its receiver disposes of."""

    _fields_ = [("data", c_void_p), ("flags", c_uint)]


VISITOR = CFUNCTYPE(c_int, Cursor, Cursor, c_void_p)
FIELD_VISITOR = CFUNCTYPE(c_int, Cursor, c_void_p)
INCLUSION = CFUNCTYPE(None, c_void_p, POINTER(SourceLocation), c_uint, c_void_p)
PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "clang_createIndex": (c_void_p, [c_int, c_int]),
    "clang_disposeTranslationUnit": (None, [c_void_p]),
    "clang_getTranslationUnitCursor": (Cursor, [c_void_p]),
    "clang_visitChildren": (c_uint, [Cursor, VISITOR, c_void_p]),
    "clang_getInclusions": (None, [c_void_p, INCLUSION, c_void_p]),
    "clang_getAllSkippedRanges": (POINTER(SourceRanges), [c_void_p]),
    "clang_disposeSourceRangeList": (None, [POINTER(SourceRanges)]),
    "clang_getCString": (c_char_p, [String]),
    "clang_disposeString": (None, [String]),
    "clang_getCursorSpelling": (String, [Cursor]),
    "clang_getTypeSpelling": (String, [Type]),
    "clang_getFileName": (String, [c_void_p]),
    "clang_getDiagnosticSpelling": (String, [c_void_p]),
    "clang_getCursorPrettyPrinted": (String, [Cursor, c_void_p]),
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
    "clang_Type_visitFields": (c_uint, [Type, FIELD_VISITOR, c_void_p]),
    "clang_Cursor_isBitField": (c_uint, [Cursor]),
    "clang_Cursor_getOffsetOfField": (c_longlong, [Cursor]),
    "clang_getArraySize": (c_longlong, [Type]),
    "clang_Type_getSizeOf": (c_longlong, [Type]),
    "clang_isConstQualifiedType": (c_uint, [Type]),
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
