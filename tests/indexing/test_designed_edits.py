"""Edits that are easy to overlook: the index after each is that of a cold run."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgraph.indexing import write_index
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from tests.support.index_contents import differences

pytestmark = pytest.mark.reindexing

Files = dict[str, str]
CONF = "include/generated/autoconf.h"
HEAD = "#include <generated/autoconf.h>\n"
X1, X0, Y1, Y0 = (f"#define CONFIG_{name} {value}\n" for name in "XY" for value in (1, 0))
NAMED = "#define DO_1 two\n#define DO_0 one\n#define DO_(x) DO_##x\n#define DO(x) DO_(x)\n"
CAT = "#define CAT_(a, b) a##b\n#define CAT(a, b) CAT_(a, b)\n"
HEADER = "static inline int h(int a)\n{{\n\treturn {}(a);\n}}\n"
ONE, TWO = HEADER.format("one"), HEADER.format("two")


def asks(condition: str, before: str = HEAD) -> Files:
    """A source that calls two() if a condition holds, else one()."""
    return {"a.c": f"{before}int one(int), two(int);\n#if {condition}\n#define h two\n#else\n"
                   "#define h one\n#endif\nint f(int a)\n{\n\treturn h(a);\n}\n"}


def calls(expression: str, before: str = HEAD) -> Files:
    """A source that calls what an expression says."""
    return {"a.c": f"{before}int one(int), two(int);\nint f(int a)\n{{\n\treturn {expression}(a);"
                   "\n}\n"}


def includes(name: str) -> Files:
    """A source that calls the h() of a header."""
    return {"a.c": f"int one(int), two(int);\n#include {name}\nint f(int a)\n{{\n\treturn h(a);"
                   "\n}\n"}


ENABLED, DEFINED = asks("CONFIG_X"), asks("defined(CONFIG_X)")
SYMBOLS: dict[str, tuple[Files, str, str]] = {  # a source, and the header before and after
    "a symbol more": (ENABLED, "", X1),
    "a symbol less": (DEFINED, X1, ""),
    "another value": (ENABLED, X0, X1),
    "a negative value": (asks("CONFIG_X < 0"), X1, "#define CONFIG_X -1\n"),
    "a value of none": (asks("CONFIG_X + 1 == 2"), X1, "#define CONFIG_X\n"),
    "a value that is another symbol": (
        ENABLED, "#define CONFIG_X CONFIG_Y\n" + Y0, "#define CONFIG_X CONFIG_Y\n" + Y1),
    "a value in parentheses": (ENABLED, "#define CONFIG_X (0)\n", "#define CONFIG_X (1)\n"),
    "a value that is a name": (
        calls("CONFIG_X"), "#define CONFIG_X one\n", "#define CONFIG_X two\n"),
    "a blank after the sign": (ENABLED, "# define CONFIG_X 0\n", "# define CONFIG_X 1\n"),
    "a blank before the sign": (ENABLED, "  #define CONFIG_X 0\n", "  #define CONFIG_X 1\n"),
    "a tab after define": (ENABLED, "#define\tCONFIG_X 0\n", "#define\tCONFIG_X 1\n"),
    "a comment after define": (ENABLED, X0, "#define /**/ CONFIG_X 1\n"),
    "a comment after the value": (ENABLED, X0, "#define CONFIG_X 1 /* as asked */\n"),
    "a digraph": (ENABLED, "%:define CONFIG_X 0\n", "%:define CONFIG_X 1\n"),
    "no end of line": (ENABLED, X0, X1.rstrip()),
    "carriage returns": (ENABLED, "#define CONFIG_X 0\r\n", "#define CONFIG_X 1\r\n"),
    "an undef": (DEFINED, X1, X1 + "#undef CONFIG_X\n"),
    "an undef less": (DEFINED, X1 + "#undef CONFIG_X\n", X1),
    "a value on the next line": (ENABLED, "#define CONFIG_X \\\n0\n", "#define CONFIG_X \\\n1\n"),
    "a name on the next line": (DEFINED, "", "#define \\\nCONFIG_X 1\n"),
    "a broken name": (DEFINED, "", "#define CONFIG_\\\nX 1\n"),
    "a broken sum": (ENABLED, "#define CONFIG_X 0 \\\n+0\n", "#define CONFIG_X 0 \\\n+1\n"),
    "out of a comment": (DEFINED, "/*\n#define CONFIG_X 1\n*/\n", X1),
    "into a comment": (DEFINED, X1, "/*\n" + X1 + "*/\n"),
    "into a condition": (DEFINED, X1, "#if 0\n" + X1 + "#endif\n"),
    "another condition": (DEFINED, "#if 0\n" + X1 + "#endif\n", "#if 1\n" + X1 + "#endif\n"),
    "an include": (ENABLED, "", "#include <symbols.h>\n"),
    "a function": (calls("g"), ONE.replace("h(", "g("), TWO.replace("h(", "g(")),
    "a macro with parameters": (
        calls("CONFIG_X()"), "#define CONFIG_X() one\n", "#define CONFIG_X() two\n"),
    "twice in another order": (ENABLED, X1 + X0, X0 + X1),
    "a name without CONFIG_": (asks("OTHER"), "#define OTHER 0\n", "#define OTHER 1\n"),
    "a name before CONFIG_": (asks("MY_CONFIG_X"), "", "#define MY_CONFIG_X 1\n"),
    "a prefix of CONFIG_": (asks("CONFIGS"), "", "#define CONFIGS 1\n"),
}
PASTED = (  # what a source says with CONFIG_X and CONFIG_A_B, and what it calls
    ("", "DO(CONFIG_X)"),
    ("#define P(x) DO(CONFIG_##x)", "P(X)"),
    ("#define P(x) DO(CONFIG_ ## x)", "P(X)"),
    ("#define P(x) DO(CONFIG_%:%:x)", "P(X)"),
    ("#define P(x) DO(CONFIG_A_##x)", "P(B)"),
    ("#define P(x) DO(CONFIG##x)", "P(_X)"),
    ("#define P(x) DO(CON##x)", "P(FIG_X)"),
    ("#define P(x) DO(CONFIG_\\\n##x)", "P(X)"),
    ("#define P(x, y) DO(CONFIG_##x##_##y)", "P(A, B)"),
    ("#define P(x) DO(x##_B)", "P(CONFIG_A)"),
    ("#define P(x) DO(x ## _B)", "P(CONFIG_A)"),
    ("#define P(x) DO(CAT(CONFIG_, x))", "P(X)"),
    ("", "DO(CAT(CONFIG_, X))"),
    ("", "DO(CAT(CONFIG, _X))"),
    ("", "DO(CAT(CONFIG_A, _B))"),
    ("#define P CONFIG_A", "DO(CAT(P, _B))"),
    ("#define P (CONFIG_X)", "(DO_1, P ? two : one)"),
    ("", "DO(CONFIG_\\\nX)"),
    ("", "DO(CONFIG_\\ \nX)"),
    ("", "DO(CON\\\nFIG_X)"),
    ("#include <asked.h>", "DO(ASKED)"),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder without the indexes of other tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of two units; b.c reads nothing but the symbols."""
    folder = tmp_path / "tree"
    write(folder, {
        "include/symbols.h": X1, "include/asked.h": "#define ASKED CONFIG_X\n", CONF: "",
        "b.c": HEAD + "int b(void)\n{\n\treturn 0;\n}\n"})
    compile_units(folder, "a.c", "b.c")
    return folder


def compile_units(tree: Path, *names: str) -> None:
    flags = ["-nostdinc", "-Ifirst", "-Isecond", "-Iinclude"]
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": name, "arguments": ["gcc", *flags, "-c", name]}
        for name in names]))


def write(tree: Path, files: Files) -> None:
    """Write files as if that was long ago."""
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
        os.utime(tree / name, ns=(10**18, 10**18))


def index(tree: Path, name: str = "x", again: bool = False) -> IndexSummary:
    return index_tree(IndexRequest(
        tree, index=tree.parent / f"{name}.kgraph", jobs=0, again=again, precompiled=False))


def assert_noticed(tree: Path, edit: Callable[[], object]) -> IndexSummary:
    """An edit changes what a cold run says, and the next run says that, too."""
    before = shutil.copyfile(index(tree).index, tree.parent / "before.kgraph")
    edit()
    warm, cold = index(tree), index(tree, "cold", again=True)
    assert differences(before, cold.index)
    assert not differences(warm.index, cold.index)
    return warm


@pytest.mark.parametrize("kind", SYMBOLS)
def test_an_edit_of_the_symbols_is_noticed(tree: Path, kind: str) -> None:
    files, before, after = SYMBOLS[kind]
    write(tree, {**files, CONF: before})
    assert_noticed(tree, lambda: write(tree, {CONF: after}))


def test_symbols_that_are_pasted_are_noticed(tree: Path) -> None:
    head = HEAD + NAMED + CAT + "int one(int), two(int);\n"
    for number, (line, callee) in enumerate(PASTED):
        write(tree, {f"p{number}.c": f"{head}{line}\nint f{number}(int a)\n{{\n"
                                     f"\treturn ({callee})(a);\n}}\n"})
    compile_units(tree, "b.c", *(f"p{number}.c" for number in range(len(PASTED))))
    write(tree, {CONF: X0 + "#define CONFIG_A_B 0\n"})
    summary = assert_noticed(tree, lambda: write(tree, {CONF: X1 + "#define CONFIG_A_B 1\n"}))
    assert (summary.units_read, summary.units_kept) == (len(PASTED), 1)


def put_in_place(tree: Path, name: str, text: str) -> None:
    """Move a file to where another of the same size and time lies."""
    write(tree, {"moved": text})
    (tree / "moved").rename(tree / name)


def turn(tree: Path, name: str, target: str) -> Path:
    """Have a link lead somewhere else."""
    (tree / name).unlink(missing_ok=True)
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).symlink_to(tree / target)
    return tree / name


def move(tree: Path, one: str, other: str) -> Path:
    return (tree / one).rename(tree / other)


FILES: dict[str, tuple[Files, Callable[[Path], object]]] = {  # a tree, and its edit
    "same size, time put back": (
        calls("one"), lambda tree: write(tree, calls("two"))),
    "a header, time put back": (
        {**includes("<x.h>"), "first/x.h": ONE}, lambda tree: write(tree, {"first/x.h": TWO})),
    "another file of the same size and time": (
        {**includes("<x.h>"), "first/x.h": ONE},
        lambda tree: put_in_place(tree, "first/x.h", TWO)),
    "a file that becomes a link": (
        {**includes("<x.h>"), "first/x.h": ONE, "y.h": TWO},
        lambda tree: turn(tree, "first/x.h", "y.h")),
    "a folder that takes the place of another": (
        {**includes("<s/x.h>"), "first/s/x.h": ONE, "first/t/x.h": TWO},
        lambda tree: (move(tree, "first/s", "u"), move(tree, "first/t", "first/s"))),
    "a folder that comes": (
        {**includes("<s/x.h>"), "second/s/x.h": ONE, "first/y.h": "", "u/x.h": TWO},
        lambda tree: move(tree, "u", "first/s")),
    "a folder that becomes a link": (
        {**includes("<s/x.h>"), "first/s/x.h": ONE, "u/x.h": TWO},
        lambda tree: (move(tree, "first/s", "v"), turn(tree, "first/s", "u"))),
    "a header that goes": (
        {**includes("<x.h>"), "first/x.h": ONE, "second/x.h": TWO},
        lambda tree: (tree / "first/x.h").unlink()),
    "a header found first": (
        {**includes("<x.h>"), "second/x.h": ONE}, lambda tree: write(tree, {"first/x.h": TWO})),
    "a header beside the source": (
        {**includes('"x.h"'), "second/x.h": ONE}, lambda tree: write(tree, {"x.h": TWO})),
    "a header found next": (
        {**includes("<x.h>"), "first/x.h": "#include_next <x.h>\n", "include/x.h": ONE},
        lambda tree: write(tree, {"second/x.h": TWO})),
    "a link found first": (
        {**includes("<x.h>"), "second/x.h": ONE, "y.h": TWO},
        lambda tree: turn(tree, "first/x.h", "y.h")),
    "symbols found first": (
        {**ENABLED, CONF: X0}, lambda tree: write(tree, {"first/generated/autoconf.h": X1})),
    "a builtin header": (
        calls("offsetof(struct s, x)", "struct s { int x; };\n#include <stddef.h>\nint one(int);\n"
                                       "#define __builtin_offsetof(a, b) one\n"),
        lambda tree: write(tree, {"first/stddef.h": "#define offsetof(a, b) two\n"})),
    "a builtin header behind a macro": (
        calls("NULL ? one :", "#define H <stddef.h>\n#include H\n"),
        lambda tree: write(tree, {"first/stddef.h": "#define NULL two ? two\n"})),
    "a builtin header of a header": (
        {**calls("NULL ? one :", "#include <n.h>\n"), "include/n.h": "#include <stddef.h>\n"},
        lambda tree: write(tree, {"second/stddef.h": "#define NULL two ? two\n"})),
    **{f"a tested header: {test}": (
        asks(test, before), lambda tree: write(tree, {"first/x.h": ""}))
       for before, test in (
           ("", "__has_include(<x.h>)"), ("", '__has_include ( "x.h" )'),
           ("", "__has_include/* here */(<x.h>)"), ("", "__has_include(/* here */<x.h>)"),
           ("", "__has_include\\\n(<x.h>)"), ("", "__has_\\\ninclude(<x.h>)"),
           ("", "__has_include(<x\\\n.h>)"), ("", "__has_include(<../first/x.h>)"),
           ("#define H <x.h>\n", "__has_include(H)"),
           ("#define T(x) __has_include(x)\n", "T(<x.h>)"))},
    "a tested header that goes": (
        {**asks("__has_include(<x.h>)"), "first/x.h": ""},
        lambda tree: (tree / "first/x.h").unlink()),
    "another flag": (
        calls("DO(X)", NAMED + "#ifndef X\n#define X 0\n#endif\n"), lambda tree: (
            tree / "compile_commands.json").write_text((
                tree / "compile_commands.json").read_text().replace('"-c"', '"-DX=1", "-c"'))),
}


@pytest.mark.parametrize("kind", FILES)
def test_an_edit_of_a_file_is_noticed(tree: Path, kind: str) -> None:
    files, edit = FILES[kind]
    write(tree, files)
    assert_noticed(tree, lambda: edit(tree))


def test_a_link_that_turns_is_noticed(tree: Path) -> None:
    for name, target in (("first/x.h", "y.h"), ("first/s", "u")):
        write(tree, {**includes(f"<{'x.h' if name.endswith('.h') else 's/x.h'}>"),
                     "y.h": ONE, "z.h": TWO, "u/x.h": ONE, "v/x.h": TWO})
        turn(tree, name, target)
        assert_noticed(tree, lambda: turn(tree, name, {"y.h": "z.h", "u": "v"}[target]))  # noqa: B023


@pytest.mark.parametrize("is_known", [False, True])
def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    tree: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """Whatever a run has read: the next one says what the tree holds."""
    write(tree, {**includes("<x.h>"), "first/x.h": ONE})
    if is_known:
        index(tree)
        write(tree, {"first/x.h": ONE + "\n"})
    read = write_index._read_units

    def replace(run: Any, plan: Any, writer: Any) -> None:
        (tree / "first/x.h").rename(tree / "kept.h")
        write(tree, {"first/x.h": TWO})
        read(run, plan, writer)
        (tree / "kept.h").rename(tree / "first/x.h")

    monkeypatch.setattr(write_index, "_read_units", replace)
    index(tree)
    monkeypatch.undo()
    warm, cold = index(tree), index(tree, "cold", again=True)
    assert not differences(warm.index, cold.index)
