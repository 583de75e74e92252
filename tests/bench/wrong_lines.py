"""How many wrong lines of documents `kgraph check` lets pass, and how many true ones it refuses.

    python -m tests.bench.wrong_lines [INDEX [DOCUMENT...]]

takes the chains that come with kgraph, and those in the documents given.
"""

import sys
from collections import Counter
from pathlib import Path

import kgraph
from kgraph.check.document.query_files import read_shipped_queries
from kgraph.model.verdicts import Verdict
from tests.support.mutants import CAUGHT, PASSED, shorter, verdict, wrong

COLUMNS = ("hold", "gap", "open", "refused")


def main(index: str | None = None, *documents: str) -> None:
    graph = kgraph.api.open_graph(Path(index) if index else None)
    texts = [f"```\n{query.chain}" for query in read_shipped_queries()]
    texts += [Path(name).read_text(encoding="utf-8") for name in documents]
    kinds = {"wrong": lambda text: wrong(graph, text), "true, steps left out": shorter}
    for what, make in kinds.items():
        print(f"{what:24} {'mutants':>8}", *(f"{column:>8}" for column in COLUMNS))
        found: dict[str, Counter[str]] = {}
        for text in texts:
            for mutant in make(text):
                counts = found.setdefault(mutant.kind, Counter())
                counts[column_of(verdict(graph, mutant))] += 1
        for kind, counts in sorted(found.items()):
            print(f"{kind:24} {counts.total():8}", *(f"{counts[each]:8}" for each in COLUMNS))


def column_of(said: Verdict) -> str:
    if said in PASSED:
        return "hold"
    return "gap" if said is Verdict.GAP else "refused" if said in CAUGHT else "open"


if __name__ == "__main__":
    main(*sys.argv[1:])
