"""Reads the syntax tree of one definition in a single visit.

libclang calls back once for each node. A further call for each node and attribute would cost
several times more, so a rule asks for attributes later, and only where it needs them. What is never
evaluated is left out: operands of sizeof, references to types, attributes.
"""

from kgraph.extract.clang import kinds
from kgraph.extract.clang.accelerator import prefer_extension
from kgraph.extract.clang.api import CONTINUE, RECURSE, get_key, visit_descendants
from kgraph.extract.clang.ctypes_api import Cursor


class SyntaxNode:
    """A cursor and its children, as far as they matter."""

    __slots__ = ("children", "cursor", "kind")

    def __init__(self, cursor: Cursor, kind: int) -> None:
        self.cursor = cursor
        self.kind = kind
        self.children: list[SyntaxNode] = []

    @property
    def key(self) -> int:
        """Identifies the node within its translation unit."""
        return get_key(self.cursor)


_LEFT_OUT = frozenset({*kinds.REFERENCES} - {kinds.MEMBER_REF})
_LEAVES = frozenset({kinds.SIZEOF, kinds.MEMBER_REF, kinds.DECL_REF, kinds.INTEGER_LITERAL})


@prefer_extension
def read_tree(root: Cursor) -> SyntaxNode:
    """The tree below a cursor, which becomes the root node."""
    top = SyntaxNode(root, root.kind)
    stack = [top]
    keys = [get_key(root)]

    def visit(cursor: Cursor, parent: Cursor, _data: object) -> int:
        kind = cursor.kind
        if kind in _LEFT_OUT or kind >= kinds.FIRST_ATTRIBUTE:
            return CONTINUE
        d1 = parent.d1
        above = d1 if d1 > 1 else parent.d0
        while keys[-1] != above and len(keys) > 1:
            keys.pop()
            stack.pop()
        node = SyntaxNode(cursor, kind)
        stack[-1].children.append(node)
        if kind in _LEAVES:
            return CONTINUE
        stack.append(node)
        d1 = cursor.d1
        keys.append(d1 if d1 > 1 else cursor.d0)
        return RECURSE

    visit_descendants(root, visit)
    return top


@prefer_extension
def unwrap(node: SyntaxNode) -> SyntaxNode:
    """The node inside parentheses and implicit conversions."""
    while node.kind in (kinds.PAREN, kinds.UNEXPOSED_EXPR) and len(node.children) == 1:
        node = node.children[0]
    return node


@prefer_extension
def get_operands(node: SyntaxNode) -> list[SyntaxNode]:
    """The children that are expressions."""
    return [child for child in node.children if child.kind in kinds.EXPRESSIONS]
