"""Finds writes into a record as raw memory: through pointers that are computed from its address.

`*(void **)((char *)&o + offsetof(struct t, fn)) = h` and `((unsigned long *)t)[1] = word` may fill
a function pointer under no name of its own. Which record a pointer leads to is followed backwards
through casts, sums, fields and the locals of the function, after its body was read. With a constant
offset the fields there are written, otherwise any of the record.

A field whose address is taken is a bound: an unknown offset does not lead out of it, a constant one
may.
"""

from dataclasses import dataclass, replace

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, get_key
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, get_operands, unwrap
from kgraph.extract.definition_context import DefinitionContext, RawWrite, Values
from kgraph.extract.types import TypeInfo
from kgraph.model.ids import FunctionId
from kgraph.model.values import Load, Opaque, Place, Slot, TransferKind

WRITTEN_RAW = "its record is written as raw memory"
_ALL = 1 << 32  # bytes: more than any record has
_Spots = tuple["_Spot", ...]


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a pointer points to: `offset` bytes into something of a type, None if unknown.

    `around` is the record that this is a field of, as far as the expression shows.
    """

    type: TypeInfo
    offset: int | None = 0
    around: "_Spot | None" = None

    def move(self, distance: int | None) -> "_Spot":
        """This spot, some bytes further on."""
        offset = None if self.offset is None or distance is None else self.offset + distance
        around = None if self.around is None else self.around.move(distance)
        return replace(self, offset=offset, around=around)


def note_write(
    context: DefinitionContext, left: SyntaxNode, right: SyntaxNode, values: Values
) -> None:
    """Remember an assignment that may be a raw write, or that makes a pointer to raw memory."""
    target = unwrap(left)
    if target.kind == kinds.DECL_REF:
        note_raw_pointer(context, C.clang_getCursorReferenced(target.cursor), right)
    elif target.kind in (kinds.UNARY, kinds.SUBSCRIPT) and not context.unit.types.of(
            target.cursor).is_record:
        context.raw_writes.append(RawWrite(target, right, values))


def note_raw_pointer(context: DefinitionContext, variable: Cursor, value: SyntaxNode) -> None:
    """Remember what a local pointer that is none to a record, or a number, is computed from."""
    type_ = context.unit.types.of(variable)
    if (type_.is_pointer and not _leads_to_record(type_)) or type_.kind in kinds.T_WORD:
        context.raw_pointers.setdefault(get_key(variable), []).append(value)


def find_raw_writes(context: DefinitionContext) -> None:
    """Record which function pointers the raw writes of a function may fill.

    Where nothing else is put into such a field it holds what nobody can tell. Where functions are,
    it may hold what is written as well.
    """
    for write in context.raw_writes:
        slots = _find_written(context, write)
        if not slots or not _may_bring_function(context, write):
            continue
        location = context.locate(write.target)
        kept = tuple(value for value in write.values if isinstance(value, FunctionId | Load))
        for slot in slots:
            if context.note_overlap(slot, slot):
                context.assign(Place(slot), (Opaque(WRITTEN_RAW),), location, TransferKind.OVERLAY)
            context.assign(Place(slot), kept, location, TransferKind.CARRIER)


def _may_bring_function(context: DefinitionContext, write: RawWrite) -> bool:
    """Whether a write may bring a function, or a part of one.

    A constant is none, nor is an int that is computed; one that is copied from memory may be.
    """
    if write.value is None:
        return True
    value = unwrap(write.value)
    if evaluate_integer(value.cursor) is not None:
        return False
    type_ = context.unit.types.of(write.target.cursor)
    if not type_.is_number or type_.kind in kinds.T_WORD or (
            C.clang_Type_getSizeOf(type_.type) == 1):
        return True
    return value.kind in (kinds.UNARY, kinds.SUBSCRIPT) or any(
        isinstance(each, FunctionId) for each in write.values)


def _find_written(context: DefinitionContext, write: RawWrite) -> tuple[Slot, ...]:
    tracer = _Tracer(context)
    if write.value is not None:
        spots = tracer.trace_place(write.target)
        size = C.clang_Type_getSizeOf(context.unit.types.of(write.target.cursor).type)
    else:
        spots = tracer.trace_pointer(write.target)
        size = None if write.size is None else evaluate_integer(write.size.cursor)
    return tuple(dict.fromkeys(
        slot for spot in spots for slot in _find_slots(context, spot, size)))


def _find_slots(
    context: DefinitionContext, spot: _Spot, size: int | None
) -> tuple[Slot, ...]:
    """The function pointers that a write at a spot may fill.

    The spot lies in the innermost thing that reaches so far. What a pointer leads to may be an
    element of an array, so that the next ones follow it.
    """
    found: _Spot | None = spot
    while found is not None:
        element, length = found.type.innermost, C.clang_Type_getSizeOf(found.type.type)
        is_inside = found.offset is None or 0 <= found.offset < length or length <= 0
        if element.is_record and (is_inside or found.around is None):
            find = context.unit.overlaps.find_function_slots
            if found.offset is None:
                return find(element.type, 0, _ALL)
            start = found.offset % max(1, C.clang_Type_getSizeOf(element.type))
            return find(element.type, start, size or _ALL) if found.offset >= 0 else ()
        if is_inside:
            return ()
        found = found.around
    return ()


class _Tracer:
    """Follows pointer expressions backwards to what they point to."""

    def __init__(self, context: DefinitionContext) -> None:
        self._context = context
        self._types = context.unit.types
        self._followed: set[int] = set()  # locals

    def trace_place(self, node: SyntaxNode) -> _Spots:
        """Where an lvalue lies."""
        node = unwrap(node)
        inner = get_operands(node)
        if node.kind == kinds.MEMBER_REF_EXPR and inner:
            return self._trace_member(node, inner[0])
        if node.kind == kinds.SUBSCRIPT and len(inner) == 2:
            return self._trace_element(node, inner)
        if node.kind == kinds.UNARY and inner:
            return self.trace_pointer(inner[0])
        return (_Spot(self._types.of(node.cursor)),) if node.kind == kinds.DECL_REF else ()

    def trace_pointer(self, node: SyntaxNode) -> _Spots:
        """What a pointer, or an address that was cast to a number, points to."""
        node = unwrap(node)
        inner = get_operands(node)
        type_ = self._types.of(node.cursor)
        if type_.is_array:
            return self.trace_place(node)
        if node.kind == kinds.C_CAST and inner:
            found = self.trace_pointer(inner[-1])
            if found or not _leads_to_record(type_):
                return found
        if node.kind == kinds.BINARY and len(inner) == 2:
            return self._trace_sum(node, inner)
        if node.kind == kinds.UNARY and inner:
            if C.clang_getCursorUnaryOperatorKind(node.cursor) == kinds.ADDRESS_OF:
                return self.trace_place(inner[0])
            return _move(self.trace_pointer(inner[0]), None)
        if _leads_to_record(type_) and type_.element is not None:
            return (_Spot(type_.element),)
        return self._trace_local(node) if node.kind == kinds.DECL_REF else ()

    def _trace_member(self, node: SyntaxNode, base: SyntaxNode) -> _Spots:
        field = C.clang_getCursorReferenced(node.cursor)
        type_, distance = self._types.of(field), C.clang_Cursor_getOffsetOfField(field) // 8
        base_type = self._types.of(base.cursor)
        if base_type.is_pointer and base_type.element is not None:
            return (_Spot(type_, 0, _Spot(base_type.element, distance)),)
        return tuple(_Spot(type_, 0, spot.move(distance)) for spot in self.trace_place(base))

    def _trace_element(self, node: SyntaxNode, operands: list[SyntaxNode]) -> _Spots:
        array, index = operands
        if not (self._types.of(array.cursor).element):  # i[a]
            array, index = index, array
        type_ = self._types.of(node.cursor)
        distance = self._measure(index, type_)
        if self._types.of(unwrap(array).cursor).is_array:
            return tuple(_Spot(type_, 0, spot.move(distance)) for spot in self.trace_place(array))
        return _move(self.trace_pointer(array), distance)

    def _trace_sum(self, node: SyntaxNode, operands: list[SyntaxNode]) -> _Spots:
        operator = C.clang_getCursorBinaryOperatorKind(node.cursor)
        if operator not in (kinds.ADD, kinds.SUB, kinds.AND, kinds.OR):
            return ()
        element = self._types.of(node.cursor).element
        for pointer, number in (operands, operands[::-1]):
            found = self.trace_pointer(pointer)
            if found:
                distance = self._measure(number, element)
                if operator != kinds.ADD:
                    distance = -distance if operator == kinds.SUB and distance is not None else None
                return _move(found, distance)
        return ()

    def _measure(self, number: SyntaxNode, element: TypeInfo | None) -> int | None:
        """How many bytes a number of elements is, None if it is not constant."""
        count = evaluate_integer(number.cursor)
        if count is None or element is None:
            return count
        size: int = C.clang_Type_getSizeOf(element.type)
        return count * max(1, size)

    def _trace_local(self, node: SyntaxNode) -> _Spots:
        """What a local may point to: any place in what it is computed from."""
        key = get_key(C.clang_getCursorReferenced(node.cursor))
        if key in self._followed:
            return ()
        self._followed.add(key)
        return tuple(spot for value in self._context.raw_pointers.get(key, ())
                     for spot in _move(self.trace_pointer(value), None))


def _move(spots: _Spots, distance: int | None) -> _Spots:
    return tuple(spot.move(distance) for spot in spots)


def _leads_to_record(type_: TypeInfo) -> bool:
    """Whether a type is a pointer to a record, or to an array of records."""
    return type_.is_pointer and type_.element is not None and type_.element.innermost.is_record
