"""The syntax below one definition, read in a single visit.

libclang calls back once a node; a call per node and attribute would cost several times more, so
attributes are asked for later and only where a rule needs them. What is never evaluated is left
out here: what is inside sizeof, references to types, attributes.
"""

from kgraph.extract import kinds
from kgraph.extract.compiled import compiled
from kgraph.extract.libclang import CONTINUE, RECURSE, key_of, walk
from kgraph.extract.prototypes import Cursor


class Node:
    """A cursor with the children that were read."""

    __slots__ = ("cursor", "kids", "kind")

    def __init__(self, cursor: Cursor, kind: int) -> None:
        self.cursor = cursor
        self.kind = kind
        self.kids: list[Node] = []

    @property
    def key(self) -> int:
        """What identifies the node in its translation unit."""
        return key_of(self.cursor)


_LEFT_OUT = frozenset({*kinds.REFERENCES} - {kinds.MEMBER_REF})
_LEAVES = frozenset({kinds.SIZEOF, kinds.MEMBER_REF, kinds.DECL_REF, kinds.INTEGER_LITERAL})


@compiled
def read(root: Cursor) -> Node:
    """The tree below a cursor, which becomes the root node."""
    top = Node(root, root.kind)
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
        node = Node(cursor, kind)
        stack[-1].kids.append(node)
        if kind in _LEAVES:
            return CONTINUE
        stack.append(node)
        d1 = cursor.d1
        keys.append(d1 if d1 > 1 else cursor.d0)
        return RECURSE

    walk(root, visit)
    return top


@compiled
def plain(node: Node) -> Node:
    """The node inside parentheses and implicit conversions."""
    while node.kind in (kinds.PAREN, kinds.UNEXPOSED_EXPR) and len(node.kids) == 1:
        node = node.kids[0]
    return node


@compiled
def expressions(node: Node) -> list[Node]:
    """The children that are expressions."""
    return [kid for kid in node.kids if kid.kind in kinds.EXPRESSIONS]
