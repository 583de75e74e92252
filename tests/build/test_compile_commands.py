import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.build.compile_commands import parse_compile_command, split_commands, split_words

REAL = (
    "set -e;  echo '  gcc -DX='\\''\"raw\"'\\'' -c -o raw.o raw.c'; gcc -Wp,-MD,.raw.o.d "
    '-I/t/include -I ./net -D"KBUILD_STR(s)=#s" -DKBUILD_BASENAME=\'"raw"\' -c -o net/raw.o '
    "/t/net/raw.c   ; ./objtool net/raw.o; trap 'rm -f x; y' INT"
)


def test_the_command_is_found_among_the_shell_around_it() -> None:
    found = [c for text in split_commands(REAL) if (c := parse_compile_command(split_words(text)))]
    assert [(c.source, c.object) for c in found] == [("/t/net/raw.c", "net/raw.o")]
    assert "-DKBUILD_STR(s)=#s" in found[0].arguments
    assert '-DKBUILD_BASENAME="raw"' in found[0].arguments


@pytest.mark.parametrize(
    "text",
    [
        "gcc -o prog a.o b.o",
        "gcc -o lib/gen_crc32table lib/gen_crc32table.c",
        "ld -r -o a.o b.o",
        "gcc",
        "",
        "gcc -c",
        "cp -c a.c b.c",
    ],
)
def test_commands_that_compile_nothing_are_none(text: str) -> None:
    assert parse_compile_command(split_words(text)) is None


def test_caches_and_cross_compilers_are_compilers() -> None:
    found = parse_compile_command(split_words("ccache /opt/aarch64-linux-gnu-gcc-12 -c a.c"))
    assert found is not None
    assert (found.source, found.object) == ("a.c", "a.o")
    assert found.arguments == ("--target=aarch64-linux-gnu",)


def test_an_included_c_file_is_not_the_source() -> None:
    found = parse_compile_command(split_words("gcc -include x.c -c -oa.o a.c"))
    assert found is not None
    assert (found.source, found.object, found.arguments) == ("a.c", "a.o", ("-include", "x.c"))


def test_an_unclosed_quote_does_no_harm() -> None:
    assert split_words("a 'b") == ["a", "b"]


@given(st.text(alphabet="ab'\"\\ \n#;x$`\t", max_size=14))
def test_words_are_unquoted_as_a_shell_does(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:  # an unclosed quote
        return
    assert [word for word in split_words(text) if word] == [word for word in expected if word]
