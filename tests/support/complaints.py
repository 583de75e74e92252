"""What kgraph says where it refuses."""

import re


def assert_error(answer, *parts: str, status: int = 2) -> None:
    """Two lines: what is wrong, and what to do."""
    assert answer.returncode == status, answer.stderr
    assert "Traceback" not in answer.stderr
    lines = [line for line in answer.stderr.splitlines() if not line.startswith("kgraph: no index")]
    assert lines[-2].startswith("kgraph: "), answer.stderr
    assert lines[-1].startswith("hint: "), answer.stderr
    for part in parts:
        assert re.search(part, answer.stderr), (part, answer.stderr)
    assert answer.stdout == ""
