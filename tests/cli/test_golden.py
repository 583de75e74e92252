"""The text of every verb on mini-linux, compared with tests/golden (written by `pytest --bless`).

The first line of a golden file is the command. Scrubbed: the paths of index and tree, the age.
"""

import re
from pathlib import Path

import pytest

from kgraph.cli.entry import cli
from kgraph.resources import find_mini_linux, find_resource
from tests.support.places import GOLDEN, NOTES

VIA = ("--via", "raw_sendmsg", "--via", "ip_push_pending_frames", "--via", "neigh_resolve_output")
COMMANDS = {
    "path-veth": ("path", "SyS_sendto", "veth_xmit", *VIA),
    "path-netns": ("path", "SyS_clone", "setup_net"),
    "path-bridge": ("path", "br_handle_frame", "br_dev_queue_push_xmit"),
    "path-none": ("path", "veth_xmit", "SyS_sendto"),
    "callers": ("callers", "veth_xmit"),
    "callees": ("callees", "inet_sendmsg"),
    "ops-table": ("ops", "veth_netdev_ops"),
    "ops-slot": ("ops", "neighbour.output"),
    "ops-copied": ("ops", "sock.sk_prot"),
    "ops-function": ("ops", "raw_sendmsg"),
    "find": ("find", "*xmit*"),
    "site": ("site", "net/ipv4/af_inet.c:37"),
    "cscope": ("cscope", "-dL0", "ndo_start_xmit", "-P", "TREE"),
    "reach": ("reach", "net/core/dev.c:84", "--from", "syscall", "--from", "work"),
    "status": ("status",),
    "check-veth": ("check", "veth"),
    "check-notes": ("check", "NOTES"),
    "path-scenario": ("path", "SyS_sendto", "veth_xmit"),
}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_golden(
    kgraph, mini_index: Path, name: str, pytestconfig: pytest.Config
) -> None:
    command = COMMANDS[name]
    words = [str(NOTES) if word == "NOTES" else word for word in command]
    answer = kgraph(*words, "--index", mini_index)
    text = answer.stdout.replace(str(mini_index), "INDEX").replace(str(find_mini_linux()), "TREE")
    text = text.replace(str(find_resource("queries")), "QUERIES").replace(str(NOTES), "NOTES")
    text = re.sub(r"INDEX, .* old", "INDEX, AGE old", text)
    text = f"$ kgraph {' '.join(command)}\n{text}"
    golden = GOLDEN / f"{name}.txt"
    if pytestconfig.getoption("--bless"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_verb_has_a_golden_file() -> None:
    # index writes times, export thousands of lines, report pages, diff takes two indexes, impact a
    # patch, lsp and mcp hold sessions: they are compared elsewhere.
    assert {command[0] for command in COMMANDS.values()} == (
        set(cli.commands) - {"index", "export", "report", "help", "diff", "impact", "lsp", "mcp"}
    )
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(COMMANDS)
