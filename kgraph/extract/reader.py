"""Reads the syntax of one definition by rules, one for each kind of node.

The modules that know C register their rules here: expressions, lvalues, calls, initialisers,
statements and asm.inline. A rule calls the Reader for the nodes inside its own, so no rule has to
know another module's. Must not know any rule.
"""

from collections.abc import Callable
from typing import TypeVar

from kgraph.extract.clang import kinds
from kgraph.extract.clang.tree import SyntaxNode
from kgraph.extract.conditions import read_condition
from kgraph.extract.definition_context import DefinitionContext, Places, Values
from kgraph.model.location import Guard
from kgraph.model.values import Load

ValueRule = Callable[["Reader", SyntaxNode], Values]
PlaceRule = Callable[["Reader", SyntaxNode], Places]
_Rule = TypeVar("_Rule")

_VALUE_RULES: dict[int, ValueRule] = {}
_PLACE_RULES: dict[int, PlaceRule] = {}
_STATEMENT_RULES: dict[int, ValueRule] = {}


def value_rule(*node_kinds: int) -> Callable[[ValueRule], ValueRule]:
    """Register a function that reads the values of expressions of these kinds."""
    return _register(_VALUE_RULES, node_kinds)


def place_rule(*node_kinds: int) -> Callable[[PlaceRule], PlaceRule]:
    """Register a function that reads the places that lvalues of these kinds name."""
    return _register(_PLACE_RULES, node_kinds)


def statement_rule(*node_kinds: int) -> Callable[[ValueRule], ValueRule]:
    """Register a function that reads statements of these kinds; see Reader.read_statement."""
    return _register(_STATEMENT_RULES, node_kinds)


def _register(
    rules: dict[int, _Rule], node_kinds: tuple[int, ...]
) -> Callable[[_Rule], _Rule]:
    def add(rule: _Rule) -> _Rule:
        assert rules.keys().isdisjoint(node_kinds), node_kinds
        rules.update(dict.fromkeys(node_kinds, rule))
        return rule

    return add


class Reader:
    """Reads the syntax of one definition into its context."""

    def __init__(self, context: DefinitionContext) -> None:
        self.context = context
        self.types = context.unit.types

    def read_values(self, node: SyntaxNode) -> Values:
        """The values that an expression may have; () if none of them leads to a function."""
        rule = _VALUE_RULES.get(node.kind)
        if rule is not None:
            return rule(self, node)
        for child in node.children:
            self.read_values(child)
        return ()

    def read_places(self, node: SyntaxNode) -> Places:
        """The places that an lvalue may name."""
        rule = _PLACE_RULES.get(node.kind)
        if rule is not None:
            return rule(self, node)
        return tuple(value.place for value in self.read_values(node) if isinstance(value, Load))

    def read_guarded(self, condition: SyntaxNode, node: SyntaxNode, *, holds: bool) -> Values:
        """The values of an expression that is evaluated only if a condition holds (or fails)."""
        self.context.guards.append(self.make_guard(condition, holds=holds))
        found = self.read_values(node)
        self.context.guards.pop()
        return found

    def read_statement(self, node: SyntaxNode) -> Values:
        """Read a statement.

        Returns the values of an expression statement, which are those of a statement expression
        that ends with it; () for most others.
        """
        rule = _STATEMENT_RULES.get(node.kind)
        if rule is not None:
            return rule(self, node)
        if node.kind in kinds.EXPRESSIONS:
            return self.read_values(node)
        return self.read_statements(node)

    def read_statements(self, node: SyntaxNode) -> Values:
        """Read the statements inside a node; the values of the last one."""
        values: Values = ()
        for child in node.children:
            values = self.read_statement(child)
        return values

    def make_guard(
        self, condition: SyntaxNode, *, holds: bool, is_early_exit: bool = False
    ) -> Guard:
        """The guard that a condition is for what runs only if it holds (or fails)."""
        found = read_condition(self.context, condition)
        return Guard(
            self.context.unit.sources.locate_extent(condition.cursor), holds, is_early_exit,
            found.expected, found.if_true if holds else found.if_false)
