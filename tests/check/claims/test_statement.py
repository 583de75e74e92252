"""Statements stand in the source word by word, but for macros that stand for members."""

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import last


@pytest.mark.parametrize(("text", "verdict"), [
    ("__br_forward()\n|-skb->dev = to->dev", Verdict.HOLDS),
    ("__br_forward()\n|-skb->dev = from->dev", Verdict.REFUTED),
    ("sk_alloc()\n|-sk->__sk_common.skc_family = family", Verdict.HOLDS),
    ("sk_alloc()\n|-sk->__sk_common.skc_family = priority", Verdict.REFUTED),
    ("sk_alloc()\n|-sk->__sk_common.skc_net = family", Verdict.REFUTED),
])
def test_statements_are_quoted(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)
