"""Verdicts on mini-linux: each kind of claim, true and false."""

from dataclasses import replace

import pytest

from kgraph.documents import query_document, read_document
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.documents import ChainCheck, CitationVerdict, LineVerdict, Query, Verdict
from kgraph.pipeline.queries import find_query, shipped_queries
from kgraph.query import PathQuestion, find_paths
from kgraph.query.checking import check_document
from kgraph.query.pins import parse_pin, pinned_sites
from kgraph.query.row_partners import proposed, row_partners
from kgraph.query.scenarios import on_the_way
from kgraph.report.rewriting import rewritten


def checked(graph: CallGraph, text: str) -> ChainCheck:
    return check_document(graph, read_document("x.md", text.encode()))


def last(graph: CallGraph, text: str) -> LineVerdict:
    check = checked(graph, f"```\n{text}\n")
    return [line for line in check.lines if line.verdict is not Verdict.PROSE][-1]


@pytest.mark.parametrize(("text", "verdict"), [
    ("sock_sendmsg()\n|-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SyS_sendto()\n|-sock_sendmsg()", Verdict.GAP),
    ("sock_sendmsg_nosec()\n|-inet_sendmsg()", Verdict.ONE_OF),
    ("sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. inet_sendmsg", Verdict.ONE_OF),
    ("sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. veth_xmit", Verdict.REFUTED),
    ("sock_sendmsg_nosec()\n|-sock->ops->recvmsg()", Verdict.REFUTED),
    ("____napi_schedule()\n|-net_rx_action()", Verdict.DEFERRED),
    ("veth_xmit()\n|-SyS_sendto()", Verdict.REFUTED),
    ("veth_xmit()\n|-there_is_no_such()", Verdict.REFUTED),
    ("there_is_no_such()\n|-veth_xmit()", Verdict.UNDECIDED),
    ("__br_forward()\n|-skb->dev = to->dev", Verdict.HOLDS),
    ("__br_forward()\n|-skb->dev = from->dev", Verdict.REFUTED),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) return get_net(old_net)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWPID) return get_net(old_net)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) return put_net(old_net)", Verdict.REFUTED),
    ("sock_def_readable()\n|-wake_up_interruptible_sync_poll()", Verdict.HOLDS),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_open = veth_open,", Verdict.HOLDS),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_open = veth_close,", Verdict.REFUTED),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_none = veth_close,", Verdict.REFUTED),
    ("struct proto_ops veth_netdev_ops = {", Verdict.REFUTED),
    ("struct proto {", Verdict.HOLDS),
    ("struct no_such_record {", Verdict.REFUTED),
    ("ip_output()\n|-NF_HOOK_COND()\n  |-ip_finish_output()", Verdict.HOLDS),
    ("ip_output()\n|-NF_HOOK_COND()\n  |-okfn()  // i.e. arp_xmit_finish", Verdict.REFUTED),
    ("SYSC_sendto() -> sock_sendmsg() → sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SyS_sendto() -> sock_sendmsg() -> sock_sendmsg_nosec()", Verdict.GAP),
    ("sock_sendmsg() -> sock_sendmsg_nosec() -> veth_xmit()", Verdict.REFUTED),
    ("sock_sendmsg() -> there_is_no_such() -> sock_sendmsg_nosec()", Verdict.REFUTED),
    ("SYSC_sendto() -> sock_sendmsg()\n|-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SYSC_sendto()\n|-sock_sendmsg() -> sock_sendmsg_nosec() -> inet_sendmsg()", Verdict.ONE_OF),
    ("ip_output()\n|-what_is_this(a, b) && c_d(e)", Verdict.UNREAD),
])
def test_verdicts(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)


@pytest.mark.parametrize("text", [
    "ndo_start_xmit()", "struct no_such ndo_start_xmit = {",
    "sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. ndo_start_xmit",
])
def test_an_index_of_a_part_cannot_tell_what_is_not_configured(
    mini: CallGraph, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The name stands in the tree, and is no function of the index."""
    assert last(mini, text).note.endswith("is not in this configuration")
    part = replace(mini.description, only=("net",))
    monkeypatch.setattr(mini.reader, "description", part)
    found = last(mini, text)
    assert found.verdict is Verdict.UNDECIDED
    assert found.note.endswith("this configuration, or not in the part that was indexed")


def test_a_table_in_the_section_is_its_scenario(mini: CallGraph) -> None:
    text = """# one
__netdev_start_xmit()
|-ops->ndo_start_xmit()  // i.e. loopback_xmit
struct net_device_ops veth_netdev_ops = {
 .ndo_start_xmit = veth_xmit,
}
# two
__netdev_start_xmit()
|-ops->ndo_start_xmit()  // i.e. loopback_xmit
"""
    check = checked(mini, text)
    assert check.lines[2].verdict is Verdict.CONTRADICTS
    assert "veth_xmit" in check.lines[2].note
    assert check.lines[8].verdict is Verdict.ONE_OF
    assert [pin.target for pin in check.scenario.pins] == ["veth_netdev_ops", "loopback_xmit"]


def test_a_stack_is_judged_from_its_last_line_up(mini: CallGraph) -> None:
    check = checked(mini, """Call Trace:
 [<ffffffff81000001>] sock_sendmsg_nosec+0x1/0x30
 [<ffffffff81000002>] ? veth_xmit+0x1/0x30
 [<ffffffff81000003>] sock_sendmsg+0x1/0x30
 [<ffffffff81000004>] veth_xmit+0x1/0x30
""")
    assert [line.verdict for line in check.lines[1:]] == [
        Verdict.HOLDS, Verdict.HOLDS, Verdict.REFUTED, Verdict.HOLDS
    ]


def cited(graph: CallGraph, shift: int) -> LineVerdict:
    """sock_sendmsg, cited `shift` lines after its call of sock_sendmsg_nosec."""
    line = find_paths(graph, PathQuestion("sock_sendmsg", "sock_sendmsg_nosec"))
    place = line.paths[0].hops[0].site.location
    text = f"sock_sendmsg() (k\\{place.path.replace('/', chr(92))}:{place.line + shift})\n"
    return checked(graph, f"```\n{text}|-sock_sendmsg_nosec()\n```\n").lines[1]


@pytest.mark.parametrize(("shift", "verdict"), [
    (0, CitationVerdict.EXACT), (1, CitationVerdict.NEAR), (2, CitationVerdict.NEAR),
    (-6, CitationVerdict.OUTSIDE), (-3, CitationVerdict.DEFINITION),
    (10**5, CitationVerdict.MISSING),
])
def test_citations(mini: CallGraph, shift: int, verdict: CitationVerdict) -> None:
    found = cited(mini, shift)
    assert found.citation is verdict
    right = cited(mini, 0).found
    assert (found.found and str(found.found)) == str(right)
    assert found.distance == (shift if verdict is CitationVerdict.NEAR else 0)


def test_parameters_and_arguments_are_compared(mini: CallGraph) -> None:
    assert "not `message`" in last(mini, "sock_sendmsg(struct socket *sock, struct msghdr *message)"
                                   ).note
    assert "2 parameters" in last(mini, "sock_sendmsg(struct socket *sock)").note
    assert last(mini, "sock_sendmsg(struct socket * sock, struct msghdr * msg)").note == ""
    wrong = last(mini, "copy_net_ns()\n|-setup_net(net, other_ns)")
    assert wrong.verdict is Verdict.HOLDS
    assert "its arguments are (net, user_ns) there" in wrong.note


def test_fix_changes_the_numbers_and_nothing_else(mini: CallGraph) -> None:
    place = cited(mini, 0).found
    assert place is not None
    cited_line = f"sock_sendmsg() (k\\net\\socket.c:{place.line})"
    good = f"注 ```\r\n```\r\n{cited_line}\r\n|-sock_sendmsg_nosec()\r\n"
    bad = good.replace(f":{place.line})", f":{place.line + 2})").encode()
    fixed = rewritten(bad, check_document(mini, read_document("x", bad)))
    assert fixed == good.encode()
    again = rewritten(fixed, check_document(mini, read_document("x", fixed)), cite=True)
    assert again.count(b"\r\n") == good.count("\r\n")
    assert b"sock_sendmsg_nosec() (k\\net\\socket.c:" in again


QUERIES = shipped_queries()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_shipped_queries_hold(mini: CallGraph, query: Query) -> None:
    check = check_document(mini, query_document(query), query.scenario)
    wrong = {Verdict.REFUTED, Verdict.CONTRADICTS, Verdict.UNDECIDED, Verdict.UNREAD, Verdict.GAP}
    assert not [line for line in check.lines if line.verdict in wrong]
    assert sum(line.verdict is Verdict.HOLDS for line in check.lines) > 8


def way(graph: CallGraph, query: Query, avoid: tuple[str, ...] = ()) -> tuple[str, ...]:
    scenario = on_the_way(query, query.caller, query.callee)
    question = PathQuestion(query.caller, query.callee, scenario=scenario, avoid=avoid)
    paths = find_paths(graph, question).paths
    return tuple(hop.callee.id.name for hop in paths[0].hops) if paths else ()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_the_path_is_searched_and_not_copied(mini: CallGraph, query: Query) -> None:
    """Without any one of its functions the answer is another, or there is none."""
    found = way(mini, query)
    lines = query_document(query).lines
    claimed = {line.claim.name for line in lines} | {line.claim.target for line in lines}
    assert set(found) - claimed <= {"NF_HOOK_THRESH"}
    for name in set(found[:-1]):
        assert name not in way(mini, query, avoid=(name,))


def test_a_part_of_a_documented_way(mini: CallGraph) -> None:
    query = find_query("veth")
    part = on_the_way(query, "SyS_sendto", "veth_xmit")
    assert part is not None
    assert part.via == query.scenario.via[:-1]
    assert on_the_way(query, "veth_xmit", "SyS_sendto") is None


def test_pins(mini: CallGraph) -> None:
    table = pinned_sites(mini, parse_pin("net_device.netdev_ops = veth_netdev_ops"))
    names = {mini.function(callee).id.name for callees in table.values() for callee in callees}
    assert "veth_xmit" in names
    assert not any(name.startswith("loopback") for name in names)
    for wrong in ("net_device.netdev_ops = raw_prot", "no.slot = veth_netdev_ops",
                  "neighbour.output = veth_xmit", "x", "neighbour.output = nothing_here"):
        with pytest.raises(LookupFailed):
            pinned_sites(mini, parse_pin(wrong))


def test_what_stands_beside_a_pinned_table_in_its_row(mini: CallGraph) -> None:
    partners = row_partners(mini, parse_pin("sock.sk_prot = raw_prot"))
    assert [partner.pin.target for partner in partners] == ["inet_sockraw_ops"]
    both = [parse_pin("sock.sk_prot = raw_prot"), parse_pin("socket.ops = inet_sockraw_ops")]
    assert proposed(mini, both) == []
    assert proposed(mini, both[:1]) == partners


def test_a_pin_for_a_part_of_the_way(mini: CallGraph) -> None:
    query = find_query("veth")
    pins = tuple(
        replace(pin, start="neigh_resolve_output", end="veth_xmit")
        if pin.target == "veth_netdev_ops" else pin for pin in query.scenario.pins
    )
    limited = replace(query, scenario=replace(query.scenario, pins=pins))
    assert way(mini, limited) == way(mini, query)
