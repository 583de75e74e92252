"""A site is written whole or not at all, and takes the place of nothing but a site."""

from pathlib import Path

import pytest

from kgraph.errors import ReportError
from kgraph.report.html import write_site
from kgraph.report.html.writing import MARK


def test_a_swap_that_fails_puts_the_old_site_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b"old"})
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if target == folder and not self.name.endswith("kgraph-old"):
            raise OSError(28, "no space left")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fails)
        with pytest.raises(ReportError, match="no space"):
            write_site(folder, {"index.html": b"new"})
    assert (folder / "index.html").read_bytes() == b"old"
    aside = tmp_path / ".site.kgraph-old"
    (aside / "chain").mkdir(parents=True)
    with pytest.raises(ReportError, match="is not a kgraph report"):  # it may be somebody's
        write_site(folder, {"index.html": b"new"})
    (aside / MARK).write_text("[]")  # what an interrupted run had no time to remove
    write_site(folder, {"index.html": b"new"})
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]
    (folder / "mine").mkdir()
    with pytest.raises(ReportError, match="mine"):
        write_site(folder, {"index.html": b"new"})


def test_pages_that_did_not_change_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b"1", "a/x.html": b"2", "a/y.html": b"3"})
    before = (folder / "a/x.html").stat()
    done = write_site(folder, {"index.html": b"new", "a/x.html": b"2"})
    assert (done.written, done.kept, done.removed) == (1, 1, 1)
    after = (folder / "a/x.html").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert not (folder / "a/y.html").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]


def test_what_is_not_ours_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ReportError, match="not empty"):
        write_site(tmp_path, {"index.html": b""})
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b""})
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match=r"notes\.txt"):
        write_site(folder, {"index.html": b"new"})
    assert (folder / "index.html").read_bytes() == b""


def test_interrupted_the_old_site_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    write_site(folder, {"index.html": b"old"})

    def fails(self: Path, data: bytes) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fails)
        with pytest.raises(KeyboardInterrupt):
            write_site(folder, {"index.html": b"new"})
    assert (folder / "index.html").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]
    folder.rename(tmp_path / ".site.kgraph-old")  # killed between the two renames
    write_site(folder, {"index.html": b"newest"})
    assert (folder / "index.html").read_bytes() == b"newest"
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]
