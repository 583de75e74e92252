"""Holds first paths against what an expert would write: `python -m tests.bench.expert_paths`.

expert_paths.txt has a pair of functions a line and the functions that an expert's path passes, in
their order, or `none`. The program asks for the first path of each pair and prints those that miss
one of these functions. A path that it prints need not be wrong: judge it by hand.
"""

import argparse
from pathlib import Path

from kgraph import api
from kgraph.errors import LookupFailed

_PAIRS = Path(__file__).with_suffix(".txt")


def main() -> None:
    """Print each path that differs from the expert's, then how many pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path)
    index = parser.parse_args().index
    passed = total = 0
    with api.use_index(index) as graph:
        for line in _PAIRS.read_text().splitlines():
            if line.startswith("#"):
                continue
            ends, _, expected = line.partition(":")
            names = _list_functions(graph, *ends.split())
            total += 1
            if _passes(names, expected.split()):
                passed += 1
            else:
                print(line, "  " + " ".join(names), sep="\n")
    print(f"{passed} of {total} first paths pass what an expert passes")


def _list_functions(graph: api.CallGraph, caller: str, callee: str) -> list[str]:
    """The functions of the first path, none where there is no path."""
    question = api.PathQuestion(caller, callee, count_others=False)
    try:
        paths = api.path(graph, question, documented=False).answer.paths
    except LookupFailed as error:  # the index is of another release or configuration
        return [error.message]
    hops = paths[0].hops if paths else ()
    return [hop.caller.id.name for hop in hops] + [hop.callee.id.name for hop in hops[-1:]]


def _passes(names: list[str], expected: list[str]) -> bool:
    """Whether `names` has all expected functions in their order."""
    if expected == ["none"]:
        return not names
    remaining = iter(names)
    return all(name in remaining for name in expected)


if __name__ == "__main__":
    main()
