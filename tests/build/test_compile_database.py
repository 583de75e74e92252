"""Compile databases of this machine and another, and bad ones."""

import json
from pathlib import Path

import pytest

from kgraph.build import UnitRequest, list_translation_units, open_tree
from kgraph.build.compile_database import NO_COMPILER
from kgraph.errors import ConfigurationError

FAR = "/home/somebody/linux"
COMMAND = (
    "gcc -Wp,-MD,x.d -nostdinc -isystem /usr/lib/gcc/x86_64-linux-gnu/7/include -Iinclude "
    "-I{far}/arch -include ./include/linux/kconfig.h -D__KERNEL__ -c -o {o} {c}"
)


def entry(source: str, **more: object) -> dict[str, object]:
    target = source.rsplit(".", 1)[0] + ".o"
    command = COMMAND.format(far=FAR, o=target, c=source)
    return {"directory": FAR, "file": source, "command": command, "output": target, **more}


def units(tree: Path, content: object, told: list[str] | None = None, **options: object):
    file = tree.parent / "list.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    opened = open_tree(tree, compile_commands=file)
    told = [] if told is None else told
    return list_translation_units(
        opened, UnitRequest(compile_commands=file, **options), work=tree.parent / "work",
        remark=told.append)


@pytest.fixture
def built(tree: Path) -> Path:
    """The tree with the generated header that every unit includes."""
    (tree / "include/generated").mkdir()
    (tree / "include/generated/autoconf.h").write_text("")
    return tree


def test_a_list_of_another_machine_is_moved_here(built: Path) -> None:
    listed = [
        entry("net/core/dev.c"),
        entry("net/entry.s"),
        entry("drivers/net/veth.mod.c"),
        entry("scripts/mod/empty.c"),
        entry("net/core/dev.c", command="gcc -c host.c", output="host.o"),
    ]
    told: list[str] = []
    found = units(built, listed, told)
    (unit,) = found.units
    assert (unit.path, unit.object, unit.image) == ("net/core/dev.c", "net/core/dev.o", "vmlinux")
    assert unit.file == str(built / "net/core/dev.c")
    assert unit.directory == str(built)
    assert f"-I{built}/include" in unit.arguments
    assert f"-I{built}/arch" in unit.arguments
    assert str(built / "include/linux/kconfig.h") in unit.arguments
    assert not any("somebody" in word or "/usr/lib/gcc" in word for word in unit.arguments)
    assert dict(found.skipped) == {
        "sources in other languages": 1,
        "*.mod.c written by modpost": 1,
        "host programs": 2,
    }
    assert told == []
    assert not (built.parent / "work").exists()


def test_arguments_form_and_absolute_files(built: Path) -> None:
    words = ["clang", "-D__KERNEL__", "-Iinclude", "-c", f"{FAR}/net/core/dev.c"]
    listed = [{"directory": FAR, "file": f"{FAR}/net/core/dev.c", "arguments": words}]
    (unit,) = units(built, listed).units
    assert (unit.path, unit.object) == ("net/core/dev.c", "net/core/dev.o")


def test_a_list_of_a_build_outside_the_tree(built: Path, tmp_path: Path) -> None:
    words = ["gcc", "-D__KERNEL__", f"-I{FAR}/include", "-Iinclude", "-c", "-o", "net/core/dev.o"]
    far = {"directory": "/home/somebody/out", "file": f"{FAR}/net/core/dev.c"}
    (unit,) = units(built, [{**far, "arguments": [*words, f"{FAR}/net/core/dev.c"]}]).units
    assert unit.object == "net/core/dev.o"
    assert unit.arguments[1] == f"-I{built}/include"


def outside(built: Path, folder: Path, told: list[str]):
    """The units of a list whose commands run in a folder outside the tree."""
    words = ["gcc", "-D__KERNEL__", f"-I{built}/include", "-I.", "-c", f"{built}/net/core/dev.c"]
    return units(built, [{"directory": str(folder), "file": words[-1], "arguments": words}], told)


def test_a_folder_that_is_no_build_folder_is_not_used_as_one(
    built: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    for folder, reason in ((odd, "no .config"), (built.parent, "the tree is in it"),
                           (Path("/"), "the tree is in it")):
        told: list[str] = []
        found = outside(built, folder, told)
        assert found.build is None
        assert [(unit.path, unit.generated) for unit in found.units] == [("net/core/dev.c", False)]
        assert len(told) == 1
        assert f"run in {folder}, " in told[0]
        assert reason in told[0]
    (odd / ".config").write_text("CONFIG_NET=y\n")
    assert outside(built, odd, []).build == odd


def test_a_folder_around_the_tree_of_another_machine(built: Path) -> None:
    listed = [{"directory": "/home/somebody", "file": "linux/net/core/dev.c",
               "arguments": ["gcc", "-D__KERNEL__", "-Ilinux/include", "-c", "dev.c"]}]
    (unit,) = units(built, listed).units
    assert (unit.path, unit.arguments[1]) == ("net/core/dev.c", f"-I{built}/include")


@pytest.mark.parametrize("folder", ["{0}/Makefile", "{0}/gone", "/nowhere", "gone"])
def test_a_missing_folder_is_reported(built: Path, folder: str) -> None:
    told: list[str] = []
    found = outside(built, Path(folder.format(built)), told)
    assert [unit.directory for unit in found.units] == [str(built)]
    assert len(told) == 1
    assert "1 commands run in missing folders" in told[0]


def test_a_small_tree_may_be_moved_and_defines_no_kernel(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int a;\n")
    listed = [{"directory": ".", "file": "a.c", "arguments": ["clang", "-Iinclude", "a.c"]}]
    (tmp_path / "compile_commands.json").write_text(json.dumps(listed))
    opened = open_tree(tmp_path)
    found = list_translation_units(opened, work=tmp_path / "work")
    (unit,) = found.units
    assert (unit.path, unit.object) == ("a.c", "a.o")
    assert f"-I{tmp_path}/include" in unit.arguments


@pytest.mark.parametrize("flags", [["-I", "b.c"], ["-MF", "b.c"], ["-Ib.c"], ["-U", "b.c"]])
def test_the_value_of_a_flag_is_no_source(tmp_path: Path, flags: list[str]) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("-I.c", "@x.c", "a.c"):
        (tree / name).write_text("int a;\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": name, "arguments": ["gcc", "-DA", f"./{name}", *flags, "-DB"]}
        for name in ("-I.c", "@x.c", "a.c")]))
    found = list_translation_units(open_tree(tree), work=tmp_path / "work")
    assert [unit.path for unit in found.units] == ["-I.c", "@x.c", "a.c"]
    assert len({unit.arguments for unit in found.units}) == 1
    assert "-DB" in found.units[0].arguments


def test_missing_sources_are_counted_and_named(built: Path) -> None:
    told: list[str] = []
    found = units(built, [entry("net/core/dev.c"), entry("net/gone.c")], told)
    assert len(found.units) == 1
    assert dict(found.skipped) == {"missing sources": 1}
    assert "net/gone.c" in told[0]
    assert found.remarks == tuple(told)


def test_missing_generated_headers_offer_prepare(tree: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"autoconf\.h") as caught:
        units(tree, [entry("net/core/dev.c")])
    assert "--prepare" in caught.value.hint


def test_prepare_makes_headers_outside_the_tree(tree: Path, tools: None) -> None:
    (tree / ".config").write_text("CONFIG_FAKE=y\n")
    listed = [entry("net/core/dev.c"), entry("net/made.c")]
    found = units(tree, listed, prepare=True)
    dev, made = found.units
    assert found.build is not None
    assert f"-I{found.build}/include" in dev.arguments
    assert dev.object == "net/core/dev.o"
    assert (made.path, made.object, made.generated) == ("net/made.c", "net/made.o", True)
    assert made.file == str(found.build / "net/made.c")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[\n{,}\n]", r"list\.json:2: not JSON"),
        ("", r"list\.json:1: not JSON"),
        ("{}", "not a list"),
        ("[]", "empty"),
        ("[1]", "entry 1"),
        ('[{"file": "net/core/dev.c", "command": 3}]', "entry 1"),
        ('[{"file": "net/core/dev.c", "arguments": []}]', "entry 1"),
        ("[" * 100_000, "nested|not JSON"),
    ],
)
def test_bad_lists_are_refused(built: Path, content: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        units(built, content)


def test_a_list_of_another_tree_is_refused(built: Path) -> None:
    with pytest.raises(ConfigurationError, match="none of the 2 sources"):
        units(built, [entry("gone.c"), entry("gone/too.c")])
    with pytest.raises(ConfigurationError, match="no unit of the kernel: 1 host programs"):
        units(built, [entry("scripts/mod/empty.c")])


def test_a_missing_list_is_refused(built: Path, tmp_path: Path) -> None:
    opened = open_tree(built)
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            list_translation_units(
                opened, UnitRequest(compile_commands=path), work=tmp_path / "work")


def test_a_configuration_beside_a_list_is_refused(built: Path) -> None:
    with pytest.raises(ConfigurationError, match="determines the configuration"):
        units(built, [entry("net/core/dev.c")], defconfig="defconfig")


def test_flags_that_load_code_are_ignored_with_a_remark(built: Path) -> None:
    told: list[str] = []
    command = COMMAND.format(far=FAR, o="a.o", c="net/core/dev.c") + " -fplugin=./evil.so"
    found = units(built, [entry("net/core/dev.c", command=command)], told)
    assert not any("evil" in word for word in found.units[0].arguments)
    assert "-fplugin=./evil.so" in told[0]


def test_an_entry_without_a_compiler_costs_itself(built: Path) -> None:
    told: list[str] = []
    command = COMMAND.format(far=FAR, o="a.o", c="net/core/dev.c")
    found = units(built, [entry("net/core/dev.c", command=command),
                          entry("net/core/sock.c", command="ccache")], told)
    assert [unit.path for unit in found.units] == ["net/core/dev.c"]
    assert "the command of net/core/sock.c names no compiler" in told[0]
    assert dict(found.skipped)[NO_COMPILER] == 1
