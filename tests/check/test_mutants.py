"""Wrong lines do not hold, true ones that leave steps out are not refuted: counted on mini-linux.

tests/bench/wrong_lines.py counts the same on any index.
"""

from collections import Counter

import pytest

from kgraph.check.document.query_files import read_shipped_queries
from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.made_once import make_once
from tests.support.mutants import CAUGHT, PASSED, Mutant, shorter, verdict, wrong

QUERIES = read_shipped_queries()
SURE = ("condition", "row", "statement", "target")
Judged = list[tuple[Mutant, Verdict]]


@pytest.fixture(scope="module")
def wrongs(mini: CallGraph, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return make_once(tmp_path_factory, "wrong-lines", lambda _folder: [
        (mutant, verdict(mini, mutant)) for query in QUERIES
        for mutant in wrong(mini, f"```\n{query.chain}")])


@pytest.fixture(scope="module")
def shortened(mini: CallGraph) -> Judged:
    return [(mutant, verdict(mini, mutant)) for query in QUERIES
            for mutant in shorter(f"```\n{query.chain}")]


def test_wrong_lines_do_not_hold(wrongs: Judged) -> None:
    """What is wrong for sure is refused; another callee passes at most with its steps named (a gap,
    or a deferred call by way of others).
    """
    held = [mutant for mutant, said in wrongs if said in PASSED and said is not Verdict.DEFERRED]
    assert not held
    assert not [mutant for mutant, said in wrongs if mutant.kind in SURE and said is Verdict.GAP]


def test_most_wrong_calls_are_refused(wrongs: Judged) -> None:
    every = Counter(mutant.kind for mutant, _ in wrongs)
    caught = Counter(mutant.kind for mutant, said in wrongs if said in CAUGHT)
    gaps = Counter(mutant.kind for mutant, said in wrongs if said is Verdict.GAP)
    assert min(every[kind] for kind in ("callee", "order", "row", "target")) > 20
    for kind, least, most in (("callee", 0.55, 0.25), ("order", 0.6, 0.2)):
        assert caught[kind] >= least * every[kind]
        assert gaps[kind] <= most * every[kind]


def test_true_lines_with_steps_left_out_are_not_refuted(shortened: Judged) -> None:
    assert not [mutant for mutant, said in shortened if said in CAUGHT]
    left = [said for _, said in shortened if said in (Verdict.UNDECIDED, Verdict.UNREAD)]
    assert len(left) <= 0.1 * len(shortened)
