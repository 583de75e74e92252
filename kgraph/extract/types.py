"""Describes C types as far as pointers go, cached by clang's identity of a type."""

import re
from dataclasses import dataclass

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, get_type_spelling, list_fields
from kgraph.extract.clang.ctypes_api import Cursor, Type

_UNNAMED = re.compile(r"\((?:unnamed|anonymous)")
_TAG = re.compile(r"^(?:const |volatile |restrict )*(?:struct |union |enum )?")


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """A type as far as pointers go. `element` is the pointee, or an array's element type.

    `can_lead_to_function` is true for functions, pointers to functions, records and void, records,
    and arrays of these; false for numbers and pointers to numbers.

    libclang gives a parameter that is written as a function or an array that type, although it is
    a pointer.
    """

    kind: int
    type: Type
    can_lead_to_function: bool
    element: "TypeInfo | None" = None

    @property
    def is_array(self) -> bool:
        """Whether it is an array, with or without a length."""
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
        """Whether it is an integer, an enumeration or a boolean."""
        return self.kind == kinds.T_ENUM or self.kind in kinds.T_INTEGER

    @property
    def is_boolean(self) -> bool:
        """Whether it is _Bool, to which a conversion gives 0 or 1."""
        return self.kind == kinds.T_BOOL

    @property
    def is_signed(self) -> bool:
        """Whether it is an integer that may be negative; an enumeration counts as one."""
        return self.kind == kinds.T_ENUM or self.kind in kinds.T_SIGNED

    @property
    def is_integer(self) -> bool:
        """Whether it is a number to which a conversion may cut bits off."""
        return self.is_number and not self.is_boolean

    @property
    def is_function(self) -> bool:
        """Whether it is a function (not a pointer to one)."""
        return self.kind in kinds.T_FUNCTION

    @property
    def is_function_pointer(self) -> bool:
        """Whether it is a pointer to a function."""
        return self.is_pointer and self.element is not None and self.element.is_function

    @property
    def innermost(self) -> "TypeInfo":
        """What an array is made of, and an array of arrays; any other type itself."""
        found = self
        while found.is_array and found.element is not None:
            found = found.element
        return found


class TypeCache:
    """The types of one translation unit."""

    def __init__(self) -> None:
        self._known: dict[int, TypeInfo] = {}
        self._widths: dict[int, int] = {}
        self._va_lists: dict[int, bool] = {}
        self._with_functions: dict[int, bool] = {}  # records, by clang's identity of their types
        self.untyped = TypeInfo(kinds.T_VOID, Type(), False)

    def of(self, cursor: Cursor) -> TypeInfo:
        """The type of an expression or declaration."""
        return self.describe(C.clang_getCursorType(cursor))

    def describe(self, type_: Type) -> TypeInfo:
        """What is known of a clang type."""
        known = self._known.get(type_.d0)
        if known is None:
            # A pointer leads back to itself only through a record, and a record ends the recursion.
            known = self._known[type_.d0] = self._make(C.clang_getCanonicalType(type_))
        return known

    def measure(self, type_: TypeInfo) -> int:
        """The bits of a number or pointer, 0 if its type is not complete."""
        width = self._widths.get(type_.type.d0)
        if width is None:
            width = self._widths[type_.type.d0] = max(
                0, 8 * C.clang_Type_getSizeOf(type_.type))
        return width

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

    def has_function_fields(self, type_: TypeInfo) -> bool:
        """Whether a record has function pointers, or arrays of them, among its own fields."""
        known = self._with_functions.get(type_.type.d0)
        if known is None:
            known = self._with_functions[type_.type.d0] = type_.is_record and any(
                self.of(field).innermost.is_function_pointer for field in list_fields(type_.type))
        return known

    def _make(self, canonical: Type) -> TypeInfo:
        kind = canonical.kind
        if kind == kinds.T_POINTER:
            pointee = self.describe(C.clang_getPointeeType(canonical))
            leads = pointee.kind == kinds.T_VOID or pointee.can_lead_to_function
            return TypeInfo(kind, canonical, leads, pointee)
        if kind in kinds.T_ARRAY:
            element = self.describe(C.clang_getArrayElementType(canonical))
            return TypeInfo(kind, canonical, element.can_lead_to_function, element)
        return TypeInfo(kind, canonical, kind == kinds.T_RECORD or kind in kinds.T_FUNCTION)


def spell_bare_type(type_: Type) -> str:
    """A type as C spells it, without qualifiers and tag in front: "proto_ops"."""
    return _TAG.sub("", get_type_spelling(type_))


def is_unnamed(name: str) -> bool:
    """Whether clang made a name up, for a record without tag and typedef."""
    return not name or bool(_UNNAMED.search(name))
