"""Names that match a pattern."""

import re
from pathlib import Path

import pytest

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.query.find import NamePattern, find_matching_functions, find_names
from tests.support.tiny import Tiny


def names(graph: CallGraph, pattern: str, *kinds: str) -> list[str]:
    return [each.name for each in find_names(graph, pattern, kinds or ("function", "slot"))]


@pytest.fixture
def graph(tmp_path: Path) -> CallGraph:
    tiny = Tiny()
    tiny.files = {"tcp_rcv": "net/ipv4/tcp.c", "tcp_v4_rcv": "net/ipv4/tcp.c",
                  "udp_rcv": "net/udp.c", "Mixed": "a.c", "sys_send": "net/socket.c"}
    tiny.calls("tcp_rcv", "tcp_v4_rcv")
    tiny.calls("udp_rcv", "Mixed", slot=("ops", "rcv"))
    tiny.calls("sys_send", "udp_rcv")
    return tiny.graph(tmp_path, {"h.h": "#define rcv_all(x) tcp_rcv(x)\n"})


def test_patterns(graph: CallGraph) -> None:
    for pattern, found in {
        "tcp_*": ["tcp_rcv", "tcp_v4_rcv"], "tcp_*rcv*": ["tcp_rcv", "tcp_v4_rcv"],
        "tcp_v?_rcv": ["tcp_v4_rcv"], "*_rcv": ["tcp_rcv", "tcp_v4_rcv", "udp_rcv"],
        "v4": ["tcp_v4_rcv"], "tcp_rcv()": ["tcp_rcv"],
        "^tcp.*rcv$": ["tcp_rcv", "tcp_v4_rcv"], "(tcp|udp)_rcv": ["tcp_rcv", "udp_rcv"],
        "/_rcv$/": ["tcp_rcv", "tcp_v4_rcv", "udp_rcv"], "rcv.*": [
            "tcp_rcv", "tcp_v4_rcv", "udp_rcv"],
        "net/ipv4:*rcv": ["tcp_rcv", "tcp_v4_rcv"], "udp.c:*": ["udp_rcv"],
        "net:rcv": ["tcp_rcv", "tcp_v4_rcv", "udp_rcv"], "syscall:*": ["sys_send"],
        "syscall:en": ["sys_send"],
    }.items():
        assert names(graph, pattern, "function") == found, pattern
    assert names(graph, "rcv_all", "macro") == ["rcv_all"]
    assert [each.id.name for each in find_matching_functions(graph, "tcp_*")] == [
        "tcp_rcv", "tcp_v4_rcv"]


def test_case_is_ignored_where_nothing_else_fits(graph: CallGraph) -> None:
    assert names(graph, "MIXED") == names(graph, "mix*") == ["Mixed"]
    assert names(graph, "TCP_*") == ["tcp_rcv", "tcp_v4_rcv"]


def test_what_is_not_understood(graph: CallGraph) -> None:
    with pytest.raises(LookupFailed, match="no regular expression"):
        find_names(graph, "tcp(")
    with pytest.raises(LookupFailed, match="empty"):
        find_names(graph, "net:")
    with pytest.raises(LookupFailed, match="nothing matches `zzz"):
        find_names(graph, "zzz*")


def test_tables_and_slots(mini: CallGraph) -> None:
    found = {(each.kind, each.name): each for each in find_names(mini, "*veth*ops")}
    table = found["table", "veth_netdev_ops"]
    assert table.type == "const struct net_device_ops"
    slots = find_names(mini, "*.ndo_start_xmit")
    assert [(each.kind, each.name) for each in slots] == [("slot", "net_device_ops.ndo_start_xmit")]
    assert slots[0].bindings > 1


def test_whatever_matches_fits_the_shell_pattern() -> None:
    import fnmatch

    for text in ("tcp_*", "^tcp", "a[bc]?", "rcv", "x.*y"):
        pattern = NamePattern.parse(text)
        for name in ("tcp_rcv", "abd", "ad", "rcv", "xzy", "x.y"):
            if pattern.compile().search(name):
                assert re.search(fnmatch.translate(pattern.glob), name)
