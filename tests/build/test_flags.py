from pathlib import Path

import pytest

from kgraph.build import BUILTIN_HEADERS
from kgraph.build.flags import is_translated, translate_flags


def flags(*words: str, root: Path = Path("/tree")):
    return translate_flags(words, lambda path: str(Path("/tree") / path), [root])


def test_flags_that_change_the_meaning_are_kept_with_absolute_paths() -> None:
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
        ["-mabi=lp64"],
        ["-g"],
        ["-isystem", "/usr/lib/gcc/x86_64-linux-gnu/7/include"],
        ["-isystem/usr/lib/llvm-14/lib/clang/14.0.6/include"],
        ["-fsome-flag-of-gcc-30"],
        ["--target=x86_64-linux-gnu/x"],  # clang would look for a file x-clang.cfg with more flags
        ["-std=../x"],
        ["-ObjC"],
    ],
)
def test_flags_that_libclang_rejects_are_dropped_silently(words: list[str]) -> None:
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
        ["-include/etc/passwd"],
        ["-imacros../outside.h"],
        ["-include-pch", "/evil.pch"],
        ["-fplugin=/evil\n.so"],
        ["@/evil\n"],
    ],
)
def test_flags_that_load_or_read_foreign_code_are_refused(words: list[str]) -> None:
    found = translate_flags(
        [*words, "-DLAST"], lambda path: str((Path("/tree") / path).resolve()), [Path("/tree")]
    )
    assert "-DLAST" in found.arguments
    assert not any("evil" in word or "passwd" in word for word in found.arguments)
    assert len(found.refused) == 1


def test_a_header_outside_behind_a_link_of_the_tree_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "out.h").write_text("int out;\n")
    (tree / "in.h").symlink_to(tmp_path / "out.h")
    found = translate_flags(["-include", "in.h"], lambda path: str(tree / path), [tree])
    assert found.refused == ("-include in.h",)


@pytest.mark.parametrize("flag", ["-I{}", "-I {}", "-isystem {}", "-iquote{}", "-idirafter{}"])
def test_a_header_that_is_found_in_a_folder_elsewhere_is_refused(
    tmp_path: Path, flag: str
) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir()
    outside.mkdir()
    (outside / "out.h").write_text("int out;\n")
    for words in (["-include", "out.h"], ["-imacrosout.h"]):
        found = translate_flags([*words, *flag.format(outside).split()],
                            lambda path: str(tree / path), [tree])
        assert len(found.refused) == 1
        assert "out.h" not in " ".join(found.arguments)


def test_the_first_headers_of_a_kernel_elsewhere_are_no_foreign_code(tmp_path: Path) -> None:
    """A module is compiled with those of the kernel that it is built for."""
    module, kernel = tmp_path / "module", tmp_path / "linux"
    (kernel / "include/linux").mkdir(parents=True)
    module.mkdir()
    for name in ("kconfig.h", "evil.h"):
        (kernel / "include/linux" / name).write_text("int x;\n")
    words = ["-include", f"{kernel}/include/linux/kconfig.h",
             "-include", f"{kernel}/include/linux/evil.h"]
    find = lambda: translate_flags(words, lambda path: str(module / path), [module])  # noqa: E731
    assert len(find().refused) == 2  # it is no kernel
    (kernel / "Makefile").write_text("all:\n")
    assert find().refused == (f"-include {kernel}/include/linux/evil.h",)
    assert f"{kernel}/include/linux/kconfig.h" in find().arguments


@pytest.mark.parametrize("words", [
    ["-include", "in.h"], ["-includein.h"], ["-imacros", "sub/in.h"], ["-include", "stdarg.h"]])
def test_a_header_that_is_found_in_a_folder_of_the_tree_is_named(
    tmp_path: Path, words: list[str]
) -> None:
    tree = tmp_path / "tree"
    (tree / "inc/sub").mkdir(parents=True)
    for name in ("inc/in.h", "inc/sub/in.h"):
        (tree / name).write_text("")
    (tree / "in.h").mkdir()  # no header
    found = translate_flags([*words, "-Iinc"], lambda path: str(tree / path), [tree])
    assert not found.refused
    place = Path(found.arguments[1])
    assert place.is_file()
    assert found.arguments[0] == words[0].removesuffix("in.h")


def test_a_missing_header_is_not_left_to_clang_to_find() -> None:
    assert flags("-include", "stdio.h").arguments[:2] == ("-include", "/tree/stdio.h")


def test_a_macro_of_several_lines_is_kept() -> None:
    assert "-DX=a\nb" in flags("-DX=a\nb").arguments


@pytest.mark.parametrize("word", ["-D", "-U"])
def test_a_macro_without_a_name_takes_no_other_flag(word: str) -> None:
    assert word not in flags("-DA", word).arguments
    assert word not in flags("-DA", word, "").arguments


def test_a_flag_without_its_value_at_the_end_does_no_harm() -> None:
    for word in ("-I", "-D", "-MF", "-Xclang"):
        assert "-w" in flags(word).arguments


def test_builtin_headers_exist() -> None:
    for name in ("stdarg.h", "stddef.h", "stdbool.h", "stdint.h", "limits.h"):
        assert (BUILTIN_HEADERS / name).is_file()


@pytest.mark.parametrize(("flag", "known"), [
    ("-fplan9-extensions", "-fms-extensions"), ("-fms-anonymous-structs", "-fms-extensions"),
    ("-mno-80387", "-mno-x87"),
])
def test_a_flag_that_libclang_does_not_know_gets_the_name_of_one_that_does_the_same(
    flag: str, known: str
) -> None:
    assert flags(flag).arguments[0] == known


def test_only_flags_that_pass_the_filter_pass_it_again(tmp_path: Path) -> None:
    (tmp_path / "k.h").touch()
    words = ["-nostdinc", f"-I{tmp_path}/include", "-include", f"{tmp_path}/k.h", "-DX=1",
             "-isystem", "/usr/lib/gcc/x/include", "-Wall"]
    made = translate_flags(words, lambda path: path, [tmp_path]).arguments
    assert is_translated(made, [tmp_path])
    assert is_translated((*made, "-iquote", str(tmp_path)), [tmp_path])
    for more in (("-fplugin=./x.so",), ("-include", "@response"), ("-include", "/etc/passwd"),
                 ("@response",), ("-Xclang", "-load"), ("-B/tmp",)):
        assert not is_translated((*more, *made), [tmp_path])
        assert not is_translated((*made, *more), [tmp_path])
    assert not is_translated(made[:-1], [tmp_path])
