"""Preparing, dry run, generated sources, saved results, on a tree with a Makefile of a page."""

import shutil
import subprocess
from pathlib import Path

import pytest

from kgraph.build import UnitList, UnitRequest, list_translation_units, open_tree
from kgraph.build import toolchain as tools_module
from kgraph.build.generated_sources import _find_named_files
from kgraph.build.kbuild import replace_pahole
from kgraph.errors import ConfigurationError, ToolError
from tests.support.tree_state import listing

pytestmark = pytest.mark.usefixtures("tools")


def units(tree: Path, told: list[str] | None = None, **options: object) -> UnitList:
    work = tree.parent / "work"
    told = [] if told is None else told
    return list_translation_units(
        open_tree(tree), UnitRequest(**options), work=work, remark=told.append)


def test_units_of_a_pristine_tree(tree: Path) -> None:
    before = listing(tree)
    found = units(tree)
    build = tree.parent / "work/build"
    assert [(u.path, u.object, u.image, u.generated) for u in found.units] == [
        ("drivers/net/veth.c", "drivers/net/veth.o", "veth", False),
        ("net/core/dev.c", "net/core/dev.o", "vmlinux", False),
        ("net/entry.S", "net/entry.o", "vmlinux", False),
        ("net/made.c", "net/made.o", "vmlinux", True),
    ]
    assert (found.release, str(found.configuration), found.build) == (
        "9.1.2-rc3",
        "defconfig",
        build,
    )
    assert dict(found.skipped) == {"host programs": 1}
    assert found.whole
    assert not units(tree, only=["net"]).whole
    dev = found.units[1]
    assert dev.file == str(tree / "net/core/dev.c")
    assert f"-I{tree}/include" in dev.arguments
    assert f"-I{build}/include" in dev.arguments
    assert not any("shadow" in word for unit in found.units for word in unit.arguments)
    assert (build / "net/made.c").read_text() == "int made;\n"
    assert listing(tree) == before


def test_make_sees_nothing_of_an_in_tree_build(tree: Path) -> None:
    (tree / ".config").write_text("CONFIG_MINE=y\n")
    (tree / "include/generated").mkdir()
    (tree / "include/generated/autoconf.h").write_text("#error stale\n")
    (tree / "net/made.c").write_text("#error stale\n")
    (tree / "net/.made.c.cmd").write_text("")
    before = listing(tree)
    found = units(tree)
    shadow = tree.parent / "work/shadow"
    assert not (shadow / ".config").exists()
    assert not (shadow / "include/generated").exists()
    assert not (shadow / "net/made.c").exists()
    assert (shadow / "net/core/dev.c").is_symlink()
    assert "CONFIG_MINE=y" in (found.build / ".config").read_text()
    words = found.units[1].arguments
    made, old = words.index(f"-I{found.build}/include"), words.index(f"-I{tree}/include")
    assert made < old
    assert listing(tree) == before


def test_nothing_is_run_again_until_an_input_changes(tree: Path, monkeypatch) -> None:
    first = units(tree)
    told: list[str] = []
    assert units(tree, told) == first
    assert told == []
    (tree / "net/Makefile").write_text("obj-y += more.o\n")
    again = units(tree, told)
    assert "preparing" in told[0]
    assert again.units == first.units


def test_a_truncated_saved_result_is_made_again(tree: Path) -> None:
    first = units(tree)
    memory = tree.parent / "work/units.json"
    memory.write_text(memory.read_text()[:100])
    assert units(tree).units == first.units


def test_the_users_environment_does_not_leak(tree: Path, monkeypatch) -> None:
    first = units(tree)
    shutil.rmtree(tree.parent / "work")
    monkeypatch.setenv("MAKEFLAGS", "-t")
    monkeypatch.setenv("KBUILD_OUTPUT", "/nowhere")
    assert units(tree).units == first.units


@pytest.mark.parametrize(
    ("only", "paths"),
    [
        (["net"], ["net/core/dev.c", "net/entry.S", "net/made.c"]),
        (["net/entry.S"], ["net/entry.S"]),
        (["net/core/"], ["net/core/dev.c"]),
        (["./net/core/dev.c", "drivers"], ["drivers/net/veth.c", "net/core/dev.c"]),
        ([], ["drivers/net/veth.c", "net/core/dev.c", "net/entry.S", "net/made.c"]),
    ],
)
def test_only(tree: Path, only: list[str], paths: list[str]) -> None:
    assert [unit.path for unit in units(tree, only=only).units] == paths


def test_only_absolute_and_relative_to_the_current_folder(tree: Path, monkeypatch) -> None:
    assert len(units(tree, only=[tree / "net/core"]).units) == 1
    monkeypatch.chdir(tree / "net")
    assert [u.path for u in units(tree, only=["core/dev.c"]).units] == ["net/core/dev.c"]
    assert [u.path for u in units(tree, only=["."]).units] == [
        "net/core/dev.c", "net/entry.S", "net/made.c"]


def test_only_that_matches_nothing_is_refused(tree: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing there is compiled"):
        units(tree, only=["scripts"])
    with pytest.raises(ConfigurationError, match="no such file") as caught:
        units(tree, only=["net", "net/core/dve.c"])
    assert "net/core/dev.c" in caught.value.hint


def test_a_missing_tool_is_named_with_its_package_before_anything_runs(
    tree: Path, monkeypatch
) -> None:
    (tree / "scripts/kconfig/zconf.lex.c_shipped").unlink()
    which = shutil.which
    monkeypatch.setattr(
        tools_module.shutil, "which", lambda name: None if name in ("flex", "make") else which(name)
    )
    with pytest.raises(ToolError, match="needs make, flex") as caught:
        units(tree)
    assert "apt-get install make flex" in caught.value.hint
    assert not (tree.parent / "work").exists()


def test_a_missing_header_is_named(tree: Path, monkeypatch) -> None:
    header = tools_module.SystemHeader("no/such.h", "libnone-dev", frozenset({"CONFIG_FAKE"}))
    monkeypatch.setattr(tools_module, "HEADERS", (header,))
    with pytest.raises(ToolError, match=r"no/such\.h") as caught:
        units(tree)
    assert "libnone-dev" in caught.value.hint


def test_a_failing_make_reports_the_cause_and_its_log(tree: Path) -> None:
    (tree / "rules.mk").write_text("prepare:\n\t@echo 'x.c:1: error: no luck' >&2; exit 1\n")
    with pytest.raises(ToolError, match="error: no luck") as caught:
        units(tree)
    assert "prepare.errors.log" in caught.value.hint


MORE_RULES = """\
net/core/dev.o: net/core/names.h net/core/list
net/core/names.h:
\tset -e; echo "int one;" > net/core/names.h
\tset -e; SECOND >>net/core/names.h
net/core/list net/core/unused:
\tset -e; echo '# GEN'; echo NULL > $@; trap 'rm -f $@' HUP
"""


@pytest.mark.parametrize(("second", "made"), [
    ('echo "int two;"', "int one;\nint two;\n"), ("false", None)])
def test_a_header_of_two_lines_and_one_without_a_suffix(
    tree: Path, second: str, made: str | None
) -> None:
    rules = (tree / "rules.mk").read_text()
    (tree / "rules.mk").write_text(rules + MORE_RULES.replace("SECOND", second))
    (tree / "net/core/dev.c").write_text(
        '#include "names.h"\nvoid *all[] = {\n# include "list"\n};\n')
    units(tree)
    folder = tree.parent / "work/build/net/core"
    names = folder / "names.h"
    assert (names.read_text() if names.exists() else None) == made
    assert (folder / "list").read_text() == "NULL\n"
    assert not (folder / "unused").exists()


OBJECT_RULES = """\
vmlinux: net/core/list.o
net/core/list.o: net/core/list.S
\tgcc -D__KERNEL__ -D__ASSEMBLY__ -c -o net/core/list.o net/core/list.S
net/core/list.S: net/core/../../net/part.o
\ttest -s net/core/../../net/part.o && echo 'nop' > net/core/list.S
net/core/../../net/part.o:
\tmkdir -p net/core; gcc -D__KERNEL__ -c -o net/core/../../net/part.o $(SRC)/net/core/dev.c
"""


def test_a_source_is_made_of_an_object_that_is_named_by_way_of_another_folder(tree: Path) -> None:
    (tree / "rules.mk").write_text((tree / "rules.mk").read_text() + OBJECT_RULES)
    found = units(tree)
    assert "net/core/list.S" in [unit.path for unit in found.units]
    assert (tree.parent / "work/build/net/part.o").is_file()


def test_a_source_that_cannot_be_made_is_a_remark(tree: Path) -> None:
    rules = (tree / "rules.mk").read_text()
    (tree / "rules.mk").write_text(rules.replace("echo 'int made;'", "false"))
    told: list[str] = []
    found = units(tree, told)
    assert [unit.path for unit in found.units] == [
        "drivers/net/veth.c", "net/core/dev.c", "net/entry.S"]
    assert any("could not be made (net/made.c" in text for text in told)
    assert found.remarks == units(tree).remarks


def test_a_cache_inside_the_tree_or_with_a_space_is_refused(tree: Path, tmp_path: Path) -> None:
    opened = open_tree(tree)
    for work, says in ((tree / "cache", "is in the tree"), (tmp_path / "a b", "space")):
        with pytest.raises(ConfigurationError, match=says):
            list_translation_units(opened, work=work)
        assert not work.exists()


def test_options_name_no_files_that_a_command_makes() -> None:
    line = ("gcc -Iarch/x86/include -I./include -Wp,-MD,lib/.x.d -include a/b.h"
            " -Wl,-T,arch/vdso.lds -o lib/gen lib/gen.c > include/made.h")
    assert _find_named_files(line) == (
        "a/b.h", "arch/vdso.lds", "lib/gen", "lib/gen.c", "include/made.h")


def test_kconfig_finds_the_pahole_that_the_configuration_was_made_with(
        tmp_path: Path, monkeypatch) -> None:
    config = tmp_path / "config"
    config.write_text("CONFIG_NET=y\nCONFIG_PAHOLE_VERSION=124\n")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert replace_pahole(config, tmp_path) == (f"PAHOLE={tmp_path / 'pahole'}",)
    said = subprocess.run([tmp_path / "pahole", "--version"], capture_output=True, check=True)
    assert said.stdout == b"v1.24\n"
    config.write_text("CONFIG_PAHOLE_VERSION=0\n")
    assert replace_pahole(config, tmp_path) == ()
