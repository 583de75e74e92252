"""How many lines of `claim_lines.txt` kgraph reads, and judges as a person who read the source did:

    python -m tests.bench.claim_lines INDEX

INDEX is one of linux-4.6.2. `held` documents are counted by themselves; every line that was judged
otherwise is printed.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.model.verdicts import LineVerdict, Verdict
from kgraph.store import IndexReader

_LINES = Path(__file__).with_name("claim_lines.txt")
_JUDGED = {
    Verdict.PROSE: "p", Verdict.REFUTED: "r", Verdict.CONTRADICTS: "r", Verdict.UNDECIDED: "u",
    Verdict.UNREAD: "u",
}  # others: h


def iter_documents() -> Iterator[tuple[str, bool, list[tuple[str, str]]]]:
    """(name, whether it is held, its lines with what is true of each)."""
    for part in _LINES.read_text(encoding="utf-8").split("\n@ ")[1:]:
        head, *lines = part.rstrip("\n").split("\n")
        name, _, held = head.partition(" ")
        yield name, bool(held), [(line[0], line[2:]) for line in lines]


def main(index: str) -> None:
    """Print the lines that are judged otherwise, and a table."""
    graph = CallGraph(IndexReader(Path(index)))
    counts: Counter[tuple[bool, str]] = Counter()
    for name, held, lines in iter_documents():
        text = "".join(f"{line}\n" for _, line in lines)
        found = check_document(graph, parse_document(name, text.encode())).lines
        for (wanted, line), verdict in zip(lines, found, strict=True):
            is_right = _count(counts, verdict, wanted, held=held)
            if not is_right:
                print(f"{name}{' held' * held}: {wanted} {verdict.verdict:9} {line}\n"
                      f"    {verdict.note}")
    for held in (False, True):
        all_claims = counts[held, "claims"]
        print(f"{'held' if held else 'others':7} {all_claims} claims,"
              f" read {counts[held, 'read']}, judged rightly {counts[held, 'right']};"
              f" said to be wrong {counts[held, 'refuted']}, rightly"
              f" {counts[held, 'refuted rightly']}; prose taken for claims"
              f" {counts[held, 'taken']} of {counts[held, 'prose']}")


def _count(
    counts: Counter[tuple[bool, str]], verdict: LineVerdict, wanted: str, *, held: bool
) -> bool:
    """Count a line; whether it is judged rightly."""
    judged = _JUDGED.get(verdict.verdict, "h")
    if wanted == "p":
        counts[held, "prose"] += 1
        counts[held, "taken"] += judged != "p"
        return judged == "p"
    counts[held, "claims"] += 1
    counts[held, "read"] += judged != "p"
    counts[held, "right"] += judged == wanted
    counts[held, "refuted"] += judged == "r"
    counts[held, "refuted rightly"] += judged == wanted == "r"
    return judged == wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
