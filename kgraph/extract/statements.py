"""Reads statements: declarations, returns, and the conditions that guard what they contain.

A guard is a condition that must hold (or fail) whenever the call runs: if, else, while, switch
cases, and early exits (`if (c) return;`) for the rest of their block. A label ends the early
exits before it, because a goto may come from anywhere.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kgraph.extract.asm.inline import find_called_operands, record_named_calls
from kgraph.extract.calls import record_cleanup_call
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, key_of
from kgraph.extract.clang.tree import SyntaxNode
from kgraph.extract.constants import (
    evaluate_condition,
    has_label,
    is_exit,
    select_reached_statements,
)
from kgraph.extract.definition_context import Values
from kgraph.extract.initialisers import read_initialiser
from kgraph.extract.objects import make_object
from kgraph.model.ids import ObjectId
from kgraph.model.location import Extent, Guard, Location
from kgraph.model.values import Load, Place, ReturnValue, TransferKind

if TYPE_CHECKING:
    from kgraph.extract.expressions import Reader


def read_statement(reader: "Reader", node: SyntaxNode) -> Values:
    """Read a statement; the values of an expression statement, for statement expressions."""
    rule = _RULES.get(node.kind)
    if rule is not None:
        return rule(reader, node)
    if node.kind in kinds.EXPRESSIONS:
        return reader.values(node)
    return read_statement_expression(reader, node)


def read_statement_expression(reader: "Reader", node: SyntaxNode) -> Values:
    """`({ ...; value; })`, and any statement that only holds others."""
    values: Values = ()
    for kid in node.kids:
        values = read_statement(reader, kid)
    return values


def read_compound(reader: "Reader", node: SyntaxNode) -> Values:
    """A block: early exits guard the rest of it, a label ends them. Behind an exit that is always
    taken nothing runs before the next label."""
    guards = reader.context.guards
    outer = len(guards)
    values: Values = ()
    over = False
    for kid in node.kids:
        if over and not has_label(kid):
            continue
        if kid.kind == kinds.LABEL:
            del guards[outer:]
        values = read_statement(reader, kid)
        exits = _exits(kid)
        over = exits is True
        if exits is None and len(kid.kids) == 2:
            extent = reader.context.unit.sources.locate_extent(kid.kids[0].cursor)
            guards.append(Guard(extent, False))
    del guards[outer:]
    return values


def _exits(node: SyntaxNode) -> bool | None:
    """Whether control never goes on behind a statement; None where a condition decides."""
    if is_exit(node):
        return True
    if node.kind != kinds.IF or not any(map(is_exit, node.kids[1:])):
        return False
    condition, *branches = node.kids
    fixed = evaluate_condition(condition)
    if fixed is None:
        return None
    taken = branches[:1] if fixed else branches[1:]
    return any(map(is_exit, taken))


def _under(reader: "Reader", guard: Guard, node: SyntaxNode) -> Values:
    guards = reader.context.guards
    guards.append(guard)
    depth = len(guards)
    values = read_statement(reader, node)
    del guards[depth - 1:]
    return values


def _declarations(reader: "Reader", node: SyntaxNode) -> Values:
    for kid in node.kids:
        if kid.kind == kinds.VAR:
            read_local_variable(reader, kid)
    return ()


def _if(reader: "Reader", node: SyntaxNode) -> Values:
    if not node.kids:
        return ()
    condition, *branches = node.kids
    fixed = evaluate_condition(condition)
    if fixed is not None:
        for branch, taken in zip(branches, (bool(fixed), not fixed), strict=False):
            if taken or has_label(branch):  # `if (0) { out: ... }` is entered by goto
                read_statement(reader, branch)
        return ()
    reader.values(condition)
    extent = reader.context.unit.sources.locate_extent(condition.cursor)
    for branch, holds in zip(branches, (True, False), strict=False):
        _under(reader, Guard(extent, holds), branch)
    return ()


def _loop(reader: "Reader", node: SyntaxNode) -> Values:
    """A for loop's parts may be missing, and libclang does not tell which: only one with all
    of its parts has a guard."""
    *head, body = node.kids
    for part in head:
        read_statement(reader, part)
    position = 0 if node.kind == kinds.WHILE else 1
    if node.kind == kinds.WHILE or len(head) == 3:
        extent = reader.context.unit.sources.locate_extent(head[position].cursor)
        _under(reader, Guard(extent, True), body)
    else:
        read_statement(reader, body)
    return ()


def _switch(reader: "Reader", node: SyntaxNode) -> Values:
    *head, body = node.kids
    for part in head:
        read_statement(reader, part)
    if body.kind != kinds.COMPOUND:
        return read_statement(reader, body)
    fixed = evaluate_condition(head[-1]) if head else None
    if fixed is not None:
        for kid in select_reached_statements(fixed, body):
            read_statement(reader, kid)
        return ()
    guards = reader.context.guards
    outer = len(guards)
    open_case: Location | None = None
    for kid in body.kids:
        if kid.kind in (kinds.CASE, kinds.DEFAULT):
            labels = reader.context.unit.sources.locate_extent(kid.cursor)
            start = open_case or labels.start
            last, inner = _case_labels(reader, kid)
            del guards[outer:]
            guards.append(Guard(Extent(start, last.end_line, last.end_column), True))
            for part in inner:
                read_statement(reader, part)
            open_case = None if inner and is_exit(inner[-1]) else start
        else:
            read_statement(reader, kid)
            if is_exit(kid):
                open_case = None
    del guards[outer:]
    return ()


def _case_labels(reader: "Reader", node: SyntaxNode) -> tuple[Extent, list[SyntaxNode]]:
    """The extent of the last of adjacent case labels, and the statement under them."""
    sources = reader.context.unit.sources
    while True:
        if node.kind == kinds.DEFAULT:
            start = sources.locate_cursor(node.cursor)
            last = Extent(start, start.line, start.column + len("default"))
            inner = node.kids
        else:
            values = [kid for kid in node.kids[:-1] if kid.kind in kinds.EXPRESSIONS]
            last = sources.locate_extent(values[-1].cursor if values else node.cursor)
            inner = node.kids[-1:]
        if not inner or inner[0].kind not in (kinds.CASE, kinds.DEFAULT):
            return last, inner
        node = inner[0]


def _asm(reader: "Reader", node: SyntaxNode) -> Values:
    """Assembler may move any operand into any other (xchg, cmpxchg, this_cpu_read and the
    moves that only hide a value from the compiler do); libclang does not tell which."""
    context = reader.context
    operands = [kid for kid in node.kids if kid.kind in kinds.EXPRESSIONS]
    values = [reader.values(operand) for operand in operands]
    record_named_calls(reader, node, operands, values)
    types = context.unit.types
    if len(operands) < 2 or not any(
        types.of(operand.cursor).can_lead_to_function for operand in operands
    ):
        return ()
    gone = find_called_operands(context.asm_texts.get(node.key), values)
    location = context.unit.sources.locate_cursor(node.cursor)
    for target in values:
        for place in (value.place for value in target if isinstance(value, Load)):
            for source in values:
                if source is not target:
                    kept = tuple(value for value in source if value not in gone)
                    context.assign(place, kept, location, TransferKind.ASSIGNMENT)
    return ()


def _return(reader: "Reader", node: SyntaxNode) -> Values:
    context = reader.context
    for kid in node.kids:
        values = reader.values(kid)
        if values and context.function and context.unit.types.of(kid.cursor).can_lead_to_function:
            context.assign(Place(ReturnValue(context.function)), values,
                        context.unit.sources.locate_cursor(kid.cursor), TransferKind.RETURN)
    return ()


def read_local_variable(reader: "Reader", node: SyntaxNode) -> None:
    """A variable declared in a function: local, or with static storage."""
    context = reader.context
    storage = C.clang_Cursor_getStorageClass(node.cursor)
    if storage == kinds.STORAGE_EXTERN or context.local is None:
        return
    type_ = context.unit.types.of(node.cursor)
    table: ObjectId | None = None
    if storage == kinds.STORAGE_STATIC:
        table = context.unit.identities.identify_object(node.cursor)
        if type_.can_lead_to_function:
            context.objects.append(make_object(context.unit, node.cursor, table))
        place = Place(table)
    else:
        place = Place(context.local.identify_holder(node.cursor))
    value = find_initialiser(node)
    if type_.kind == kinds.T_VARIABLE_ARRAY:
        for kid in node.kids:
            if kid is not value and kid.kind in kinds.EXPRESSIONS:
                reader.values(kid)  # the bound of a variable length array is evaluated
    if value is not None:
        read_initialiser(reader, place, type_, value, table)
    if context.has_cleanups:
        record_cleanup_call(context, node, place)


def find_initialiser(node: SyntaxNode) -> SyntaxNode | None:
    """The initialiser among a variable declaration's children (types have children too)."""
    if not any(kid.kind in kinds.EXPRESSIONS for kid in node.kids):
        return None
    wanted = key_of(C.clang_Cursor_getVarDeclInitializer(node.cursor))
    for kid in reversed(node.kids):
        if kid.key == wanted:
            return kid
    return None


_RULES: dict[int, Callable[["Reader", SyntaxNode], Values]] = {
    kinds.COMPOUND: read_compound,
    kinds.DECL_STMT: _declarations,
    kinds.RETURN: _return,
    kinds.IF: _if,
    kinds.WHILE: _loop,
    kinds.FOR: _loop,
    kinds.SWITCH: _switch,
    kinds.ASM: _asm,
}
