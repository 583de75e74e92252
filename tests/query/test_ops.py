"""Bindings of tables and slots: copied tables, and the fields that calls read."""

from pathlib import Path

import pytest

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.query import find_bindings
from kgraph.query.ops import iter_calls_through
from tests.support.tiny import Tiny


def test_the_field_that_a_call_reads_its_table_from(tmp_path: Path) -> None:
    """`a->this->run` says it; `t->run` may go through whatever."""
    tiny = Tiny()
    written = {"a->this->run": "this", "(a->b->that)->run": "that", "t->run": "", "a->b.run": "",
               "f(a)->this->run": "this", "run": ""}
    for number, expression in enumerate(written):
        tiny.calls(f"f{number}", "x", "y", slot=("ops", "run"), expression=expression)
    graph = tiny.graph(tmp_path)
    assert {graph.site(site).expression: base for site, _, base in iter_calls_through(
        graph, ("",), ())} == written


def test_ops_of_a_field_has_the_tables_that_come_by_copies(mini: CallGraph) -> None:
    """With the row that each is put into, the local, the parameter and the field."""
    rows = {row.bound.id.name: row for row in find_bindings(mini, "sock.sk_prot")}
    assert {"tcp_prot", "udp_prot", "raw_prot", "ping_prot"} == set(rows)
    raw = rows["raw_prot"]
    assert raw.slot == "sock_common.skc_prot"
    assert [(item.role.value, item.holder) for item in raw.evidence] == [
        ("binding", "inetsw_array.prot"), ("flow", "answer_prot"), ("argument", "sk_alloc(#3)"),
        ("flow", "sock_common.skc_prot")]
    assert raw.location == raw.evidence[-1].location
    assert [install.holder for install in find_bindings(mini, "raw_prot")[0].installs] == [
        "inet_protosw.prot", "sock_common.skc_prot"]
    put = find_bindings(mini, "net_device.netdev_ops")
    assert put
    assert not any(row.evidence for row in put)


def test_ops_of_a_slot_that_only_copies_fill_says_so(mini: CallGraph, tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("f", "x", "y", slot=("ops", "run"), expression="a->this->run")
    with pytest.raises(LookupFailed) as told:
        find_bindings(tiny.graph(tmp_path), "thing.this")
    assert "only by copies" in told.value.message
    assert "kgraph ops ops`" in told.value.hint
    with pytest.raises(LookupFailed) as unknown:
        find_bindings(mini, "net_device.netdev_op")
    assert "`net_device.netdev_ops`" in unknown.value.hint


def test_a_field_alone(tmp_path: Path) -> None:
    """It means its slot; where several records have it, the hint names them, the fullest first."""
    tiny = Tiny()
    tiny.calls("f", "x", "y", slot=("ops", "run"))
    graph = tiny.graph(tmp_path)
    rows = [("ops", "run"), ("ops", "stop"), ("others", "stop"), ("others", "stop")]
    graph.count_bindings_to_fields = lambda field: [  # type: ignore[method-assign]
        (f"{record}.{name}", rows.count((record, name)))
        for record, name in dict.fromkeys(reversed(rows)) if name == field]
    with pytest.raises(LookupFailed, match="2 records have a field `stop`") as raised:
        find_bindings(graph, "stop")
    assert raised.value.hint == "write one of `others.stop` (2), `ops.stop` (1)"


def test_what_c_writes_around_a_name_is_stripped(mini: CallGraph) -> None:
    wanted = find_bindings(mini, "net_device_ops.ndo_start_xmit")
    for written in ("ndo_start_xmit", "->ndo_start_xmit", ".ndo_start_xmit",
                    "net_device_ops->ndo_start_xmit", "net_device_ops::ndo_start_xmit"):
        assert find_bindings(mini, written) == wanted, written
    assert find_bindings(mini, "struct net_device_ops") == find_bindings(mini, "net_device_ops")
    assert find_bindings(mini, "veth_xmit()") == find_bindings(mini, "veth_xmit")
