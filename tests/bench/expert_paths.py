"""Holds first paths against what an expert would write: `python -m tests.bench.expert_paths`.

A file of pairs (expert_paths.txt, on which costs were tuned; those of held_paths_*.txt were written
before kgraph was asked) has a pair of functions a line and the functions that an expert's path
passes, in their order; `none`; or `deferred`, if it must leave its context. What follows a second
colon is the judgement and its reason. The program asks for the first path of each pair and prints
those that miss one of these functions. A path that it prints need not be wrong: judge it by hand.
"""

import argparse
from pathlib import Path

from kgraph import api
from kgraph.errors import LookupFailed
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop

_PAIRS = Path(__file__).with_suffix(".txt")


def main() -> None:
    """Print each path that differs from the expert's, then how many pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--pairs", type=Path, default=_PAIRS)
    options = parser.parse_args()
    passed = total = 0
    with api.use_index(options.index) as graph:
        for line in options.pairs.read_text().splitlines():
            if line.startswith("#") or not line:
                continue
            ends, _, rest = line.partition(":")
            hops = _find_hops(graph, *ends.split())
            total += 1
            if _passes(hops, rest.partition(":")[0].split()):
                passed += 1
            else:
                print(line, "  " + " ".join(_list_functions(hops)), sep="\n")
    print(f"{passed} of {total} first paths pass what an expert passes")


def _find_hops(graph: api.CallGraph, caller: str, callee: str) -> tuple[Hop, ...] | str:
    """The hops of the first path, none where there is no path; or why it cannot be asked for."""
    question = api.PathQuestion(caller, callee, count_others=False)
    try:
        paths = api.path(graph, question, documented=False).answer.paths
    except LookupFailed as error:  # the index is of another release or configuration
        return error.message
    return paths[0].hops if paths else ()


def _list_functions(hops: tuple[Hop, ...] | str) -> list[str]:
    if isinstance(hops, str):
        return [hops]
    return [hop.caller.id.name for hop in hops] + [hop.callee.id.name for hop in hops[-1:]]


def _passes(hops: tuple[Hop, ...] | str, expected: list[str]) -> bool:
    """Whether a path has all expected functions in their order."""
    if isinstance(hops, str):
        return False
    if expected == ["none"]:
        return not hops
    if expected == ["deferred"]:
        return any(hop.kind is EdgeKind.DEFERRED for hop in hops)
    remaining = iter(_list_functions(hops))
    return all(name in remaining for name in expected)


if __name__ == "__main__":
    main()
