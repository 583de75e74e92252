from pathlib import Path

import pytest

from kgraph.kernel import BUILTIN_HEADERS
from kgraph.kernel.flags import clang_flags


def flags(*words: str, root: Path = Path("/tree")):
    return clang_flags(words, lambda path: str(Path("/tree") / path), [root])


def test_what_changes_the_meaning_is_kept_and_absolute() -> None:
    found = flags(
        *("-nostdinc", "-Iinclude", "-I", "net", "-isystem", "sys", "-D", "A=1", "-DB", "-UC"),
        *("-std=gnu89", "-m64", "-mno-sse", "-O2", "-fno-pie", "-fshort-wchar", "-mcmodel=kernel"),
    )
    assert found.arguments == (
        *("-nostdinc", "-I/tree/include", "-I/tree/net", "-isystem", "/tree/sys", "-DA=1", "-DB"),
        *("-UC", "-std=gnu89", "-m64", "-mno-sse", "-O2", "-fno-pie", "-fshort-wchar"),
        *("-mcmodel=kernel", "-isystem", str(BUILTIN_HEADERS), "-w", "--no-default-config"),
    )
    assert found.refused == ()


@pytest.mark.parametrize(
    "words",
    [
        ["-Wp,-MD,x.d"],
        ["-MF", "x.d"],
        ["-mpreferred-stack-boundary=3"],
        ["-fconserve-stack"],
        ["-maccumulate-outgoing-args"],
        ["--param", "x=1"],
        ["-Wall"],
        ["-g"],
        ["-isystem", "/usr/lib/gcc/x86_64-linux-gnu/7/include"],
        ["-isystem/usr/lib/llvm-14/lib/clang/14.0.6/include"],
        ["-fsome-flag-of-gcc-30"],
        ["--target=x86_64-linux-gnu/x"],  # clang would look for a file x-clang.cfg with more flags
        ["-std=../x"],
        ["-ObjC"],
    ],
)
def test_what_libclang_rejects_is_dropped_silently(words: list[str]) -> None:
    found = flags(*words, "-DLAST")
    assert found.arguments == (
        "-DLAST", "-isystem", str(BUILTIN_HEADERS), "-w", "--no-default-config")
    assert found.refused == ()


@pytest.mark.parametrize(
    "words",
    [
        ["-fplugin=/evil.so"],
        ["-fplugin-arg-x-y=1"],
        ["-Xclang", "-load"],
        ["-load", "/evil.so"],
        ["@/etc/passwd"],
        ["-include", "/etc/passwd"],
        ["-imacros", "../outside.h"],
        ["-include", "../tree-not/x.h"],
        ["-B/evil"],
        ["-wrapper", "evil"],
    ],
)
def test_what_loads_or_reads_foreign_code_is_refused_and_told(words: list[str]) -> None:
    found = clang_flags(
        [*words, "-DLAST"], lambda path: str((Path("/tree") / path).resolve()), [Path("/tree")]
    )
    assert "-DLAST" in found.arguments
    assert not any("evil" in word or "passwd" in word for word in found.arguments)
    assert len(found.refused) == 1


def test_a_header_that_a_link_in_the_tree_leads_out_to_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "out.h").write_text("int out;\n")
    (tree / "in.h").symlink_to(tmp_path / "out.h")
    found = clang_flags(["-include", "in.h"], lambda path: str(tree / path), [tree])
    assert found.refused == ("-include in.h",)


def test_a_flag_without_its_value_at_the_end_does_no_harm() -> None:
    for word in ("-I", "-D", "-MF", "-Xclang"):
        assert "-w" in flags(word).arguments


def test_our_headers_are_there() -> None:
    for name in ("stdarg.h", "stddef.h", "stdbool.h", "stdint.h", "limits.h"):
        assert (BUILTIN_HEADERS / name).is_file()
