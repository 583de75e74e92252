"""On a real tree: precompiled headers change no facts, and indexing again equals a cold index."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.indexing import write_index
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.query.neighbours import iter_hops
from kgraph.report.facts import iter_facts
from kgraph.report.json import encode_hop
from kgraph.store import IndexReader
from tests.support import edits
from tests.support.index_contents import differences
from tests.support.tree_state import linked_copy

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
PARTS = ("net/core", "net/ipv4")
EDITS = 10


def index(tree: Path, name: Path, *, again: bool = False, precompiled: bool = True,
          only: tuple[str, ...] = PARTS) -> IndexSummary:
    return index_tree(IndexRequest(
        tree, only=only, jobs=os.cpu_count() or 1, index=name, again=again,
        precompiled=precompiled))


def facts(index: Path) -> list[object]:
    reader = IndexReader(index)
    found = list(iter_facts(reader.iter_encoded_definitions()))
    reader.close()
    return found


def exported(index: Path) -> list[object]:
    graph = CallGraph(IndexReader(index))
    text = SourceText(graph)
    found = [encode_hop(hop, text.read_line) for hop in iter_hops(graph)]
    graph.close()
    return found


@pytest.fixture
def copy(linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tree again, of hard links where that is possible."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    target = tmp_path / "linux"
    linked_copy(linux, target)
    return target


def test_precompiled_headers_change_no_facts(linux: Path, tmp_path: Path) -> None:
    parts = (*PARTS, "fs/ext4", "drivers/acpi/acpica", "drivers/gpu/drm/i915", "arch/x86/kernel")
    parts = tuple(part for part in parts if (linux / part).is_dir())
    with_them = index(linux, tmp_path / "with.kgraph", only=parts)
    without = index(linux, tmp_path / "without.kgraph", only=parts, precompiled=False)
    assert with_them.units_read == without.units_read > 300
    assert facts(with_them.index) == facts(without.index)
    assert with_them.units_with_errors == without.units_with_errors


def rewrite(path: Path, text: str) -> None:
    path.unlink()  # a hard link of the real tree's file
    path.write_text(text)


def sources(tree: Path, random: Random) -> Path:
    return random.choice(sorted((tree / random.choice(PARTS)).glob("*.c")))


def shift(tree: Path, random: Random) -> None:
    path = sources(tree, random)
    rewrite(path, "\n" + path.read_text())


def drop_call(tree: Path, random: Random) -> None:
    path = sources(tree, random)
    text = path.read_text()
    calls = list(re.finditer(r"^\t+\w+\(\w*\);$", text, re.MULTILINE))
    if calls:
        call = random.choice(calls)
        rewrite(path, text[:call.start()] + text[call.end():])


def add_function(tree: Path, random: Random) -> None:
    path = sources(tree, random)
    number = random.randrange(10**9)
    rewrite(path, path.read_text() + (
        f"static int called_{number}(int a)\n{{\n\treturn a;\n}}\n"
        f"int (*held_{number})(int) = called_{number};\n"
        f"int added_{number}(int a)\n{{\n\treturn held_{number}(a);\n}}\n"))


def edit_header(tree: Path, random: Random) -> None:
    path = random.choice(sorted((tree / "include/net").glob("*.h")))
    name = f"in_{random.randrange(10**9)}"
    rewrite(path, path.read_text() + f"static inline void {name}(void) {{ }}\n")


def delete_file(tree: Path, random: Random) -> None:
    makefile = tree / "net/ipv4/Makefile"
    objects = re.findall(r"\b(\w+)\.o\b", makefile.read_text())
    name = random.choice([name for name in objects if (tree / f"net/ipv4/{name}.c").exists()])
    rewrite(makefile, re.sub(rf"\b{name}\.o\b", "", makefile.read_text()))
    (tree / f"net/ipv4/{name}.c").unlink()


def add_file(tree: Path, random: Random) -> None:
    name = f"new_{random.randrange(10**9)}"
    (tree / f"net/core/{name}.c").write_text("#include <net/sock.h>\nvoid made(void) { }\n")
    makefile = tree / "net/core/Makefile"
    rewrite(makefile, makefile.read_text() + f"obj-y += {name}.o\n")


def configure(tree: Path, random: Random) -> None:
    path = tree / ".config"
    text = path.read_text()
    option = random.choice(["CONFIG_IP_MULTICAST", "CONFIG_SYN_COOKIES", "CONFIG_NET_IPIP"])
    if f"{option}=y" in text:
        rewrite(path, text.replace(f"{option}=y", f"# {option} is not set"))
    else:
        rewrite(path, text.replace(f"# {option} is not set", f"{option}=y"))


def edit_code(tree: Path, random: Random) -> None:
    """One of the edits that are made all the time."""
    make(random.choice(edits.CARRIED + edits.RESOLVED), tree, random)


def units_of(index: Path) -> set[str]:
    reader = IndexReader(index)
    paths = {path for (path,) in reader.fetch_rows("SELECT path FROM unit")}
    reader.close()
    return paths


def make(edit: edits.CodeEdit, tree: Path, random: Random, index: Path | None = None) -> None:
    """Make an edit somewhere, in a unit of an index where one is given."""
    units = set() if index is None else units_of(index)
    while True:
        path = sources(tree, random)
        if units and str(path.relative_to(tree)) not in units:
            continue
        text = edit(path.read_text(), random)
        if text is not None:
            rewrite(path, text)
            return


KINDS: list[Callable[[Path, Random], None]] = [
    shift, drop_call, add_function, edit_header, delete_file, add_file, configure, edit_code]


def test_after_any_edits_the_index_is_that_of_a_cold_run(copy: Path, tmp_path: Path) -> None:
    random = Random(3)
    index(copy, tmp_path / "x.kgraph")
    kinds = (KINDS * EDITS)[:EDITS]
    random.shuffle(kinds)
    for edit in kinds:
        edit(copy, random)
        warm = index(copy, tmp_path / "x.kgraph")
        cold = index(copy, tmp_path / "cold.kgraph", again=True)
        assert facts(warm.index) == facts(cold.index), edit.__name__
        assert exported(warm.index) == exported(cold.index), edit.__name__
        assert not differences(warm.index, cold.index), edit.__name__
        assert warm.coverage == cold.coverage, edit.__name__
        if edit in (shift, drop_call, add_function, edit_code):
            assert warm.units_read <= 2, edit.__name__


def test_a_call_more_does_not_resolve_the_whole(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(5)
    index(copy, tmp_path / "x.kgraph")
    with monkeypatch.context() as patch:
        patch.setattr(write_index, "_resolve_graph", None)  # a call of it fails
        for edit in edits.ALWAYS_CARRIED * 5:
            make(edit, copy, random, tmp_path / "x.kgraph")
            warm = index(copy, tmp_path / "x.kgraph")
            assert warm.units_read == 1
    cold = index(copy, tmp_path / "cold.kgraph", again=True)
    assert not differences(warm.index, cold.index)
    assert warm.coverage == cold.coverage
