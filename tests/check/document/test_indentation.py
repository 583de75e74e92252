"""Trees as people draw them."""


import pytest

from tests.support.parsing import read_lines


@pytest.mark.parametrize("tree", [
    "a_1()\n├── b_1()\n│   └── c_1()\n└── d_1()\n",
    "a_1()\n    b_1()\n        c_1()\n    d_1()\n",
    "a_1()\n\tb_1()\n\t\tc_1()\n\td_1()\n",
    "a_1()\r\n+-b_1()\r\n| +-c_1()\r\n+-d_1()\r\n",
    "- a_1()\n  - b_1()\n    - c_1()\n  - d_1()\n",
    "a_1()\n|--b_1()\n|  |--c_1()\n|--d_1()\n",
    "a_1()\n |- b_1()\n |    `- c_1()\n `- d_1()\n",
    "- `a_1()`\n  - `b_1()`:\n    - **c_1()**\n  - **`d_1()`**\n",
    (" 0)               |  a_1() {\n 0)               |    b_1() {\n 0)   0.5 us    |      c_1();\n"
    " 0)   1.0 us    |    }\n 0)   0.5 us    |    d_1();\n 0)   3.0 us    |  }\n"),
    "a_1() {\nb_1() {\nc_1();\n}\nd_1();\n}\n",
])
def test_drawings(tree: str) -> None:
    lines = {line.claim.name: line for line in read_lines(f"```\n{tree}```\n") if line.claim.name}
    assert list(lines) == ["a_1", "b_1", "c_1", "d_1"]
    parents = {name: lines[name].parent for name in lines}
    numbers = {name: lines[name].number for name in lines}
    assert parents == {"a_1": 0, "b_1": numbers["a_1"], "c_1": numbers["b_1"],
                       "d_1": numbers["a_1"]}


def test_the_markers_of_a_list_stand_below_each_other() -> None:
    lines = read_lines("9. a_1()\n   - b_1()\n10. c_1()\n- d_1()\n  - e_1()\n    * f_1()\n")
    assert [line.parent for line in lines] == [0, 1, 0, 0, 4, 5]
    under = read_lines("a_0()\n- b_1()\n- c_1()\n")
    assert [line.parent for line in under] == [0, 1, 1]


def test_a_deep_document_is_read_and_its_lines_stand_under_each_other() -> None:
    deep = "".join(f"{' ' * depth}f_{depth}()\n" for depth in range(1500))
    lines = read_lines(f"```\n{deep}```\n")[1:-1]
    assert [line.depth for line in lines] == list(range(1500))
