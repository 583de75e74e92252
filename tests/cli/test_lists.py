"""Options that choose, count and sort what is listed, and places for editors."""

import json
import re
from pathlib import Path

import pytest

from kgraph.resources import find_mini_linux


@pytest.fixture
def ask(kgraph, mini_index: Path):
    def run(*words: object, cwd: Path | None = None):
        answer = kgraph(*words, "--index", mini_index, cwd=cwd)
        assert answer.returncode in (0, 1, 3), answer.stderr
        return answer

    return run


def test_callers_of_a_folder_counted_and_sorted(ask) -> None:
    everything = ask("callers", "dev_queue_xmit").stdout.splitlines()
    inside = ask("callers", "dev_queue_xmit", "--in", "net/bridge/").stdout.splitlines()
    assert 0 < len(inside) < len(everything)
    assert all(line.startswith("net/bridge/") for line in inside)
    assert re.fullmatch(r"\d+ calls by \d+ functions\n",
                        ask("callers", "dev_queue_xmit", "--count").stdout)
    by_place = ask("callers", "dev_queue_xmit", "--sort", "place").stdout.splitlines()
    assert sorted(by_place) == sorted(everything)
    assert [line.partition(":")[0] for line in by_place] == sorted(
        line.partition(":")[0] for line in everything)
    limited = ask("callers", "dev_queue_xmit", "--limit", "1")
    assert len(limited.stdout.splitlines()) == 1
    assert f"1 of {len(everything)} calls are shown" in limited.stderr


def test_bindings_of_a_folder_counted_and_sorted(ask) -> None:
    inside = ask("ops", "net_device_ops.ndo_start_xmit", "--in", "drivers/net/veth.c").stdout
    assert "veth_xmit" in inside
    assert "e1000" not in inside
    assert re.fullmatch(r"\d+ bindings, in \d+ tables\n",
                        ask("ops", "net_device_ops.ndo_start_xmit", "--count").stdout)
    names = re.findall(r"ndo_start_xmit = (\w+)",
                       ask("ops", "net_device_ops.ndo_start_xmit", "--sort", "name").stdout)
    assert names == sorted(names)


def test_callees_of_a_folder_counted_and_sorted(ask) -> None:
    everything = ask("callees", "__netif_receive_skb_core").stdout.splitlines()
    inside = ask("callees", "__netif_receive_skb_core", "--in", "net/bridge").stdout.splitlines()
    assert 0 < len(inside) < len(everything)
    assert set(inside) < set(everything)
    record = json.loads(
        ask("callees", "__netif_receive_skb_core", "--in", "net/bridge", "--json").stdout)
    assert len(record["edges"]) == len(inside)
    assert re.fullmatch(r"\d+ calls to \d+ functions\n",
                        ask("callees", "__netif_receive_skb_core", "--count").stdout)
    names = [edge["callee"]["name"] for edge in json.loads(
        ask("callees", "__netif_receive_skb_core", "--sort", "name", "--json").stdout)["edges"]]
    assert names == sorted(names)


@pytest.mark.parametrize("verb", [
    ("callers", "veth_xmit"), ("callers", "veth_xmit", "--count"), ("callees", "veth_xmit"),
    ("callers", "veth_xmit", "--to", "syscall"), ("callees", "veth_xmit", "--depth", "2"),
    ("callees", "veth_xmit", "--json"), ("ops", "net_device_ops.ndo_start_xmit"),
    ("ops", "veth_netdev_ops", "--count"), ("ops", "veth_netdev_ops", "--json")])
def test_a_folder_that_is_not_there_is_an_error(kgraph, mini_index: Path, verb: tuple) -> None:
    answer = kgraph(*verb, "--in", "no/such/folder", "--index", mini_index)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("kgraph: the index has nothing in `no/such/folder`")


def test_a_folder_is_named_as_places_are(ask) -> None:
    top = find_mini_linux()
    words = ("callers", "dev_queue_xmit", "--in")
    wanted = ask(*words, "net/bridge").stdout
    for name, folder in (("net/bridge/", None), ("./net/bridge", top),
                         ("../bridge", top / "net/ipv4"), (".", top / "net/bridge"),
                         (top / "net/bridge", None)):
        assert ask(*words, name, cwd=folder).stdout == wanted
    everything = ask("callers", "dev_queue_xmit").stdout
    assert ask(*words, top).stdout == ask(*words, ".", cwd=top).stdout == everything
    assert "no calls in net/sunrpc reach" in ask(*words, "net/sunrpc").stderr


def test_system_calls_of_a_folder(ask) -> None:
    found = ask("callers", "copy_process", "--to", "syscall", "--in", "kernel").stdout
    assert "SyS_clone" in found
    assert ask("callers", "copy_process", "--to", "syscall", "--in", "net").stdout == ""


@pytest.mark.parametrize("words", [
    ("callers", "--to", "syscall", "--depth", "2"),
    ("callers", "--to", "syscall", "--sort", "name"),
    ("callers", "--count", "--depth", "2"), ("callees", "--count", "--limit", "2"),
    ("callees", "--depth", "2", "--sort", "place")])
def test_options_that_mean_nothing_together(kgraph, mini_index: Path, words: tuple) -> None:
    answer = kgraph(words[0], "veth_xmit", *words[1:], "--index", mini_index)
    assert answer.returncode == 2
    assert "cannot be given with" in answer.stderr


def test_trees(ask) -> None:
    tree = ask("callers", "veth_xmit", "--depth", "3").stdout.splitlines()
    assert re.fullmatch(r"veth_xmit\(\) \(drivers/net/veth\.c:\d+\)  // 1 caller", tree[0])
    assert tree[1].startswith("|-__netdev_start_xmit() (include/linux/netdevice.h:")
    assert tree[2].startswith("  |-netdev_start_xmit()")
    record = json.loads(ask("callers", "veth_xmit", "--depth", "3", "--json").stdout)
    assert len(record["edges"]) == len(tree) - 1
    assert record["left_out"] == 0
    assert ask("callees", "veth_xmit", "--depth", "2").stdout.startswith("veth_xmit() (")
    places = ask("callers", "veth_xmit", "--depth", "3", "--format", "quickfix").stdout.splitlines()
    assert len(places) == len(tree) - 1


def test_system_calls(ask) -> None:
    assert "SyS_sendto() (net/socket.c:" in ask("callers", "veth_xmit", "--to", "syscall").stdout
    record = json.loads(ask("callers", "veth_xmit", "--to", "syscall", "--json").stdout)
    assert record["format"] == "kgraph-reaching/1"
    assert {row["name"] for row in record["syscalls"]} >= {"SyS_sendto"}


@pytest.mark.parametrize("words", [
    ("path", "SyS_sendto", "veth_xmit"), ("callers", "veth_xmit"), ("callees", "inet_sendmsg"),
    ("site", "net/ipv4/af_inet.c:37"), ("ops", "veth_netdev_ops"),
])
def test_quickfix_has_a_place_a_line(ask, words: tuple[str, ...], tmp_path: Path) -> None:
    tree = find_mini_linux()
    lines = ask(*words, "--format", "quickfix", cwd=tree).stdout.splitlines()
    assert lines
    for line in lines:
        found = re.fullmatch(r"([^:]+):(\d+):(\d+): (.+)", line)
        assert found, line
        assert "also" not in found[4]
        assert int(found[2]) <= len((tree / found[1]).read_text().splitlines())
    elsewhere = ask(*words, "--format", "quickfix", cwd=tmp_path).stdout.splitlines()
    assert elsewhere == [f"{tree}/{line}" for line in lines]


def test_quickfix_has_every_site_of_a_call(ask) -> None:
    [first, *_] = ask("callees", "inet_sendmsg").stdout.splitlines()
    [other] = re.findall(r"also (.*)", first)
    lines = ask("callees", "inet_sendmsg", "--format", "quickfix", cwd=find_mini_linux()).stdout
    assert f"\n{other}:" in lines


def test_quickfix_of_a_document_has_its_wrong_lines(ask, tmp_path: Path) -> None:
    (tmp_path / "n.md").write_text("```\nSyS_sendto()\n|-nosuch_function()\n```\n")
    assert ask("check", "n.md", "--format", "quickfix").stdout.startswith("n.md:3:1: refuted: ")
