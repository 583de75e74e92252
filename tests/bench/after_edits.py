"""How often an edit is carried over, and what it costs: random edits of a copy of a kernel tree.

    python -m tests.bench.after_edits TREE [--edits N] [--seed N]

TREE must be indexed already, and be a copy: its files are edited. An edit that would resolve the
whole is counted and put back.
"""

import argparse
from collections import Counter
from pathlib import Path
from random import Random

from kgraph.indexing import write_index
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.store.previous_index import PreviousIndex
from tests.support import edits


class _Whole(Exception):
    """The edit would resolve the whole."""


def _stop(*_: object) -> None:
    raise _Whole


def measure(tree: Path, count: int, seed: int) -> None:
    """Edit, index, put back and count."""
    random = Random(seed)
    write_index._resolve_graph = _stop  # type: ignore[assignment]
    first = index_tree(IndexRequest(tree, jobs=1))
    built = {path for path, _ in PreviousIndex(first.index).units if path.endswith(".c")}
    files = sorted(tree / path for path in built)
    made: Counter[str] = Counter()
    carried: Counter[str] = Counter()
    cpu = []
    while made.total() < count:
        edit, path = random.choice(edits.CARRIED + edits.RESOLVED), random.choice(files)
        before = path.read_bytes()
        after = edit(before.decode("latin-1"), random)
        if after is None:
            continue
        made[edit.__name__] += 1
        path.write_bytes(after.encode("latin-1"))
        try:
            cpu.append(index_tree(IndexRequest(tree, jobs=1)).cpu_seconds)
            carried[edit.__name__] += 1
        except _Whole:
            path.write_bytes(before)
    for kind, times in sorted(made.items()):
        print(f"{kind:24} {carried[kind]:3} of {times:3} carried over")
    if cpu:
        print(f"CPU of one: mean {sum(cpu) / len(cpu):.1f} s, most {max(cpu):.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    measure(options.tree, options.edits, options.seed)
