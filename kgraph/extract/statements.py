"""Reads statements: declarations, returns, and the conditions that guard what they contain.

A guard is a condition that must hold (or fail) whenever the call runs: if, else, while, switch
cases, and early exits (`if (c) return;`) for the rest of their block. A label ends the early exits
before it, because a goto may come from anywhere.
"""

from msgspec.structs import replace

from kgraph.extract.calls import record_cleanup_call
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, get_key, get_spelling
from kgraph.extract.clang.tree import SyntaxNode, get_operands
from kgraph.extract.conditions import read_condition, read_equality
from kgraph.extract.constants import (
    evaluate_condition,
    has_label,
    is_exit,
    select_reached_statements,
)
from kgraph.extract.definition_context import DefinitionContext, Values
from kgraph.extract.initialisers import read_initialiser
from kgraph.extract.raw_writes import note_raw_pointer
from kgraph.extract.reader import Reader, statement_rule, value_rule
from kgraph.model.ids import ObjectId
from kgraph.model.location import Extent, Guard, Location, ParameterTest
from kgraph.model.values import Place, ReturnValue, TransferKind


@value_rule(kinds.STATEMENT_EXPR)
def _read_statement_expression(reader: Reader, node: SyntaxNode) -> Values:
    """`({ ...; value; })`."""
    return reader.read_statements(node)


@statement_rule(kinds.COMPOUND)
def _read_block(reader: Reader, node: SyntaxNode) -> Values:
    """A block. Its early exits guard the rest of it; a label ends them.

    After an unconditional exit nothing runs before the next label.
    """
    guards = reader.context.guards
    outer = len(guards)
    values: Values = ()
    is_over = False
    for child in node.children:
        if is_over and not has_label(child):
            continue
        if child.kind == kinds.LABEL:
            del guards[outer:]
        values = reader.read_statement(child)
        exits = _always_exits(reader, child)
        is_over = exits is True
        if exits is None and len(child.children) == 2:
            guards.append(reader.make_guard(
                child.children[0], holds=False, is_early_exit=True))
    del guards[outer:]
    return values


def _always_exits(reader: Reader, node: SyntaxNode) -> bool | None:
    """Whether control never passes a statement; None if a condition decides."""
    if is_exit(node):
        return True
    if node.kind != kinds.IF or not any(map(is_exit, node.children[1:])):
        return False
    condition, *branches = node.children
    constant = evaluate_condition(condition)
    if constant is None:
        constant = read_condition(reader.context, condition).constant
    if constant is None:
        return None
    taken = branches[:1] if constant else branches[1:]
    return any(map(is_exit, taken))


@statement_rule(kinds.IF)
def _read_if(reader: Reader, node: SyntaxNode) -> Values:
    if not node.children:
        return ()
    condition, *branches = node.children
    constant = evaluate_condition(condition)
    if constant is not None:
        for branch, is_taken in zip(branches, (bool(constant), not constant), strict=False):
            if is_taken or has_label(branch):  # a goto enters `if (0) { out: ... }`
                reader.read_statement(branch)
        return ()
    reader.read_values(condition)
    decided = read_condition(reader.context, condition).constant
    for branch, holds in zip(branches, (True, False), strict=False):
        if decided is (not holds) and not has_label(branch):
            continue
        _read_guarded(reader, reader.make_guard(condition, holds=holds), branch)
    return ()


@statement_rule(kinds.WHILE, kinds.FOR)
def _read_loop(reader: Reader, node: SyntaxNode) -> Values:
    """A while or for loop.

    Parts of a for loop may be missing and libclang does not tell which, so only a complete one
    has a guard.
    """
    *head, body = node.children
    # A goto or the switch around it may come in, and the next round runs what is before.
    if _has_inner_label(reader, body) or _has_case(body):
        _forget_tests(reader)
    for part in head:
        reader.read_statement(part)
    if node.kind == kinds.WHILE or len(head) == 3:
        condition = head[0 if node.kind == kinds.WHILE else 1]
        _read_guarded(reader, reader.make_guard(condition, holds=True), body)
    else:
        reader.read_statement(body)
    return ()


@statement_rule(kinds.DO)
def _read_do(reader: Reader, node: SyntaxNode) -> Values:
    """A do loop. What is before a label in it runs in the next round."""
    if any(_has_inner_label(reader, child) or _has_case(child) for child in node.children):
        _forget_tests(reader)
    return reader.read_statements(node)


@statement_rule(kinds.LABEL, kinds.CASE, kinds.DEFAULT)
def _read_label(reader: Reader, node: SyntaxNode) -> Values:
    """A label, or a case inside a statement of its switch: control may come past all tests."""
    _forget_tests(reader)
    return reader.read_statements(node)


def _has_inner_label(reader: Reader, node: SyntaxNode) -> bool:
    """Whether a goto may lead into a statement."""
    return "goto " in reader.context.printed and _has_kind(node, kinds.LABEL)


def _has_case(node: SyntaxNode) -> bool:
    """Whether a statement has a case label of a switch around it."""
    return node.kind in (kinds.CASE, kinds.DEFAULT) or (
        node.kind != kinds.SWITCH and any(map(_has_case, node.children)))


def _has_kind(node: SyntaxNode, kind: int) -> bool:
    return node.kind == kind or any(_has_kind(child, kind) for child in node.children)


def _forget_tests(reader: Reader) -> None:
    """From here on, guards in force say nothing about parameters."""
    guards = reader.context.guards
    guards[:] = [replace(guard, tests=()) if guard.tests else guard for guard in guards]


def _read_guarded(reader: Reader, guard: Guard, node: SyntaxNode) -> None:
    guards = reader.context.guards
    guards.append(guard)
    depth = len(guards)
    reader.read_statement(node)
    del guards[depth - 1:]


@statement_rule(kinds.SWITCH)
def _read_switch(reader: Reader, node: SyntaxNode) -> Values:
    *head, body = node.children
    for part in head:
        reader.read_statement(part)
    if body.kind != kinds.COMPOUND:
        return reader.read_statement(body)
    constant = evaluate_condition(head[-1]) if head else None
    if constant is not None:
        for child in select_reached_statements(constant, body):
            reader.read_statement(child)
        return ()
    guards = reader.context.guards
    outer = len(guards)
    open_case: Location | None = None  # where the labels start that control falls through from
    is_over = False  # an exit is before, and no label since
    for child in body.children:
        if child.kind in (kinds.CASE, kinds.DEFAULT):
            labels = reader.context.unit.sources.locate_extent(child.cursor)
            start = open_case or labels.start
            last, inner = _find_last_label(reader, child)
            del guards[outer:]
            guards.append(Guard(
                Extent(start, last.end_line, last.end_column), True,
                tests=() if open_case else _read_case(reader, head[-1], child)))
            for part in inner:
                reader.read_statement(part)
            is_over = bool(inner) and is_exit(inner[-1])
            open_case = None if is_over else start
        elif not is_over or has_label(child):
            if is_over:  # a goto comes here, and falls through
                open_case = reader.context.unit.sources.locate_extent(child.cursor).start
            reader.read_statement(child)
            is_over = is_exit(child)
            open_case = None if is_over else open_case
    del guards[outer:]
    return ()


def _read_case(reader: Reader, selector: SyntaxNode, case: SyntaxNode) -> tuple[ParameterTest, ...]:
    """What a single case label, to which control only comes from the switch, says."""
    if case.kind != kinds.CASE or len(case.children) != 2 or (
            case.children[1].kind in (kinds.CASE, kinds.DEFAULT)):
        return ()
    return read_equality(reader.context, selector, case.children[0]).if_true


def _find_last_label(reader: Reader, node: SyntaxNode) -> tuple[Extent, list[SyntaxNode]]:
    """The extent of the last of adjacent case labels, and the statements under them."""
    sources = reader.context.unit.sources
    while True:
        if node.kind == kinds.DEFAULT:
            start = sources.locate_cursor(node.cursor)
            last = Extent(start, start.line, start.column + len("default"))
            inner = node.children
        else:
            values = [child for child in node.children[:-1] if child.kind in kinds.EXPRESSIONS]
            last = sources.locate_extent(values[-1].cursor if values else node.cursor)
            inner = node.children[-1:]
        if not inner or inner[0].kind not in (kinds.CASE, kinds.DEFAULT):
            return last, inner
        node = inner[0]


@statement_rule(kinds.RETURN)
def _read_return(reader: Reader, node: SyntaxNode) -> Values:
    context = reader.context
    for child in node.children:
        values = reader.read_values(child)
        if values and context.function and reader.types.of(child.cursor).can_lead_to_function:
            context.assign(Place(ReturnValue(context.function)), values, context.locate(child),
                           TransferKind.RETURN)
    return ()


@statement_rule(kinds.DECL_STMT)
def _read_declarations(reader: Reader, node: SyntaxNode) -> Values:
    record: SyntaxNode | None = None  # the one that a name is declared with next
    for child in node.children:
        if record is not None:
            _name_record(reader.context, record, child)
        record = child if child.kind in (kinds.STRUCT, kinds.UNION) else None
        if child.kind == kinds.VAR:
            _read_variable(reader, child)
    return ()


def _name_record(context: DefinitionContext, record: SyntaxNode, node: SyntaxNode) -> None:
    """Name a record without tag after what is declared with it."""
    name = get_spelling(node.cursor)
    if node.kind == kinds.VAR and context.local is not None:
        storage = C.clang_Cursor_getStorageClass(node.cursor)
        if storage == kinds.STORAGE_STATIC:
            name = context.unit.identities.identify_object(node.cursor).name
        elif storage != kinds.STORAGE_EXTERN:
            name = str(context.local.identify_holder(node.cursor))
    context.unit.identities.name_record(record.cursor, name, context.function)


def _read_variable(reader: Reader, node: SyntaxNode) -> None:
    """A variable that is declared in a function: local, or with static storage."""
    context = reader.context
    storage = C.clang_Cursor_getStorageClass(node.cursor)
    if storage == kinds.STORAGE_EXTERN or context.local is None:
        return
    type_ = reader.types.of(node.cursor)
    table: ObjectId | None = None
    if storage == kinds.STORAGE_STATIC:
        table = context.unit.identities.identify_object(node.cursor)
        if type_.can_lead_to_function:
            context.static_objects.append((node.cursor, table))
        place = Place(table)
    else:
        place = Place(context.local.identify_holder(node.cursor))
    value = find_initialiser(node)
    if type_.kind == kinds.T_VARIABLE_ARRAY:
        for operand in get_operands(node):
            if operand is not value:
                reader.read_values(operand)  # the bound of a variable length array is evaluated
    if value is not None:
        if table is None:
            context.initialisers[node.key] = value
        note_raw_pointer(context, node.cursor, value)
        read_initialiser(reader, place, type_, value, table)
    if context.has_cleanups:
        record_cleanup_call(context, node, place)


def find_initialiser(node: SyntaxNode) -> SyntaxNode | None:
    """The initialiser among the children of a variable declaration (types have children, too)."""
    if not any(child.kind in kinds.EXPRESSIONS for child in node.children):
        return None
    wanted = get_key(C.clang_Cursor_getVarDeclInitializer(node.cursor))
    for child in reversed(node.children):
        if child.key == wanted:
            return child
    return None
