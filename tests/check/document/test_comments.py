"""Comments over several lines, and in strings."""


import pytest

from tests.support.parsing import read_lines


def test_comments_over_lines_and_in_strings() -> None:
    lines = read_lines(
        'a_0() {\n\t/* b_1() {\n\t * c_1()\n\t */\n\td_1("//", "/* x"); // e_1()\n}\n'
        "drivers/net/* f_1()\ng_1();\n")
    assert [line.claim.name for line in lines if line.claim.name] == ["a_0", "d_1", "g_1"]
    assert lines[4].claim.arguments == ('"//"', '"/* x"')
    assert (lines[4].parent, lines[4].comment) == (1, "e_1()")
    assert [line.number for line in lines] == list(range(1, 9))


@pytest.mark.parametrize("unit", ['\\"', " /* x", '"a" ', "// ", '"/* '])
def test_long_lines_of_quotes_and_comments_take_linear_time(unit: str) -> None:
    assert len(read_lines(f'{{"a": "/{unit * 200_000} */')) == 1
