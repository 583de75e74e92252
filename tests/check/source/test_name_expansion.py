"""Macros that stand for members, taken out of text."""

from pathlib import Path

from kgraph.check.source.name_expansion import NameExpander
from kgraph.graph import SourceText
from tests.support.tiny import Tiny


def spelled(folder: Path, header: str, text: str) -> list[str]:
    """The tokens of a text of a file that begins with these lines."""
    tiny = Tiny()
    tiny.calls("a", "b")
    graph = tiny.graph(folder, {"a.c": header})
    return NameExpander(graph, SourceText(graph)).expand_text(text, "a.c")


def test_a_member_is_what_its_macro_stands_for(tmp_path: Path) -> None:
    header = "#define x_p __c.p\n#define x_q x_p.q\n"
    assert spelled(tmp_path, header, "a->x_q") == ["a", "->", "__c", ".", "p", ".", "q"]


def test_what_stands_for_more_than_anybody_writes_is_left(tmp_path: Path) -> None:
    """Twelve times as much with each of eight steps."""
    bomb = "".join(f"#define m{n} {'.'.join([f'm{n + 1}'] * 12)}\n" for n in range(8))
    assert spelled(tmp_path / "wide", bomb, "m5") == ["m5"]
    assert spelled(tmp_path, bomb, "!a || m0") == ["!", "a", "||", "m0"]
    assert len(spelled(tmp_path / "few", bomb, "m7")) == 23
