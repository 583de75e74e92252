"""Pictures in each of their languages, from the command line."""

from pathlib import Path

import pytest


@pytest.mark.parametrize("form", ["svg", "dot", "mermaid", "html"])
def test_path_in_every_form(kgraph, mini_index: Path, form: str) -> None:
    answer = kgraph("path", "SyS_clone", "setup_net", "--format", form, "--index", mini_index)
    assert answer.returncode == 0, answer.stderr
    for name in ("SyS_clone", "copy_net_ns", "setup_net"):
        assert name in answer.stdout
    none = kgraph("path", "setup_net", "SyS_clone", "--format", form, "--index", mini_index)
    assert none.returncode == 1
    assert "no path" in none.stdout + none.stderr
