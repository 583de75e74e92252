"""Evaluates conditions that are constant in this configuration; a false one removes its code.

Evaluates only what every compiler folds alike: literals, enumerators, sizeof, and operators on
them. A condition with a variable or a call is not constant, __builtin_constant_p included: its
answer depends on inlining.
"""

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, get_type_spelling
from kgraph.extract.clang.tree import SyntaxNode, get_operands

_NORETURN = "noreturn"  # an attribute, which is a part of the type
_VARYING = frozenset({kinds.CALL, kinds.MEMBER_REF_EXPR, kinds.STATEMENT_EXPR, kinds.SUBSCRIPT})
# the value of the left operand that decides the result
_DECIDING = {kinds.LOGICAL_AND: False, kinds.LOGICAL_OR: True}


def evaluate_condition(node: SyntaxNode) -> int | None:
    """The value of a condition, None if it is not constant."""
    while (node.kind in (kinds.PAREN, kinds.UNEXPOSED_EXPR) and len(node.children) == 1
           and not is_type_builtin(node, node.children)):
        node = node.children[0]
    if node.kind == kinds.BINARY and (operator := C.clang_getCursorBinaryOperatorKind(
            node.cursor)) in _DECIDING:
        left = evaluate_condition(node.children[0])
        return left if left is None else evaluate_logical(operator, left, node.children[1])
    return evaluate_integer(node.cursor) if is_constant(node) else None


def is_short_circuit(operator: int, left: int | None) -> bool:
    """Whether `left` alone decides `left && x` or `left || x`, so that x is not evaluated."""
    return left is not None and bool(left) == _DECIDING[operator]


def evaluate_logical(operator: int, left: int | None, right: SyntaxNode) -> int | None:
    """The value of `left && right` or `left || right`, None if it is not constant."""
    if is_short_circuit(operator, left):
        return int(_DECIDING[operator])
    value = evaluate_condition(right)
    if is_short_circuit(operator, value):
        return int(_DECIDING[operator])
    return None if left is None or value is None else int(not _DECIDING[operator])


def is_type_builtin(node: SyntaxNode, inner: list[SyntaxNode]) -> bool:
    """Whether a node of unknown kind is a builtin on types (__builtin_types_compatible_p).

    It starts before its first operand, which is what stands in the parentheses of a typeof, and it
    has at most two operands (__builtin_choose_expr has three).
    """
    if node.kind != kinds.UNEXPOSED_EXPR or not inner or inner[0].kind != kinds.PAREN:
        return False
    return len(inner) < 3 and bool(C.clang_getCursorExtent(node.cursor).begin
                                   != C.clang_getCursorExtent(inner[0].cursor).begin)


def is_exit(node: SyntaxNode) -> bool:
    """Whether control never passes a statement: a jump, or a call by name that does not return."""
    if node.kind in kinds.JUMPS:
        return True
    if node.kind == kinds.CALL:
        callee = C.clang_getCursorReferenced(node.cursor)
        return callee.kind == kinds.FUNCTION and _NORETURN in get_type_spelling(
            C.clang_getCursorType(callee))
    if node.kind == kinds.COMPOUND:
        return bool(node.children) and is_exit(node.children[-1])
    if node.kind == kinds.IF:
        return len(node.children) == 3 and is_exit(node.children[1]) and is_exit(node.children[2])
    return False


def is_constant(node: SyntaxNode) -> bool:
    """Whether an expression has no part that may vary."""
    if node.kind in _VARYING:
        return False
    if is_type_builtin(node, get_operands(node)):
        return True
    if node.kind == kinds.DECL_REF:
        referenced = C.clang_getCursorReferenced(node.cursor)
        return bool(referenced.kind == kinds.ENUM_CONSTANT)
    return all(is_constant(child) for child in node.children)


def select_reached_statements(value: int, body: SyntaxNode) -> list[SyntaxNode]:
    """The statements of a switch's body that run for a constant value.

    These are all of them if some label is not constant.
    """
    labels = {child.key: _read_labels(child) for child in body.children
              if child.kind in (kinds.CASE, kinds.DEFAULT)}
    if any(None in found[0] for found in labels.values()):
        return body.children
    matched = any(value in found[0] for found in labels.values())
    is_running = False
    chosen: list[SyntaxNode] = []
    for child in body.children:
        if child.key in labels:
            values, is_default, inner = labels[child.key]
            is_running = is_running or value in values or (is_default and not matched)
            statements = inner
        else:
            statements = [child]
        if is_running:
            chosen.extend(statements)
            if statements and is_exit(statements[-1]):
                is_running = False
    return chosen


def has_label(node: SyntaxNode) -> bool:
    """Whether control can enter a statement from elsewhere."""
    return node.kind in (kinds.LABEL, kinds.CASE, kinds.DEFAULT) or any(
        has_label(child) for child in node.children)


def _read_labels(node: SyntaxNode) -> tuple[set[int | None], bool, list[SyntaxNode]]:
    """The values of adjacent case labels, whether default is one of them, what is under them."""
    values: set[int | None] = set()
    is_default = False
    while node.kind in (kinds.CASE, kinds.DEFAULT):
        if node.kind == kinds.DEFAULT:
            is_default = True
        else:
            given = [child for child in node.children[:-1] if child.kind in kinds.EXPRESSIONS]
            # two values are a range
            values.add(evaluate_condition(given[0]) if len(given) == 1 else None)
        if not node.children:
            return values, is_default, []
        node = node.children[-1]
    return values, is_default, [node]
