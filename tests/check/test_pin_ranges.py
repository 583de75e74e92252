"""Pins that hold on a part of a document: of a scenario, of printed tables, of named targets."""

from dataclasses import replace
from pathlib import Path

import pytest

from kgraph.check.document.parser import parse_document
from kgraph.check.document.query_files import parse_query
from kgraph.check.document.subjects import build_query_document
from kgraph.check.walk import check_document
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.verdicts import ChainCheck, Verdict
from kgraph.report.text import format_scenario
from tests.support.tiny import Tiny

FIRST = """__netdev_start_xmit()
|-ops->ndo_start_xmit()  // i.e. FIRST_TARGET
"""
VETH = """struct net_device_ops veth_netdev_ops = {
    .ndo_start_xmit = veth_xmit,
}
"""
SECOND = """veth_xmit()
|-dev_forward_skb()
dev_hard_start_xmit()
|-xmit_one()
  |-netdev_start_xmit()
    |-__netdev_start_xmit()
      |-ops->ndo_start_xmit()  // i.e. SECOND_TARGET
"""
E1000 = """struct net_device_ops e1000_netdev_ops = {
    .ndo_start_xmit = e1000_xmit_frame,
}
"""
AFTER = "e1000_xmit_frame()\n"


def naming(text: str, first: str = "", second: str = "") -> str:
    """A text whose pointer calls claim these targets."""
    return text.replace("FIRST_TARGET", first).replace("SECOND_TARGET", second)


def check_chain(graph: CallGraph, text: str) -> ChainCheck:
    return check_document(graph, parse_document("x.md", f"```\n{text}```\n".encode()))


def claims(check: ChainCheck) -> dict[str, Verdict]:
    """The verdicts of the lines that name a target, by their targets in order."""
    return {f"{number} {line.line.claim.target}": line.verdict for number, line in enumerate(
        (line for line in check.lines if line.line.claim.target), 1)}


def test_each_printed_table_holds_until_the_document_goes_on_from_it(mini: CallGraph) -> None:
    text = FIRST + VETH + SECOND + E1000 + AFTER
    good = check_chain(mini, naming(text, "veth_xmit", "e1000_xmit_frame"))
    assert claims(good) == {"1 veth_xmit": Verdict.HOLDS, "2 e1000_xmit_frame": Verdict.HOLDS}
    swapped = check_chain(mini, naming(text, "e1000_xmit_frame", "veth_xmit"))
    assert claims(swapped) == {
        "1 e1000_xmit_frame": Verdict.CONTRADICTS, "2 veth_xmit": Verdict.CONTRADICTS
    }


def test_tables_may_come_before_all_that_they_are_for(mini: CallGraph) -> None:
    text = VETH + E1000 + FIRST + SECOND + AFTER
    good = check_chain(mini, naming(text, "veth_xmit", "e1000_xmit_frame"))
    assert set(claims(good).values()) == {Verdict.HOLDS}
    wrong = check_chain(mini, naming(text, "loopback_xmit", "loopback_xmit"))
    assert set(claims(wrong).values()) == {Verdict.CONTRADICTS}


def test_behind_its_segment_a_table_contradicts_nothing(mini: CallGraph) -> None:
    check = check_chain(mini, naming(
        FIRST + VETH + SECOND, "loopback_xmit", "e1000_xmit_frame"))
    assert claims(check) == {
        "1 loopback_xmit": Verdict.CONTRADICTS, "2 e1000_xmit_frame": Verdict.ONE_OF
    }


def test_tables_that_nothing_tells_apart_hold_both(mini: CallGraph) -> None:
    for target, verdict in (("veth_xmit", Verdict.ONE_OF), ("e1000_xmit_frame", Verdict.ONE_OF),
                            ("loopback_xmit", Verdict.CONTRADICTS)):
        check = check_chain(mini, VETH + E1000 + naming(FIRST, target))
        assert claims(check) == {f"1 {target}": verdict}


QUERY = """title = "t"
caller = "__netdev_start_xmit"
callee = "e1000_xmit_frame"
chain = '''
{chain}'''
[scenario]
pins = [
    {{slot = "net_device.netdev_ops", target = "veth_netdev_ops", to = "veth_xmit"}},
    {{slot = "net_device.netdev_ops", target = "e1000_netdev_ops", from = "veth_xmit"}},
]
via = ["veth_xmit"]
"""


@pytest.mark.parametrize(("first", "second", "verdicts"), [
    ("veth_xmit", "e1000_xmit_frame", [Verdict.HOLDS, Verdict.HOLDS]),
    ("veth_xmit", "veth_xmit", [Verdict.HOLDS, Verdict.CONTRADICTS]),
    ("loopback_xmit", "e1000_xmit_frame", [Verdict.CONTRADICTS, Verdict.HOLDS]),
])
def test_the_pins_of_a_query_for_a_part_of_its_way(
    mini: CallGraph, first: str, second: str, verdicts: list[Verdict]
) -> None:
    chain = naming(FIRST + SECOND, first, second)
    query = parse_query("q.toml", QUERY.format(chain=chain))
    check = check_document(mini, build_query_document(query), query.scenario)
    assert list(claims(check).values()) == verdicts


def test_a_pin_for_a_part_that_the_document_does_not_come_to(mini: CallGraph) -> None:
    query = parse_query("q.toml", QUERY.format(chain=naming(FIRST, "loopback_xmit")))
    late = replace(query.scenario, pins=query.scenario.pins[1:])
    check = check_document(mini, build_query_document(query), late)
    assert list(claims(check).values()) == [Verdict.ONE_OF]


def test_named_targets_are_the_scenario(mini: CallGraph) -> None:
    check = check_chain(mini, naming(FIRST + SECOND, "veth_xmit", "e1000_xmit_frame"))
    assert check.scenario.origin == "the targets that it names"
    slot = "net_device_ops.ndo_start_xmit"
    assert [(pin.slot, pin.target) for pin in check.scenario.pins] == [
        (slot, "veth_xmit"), (slot, "e1000_xmit_frame")
    ]
    assert set(claims(check).values()) == {Verdict.ONE_OF}  # no claim is its own proof
    refuted = check_chain(mini, naming(FIRST, "ip_output"))
    assert refuted.scenario.pins == ()
    assert "not a candidate of this call; candidates: " in refuted.lines[2].note


def test_two_targets_in_one_chain_are_for_two_parts_of_the_way(mini: CallGraph) -> None:
    """The root goes on from what the chain came to, so that both calls are on one way."""
    check = check_chain(mini, naming(
        FIRST + "veth_xmit()\n|-dev_forward_skb()\n"
        + FIRST.replace("FIRST", "SECOND"), "veth_xmit", "loopback_xmit"))
    text = format_scenario(check.scenario)
    assert text == ("net_device_ops.ndo_start_xmit=veth_xmit (to veth_xmit),"
                    " net_device_ops.ndo_start_xmit=loopback_xmit (from veth_xmit to"
                    " loopback_xmit)")


def test_a_pin_without_evidence_is_refused(mini: CallGraph) -> None:
    text = QUERY.format(chain="f_1()\n").replace("veth_netdev_ops", "raw_prot")
    with pytest.raises(LookupFailed, match="holds no struct proto") as raised:
        check_document(mini, parse_document("x", b"a"), parse_query("q", text).scenario)
    assert "it could be " in raised.value.hint
    assert "veth_netdev_ops" in raised.value.hint


def test_a_printed_table_that_nothing_holds_pins_nothing_and_says_so(mini: CallGraph) -> None:
    text = VETH.replace("veth_netdev_ops", "dummy_spare_ops").replace("veth_xmit", "dummy_xmit")
    check = check_chain(mini, text + naming(FIRST, "veth_xmit"))
    assert list(claims(check).values()) == [Verdict.ONE_OF]
    assert "it pins nothing" in check.lines[1].note


def test_a_named_target_says_which_way_is_meant_where_steps_are_left_out(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("top", "middle")
    tiny.calls("middle", *(f"way{n}" for n in range(64)), slot=("ops", "run"))
    for n in range(64):
        tiny.calls(f"way{n}", f"end{n}")
    graph = tiny.graph(tmp_path)
    gap = "top()\n|-end3()\n"
    assert check_chain(graph, gap).lines[2].verdict is Verdict.UNDECIDED  # a choice among 64
    named = "top()\n|-middle()\n  |-ops->run()  // i.e. way3\n"
    check = check_chain(graph, named.replace("ops->run", "ops.run") + gap)
    assert check.lines[5].verdict is Verdict.GAP
    assert [hop.callee.id.name for hop in check.lines[5].via] == ["middle", "way3", "end3"]
    other = check_chain(graph, named.replace("ops->run", "ops.run") + gap.replace("end3", "end4"))
    assert other.lines[5].verdict is Verdict.UNDECIDED
    assert "with choices (64 at" in other.lines[5].note
