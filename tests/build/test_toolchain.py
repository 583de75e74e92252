"""Which compiler a tree and a configuration get, on machines that have this or that."""

from pathlib import Path

import pytest

from kgraph.build import UnitRequest, list_translation_units, open_tree
from kgraph.build import toolchain as module
from kgraph.build.configuration import choose_configuration
from kgraph.build.toolchain import Toolchain, choose_toolchain
from kgraph.errors import ConfigurationError, ToolError

LLVM = ("clang", "ld.lld", "llvm-ar", "llvm-nm")
NATIVE = ("make", "perl", "gcc", "ld")
CROSS = ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-ld")


@pytest.fixture
def modern(tree: Path) -> Path:
    """A tree that has two architectures and knows LLVM=1."""
    for name in ("arch/x86", "arch/arm64"):
        (tree / name).mkdir(parents=True)
    makefile = tree / "Makefile"
    makefile.write_text(f"{makefile.read_text()}ifneq ($(LLVM),)\nendif\n")
    return tree


def choose(
    monkeypatch: pytest.MonkeyPatch, tree: Path, programs: tuple[str, ...],
    remarks: list[str] | None = None, **asked: object,
) -> Toolchain:
    """The choice on an x86 machine that has some programs."""
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(
        module.shutil, "which", lambda name: f"/bin/{name}" if name in programs else None)
    opened = open_tree(tree)
    remarks = [] if remarks is None else remarks
    return choose_toolchain(opened, choose_configuration(opened, **asked), remarks.append)


def test_nothing_is_asked_for(modern: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = choose(monkeypatch, modern, (*NATIVE, *CROSS, *LLVM))
    assert chosen == Toolchain()
    assert chosen.compiler == "gcc"


@pytest.mark.parametrize(("programs", "compiler", "says"), [
    ((*NATIVE, *CROSS, *LLVM), "aarch64-linux-gnu-gcc", ""),
    ((*NATIVE, "aarch64-none-linux-gnu-gcc"), "aarch64-none-linux-gnu-gcc", ""),
    ((*NATIVE, *LLVM), "clang", "there is no aarch64-linux-gnu-gcc: using clang (LLVM=1)"),
    (NATIVE, "aarch64-linux-gnu-gcc", ""),  # which is reported as missing, with its package
])
def test_the_compiler_for_another_machine(
    modern: Path, monkeypatch: pytest.MonkeyPatch, programs: tuple[str, ...], compiler: str,
    says: str,
) -> None:
    remarks: list[str] = []
    chosen = choose(monkeypatch, modern, programs, remarks, arch="arm64")
    assert (chosen.arch, chosen.compiler, " ".join(remarks)) == ("arm64", compiler, says)


def test_the_header_of_a_configuration_names_the_machine(
    modern: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (modern / ".config").write_text("# Linux/arm64 6.12.1 Kernel Configuration\nCONFIG_NET=y\n")
    every = (*NATIVE, *CROSS, *LLVM)
    assert choose(monkeypatch, modern, every).triple == "aarch64-linux-gnu"
    assert choose(monkeypatch, modern, every, arch="x86") == Toolchain("x86")
    assert choose(monkeypatch, modern, every, llvm=True).compiler == "clang"


@pytest.mark.parametrize(("programs", "compiler", "remarks"), [
    ((*NATIVE, *LLVM), "clang", 0), (NATIVE, "gcc", 1)])
def test_a_configuration_that_was_made_with_clang(
    modern: Path, monkeypatch: pytest.MonkeyPatch, programs: tuple[str, ...], compiler: str,
    remarks: int,
) -> None:
    (modern / ".config").write_text("CONFIG_CC_IS_CLANG=y\n")
    found: list[str] = []
    assert choose(monkeypatch, modern, programs, found).compiler == compiler
    assert len(found) == remarks


def test_what_a_tree_cannot_do_is_refused(
    tree: Path, modern: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="no architecture 'arm'") as caught:
        choose(monkeypatch, modern, NATIVE, arch="arm")
    assert "arm64, x86" in caught.value.hint
    with pytest.raises(ConfigurationError, match="is not an architecture"):
        choose(monkeypatch, modern, NATIVE, arch="x86 CC=evil")
    makefile = tree / "Makefile"
    makefile.write_text(makefile.read_text().replace("$(LLVM)", ""))
    with pytest.raises(ConfigurationError, match="knows no LLVM=1"):
        choose(monkeypatch, tree, (*NATIVE, *LLVM), llvm=True)


def test_what_make_and_recipes_are_told(modern: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_is_pie_default", lambda _compiler: True)
    cross = Toolchain("arm64", "aarch64-linux-gnu")
    assert cross.make_variables(modern) == (
        "HOSTCC=gcc -fcommon", "CC=aarch64-linux-gnu-gcc -fno-pie", "ARCH=arm64",
        "CROSS_COMPILE=aarch64-linux-gnu-")
    assert cross.recipe_variables()["OBJCOPY"] == "aarch64-linux-gnu-objcopy"
    (modern / "Makefile").write_text("KBUILD_CFLAGS += -fno-pie\n")
    llvm = Toolchain("arm64", "aarch64-linux-gnu", is_llvm=True)
    variables = "HOSTCC=clang -fcommon", "ARCH=arm64", "LLVM=1"
    assert llvm.make_variables(modern) == (*variables, "CROSS_COMPILE=aarch64-linux-gnu-")
    (modern / "scripts/Makefile.clang").write_text("")
    assert llvm.make_variables(modern) == variables
    assert llvm.recipe_variables()["LD"] == "ld.lld"


def test_a_missing_cross_compiler_is_named_with_its_package(
    modern: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(
        module.shutil, "which", lambda name: f"/bin/{name}" if name in NATIVE else None)
    with pytest.raises(ToolError, match="needs aarch64-linux-gnu-gcc, aarch64-linux-gnu-ld") as no:
        list_translation_units(
            open_tree(modern), UnitRequest(arch="arm64"), work=modern.parent / "work")
    assert "gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu" in no.value.hint


def test_what_was_asked_for_makes_another_index(modern: Path) -> None:
    opened = open_tree(modern)
    plain, arm, llvm = (choose_configuration(opened, **asked) for asked in (
        {}, {"arch": "arm64"}, {"arch": "arm64", "llvm": True}))
    assert [str(each) for each in (plain, arm, llvm)] == [
        "defconfig", "defconfig --arch arm64", "defconfig --arch arm64 --llvm"]
    assert len({each.digest for each in (plain, arm, llvm)}) == 3
