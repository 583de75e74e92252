"""Integers that hold a number of one of several kinds; only these functions make and read them.

The arrays of a graph and the loops of the solver cannot afford an object for every number. A number
of the first kind stands as it is, the others below zero. Ask `is_node`, `is_token`, `is_function`
or `is_parameter` first: what gives the number back does not check the kind.
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
    """The token of an operand for which `is_token` holds."""
    return -2 - operand


ForwardedValue = NewType("ForwardedValue", int)
"""What a call site hands on: a function, a parameter of its caller, or one of a set of functions;
each by its number."""


def forwarded_function(function: int) -> ForwardedValue:
    """The value that is a function."""
    return ForwardedValue(function)


def forwarded_parameter(index: int) -> ForwardedValue:
    """The value that is the caller's own parameter."""
    return ForwardedValue(-1 - 2 * index)


def forwarded_set(number: int) -> ForwardedValue:
    """The value that is one function of a set."""
    return ForwardedValue(-2 - 2 * number)


def is_function(value: ForwardedValue) -> bool:
    """Whether a forwarded value is a function; its integer is then the function's number."""
    return value >= 0


def is_parameter(value: ForwardedValue) -> bool:
    """Whether a forwarded value is a parameter of the caller."""
    return value < 0 and value % 2 == 1


def parameter_index(value: ForwardedValue) -> int:
    """The index of the caller's parameter, of a value for which `is_parameter` holds."""
    return (-1 - value) // 2


def set_number(value: ForwardedValue) -> int:
    """The number of the set, of a value that is neither a function nor a parameter."""
    return (-2 - value) // 2
