"""Conditions that are constants of the configuration: code behind a false one is not there.

Only what every compiler folds alike: literals, enumerators, sizeof and operators on them. A
condition with a call in it (__builtin_constant_p above all, whose answer depends on inlining)
or with a variable is no constant here.
"""

from kgraph.extract import kinds
from kgraph.extract.libclang import C, evaluate_integer
from kgraph.extract.nodes import Node, plain

_VARYING = frozenset({kinds.CALL, kinds.MEMBER_REF_EXPR, kinds.STATEMENT_EXPR, kinds.SUBSCRIPT})


def constant(node: Node) -> int | None:
    """The value of a constant condition, None for any other."""
    return evaluate_integer(plain(node).cursor) if _fixed(node) else None


def _fixed(node: Node) -> bool:
    if node.kind in _VARYING:
        return False
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
            if last and last[-1].kind in kinds.JUMPS:
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
