"""Conditions that are constants of the configuration: code behind a false one is not there.

Only what every compiler folds alike: literals, enumerators, sizeof and operators on them. A
condition with a call in it (__builtin_constant_p above all, whose answer depends on inlining)
or with a variable is no constant here.
"""

from kgraph.extract import kinds
from kgraph.extract.libclang import C, evaluate_integer
from kgraph.extract.nodes import Node, expressions

_VARYING = frozenset({kinds.CALL, kinds.MEMBER_REF_EXPR, kinds.STATEMENT_EXPR, kinds.SUBSCRIPT})
# the value of the left operand that decides
_SHORT = {kinds.LOGICAL_AND: False, kinds.LOGICAL_OR: True}


def constant(node: Node) -> int | None:
    """The value of a constant condition, None for any other."""
    while (node.kind in (kinds.PAREN, kinds.UNEXPOSED_EXPR) and len(node.kids) == 1
           and not names_types(node, node.kids)):
        node = node.kids[0]
    if node.kind == kinds.BINARY and (operator := C.clang_getCursorBinaryOperatorKind(
            node.cursor)) in _SHORT:
        left = constant(node.kids[0])
        return left if left is None else joined(operator, left, node.kids[1])
    return evaluate_integer(node.cursor) if _fixed(node) else None


def decides(operator: int, left: int | None) -> bool:
    """Whether the value of `left && x` or `left || x` does not depend on x, which is then not
    evaluated."""
    return left is not None and bool(left) == _SHORT[operator]


def joined(operator: int, left: int | None, right: Node) -> int | None:
    """The value of `left && right` or `left || right`, None where it is no constant."""
    if decides(operator, left):
        return int(_SHORT[operator])
    value = constant(right)
    if decides(operator, value):
        return int(_SHORT[operator])
    return None if left is None or value is None else int(not _SHORT[operator])


def names_types(node: Node, inner: list[Node]) -> bool:
    """Whether an unnamed node is a builtin on types, such as __builtin_types_compatible_p: it
    starts before its first operand, which is what typeof has in its parentheses; and there are at
    most two of these (__builtin_choose_expr has three operands)."""
    if node.kind != kinds.UNEXPOSED_EXPR or not inner or inner[0].kind != kinds.PAREN:
        return False
    return len(inner) < 3 and bool(C.clang_getCursorExtent(node.cursor).begin
                                   != C.clang_getCursorExtent(inner[0].cursor).begin)


def leaves(node: Node) -> bool:
    """Whether control never goes on behind a statement."""
    if node.kind in kinds.JUMPS:
        return True
    if node.kind == kinds.COMPOUND:
        return bool(node.kids) and leaves(node.kids[-1])
    if node.kind == kinds.IF:
        return len(node.kids) == 3 and leaves(node.kids[1]) and leaves(node.kids[2])
    return False


def _fixed(node: Node) -> bool:
    if node.kind in _VARYING:
        return False
    if names_types(node, expressions(node)):
        return True
    if node.kind == kinds.DECL_REF:
        referenced = C.clang_getCursorReferenced(node.cursor)
        return bool(referenced.kind == kinds.ENUM_CONSTANT)
    return all(_fixed(kid) for kid in node.kids)


def reached(value: int, body: Node) -> list[Node]:
    """The statements of a switch's body that run for a constant; a label of the body that is
    not a constant makes it all of them."""
    labels = {kid.key: _labels(kid) for kid in body.kids
              if kid.kind in (kinds.CASE, kinds.DEFAULT)}
    if any(None in found[0] for found in labels.values()):
        return body.kids
    matched = any(value in found[0] for found in labels.values())
    running = False
    chosen: list[Node] = []
    for kid in body.kids:
        if kid.key in labels:
            values, is_default, inner = labels[kid.key]
            running = running or value in values or (is_default and not matched)
            last = inner
        else:
            last = [kid]
        if running:
            chosen.extend(last)
            if last and leaves(last[-1]):
                running = False
    return chosen


def has_label(node: Node) -> bool:
    """Whether control can come into a statement from elsewhere."""
    return node.kind in (kinds.LABEL, kinds.CASE, kinds.DEFAULT) or any(
        has_label(kid) for kid in node.kids)


def _labels(node: Node) -> tuple[set[int | None], bool, list[Node]]:
    """The values of adjacent case labels, whether default is among them, what is under them."""
    values: set[int | None] = set()
    is_default = False
    while node.kind in (kinds.CASE, kinds.DEFAULT):
        if node.kind == kinds.DEFAULT:
            is_default = True
        else:
            given = [kid for kid in node.kids[:-1] if kid.kind in kinds.EXPRESSIONS]
            if len(given) == 1:
                values.add(constant(given[0]))
            else:
                values.add(None)  # a range
        if not node.kids:
            return values, is_default, []
        node = node.kids[-1]
    return values, is_default, [node]
