"""Holds proofs of emptiness against the text: `python -m tests.bench.empty_sites TREE`.

For every field whose calls are proved to be empty it looks in all files that the units read for
a line that writes a field of that name (`.f = x`, `->f = x`, `f: x,`), where the file names the
record, too. It knows nothing of C: what another configuration compiles, fields of one name in other
records and copies of empty fields are found as well, and are judged by hand. What it does not find,
no assignment and no named row of an initialiser writes.
"""

import argparse
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import kgraph
from kgraph.graph import CallGraph

_WRITE = re.compile(
    r"(?:\.|->)(?P<set>\w+)\s*=(?!=)\s*(?P<to>[\w&>.-]+)|\b(?P<row>\w+)\s*:\s*(?P<of>\w+)\s*,")
_NOTHING = ("NULL", "0")


def main() -> None:
    """Print a line a field that may be written after all, with the first places."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--index", type=Path)
    given = parser.parse_args()
    graph = kgraph.api.open_graph(given.index)
    texts = dict(_texts(graph, given.tree))
    writes = _writes(texts)
    fields = sorted(_empty_fields(graph))
    found = 0
    for record, field in fields:
        word = re.compile(rf"\b{re.escape(record.partition('.')[0])}\b")
        places = [place for path, place in writes.get(field, ()) if word.search(texts[path])]
        found += bool(places)
        if places:
            print(f"{record}.{field}: {'; '.join(places[:4])}")
    print(f"{len(fields)} fields without a function, {found} of them with such a line;"
          f" {len(texts)} files")


def _texts(graph: CallGraph, tree: Path) -> Iterator[tuple[str, str]]:
    for (path,) in graph.reader.fetch_rows("SELECT path FROM unit_file ORDER BY path"):
        file = tree / path
        if file.suffix in (".c", ".h") and file.is_file():
            yield path, file.read_text(errors="replace")


def _writes(texts: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Field -> the file and place of each line that writes one of its name."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, text in texts.items():
        for match in _WRITE.finditer(text):
            value = match["to"] or match["of"]
            if value not in _NOTHING:
                line = text.count("\n", 0, match.start()) + 1
                found[match["set"] or match["row"]].append((path, f"{path}:{line} {value}"))
    return found


def _empty_fields(graph: CallGraph) -> set[tuple[str, str]]:
    rows = graph.reader.fetch_rows(
        "SELECT DISTINCT h.text FROM site s JOIN text h ON h.id = s.holder WHERE s.status = 'empty'"
    )
    return {(record, field) for (holder,) in rows
            for record, dot, field in [holder.rpartition(".")] if dot}


if __name__ == "__main__":
    main()
