"""Turns call expressions, and cleanup attributes, into call sites."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kgraph.extract import alias_uses
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import (
    C,
    evaluate_integer,
    get_spelling,
    get_start,
    print_declaration,
)
from kgraph.extract.clang.tree import SyntaxNode, get_operands, unwrap
from kgraph.extract.constants import evaluate_condition
from kgraph.extract.definition_context import DefinitionContext, Values, WrittenCall
from kgraph.extract.known_bits import read_handed
from kgraph.extract.lvalues import (
    find_untyped_pointees,
    find_va_list_elements,
    load_record,
    move_records,
)
from kgraph.extract.reader import Reader, value_rule
from kgraph.model.facts import HandedKind, HandedValue
from kgraph.model.ids import FunctionId
from kgraph.model.location import Guard
from kgraph.model.values import (
    Address,
    CallResult,
    Constant,
    Load,
    Opaque,
    Parameter,
    Place,
    ReturnValue,
    Symbol,
    SymbolUse,
    TransferKind,
    Value,
)

_VA_START = "__builtin_va_start"
# builtins that evaluate to one of their arguments, and which
_TRANSPARENT = {"__builtin_expect": 0, "__builtin_expect_with_probability": 0,
                "__builtin_assume_aligned": 0} | alias_uses.COPY_BUILTINS
# builtins that do not evaluate their operands
_UNEVALUATED = frozenset({"__builtin_constant_p", "__builtin_object_size",
                          "__builtin_dynamic_object_size", "__builtin_classify_type"})
# Compile-time assertions declare these functions, numbered by line or counter. Nothing defines one:
# if a call is left after optimisation, the build stops.
_NEVER_CALLED = ("__compiletime_assert_",)

CLEANUP_MARK = "cleanup("
"""Stands in the text of every definition with a variable that has a cleanup attribute."""
_CLEANUP = re.compile(r"__attribute__\(\(cleanup\((\w+)\)\)\)")


class _Passed(NamedTuple):
    """The arguments of a call: their values, and what is known of them as numbers."""

    arguments: tuple[Values, ...]
    handed: tuple[HandedValue, ...]


class _Callee(NamedTuple):
    """What a call may call, and the guards of the callee expression that choose it."""

    node: SyntaxNode
    targets: Values
    guards: list[Guard]


@value_rule(kinds.CALL)
def _read_call(reader: Reader, node: SyntaxNode) -> Values:
    """Record a call. Its value is what the callee returns."""
    context = reader.context
    if node.key in context.call_results:  # libclang shows some operands several times
        return context.call_results[node.key]
    inner = get_operands(node)
    if not inner or context.function is None:
        return ()
    operands = inner[1:]
    callees = _read_callees(reader, inner[0])
    targets = callees[0].targets
    if len(targets) == 1 and isinstance(targets[0], FunctionId) and (
            targets[0].name in _UNEVALUATED):
        return ()
    arguments = tuple(_read_argument(reader, operand) for operand in operands)
    passed = _Passed(arguments, tuple(_iter_handed(context, operands, arguments)))
    found: Values = ()
    outer = len(context.guards)
    for callee in callees:
        context.guards += callee.guards
        found += _read_choice(reader, node, callee, passed)
        del context.guards[outer:]
    context.call_results[node.key] = found
    return found


def _read_callees(reader: Reader, node: SyntaxNode) -> list[_Callee]:
    """The callee of a call, or those that a condition chooses from: `(c ? f : g)(x)`."""
    inner = unwrap(node)
    while inner.kind == kinds.UNARY and get_operands(inner) and (
            C.clang_getCursorUnaryOperatorKind(inner.cursor) == kinds.DEREFERENCE):
        inner = unwrap(get_operands(inner)[0])
    operands = get_operands(inner) if inner.kind == kinds.CONDITIONAL else []
    if len(operands) != 3 or evaluate_condition(operands[0]) is not None:
        return [_Callee(node, reader.read_values(node), [])]
    condition, *branches = operands
    reader.read_values(condition)
    found: list[_Callee] = []
    guards = reader.context.guards
    for branch, holds in zip(branches, (True, False), strict=True):
        guard = reader.make_guard(condition, holds=holds)
        guards.append(guard)
        found += [callee._replace(guards=[guard, *callee.guards])
                  for callee in _read_callees(reader, branch)]
        guards.pop()
    return found


def _read_choice(reader: Reader, node: SyntaxNode, callee: _Callee, passed: _Passed) -> Values:
    """Record a call of one of the callees that its condition chooses from."""
    context, targets = reader.context, callee.targets
    operands, arguments = get_operands(node)[1:], passed.arguments
    if len(targets) > 1:
        targets = (_store_targets(context, node, targets),)
    found: Values = ()
    for target in targets or (Opaque("callee"),):
        if isinstance(target, FunctionId):
            alias_uses.note_memory_copy(context, target.name, operands, node)
            destination = alias_uses.COPY_FUNCTIONS.get(target.name)
            if destination is not None and len(operands) > 1:
                order = (destination, 1 - destination)
                move_records(reader, [operands[each] for each in order],
                             [arguments[each] for each in order], node)
            if target.name.startswith("__builtin_"):
                found += _evaluate_builtin(context, node, target.name, arguments)
                continue
            if target.name.startswith(_NEVER_CALLED):
                continue
        place = _record_call(context, node, callee.node, target, passed)
        found += (load_record(context, place, reader.types.of(node.cursor)),)
    return found


def _read_argument(reader: Reader, operand: SyntaxNode) -> Values:
    """The values of an argument that are worth keeping.

    These are values that may lead to a function, constants, and parameters that are passed on
    unchanged (a wrapper's number).
    """
    values = reader.read_values(operand)
    if not values or reader.types.of(operand.cursor).can_lead_to_function:
        return values
    return tuple(value for value in values
                 if isinstance(value, FunctionId | Address | Constant) or _is_parameter(value))


def _iter_handed(
    context: DefinitionContext, operands: list[SyntaxNode], arguments: tuple[Values, ...]
) -> Iterator[HandedValue]:
    """What is known of the arguments of a call as numbers."""
    for position, (operand, values) in enumerate(zip(operands, arguments, strict=True)):
        if _is_surely_address(unwrap(operand), values):
            yield HandedValue(position, HandedKind.NOT_NULL)
        else:
            for kind, value in read_handed(context, operand):
                yield HandedValue(position, kind, value)


def _is_surely_address(node: SyntaxNode, values: Values) -> bool:
    """Whether an argument is the address of something that is there: a string, `&x`, the name of an
    array or of a function. What is weak may be missing; `&p->x` may be null where p is.
    """
    while node.kind == kinds.C_CAST and node.children:
        node = unwrap(node.children[-1])
    if node.kind == kinds.STRING_LITERAL:
        return True
    if node.kind not in (kinds.UNARY, kinds.DECL_REF) or len(values) != 1:
        return False
    [value] = values
    if isinstance(value, Address):
        is_own = value.place.base is None
    else:
        is_own = isinstance(value, FunctionId)
    named = node
    while named.kind != kinds.DECL_REF and named.children:
        named = named.children[0]
    declared = print_declaration(C.clang_getCursorReferenced(named.cursor))
    return is_own and "weak" not in declared


def _is_parameter(value: Value) -> bool:
    return isinstance(value, Load) and isinstance(value.place.holder, Parameter)


def _store_targets(context: DefinitionContext, node: SyntaxNode, targets: Values) -> Value:
    """A temporary that holds the callees of a call whose callee expression has several values."""
    assert context.local is not None
    place = Place(context.local.make_temporary("(callee)"))
    context.assign(place, targets, context.locate(node), TransferKind.ASSIGNMENT)
    return Load(place)


def _evaluate_builtin(
    context: DefinitionContext, node: SyntaxNode, name: str, arguments: tuple[Values, ...]
) -> Values:
    """The values of a call of a builtin, which is not a call site."""
    if name == _VA_START and arguments:
        _start_va_list(context, node, arguments[0])
    if name in alias_uses.COPY_BUILTINS and len(arguments) > 1:
        destination = alias_uses.COPY_BUILTINS[name]
        _copy_memory(context, node, arguments[destination], arguments[1 - destination])
    position = _TRANSPARENT.get(name, len(arguments))
    return arguments[position] if position < len(arguments) else ()


def _start_va_list(context: DefinitionContext, node: SyntaxNode, va_list: Values) -> None:
    """`va_start(args, last)`: from here on args points to the variadic arguments."""
    assert context.local is not None
    for place in find_va_list_elements(context, va_list):
        context.assign(place, (Load(Place(context.local.variadic)),), context.locate(node),
                       TransferKind.ASSIGNMENT)


def _copy_memory(
    context: DefinitionContext, node: SyntaxNode, destinations: Values, sources: Values
) -> None:
    """`*destination = *source`, of whatever type."""
    contents = tuple(Load(place) for place in find_untyped_pointees(sources))
    for place in find_untyped_pointees(destinations):
        context.assign(place, contents, context.locate(node), TransferKind.ASSIGNMENT)


def _record_call(
    context: DefinitionContext, node: SyntaxNode, callee: SyntaxNode, target: Value,
    passed: _Passed,
) -> Place:
    """Record a call; the place of what it returns."""
    assert context.function is not None
    sources = context.unit.sources
    extent = C.clang_getCursorExtent(node.cursor)
    is_direct = isinstance(target, FunctionId)
    text = "" if is_direct else sources.read_range(C.clang_getCursorExtent(callee.cursor))
    expression = text or _format_expression(callee)
    written = WrittenCall(
        sources.locate_range(extent), expression,
        sources.find_hiding_macro(get_start(extent), _find_first_name(expression)), passed.handed)
    signature = "" if is_direct else _spell_signature(context, callee)
    index = context.add_call(written, target, passed.arguments, signature)
    if isinstance(target, FunctionId):
        return Place(ReturnValue(target))
    return Place(CallResult(context.function, index))


def _spell_signature(context: DefinitionContext, callee: SyntaxNode) -> str:
    """The canonical type of the function that an expression designates."""
    type_ = C.clang_getCanonicalType(C.clang_getCursorType(callee.cursor))
    if type_.kind == kinds.T_POINTER:
        type_ = C.clang_getCanonicalType(C.clang_getPointeeType(type_))
    return context.unit.sources.spell_type(type_)


def _find_first_name(expression: str) -> str:
    start = expression.lstrip("(*&")
    for position, character in enumerate(start):
        if not (character.isalnum() or character == "_"):
            return start[:position]
    return start


def record_cleanup_call(context: DefinitionContext, variable: SyntaxNode, place: Place) -> None:
    """Record the call that `__attribute__((cleanup(f)))` of a local variable makes.

    f is called with the variable's address at the end of its scope. libclang does not show which
    function an attribute names, but the printed declaration does.
    """
    found = _CLEANUP.search(print_declaration(variable.cursor))
    if found is None or context.function is None:
        return
    callee = FunctionId(found[1], "", context.unit.identities.image)
    written = WrittenCall(context.unit.sources.locate_extent(variable.cursor), callee.name)
    context.add_call(written, Symbol(callee, SymbolUse.CLEANUP), ((Address(place),),))


# ---- a callee as C


def _format_expression(node: SyntaxNode) -> str:
    """An expression as C, without casts and macros: `sk->sk_prot->sendmsg`."""
    node = unwrap(node)
    rule = _FORMATS.get(node.kind)
    return "..." if rule is None else rule(node, get_operands(node))


def _format_name(node: SyntaxNode, _inner: list[SyntaxNode]) -> str:
    return get_spelling(node.cursor)


def _format_integer(node: SyntaxNode, _inner: list[SyntaxNode]) -> str:
    number = evaluate_integer(node.cursor)
    return "..." if number is None else str(number)


def _format_member(node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    name = get_spelling(node.cursor)
    if not inner:
        return name
    base = _format_expression(inner[0])
    if not name:  # an unnamed member: its fields count as its record's
        return base
    type_ = C.clang_getCanonicalType(C.clang_getCursorType(inner[0].cursor))
    if base.startswith("*"):
        base = f"({base})"
    return f"{base}{'->' if type_.kind == kinds.T_POINTER else '.'}{name}"


def _format_subscript(_node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    return "[".join(map(_format_expression, inner)) + "]"


def _format_unary(node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    operator = C.clang_getCursorUnaryOperatorKind(node.cursor)
    sign = {kinds.ADDRESS_OF: "&", kinds.DEREFERENCE: "*"}.get(operator, "")
    return sign + "".join(map(_format_expression, inner))


def _format_conditional(_node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    condition, *rest = map(_format_expression, inner)
    return f"{condition} ? {' : '.join(rest)}"


_FORMATS: dict[int, Callable[[SyntaxNode, list[SyntaxNode]], str]] = {
    kinds.DECL_REF: _format_name,
    kinds.MEMBER_REF_EXPR: _format_member,
    kinds.SUBSCRIPT: _format_subscript,
    kinds.UNARY: _format_unary,
    kinds.CALL: lambda _node, inner: f"{_format_expression(inner[0])}()",
    kinds.C_CAST: lambda _node, inner: _format_expression(inner[-1]) if inner else "...",
    kinds.STATEMENT_EXPR: lambda _node, _inner: "({...})",
    kinds.CONDITIONAL: _format_conditional,
    kinds.INTEGER_LITERAL: _format_integer,
}
