"""What a shell is offered."""

import shutil
import subprocess
from pathlib import Path

import pytest

from kgraph.cli.completion import SHELLS


@pytest.fixture
def offer(kgraph, mini_index: Path):
    def run(*words: str, index: Path | None = mini_index) -> list[str]:
        env = {"_KGRAPH_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["kgraph", *words]),
               "COMP_CWORD": str(len(words))}
        if index is not None:
            env["KGRAPH_INDEX"] = str(index)
        answer = kgraph(env=env)
        assert answer.returncode == 0
        return [line.partition(",")[2] for line in answer.stdout.splitlines() if line]

    return run


def test_names_come_from_the_index(offer) -> None:
    assert offer("cal") == ["callees", "callers"]
    assert offer("callers", "veth_xm") == ["veth_xmit"]
    assert offer("path", "SyS_sendto", "veth_xm") == ["veth_xmit"]
    assert "veth_netdev_ops" in offer("ops", "veth_n")
    assert "net_device_ops.ndo_start_xmit" in offer("ops", "net_device_ops.ndo_s")
    assert offer("site", "drivers/net/ve") == ["drivers/net/veth.c"]
    assert offer("site", "driv") == ["drivers/"]
    assert "paths" in offer("help", "pa")
    assert offer("callers", "no_such_n") == []


def test_without_an_index_there_are_no_names(offer, tmp_path: Path) -> None:
    assert offer("callers", "veth_xm", index=None) == []
    assert offer("callers", "veth_xm", index=tmp_path / "nosuch") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_of_its_shell(kgraph, shell: str) -> None:
    answer = kgraph("--completion", shell)
    assert answer.returncode == 0, answer.stderr
    assert "_KGRAPH_COMPLETE" in answer.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n", "/dev/stdin"], input=answer.stdout, text=True, check=True)
