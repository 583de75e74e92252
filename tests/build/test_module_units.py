"""Out-of-tree modules: their folder and its copy, Kbuild's M=, the module's own list."""

import json
from pathlib import Path

import pytest

from kgraph.build import UnitList, UnitRequest, list_translation_units, open_tree
from kgraph.errors import ConfigurationError, KgraphError, TreeError
from tests.support.tree_state import listing

pytestmark = pytest.mark.usefixtures("tools")

# What Kbuild does with M=: the module's own makefile says what is compiled.
RULES = """
ifdef M
include $(M)/Makefile
.PHONY: modules
modules: $(obj-m)
TRIAL := $(shell touch $(TMPOUT))
%.o:
\tgcc $(FLAGS) -I$(PWD) -DMODULE -DKBUILD_MODNAME='"extra"' -c -o $(M)/$@ $(M)/$(@:.o=.c)
endif
"""


@pytest.fixture
def kernel(tree: Path) -> Path:
    """A kernel with a configuration, whose make knows M=."""
    (tree / ".config").write_text("CONFIG_MINE=y\n")
    rules = (tree / "rules.mk").read_text()
    flags = ("-nostdinc -I$(SRC)/include -Iinclude -include $(SRC)/include/linux/kconfig.h"
             " -D__KERNEL__")
    kernel, _, rest = rules.partition("modules: drivers")
    (tree / "rules.mk").write_text(
        f"FLAGS = {flags}\n{RULES}\nifndef M\n{kernel}modules: drivers{rest}endif\n")
    return tree


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "extra"
    (folder / "sub").mkdir(parents=True)
    (folder / "Makefile").write_text("obj-m := main.o sub/part.o\n")
    (folder / "main.c").write_text('#include "own.h"\nint main_part;\n')
    (folder / "own.h").write_text("int own;\n")
    (folder / "sub/part.c").write_text("int part;\n")
    return folder


def units(tree: Path, *modules: Path, **options: object) -> UnitList:
    return list_translation_units(
        open_tree(tree), UnitRequest(modules=modules, **options), work=tree.parent / "work")


def own(found: UnitList) -> list[tuple[str, str, str]]:
    return [(u.path, u.object, u.image) for u in found.units if u.path.startswith("extra")]


EXTRA = [("extra/main.c", "extra/main.o", "extra"),
         ("extra/sub/part.c", "extra/sub/part.o", "extra")]


def test_kbuild_is_asked_for_the_units_of_a_module(kernel: Path, module: Path) -> None:
    before = listing(module)
    found = units(kernel, module)
    build = kernel.parent / "work/build"
    assert own(found) == EXTRA
    assert {u.path for u in found.units} > {"net/core/dev.c", "drivers/net/veth.c"}
    assert [(m.name, m.path) for m in found.modules] == [("extra", str(module))]
    main = next(u for u in found.units if u.path == "extra/main.c")
    assert main.file == str(build / "extra/main.c")
    assert {f"-I{build}/extra", f"-I{kernel}/include", f"-I{build}/include"} <= {*main.arguments}
    assert not any(str(module) in word for word in main.arguments)
    assert (build / "extra/own.h").read_text() == "int own;\n"
    assert found.whole
    assert listing(module) == before


def test_only_leaves_the_units_of_a_module(kernel: Path, module: Path) -> None:
    found = units(kernel, module, only=["net/core"])
    assert [u.path for u in found.units] == ["extra/main.c", "extra/sub/part.c", "net/core/dev.c"]
    found = units(kernel, module, only=["extra/sub"])
    assert own(found) == EXTRA == [(u.path, u.object, u.image) for u in found.units]


def test_the_copy_follows_the_module(kernel: Path, module: Path) -> None:
    (module / "link.h").symlink_to("own.h")
    (kernel.parent / "outside.h").write_text("int outside;\n")
    (module / "away.h").symlink_to(kernel.parent / "outside.h")
    (module / "main.o").write_text("an object")
    copy = kernel.parent / "work/build/extra"
    units(kernel, module)
    kept = (copy / "main.c").stat().st_ino
    assert (copy / "link.h").resolve() == copy / "own.h"
    assert (copy / "away.h").resolve() == kernel.parent / "outside.h"
    assert not (copy / "main.o").exists()
    (module / "own.h").write_text("int other;\n")
    (module / "link.h").unlink()
    (module / "sub/part.c").rename(module / "part.c")
    (module / "sub").rmdir()
    (module / "Makefile").write_text("obj-m := main.o part.o\n")
    assert [path for path, _, _ in own(units(kernel, module))] == ["extra/main.c", "extra/part.c"]
    assert (copy / "own.h").read_text() == "int other;\n"
    assert not (copy / "link.h").exists()
    assert not (copy / "sub").exists()
    assert (copy / "main.c").stat().st_ino == kept


def test_a_folder_becomes_a_file_and_the_other_way_round(kernel: Path, module: Path) -> None:
    (module / "other").write_text("file\n")
    units(kernel, module)
    (module / "other").unlink()
    (module / "other").mkdir()
    (module / "other/x.h").write_text("int x;\n")
    (module / "own.h").unlink()
    (module / "own.h").symlink_to("other/x.h")
    units(kernel, module)
    copy = kernel.parent / "work/build/extra"
    assert (copy / "own.h").read_text() == "int x;\n" == (copy / "other/x.h").read_text()


def test_modules_of_one_name_and_of_a_folder_of_the_tree(
    kernel: Path, module: Path, tmp_path: Path
) -> None:
    twin, net = tmp_path / "other/extra", tmp_path / "other/net"
    for folder in (twin, net):
        folder.mkdir(parents=True)
        (folder / "Makefile").write_text("obj-m := main.o\n")
        (folder / "main.c").write_text("int x;\n")
    found = units(kernel, module, twin, net, module)
    assert [m.name for m in found.modules] == ["extra", "extra-2", "net-2"]
    again = units(kernel, net, twin)
    assert [(m.name, m.path) for m in again.modules] == [
        ("net-2", str(net)), ("extra-2", str(twin))]


def test_what_is_included_from_above_the_module_is_searched_there(
    kernel: Path, module: Path
) -> None:
    (module / "main.c").write_text('#include "../outside.h"\n')
    (module / "sub/part.c").write_text('#include "../own.h"\n')
    main, part = (u for u in units(kernel, module).units if u.path.startswith("extra"))
    assert ("-iquote", str(module)) == main.arguments[-2:]
    assert "-iquote" not in part.arguments


def test_the_list_of_a_module_is_read_where_kbuild_compiles_nothing(
    kernel: Path, module: Path, tmp_path: Path
) -> None:
    (module / "Makefile").write_text("all:\n")
    headers, made = tmp_path / "headers", tmp_path / "headers-made"
    command = {
        "directory": str(made), "file": str(module / "main.c"), "arguments": [
            "gcc", f"-I{headers}/include", "-I./include", "-include",
            f"{headers}/include/linux/kconfig.h", f"-I{module}", "-D__KERNEL__", "-DMODULE",
            '-DKBUILD_MODNAME="extra"', "-c", "-o", str(module / "main.o"),
            str(module / "main.c")]}
    (module / "compile_commands.json").write_text(json.dumps([command]))
    found = units(kernel, module)
    build = kernel.parent / "work/build"
    assert own(found) == EXTRA[:1]
    assert any("is read instead" in text for text in found.remarks)
    main = next(u for u in found.units if u.path == "extra/main.c")
    flags = [f"-I{kernel}/include", f"-I{build}/include", "-include",
             f"{kernel}/include/linux/kconfig.h", f"-I{build}/extra"]
    assert " ".join(flags) in " ".join(main.arguments)


@pytest.mark.parametrize(("folder", "reason"), [
    ("tree/net", "inside the tree"), (".", "is inside it"), ("nothing", "does not exist"),
    ("empty", "no Makefile and no Kbuild"), ("extra/main.c", "is not a folder")])
def test_what_cannot_be_a_module(kernel: Path, module: Path, folder: str, reason: str) -> None:
    assert kernel.name == "tree"
    (kernel.parent / "empty").mkdir()
    with pytest.raises(TreeError, match=reason):
        units(kernel, kernel.parent / folder)


def test_a_module_needs_a_configuration(kernel: Path, module: Path) -> None:
    (kernel / ".config").unlink()
    with pytest.raises(ConfigurationError, match=r"has no \.config"):
        units(kernel, module)
    assert own(units(kernel, module, defconfig="defconfig")) == EXTRA


def test_a_module_without_units(kernel: Path, module: Path) -> None:
    (module / "Makefile").write_text("obj-m :=\n")
    with pytest.raises(ConfigurationError, match="compiles nothing there"):
        units(kernel, module)


def test_a_module_is_no_tree(module: Path) -> None:
    with pytest.raises(KgraphError) as caught:
        open_tree(module)
    assert f"kgraph index TREE --module {module}" in caught.value.hint
