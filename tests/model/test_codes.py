"""Numbers of two kinds in one integer come out as they went in."""

from hypothesis import given
from hypothesis import strategies as st

from kgraph.model import codes

NUMBERS = st.integers(0, 2**31)


@given(NUMBERS)
def test_an_operand_is_a_node_or_a_token(number: int) -> None:
    node, token = codes.node_operand(number), codes.token_operand(number)
    assert codes.is_node(node)
    assert not codes.is_token(node)
    assert node == number
    assert codes.is_token(token)
    assert not codes.is_node(token)
    assert codes.operand_token(token) == number


def test_nothing_is_neither_node_nor_token() -> None:
    assert not codes.is_node(codes.NOTHING)
    assert not codes.is_token(codes.NOTHING)


@given(NUMBERS)
def test_a_forwarded_value_is_a_function_or_a_parameter(number: int) -> None:
    function, parameter = codes.forwarded_function(number), codes.forwarded_parameter(number)
    assert codes.is_function(function)
    assert function == number
    assert not codes.is_function(parameter)
    assert codes.parameter_index(parameter) == number

