"""Turns call expressions, and cleanup attributes, into call sites."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from kgraph.extract import alias_uses
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, pretty, spelling, start_of
from kgraph.extract.clang.tree import SyntaxNode, expressions, plain
from kgraph.extract.definition_context import DefinitionContext, Values
from kgraph.extract.lvalues import find_va_list_elements
from kgraph.model.facts import CallSite
from kgraph.model.ids import FunctionId
from kgraph.model.location import MAX_GUARDS
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

if TYPE_CHECKING:
    from kgraph.extract.expressions import Reader

# compiler builtins that evaluate to one of their arguments
_START = "__builtin_va_start"
_TRANSPARENT = {"__builtin_expect": 0, "__builtin_expect_with_probability": 0,
                "__builtin_assume_aligned": 0}
# compiler builtins whose operands are not evaluated
_UNEVALUATED = frozenset({"__builtin_constant_p", "__builtin_object_size",
                          "__builtin_dynamic_object_size", "__builtin_classify_type"})
# Functions that assertions at compile time declare where they stand, numbered by line or counter,
# and that nobody defines: a call that is left after optimisation stops the build, so none is.
_NEVER_CALLED = ("__compiletime_assert_",)


def read_call(reader: "Reader", node: SyntaxNode) -> Values:
    """Record a call; its value is what its callee returns."""
    context = reader.context
    if node.key in context.call_results:  # libclang shows some operands several times
        return context.call_results[node.key]
    inner = expressions(node)
    if not inner or context.function is None:
        return ()
    callee, operands = inner[0], inner[1:]
    targets = reader.values(callee)
    if len(targets) == 1 and isinstance(targets[0], FunctionId) and (
            targets[0].name in _UNEVALUATED):
        return ()
    arguments = tuple(_argument(context, operand, reader.values(operand))
                      for operand in operands)
    if len(targets) > 1:
        targets = (_choice(context, node, targets),)
    found: Values = ()
    for target in targets or (Opaque("callee"),):
        if isinstance(target, FunctionId):
            alias_uses.note_memory_copy(context, target.name, operands, node)
            if target.name.startswith("__builtin_"):
                found += _builtin(context, node, target.name, arguments)
                continue
            if target.name.startswith(_NEVER_CALLED):
                continue
        found += (_record(context, node, callee, target, arguments),)
    context.call_results[node.key] = found
    return found


def _builtin(
    context: DefinitionContext, node: SyntaxNode, name: str, arguments: tuple[Values, ...]
) -> Values:
    """The value of a call of a builtin: nothing is called."""
    if name == _START and arguments:
        _start(context, node, arguments)
    position = _TRANSPARENT.get(name, len(arguments))
    return arguments[position] if position < len(arguments) else ()


def _start(context: DefinitionContext, node: SyntaxNode, arguments: tuple[Values, ...]) -> None:
    """`va_start(args, last)`: from here on args points to what was passed behind the dots."""
    assert context.local is not None
    for place in find_va_list_elements(context, arguments[0]):
        context.assign(place, (Load(Place(context.local.variadic)),),
                    context.unit.sources.locate_cursor(node.cursor), TransferKind.ASSIGNMENT)


def _choice(context: DefinitionContext, node: SyntaxNode, targets: Values) -> Value:
    """What a call goes through whose callee is an expression with several outcomes."""
    assert context.local is not None
    place = Place(context.local.make_temporary("(callee)"))
    context.assign(
        place, targets, context.unit.sources.locate_cursor(node.cursor), TransferKind.ASSIGNMENT
    )
    return Load(place)


def _argument(context: DefinitionContext, operand: SyntaxNode, values: Values) -> Values:
    """The alternatives worth keeping: what may lead to a function, constants, and parameters that
    are handed on as they are (a wrapper's number)."""
    if not values:
        return ()
    if context.unit.types.of(operand.cursor).can_lead_to_function:
        return values
    return tuple(v for v in values if isinstance(v, FunctionId | Address | Constant) or _handed(v))


def _handed(value: Value) -> bool:
    return isinstance(value, Load) and isinstance(value.place.holder, Parameter)


def _record(context: DefinitionContext, node: SyntaxNode, callee: SyntaxNode, target: Value,
            arguments: tuple[Values, ...]) -> Value:
    assert context.function is not None
    sources = context.unit.sources
    found = C.clang_getCursorExtent(node.cursor)
    extent = sources.locate_range(found)
    direct = isinstance(target, FunctionId)
    written = "" if direct else sources.read_range(C.clang_getCursorExtent(callee.cursor))
    expression = written or format_expression(callee)
    begin = start_of(found)
    index = -1
    if not direct:
        index = context.indirect
        context.indirect += 1
    context.calls.append(CallSite(
        caller=context.function, location=extent.start, extent=extent,
        ordinal=context.take_ordinal(extent.start), target=target, expression=expression,
        macro=sources.find_hiding_macro(begin, _first_name(expression)), arguments=arguments,
        guards=tuple(context.guards[-MAX_GUARDS:]),
        signature="" if direct else _signature(context, callee), index=index))
    if isinstance(target, FunctionId):
        return Load(Place(ReturnValue(target)))
    return Load(Place(CallResult(context.function, index)))


def _signature(context: DefinitionContext, callee: SyntaxNode) -> str:
    """The canonical type of the function that an expression designates."""
    type_ = C.clang_getCanonicalType(C.clang_getCursorType(callee.cursor))
    if type_.kind == kinds.T_POINTER:
        type_ = C.clang_getCanonicalType(C.clang_getPointeeType(type_))
    return context.unit.sources.spell_type(type_)


def _first_name(expression: str) -> str:
    start = expression.lstrip("(*&")
    for position, character in enumerate(start):
        if not (character.isalnum() or character == "_"):
            return start[:position]
    return start


def format_expression(node: SyntaxNode) -> str:
    """An expression as C, without casts and macros: `sk->sk_prot->sendmsg`."""
    node = plain(node)
    rule = _DESCRIPTIONS.get(node.kind)
    return "..." if rule is None else rule(node, expressions(node))


def _describe_name(node: SyntaxNode, _inner: list[SyntaxNode]) -> str:
    return spelling(node.cursor)


def _describe_number(node: SyntaxNode, _inner: list[SyntaxNode]) -> str:
    number = evaluate_integer(node.cursor)
    return "..." if number is None else str(number)


def _describe_member(node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    if not inner:
        return spelling(node.cursor)
    name = spelling(node.cursor)
    base = format_expression(inner[0])
    if not name:  # a member without a name: its fields count as its record's
        return base
    type_ = C.clang_getCanonicalType(C.clang_getCursorType(inner[0].cursor))
    if base.startswith("*"):
        base = f"({base})"
    return f"{base}{'->' if type_.kind == kinds.T_POINTER else '.'}{name}"


def _describe_element(_node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    return "[".join(map(format_expression, inner)) + "]"


def _describe_unary(node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    operator = C.clang_getCursorUnaryOperatorKind(node.cursor)
    sign = {kinds.ADDRESS_OF: "&", kinds.DEREFERENCE: "*"}.get(operator, "")
    return sign + "".join(map(format_expression, inner))


def _describe_choice(_node: SyntaxNode, inner: list[SyntaxNode]) -> str:
    condition, *rest = map(format_expression, inner)
    return f"{condition} ? {' : '.join(rest)}"


_DESCRIPTIONS: dict[int, Callable[[SyntaxNode, list[SyntaxNode]], str]] = {
    kinds.DECL_REF: _describe_name,
    kinds.MEMBER_REF_EXPR: _describe_member,
    kinds.SUBSCRIPT: _describe_element,
    kinds.UNARY: _describe_unary,
    kinds.CALL: lambda _node, inner: f"{format_expression(inner[0])}()",
    kinds.C_CAST: lambda _node, inner: format_expression(inner[-1]) if inner else "...",
    kinds.STATEMENT_EXPR: lambda _node, _inner: "({...})",
    kinds.CONDITIONAL: _describe_choice,
    kinds.INTEGER_LITERAL: _describe_number,
}
CLEANUP_MARK = "cleanup("  # in the text of every definition that has such a variable
_CLEANUP = re.compile(r"__attribute__\(\(cleanup\((\w+)\)\)\)")


def record_cleanup_call(context: DefinitionContext, variable: SyntaxNode, place: Place) -> None:
    """Record the call, where the declaration of a local variable asks for one."""
    policy = C.clang_getCursorPrintingPolicy(variable.cursor)
    printed = pretty(variable.cursor, policy)
    C.clang_PrintingPolicy_dispose(policy)
    found = _CLEANUP.search(printed)
    if found is None or context.function is None:
        return
    extent = context.unit.sources.locate_extent(variable.cursor)
    context.calls.append(CallSite(
        caller=context.function, location=extent.start, extent=extent,
        ordinal=context.take_ordinal(extent.start),
        target=Symbol(FunctionId(found[1], "", context.unit.identities.image), SymbolUse.CLEANUP),
        expression=found[1], arguments=((Address(place),),), guards=tuple(context.guards)))
