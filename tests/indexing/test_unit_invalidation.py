"""Indexing again: only what changed is read, and the result is that of a cold index."""

import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kgraph.indexing import write_index
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from tests.support import edits
from tests.support.effort import seeds
from tests.support.index_contents import contents_differences, differences, everything
from tests.support.tree_edits import EDITS, sources

pytestmark = pytest.mark.reindexing


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    copy = tmp_path / "tree"
    shutil.copytree(find_mini_linux(), copy)
    generated = copy / "include/generated"
    generated.mkdir()
    symbols = (copy / "include/linux/kconfig.h").read_text()
    lines = [line for line in symbols.splitlines() if line.startswith("#define CONFIG_")]
    (generated / "autoconf.h").write_text("\n".join(lines) + "\n")
    (copy / "include/linux/kconfig.h").write_text("#include <generated/autoconf.h>\n")
    for path in (generated / "autoconf.h", copy / "include/linux/kconfig.h"):
        os.utime(path, ns=(1, 10**18))  # long before any index
    return copy


def index(tree: Path, again: bool = False, name: str = "x") -> IndexSummary:
    target = tree.parent / f"{name}.kgraph"
    return index_tree(IndexRequest(tree, index=target, jobs=0 if not again else 1, again=again))


@pytest.mark.parametrize("seed", seeds(10))
def test_after_any_edits_the_index_is_that_of_a_cold_run(tree: Path, seed: int) -> None:
    random = Random(seed)
    index(tree)
    for _ in range(10):
        edit = random.choice(EDITS)
        edit(tree, random)
        summary = index(tree)
        cold = index(tree, again=True, name="cold")
        assert not differences(summary.index, cold.index), edit.__name__
        assert summary.coverage == cold.coverage
        assert summary.units_with_errors == cold.units_with_errors


def test_nothing_changed_nothing_read(tree: Path) -> None:
    first = index(tree)
    before = first.index.stat()
    second = index(tree)
    assert (second.units_read, second.units_kept) == (0, first.units_read)
    assert second.coverage == first.coverage
    after = second.index.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_one_edited_file_costs_one_unit(tree: Path) -> None:
    units = index(tree).units_read
    path = tree / "net/ipv4/raw.c"
    path.write_text(path.read_text() + "\n")
    again = index(tree)
    assert (again.units_read, again.units_kept) == (1, units - 1)


def test_an_edited_header_costs_the_units_that_read_it(tree: Path) -> None:
    units = index(tree).units_read
    users = [path for path in sources(tree, ".c") if "net/ip.h" in path.read_text()]
    path = tree / "include/net/ip.h"
    path.write_text(path.read_text() + "\n")
    again = index(tree)
    assert 0 < len(users) <= again.units_read < units


def test_a_changed_symbol_costs_the_units_that_mention_it(tree: Path) -> None:
    units = index(tree).units_read
    users = [path for path in sources(tree, ".c") if "CONFIG_IP_MULTICAST" in path.read_text()]
    header = tree / "include/generated/autoconf.h"
    header.write_text(header.read_text() + "#define CONFIG_IP_MULTICAST 1\n")
    again = index(tree)
    assert 0 < len(users) <= again.units_read < units
    header.write_text(header.read_text() + "#define CONFIG_MENTIONED_NOWHERE 1\n")
    assert index(tree).units_read == 0


def test_a_touched_file_costs_nothing(tree: Path) -> None:
    index(tree)
    (tree / "net/ipv4/raw.c").touch()
    os.utime(tree / "net/ipv4/udp.c", ns=(1, 1))
    again = index(tree)
    assert again.units_read == 0
    inode = again.index.stat().st_ino
    assert index(tree).index.stat().st_ino == inode


def test_a_damaged_index_is_made_again(tree: Path) -> None:
    first = index(tree)
    content = bytearray(first.index.read_bytes())
    for place in range(20_000, len(content), 4_000):
        content[place] ^= 0xFF
    first.index.write_bytes(content)
    assert index(tree).units_read == first.units_read
    first.index.write_bytes(b"")
    assert index(tree).units_read == first.units_read


def test_moved_lines_are_not_resolved_again(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(tree)
    resolved: list[int] = []
    monkeypatch.setattr(write_index, "_resolve_graph", lambda *_: resolved.append(1))
    random = Random(7)
    for _ in range(5):
        path = random.choice(sources(tree, ".c"))
        path.write_text("/* one\n   more */\n" + path.read_text())
        assert index(tree).units_read == 1
    assert not resolved
    monkeypatch.undo()
    assert not differences(index(tree).index, index(tree, again=True, name="cold").index)


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An entry for each time that a whole graph is resolved."""
    times: list[int] = []
    whole = write_index._resolve_graph

    def counted(*arguments: object) -> object:
        times.append(1)
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(write_index, "_resolve_graph", counted)
    return times


def index_here(tree: Path, again: bool = False, name: str = "x") -> IndexSummary:
    target = tree.parent / f"{name}.kgraph"
    return index_tree(IndexRequest(tree, index=target, jobs=0, again=again))


def edited(tree: Path, random: Random, edit: edits.CodeEdit) -> Path:
    """Apply an edit to a random file, and return the file."""
    while True:
        path = random.choice(sources(tree, ".c"))
        text = edit(path.read_text(), random)
        if text is not None:
            path.write_text(text)
            return path


@pytest.mark.parametrize("seed", seeds(10))
def test_edits_of_calls_patch_the_graph_as_a_cold_run_would(
    tree: Path, seed: int, resolved: list[int]
) -> None:
    random = Random(seed)
    index_here(tree)
    carried = 0
    for _ in range(10):
        edit = random.choice(edits.CARRIED + edits.RESOLVED)
        path = edited(tree, random, edit)
        resolved.clear()
        warm = index_here(tree)
        assert warm.units_read == 1
        if edit in edits.ALWAYS_CARRIED:
            assert not resolved, (edit.__name__, path)
        carried += not resolved
        cold = index_here(tree, again=True, name="cold")
        assert not differences(warm.index, cold.index), (edit.__name__, path)
        assert warm.coverage == cold.coverage
    assert carried


PROBE = """
struct probe_ops { void (*run)(int *a); void *spare; };
static int probe_value, probe_other;
static void probe_warn(void (*f)(int *a), int line) { f(&probe_value); }
#define PROBE_WARN() probe_warn(probe_one, __LINE__)
static void probe_one(int *a) { }
static void probe_two(int *a) { }
static struct probe_ops probe_ops = { .run = probe_one };
static void probe_use(int *a) { }
static void probe_take(void (*f)(int *a)) { f(&probe_value); }
void probe_main(struct probe_ops *ops, int *p)
{
	int *q;
	/* declare */
	ops->run(p);
	probe_use(p);
	probe_use(&probe_value);
	PROBE_WARN();
	/* here */
}
void probe_outer(void) { probe_main(&probe_ops, &probe_value); probe_take(probe_two); }
int (*probe_hook)(int);
EXPORT_SYMBOL(probe_hook);
int probe_call(int a) { return probe_hook(a); }
static int probe_flags(int a) { return a & 4 ? probe_call(a) : 0; }
int probe_hand(int a) { return probe_flags(a) + probe_flags(a | 2); }
struct held_other { void (*go)(int *a); };
struct held_in { void *ops; };
static struct held_other held_other = { .go = probe_two };
static void held_set(struct held_in *in, void *p) { in->ops = p; }
void held_init(struct held_in *in) { held_set(in, &probe_ops); held_set(in, &held_other); }
void held_call(struct held_in *in) { ((struct probe_ops *)in->ops)->run(0); }
static void held_use(void *a) { }
void held_main(struct held_in *in) { /* held */ }
"""
HELD = "/* held */"
HERE, DECLARE, TOP = "/* here */", "/* declare */", "struct probe_ops {"
CASES = [
    (True, HERE, "probe_use(p);"),
    (True, HERE, "probe_use(&probe_value);"),
    (True, HERE, "probe_use(&probe_other);"),
    (False, HERE, "if (p) probe_use(0);"),  # now it matters what callers pass as p
    (True, HERE, "if (q) probe_use(0);"),
    (True, HERE, "q = p; probe_use(q);"),
    (True, DECLARE, "int x = 3; probe_use(&x);"),
    (True, DECLARE, "int x = 3;\n\tprobe_use(&x);"),
    (True, HERE, "{ static int mine; probe_use(&mine); }"),
    (True, "probe_use(p);", ""),
    (False, "ops->run(p);", "if (ops) ops->run(p);"),
    (True, "ops->run(p);", "if (*p) ops->run(p);"),
    (True, TOP, "static int one(int a) { return a; } int two(void) { return one(1); } " + TOP),
    (False, "ops->run(p);", "ops->run(p); ops->run(p);"),
    (False, "ops->run(p);", ""),
    (False, "ops->run(p);", "ops->run(q);"),
    (False, "{ .run = probe_one }", "{ .run = probe_two }"),
    (False, HERE, "ops->run = probe_two;"),
    (False, HERE, "ops->spare = p;"),
    (False, HERE, "probe_take(probe_one);"),
    (False, "probe_take(probe_two);", ""),
    (False, HERE, "probe_main(ops, q);"),
    (False, HELD, "held_use(&probe_hook);"),
    (True, HELD, "held_use(((struct held_other *)in->ops)->go);"),
    (True, "probe_flags(a | 2)", "probe_flags(a | 4)"),
    (True, "probe_flags(a | 2)", "probe_flags(a & ~6)"),
    (True, "probe_flags(a | 2)", "probe_flags(a | 2) + probe_flags(a | 6)"),
    (False, "void probe_outer(void) {", "void probe_outer(int a) {"),
]


@pytest.fixture(scope="module")
def cold_contents() -> dict[str, dict[str, Any]]:
    """What cold runs said, by the text of the file that is edited. Every case returns to one."""
    return {}


@pytest.mark.parametrize(("carried", "old", "new"), CASES)
def test_what_an_edit_contributes_decides(
    tree: Path, resolved: list[int], cold_contents: dict[str, dict[str, Any]], carried: bool,
    old: str, new: str,
) -> None:
    path = tree / "net/ipv4/raw.c"
    text = path.read_text() + PROBE
    path.write_text(text)
    index_here(tree)
    for before, after in ((old, new), (new, old)):  # there, and back
        resolved.clear()
        text = text.replace(before, after, 1)
        path.write_text(text)
        warm = index_here(tree)
        assert bool(resolved) is not carried, text
        if text not in cold_contents:
            cold_contents[text] = everything(index_here(tree, again=True, name="cold").index)
        assert not contents_differences(everything(warm.index), cold_contents[text])
        if not after:
            return


def test_a_change_of_lines_keeps_the_names_of_literals(
    tree: Path, resolved: list[int]
) -> None:
    path = tree / "net/ipv4/raw.c"
    text = path.read_text() + (
        "struct in { int (*f)(void); };\nstatic int deep(void) { return 0; }\n"
        "struct in *inside = &(struct in) { .f = deep };\n")
    path.write_text(text)
    index_here(tree)
    resolved.clear()
    path.write_text("\n\n" + text)
    warm = index_here(tree)
    assert not resolved
    assert not differences(warm.index, index_here(tree, again=True, name="cold").index)
