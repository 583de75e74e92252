"""What a person before a terminal sees, and that a pipe sees nothing of it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kgraph.cli.terminal import Terminal, wants_colour
from tests.support.terminals import answer_in_terminal, strip_codes

QUESTION = ("path", "SyS_sendto", "veth_xmit")
NOTE = ("    |-n->output()  // i.e. neigh_resolve_output: neighbour.output, 1 of 4 candidates,"
        " bound at net/ipv4/arp.c:22, installed at net/ipv4/arp.c:40")


def wrap(line: str, width: int = 60) -> list[str]:
    return list(Terminal(width=width, colour=False).format_line(line))


def test_a_note_wraps_under_its_line() -> None:
    assert wrap(NOTE) == [
        "    |-n->output()",
        "        // i.e. neigh_resolve_output: neighbour.output, 1 of",
        "           4 candidates, bound at net/ipv4/arp.c:22,",
        "           installed at net/ipv4/arp.c:40",
    ]
    assert wrap(NOTE, 200) == [NOTE]


def test_a_table_wraps_in_its_last_column() -> None:
    assert wrap("   12  refuted      |-f()  it does not call what the line below it says") == [
        "   12  refuted      |-f()  it does not call what the line",
        "                      below it says",
    ]


@given(st.lists(st.text("ab字語 (:", min_size=1, max_size=30).map(lambda word: word.strip() or "x"),
                min_size=1, max_size=20), st.integers(0, 80), st.integers(20, 200))
def test_no_word_breaks_and_lines_fit(words: list[str], blanks: int, width: int) -> None:
    text = " ".join(" ".join(words).split())
    shown = wrap(" " * blanks + text, width)
    assert " ".join(" ".join(shown).split()) == text
    longest = max(cell_len(word) for word in text.split())
    assert all(cell_len(line) <= max(width, width // 2 + longest) for line in shown)


def test_wide_letters_count_two_cells() -> None:
    assert wrap("語" * 10 + " " + "字" * 10, 40) == ["語" * 10, "    " + "字" * 10]


@pytest.mark.parametrize(("variables", "terminal", "wanted"), [
    ({}, True, True), ({}, False, False), ({"NO_COLOR": "1"}, True, False),
    ({"FORCE_COLOR": "1"}, False, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ({"FORCE_COLOR": "0"}, True, False), ({"TERM": "dumb"}, True, False),
    ({"NO_COLOR": ""}, True, True),
])
def test_who_gets_colours(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, terminal: bool, wanted: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(is_terminal=terminal) is wanted


@pytest.mark.parametrize("width", [80, 200])
def test_answers_fit_the_terminal(mini_index: Path, tmp_path: Path, width: int) -> None:
    shown = answer_in_terminal([*QUESTION, "--index", str(mini_index)], width, cwd=tmp_path)
    lines = strip_codes(shown).splitlines()
    assert max(map(len, lines)) <= width
    assert "\033[1mveth_xmit\033[0m()" in shown
    assert "\033]8;;file://" in shown
    assert lines[-1].endswith("other ways (-k 2 shows the next)")  # below the answer


def test_verdicts_have_colours(mini_index: Path, tmp_path: Path) -> None:
    (tmp_path / "n.md").write_text("```\nSyS_sendto()\n|-veth_xmit()\n```\n")
    shown = answer_in_terminal(["check", "n.md", "--index", str(mini_index)], 80, cwd=tmp_path)
    assert "\033[32mstands\033[0m" in shown
    assert "\033[33mundecided\033[0m" in shown
    plain = answer_in_terminal(
        ["check", "n.md", "--index", str(mini_index)], 80, cwd=tmp_path, env={"NO_COLOR": "1"})
    assert "\033[" not in plain


def test_a_pipe_gets_neither_colours_nor_wrapped_lines(
    kgraph, mini_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = kgraph(*QUESTION, "--index", mini_index).stdout
    assert "\033" not in plain
    monkeypatch.delenv("NO_COLOR", raising=False)
    forced = kgraph(*QUESTION, "--index", mini_index, env={"FORCE_COLOR": "1"}).stdout
    assert forced != plain
    assert strip_codes(forced) == plain


def test_rich_is_loaded_for_a_terminal_only(mini_index: Path, kgraph_apart) -> None:
    code = ("import sys; sys.argv[1:] = {!r}; from kgraph.cli import main\n"
            "try:\n main()\nfinally:\n print('rich' in sys.modules, file=sys.stderr)")
    import subprocess
    import sys

    from tests.support.places import ROOT

    words = [*QUESTION, "--index", str(mini_index)]
    done = subprocess.run([sys.executable, "-c", code.format(words)], capture_output=True,
                          text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stderr.splitlines()[-1] == "False"


@pytest.mark.parametrize(("height", "paged"), [(8, True), (100, False)])
def test_what_does_not_fit_goes_to_the_pager(
    mini_index: Path, tmp_path: Path, height: int, *, paged: bool
) -> None:
    seen = tmp_path / "seen"
    shown = answer_in_terminal(
        [*QUESTION, "--index", str(mini_index)], 80, height=height, cwd=tmp_path,
        env={"KGRAPH_PAGER": f"tee {seen}"})
    assert seen.exists() is paged
    assert strip_codes(shown).count("veth_xmit() (") == 1
    if paged:
        assert "other ways" in seen.read_text()  # what goes to standard error, too


def test_no_pager(mini_index: Path, tmp_path: Path) -> None:
    shown = answer_in_terminal(
        ["--no-pager", *QUESTION, "--index", str(mini_index)], 80, height=8, cwd=tmp_path,
        env={"KGRAPH_PAGER": "false"})
    assert "veth_xmit" in shown
    missing = answer_in_terminal(
        [*QUESTION, "--index", str(mini_index)], 80, height=8, cwd=tmp_path,
        env={"KGRAPH_PAGER": "no-such-pager"})
    assert "veth_xmit" in missing


def test_links_lead_where_you_say(mini_index: Path, tmp_path: Path) -> None:
    words = ["callers", "veth_xmit", "--index", str(mini_index)]
    code = answer_in_terminal(words, 80, cwd=tmp_path, env={"KGRAPH_LINKS": "vscode"})
    assert "\033]8;;vscode://file/" in code
    none = answer_in_terminal(words, 80, cwd=tmp_path, env={"KGRAPH_LINKS": "none"})
    assert "\033]8" not in none
    wrong = answer_in_terminal(words, 80, cwd=tmp_path, env={"KGRAPH_LINKS": "x"})
    assert "KGRAPH_LINKS=x is unknown" in wrong
