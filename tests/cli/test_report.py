"""`kgraph report` from the command line."""

from pathlib import Path


def test_report_from_the_command_line(kgraph, mini_index: Path, tmp_path: Path) -> None:
    answer = kgraph("report", "netns", "-o", "out", "--json", "--index", mini_index)
    assert answer.returncode == 0, answer.stderr
    assert '"format": "kgraph-report/1"' in answer.stdout
    assert (tmp_path / "out" / "chain" / "netns.html").is_file()
    again = kgraph("report", "netns", "-o", "out", "--index", mini_index)
    assert " 0 written" in again.stdout
    # The folder is looked at before anything else.
    refused = kgraph("report", "nosuch", "-o", ".", "--index", tmp_path / "nosuch")
    assert "is not a kgraph report" in refused.stderr
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
