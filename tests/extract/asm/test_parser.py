"""The syntax of assembler: macros, conditions, line markers, comments."""

import pytest

from kgraph.extract.asm.parser import AsmStatement, SourceLine, iter_marked_lines, parse_statements


def lines(text: str) -> list[SourceLine]:
    return [
        SourceLine("a.S", number, line) for number, line in enumerate(text.split("\n"), start=1)
    ]


def words(text: str) -> list[str]:
    return [f"{s.word} {s.rest}".strip() for s in parse_statements(lines(text)) if s.word]


def test_macros_of_the_assembler() -> None:
    assert words("""
.macro inner name, twice=0
    call \\name\\()_one
    .if \\twice
    call \\name
    .endif
.endm
.macro outer a b=two c:req
    inner \\a 1 ; inner \\b
    jmp \\c\\@
.endm
outer x, c=y
""") == ["call x_one", "call x", "call two_one", "jmp y1"]


def test_macros_without_end_are_an_error() -> None:
    with pytest.raises(ValueError, match="without end"):
        parse_statements(lines(".macro m\nm\nm\n.endm\nm"))


@pytest.mark.parametrize(("condition", "kept"), [
    (".if 1", "a"), (".if 0", "b"), (".if 3 != -1 && !0", "a"), (".ifeq 1-1", "a"),
    (".ifnb  ", "b"), (".ifb", "a"), (".ifc x,x", "a"), (".ifnc x,x", "b"),
    (".if symbol - 4", "a b"), (".ifdef CONFIG", "a b"), (".if (1 == 2) || 0x10 & 16", "a"),
    (".if 1 +", "a b"), (".if 2 < 1 < 3", "a b"),
])
def test_conditions_that_depend_on_numbers_are_decided(condition: str, kept: str) -> None:
    assert words(f"{condition}\n a\n.else\n b\n.endif\n") == kept.split()


def test_else_if_and_nesting() -> None:
    assert words(".if 0\n.if 1\n a\n.endif\n.elseif 1\n b\n.else\n c\n.endif\n d") == ["b", "d"]


def test_line_markers_and_comments() -> None:
    text = '# 1 "x.S"\n# 7 "dir/y.h" 1\n one # two\n/* z */ three; four\n# 3 "x.S" 2\nfive: six'
    assert parse_statements(iter_marked_lines(text)) == [
        AsmStatement("dir/y.h", 7, (), "one", ""), AsmStatement("dir/y.h", 8, (), "three", ""),
        AsmStatement("dir/y.h", 8, (), "four", ""), AsmStatement("x.S", 3, ("five",), "six", "")]
