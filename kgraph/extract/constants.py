"""Evaluates conditions that are constant in this configuration; a false one removes its code.

Evaluates only what every compiler folds alike: literals, enumerators, sizeof, and operators on
them. A condition with a variable or a call is not constant, __builtin_constant_p included: its
answer depends on inlining.
"""

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer
from kgraph.extract.clang.tree import SyntaxNode, expressions

_VARYING = frozenset({kinds.CALL, kinds.MEMBER_REF_EXPR, kinds.STATEMENT_EXPR, kinds.SUBSCRIPT})
# the value of the left operand that decides
_SHORT = {kinds.LOGICAL_AND: False, kinds.LOGICAL_OR: True}


def evaluate_condition(node: SyntaxNode) -> int | None:
    """The value of a constant condition, None for any other."""
    while (node.kind in (kinds.PAREN, kinds.UNEXPOSED_EXPR) and len(node.kids) == 1
           and not is_type_builtin(node, node.kids)):
        node = node.kids[0]
    if node.kind == kinds.BINARY and (operator := C.clang_getCursorBinaryOperatorKind(
            node.cursor)) in _SHORT:
        left = evaluate_condition(node.kids[0])
        return left if left is None else evaluate_logical(operator, left, node.kids[1])
    return evaluate_integer(node.cursor) if _fixed(node) else None


def is_short_circuit(operator: int, left: int | None) -> bool:
    """Whether the value of `left && x` or `left || x` does not depend on x, which is then not
    evaluated."""
    return left is not None and bool(left) == _SHORT[operator]


def evaluate_logical(operator: int, left: int | None, right: SyntaxNode) -> int | None:
    """The value of `left && right` or `left || right`, None where it is no constant."""
    if is_short_circuit(operator, left):
        return int(_SHORT[operator])
    value = evaluate_condition(right)
    if is_short_circuit(operator, value):
        return int(_SHORT[operator])
    return None if left is None or value is None else int(not _SHORT[operator])


def is_type_builtin(node: SyntaxNode, inner: list[SyntaxNode]) -> bool:
    """Whether an unnamed node is a builtin on types, such as __builtin_types_compatible_p: it
    starts before its first operand, which is what typeof has in its parentheses; and there are at
    most two of these (__builtin_choose_expr has three operands)."""
    if node.kind != kinds.UNEXPOSED_EXPR or not inner or inner[0].kind != kinds.PAREN:
        return False
    return len(inner) < 3 and bool(C.clang_getCursorExtent(node.cursor).begin
                                   != C.clang_getCursorExtent(inner[0].cursor).begin)


def is_exit(node: SyntaxNode) -> bool:
    """Whether control never goes on behind a statement."""
    if node.kind in kinds.JUMPS:
        return True
    if node.kind == kinds.COMPOUND:
        return bool(node.kids) and is_exit(node.kids[-1])
    if node.kind == kinds.IF:
        return len(node.kids) == 3 and is_exit(node.kids[1]) and is_exit(node.kids[2])
    return False


def _fixed(node: SyntaxNode) -> bool:
    if node.kind in _VARYING:
        return False
    if is_type_builtin(node, expressions(node)):
        return True
    if node.kind == kinds.DECL_REF:
        referenced = C.clang_getCursorReferenced(node.cursor)
        return bool(referenced.kind == kinds.ENUM_CONSTANT)
    return all(_fixed(kid) for kid in node.kids)


def select_reached_statements(value: int, body: SyntaxNode) -> list[SyntaxNode]:
    """The statements of a switch's body that run for a constant; a label of the body that is
    not a constant makes it all of them."""
    labels = {kid.key: _labels(kid) for kid in body.kids
              if kid.kind in (kinds.CASE, kinds.DEFAULT)}
    if any(None in found[0] for found in labels.values()):
        return body.kids
    matched = any(value in found[0] for found in labels.values())
    running = False
    chosen: list[SyntaxNode] = []
    for kid in body.kids:
        if kid.key in labels:
            values, is_default, inner = labels[kid.key]
            running = running or value in values or (is_default and not matched)
            last = inner
        else:
            last = [kid]
        if running:
            chosen.extend(last)
            if last and is_exit(last[-1]):
                running = False
    return chosen


def has_label(node: SyntaxNode) -> bool:
    """Whether control can come into a statement from elsewhere."""
    return node.kind in (kinds.LABEL, kinds.CASE, kinds.DEFAULT) or any(
        has_label(kid) for kid in node.kids)


def _labels(node: SyntaxNode) -> tuple[set[int | None], bool, list[SyntaxNode]]:
    """The values of adjacent case labels, whether default is among them, what is under them."""
    values: set[int | None] = set()
    is_default = False
    while node.kind in (kinds.CASE, kinds.DEFAULT):
        if node.kind == kinds.DEFAULT:
            is_default = True
        else:
            given = [kid for kid in node.kids[:-1] if kid.kind in kinds.EXPRESSIONS]
            if len(given) == 1:
                values.add(evaluate_condition(given[0]))
            else:
                values.add(None)  # a range
        if not node.kids:
            return values, is_default, []
        node = node.kids[-1]
    return values, is_default, [node]
