"""Pins: how they are written, what they leave to call sites, and which belong together."""

import pytest
from msgspec.structs import replace

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.document import Pin, Scenario
from kgraph.query import PathQuestion, find_paths
from kgraph.query.pins import find_pinned_sites, find_row_partners, parse_pin, propose_partners
from kgraph.query.scenarios import resolve_pins


def through(graph: CallGraph, slot: str) -> set[int]:
    return set(graph.find_sites_through(slot))


@pytest.mark.parametrize(("text", "pin"), [
    ("a.b = c", Pin("a.b", "c")), ("a.b=c@f..g", Pin("a.b", "c", "f", "g")),
    ("a.b = x/y.c:c @ ..g", Pin("a.b", "x/y.c:c", "", "g")), ("a.b=c@f..", Pin("a.b", "c", "f")),
    ("a.b", None), ("a.b=", None), ("=c", None), ("a=b=c", None), ("a=b@", None),
    ("a=b@f", None), ("a=b@..", None),
])
def test_pins_are_parsed(text: str, pin: Pin | None) -> None:
    assert Pin.parse(text) == pin
    assert pin is None or Pin.parse(str(pin)) == pin


def test_pins(mini: CallGraph) -> None:
    table = find_pinned_sites(mini, parse_pin("net_device.netdev_ops = veth_netdev_ops"))
    names = {mini.function(callee).id.name for callees in table.values() for callee in callees}
    assert "veth_xmit" in names
    assert not any(name.startswith("loopback") for name in names)
    assert not any(through(mini, "socket.ops") & table.keys())
    place = str(mini.site(min(through(mini, "net_device_ops.ndo_start_xmit"))).location)
    (only,) = find_pinned_sites(mini, parse_pin(f"{place} = veth_netdev_ops")).values()
    assert {mini.function(callee).id.name for callee in only} == {"veth_xmit"}
    with pytest.raises(LookupFailed) as refused:
        find_pinned_sites(mini, parse_pin("sock.sk_prot = veth_netdev_ops"))
    assert "raw_prot" in refused.value.hint
    for wrong in ("net/socket.c:1 = inet_sendmsg", "net_device.netdev_ops = raw_prot",
                  "no.slot = veth_netdev_ops", "neighbour.output = veth_xmit", "x",
                  "neighbour.output = nothing_here"):
        with pytest.raises(LookupFailed):
            find_pinned_sites(mini, parse_pin(wrong))


def test_a_pin_limited_on_the_command_line(mini: CallGraph) -> None:
    """One slot holds two values on one path."""
    slot = "net_device.netdev_ops"
    question = PathQuestion(
        "dev_queue_xmit", "e1000_xmit_frame", via=("veth_xmit",),
        bind=(f"{slot}=veth_netdev_ops@..veth_xmit", f"{slot}=e1000_netdev_ops@veth_xmit.."))
    names = [hop.callee.id.name for hop in find_paths(mini, question).paths[0].hops]
    assert names.count("__netdev_start_xmit") == 2
    with pytest.raises(LookupFailed, match="need not pass"):
        find_paths(mini, replace(question, bind=(f"{slot}=veth_netdev_ops@..sock_sendmsg",)))


def test_a_pin_that_nothing_supports_is_reported_with_its_line(mini: CallGraph) -> None:
    pin = Pin("sock.sk_prot", "no_such", where="q.toml:9")
    scenario = Scenario("q", (pin,), origin="query q")
    with pytest.raises(LookupFailed, match=r"^q\.toml:9: the pin sock\.sk_prot=no_such: "):
        check_document(mini, parse_document("x.md", b"sock_sendmsg()\n"), scenario)
    with pytest.raises(LookupFailed, match=r"^q\.toml:9: "):
        resolve_pins(mini, [pin])


def test_row_partners_of_a_pinned_table(mini: CallGraph) -> None:
    partners = find_row_partners(mini, parse_pin("sock.sk_prot = raw_prot"))
    assert [partner.pin.target for partner in partners] == ["inet_sockraw_ops"]
    both = [parse_pin("sock.sk_prot = raw_prot"), parse_pin("socket.ops = inet_sockraw_ops")]
    assert propose_partners(mini, both) == []
    assert propose_partners(mini, both[:1]) == partners
