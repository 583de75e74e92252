"""Describes C types as far as pointers go, cached by clang's identity of a type."""

import re
from dataclasses import dataclass

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, type_spelling
from kgraph.extract.clang.ctypes_api import Cursor, Type

_UNNAMED = re.compile(r"\((?:unnamed|anonymous)")
_TAG = re.compile(r"^(?:const |volatile |restrict )*(?:struct |union |enum )?")


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """A type as far as pointers go. `element` is the pointee or the array's element type.

    `carries` says whether a value of this type can lead to a function: pointers to functions,
    records, pointers and void; records and arrays of these. Not numbers, nor pointers to numbers.
    A parameter that is written as a function has that type for libclang, and is a pointer.
    """

    kind: int
    type: Type
    can_lead_to_function: bool
    element: "TypeInfo | None" = None

    @property
    def is_array(self) -> bool:
        """Whether it is an array, of any or no length."""
        return self.kind in kinds.T_ARRAY

    @property
    def is_pointer(self) -> bool:
        """Whether it is a pointer."""
        return self.kind == kinds.T_POINTER

    @property
    def is_record(self) -> bool:
        """Whether it is a struct or union."""
        return self.kind == kinds.T_RECORD

    @property
    def is_number(self) -> bool:
        """Whether it is an integer, an enumeration or a truth value."""
        return self.kind == kinds.T_ENUM or self.kind in kinds.T_INTEGER

    @property
    def is_function(self) -> bool:
        """Whether it is a function, not a pointer to one."""
        return self.kind in kinds.T_FUNCTION


class TypeCache:
    """TypeInfo of one translation unit's types."""

    def __init__(self) -> None:
        self._known: dict[int, TypeInfo] = {}
        self._va_lists: dict[int, bool] = {}
        self.untyped = TypeInfo(kinds.T_VOID, Type(), False)
        self.records_with_functions: dict[
            int, bool
        ] = {}  # records, by clang's identity of their types

    def of(self, cursor: Cursor) -> TypeInfo:
        """The type of an expression or declaration."""
        return self.info(C.clang_getCursorType(cursor))

    def info(self, type_: Type) -> TypeInfo:
        """What is known of a type of clang's."""
        known = self._known.get(type_.d0)
        if known is None:
            # pointers may lead back to themselves only through records, which end the descent
            known = self._known[type_.d0] = self._make(C.clang_getCanonicalType(type_))
        return known

    def is_va_list(self, cursor: Cursor) -> bool:
        """Whether an expression is a va_list: an array of one record, or a pointer to it."""
        type_ = self.of(cursor)
        known = self._va_lists.get(type_.type.d0)
        if known is None:
            element = type_.element
            known = self._va_lists[type_.type.d0] = (
                element is not None and element.is_record
                and spell_bare_type(element.type) == "__va_list_tag")
        return known

    def _make(self, canonical: Type) -> TypeInfo:
        kind = canonical.kind
        if kind == kinds.T_POINTER:
            pointee = self.info(C.clang_getPointeeType(canonical))
            return TypeInfo(
                kind,
                canonical,
                pointee.kind == kinds.T_VOID or pointee.can_lead_to_function,
                pointee,
            )
        if kind in kinds.T_ARRAY:
            element = self.info(C.clang_getArrayElementType(canonical))
            return TypeInfo(kind, canonical, element.can_lead_to_function, element)
        return TypeInfo(kind, canonical, kind == kinds.T_RECORD or kind in kinds.T_FUNCTION)


def spell_bare_type(type_: Type) -> str:
    """The type as C spells it, without qualifiers and tags in front: "proto_ops"."""
    return _TAG.sub("", type_spelling(type_))


def is_unnamed(name: str) -> bool:
    """Whether clang made the spelling up for a record without tag and typedef."""
    return not name or bool(_UNNAMED.search(name))
