"""Integers that hold a number of one of two kinds, and the only functions that make and read them.

The arrays of a graph and the loops of the solver cannot afford an object for every number. A number
of the first kind stands as it is, one of the second kind below zero. Nobody else does this
arithmetic.
"""

from typing import NewType

Operand = NewType("Operand", int)
"""What a value is in the constraint graph: a node, a token, or NOTHING."""

NOTHING = Operand(-1)


def node_operand(node: int) -> Operand:
    """The operand that is a node."""
    return Operand(node)


def token_operand(token: int) -> Operand:
    """The operand that is a token."""
    return Operand(-2 - token)


def is_node(operand: Operand) -> bool:
    """Whether an operand is a node; its integer is then the node's number."""
    return operand >= 0


def is_token(operand: Operand) -> bool:
    """Whether an operand is a token."""
    return operand < NOTHING


def operand_token(operand: Operand) -> int:
    """The token that an operand is; -1 for a node and for NOTHING."""
    return -2 - operand if operand < NOTHING else -1


ForwardedValue = NewType("ForwardedValue", int)
"""What a call site hands on: a function by its number, or a parameter of its caller."""


def forwarded_function(function: int) -> ForwardedValue:
    """The value that is a function."""
    return ForwardedValue(function)


def forwarded_parameter(index: int) -> ForwardedValue:
    """The value that is the caller's own parameter."""
    return ForwardedValue(-1 - index)


def is_function(value: int) -> bool:
    """Whether a forwarded value is a function; its integer is then the function's number."""
    return value >= 0


def parameter_index(value: int) -> int:
    """The index of the caller's parameter that a forwarded value is; negative for a function."""
    return -1 - value
