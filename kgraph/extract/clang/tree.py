"""Reads the syntax tree of one definition in a single visit.

libclang calls back once for each node. A further call for each node and attribute would cost
several times more, so a rule asks for attributes later, and only where it needs them. What is
never evaluated is left out: operands of sizeof, references to types, attributes.
"""

from kgraph.extract.clang import kinds
from kgraph.extract.clang.accelerator import accelerated
from kgraph.extract.clang.api import CONTINUE, RECURSE, key_of, visit_descendants
from kgraph.extract.clang.ctypes_api import Cursor


class SyntaxNode:
    """A cursor with the children that were read."""

    __slots__ = ("cursor", "kids", "kind")

    def __init__(self, cursor: Cursor, kind: int) -> None:
        self.cursor = cursor
        self.kind = kind
        self.kids: list[SyntaxNode] = []

    @property
    def key(self) -> int:
        """What identifies the node in its translation unit."""
        return key_of(self.cursor)


_LEFT_OUT = frozenset({*kinds.REFERENCES} - {kinds.MEMBER_REF})
_LEAVES = frozenset({kinds.SIZEOF, kinds.MEMBER_REF, kinds.DECL_REF, kinds.INTEGER_LITERAL})


@accelerated
def read(root: Cursor) -> SyntaxNode:
    """The tree below a cursor, which becomes the root node."""
    top = SyntaxNode(root, root.kind)
    stack = [top]
    keys = [key_of(root)]

    def visit(cursor: Cursor, parent: Cursor, _data: object) -> int:
        kind = cursor.kind
        if kind in _LEFT_OUT or kind >= 400:
            return CONTINUE
        d1 = parent.d1
        above = d1 if d1 > 1 else parent.d0
        while keys[-1] != above and len(keys) > 1:
            keys.pop()
            stack.pop()
        node = SyntaxNode(cursor, kind)
        stack[-1].kids.append(node)
        if kind in _LEAVES:
            return CONTINUE
        stack.append(node)
        d1 = cursor.d1
        keys.append(d1 if d1 > 1 else cursor.d0)
        return RECURSE

    visit_descendants(root, visit)
    return top


@accelerated
def plain(node: SyntaxNode) -> SyntaxNode:
    """The node inside parentheses and implicit conversions."""
    while node.kind in (kinds.PAREN, kinds.UNEXPOSED_EXPR) and len(node.kids) == 1:
        node = node.kids[0]
    return node


@accelerated
def expressions(node: SyntaxNode) -> list[SyntaxNode]:
    """The children that are expressions."""
    return [kid for kid in node.kids if kid.kind in kinds.EXPRESSIONS]
