"""README.md and docs/: what they show is what kgraph prints, and what they link to is there."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kgraph.cli.entry import cli
from kgraph.resources import find_resource
from tests.support.doc_pages import (
    PAGES,
    ROOT,
    make_reference,
    output_fits,
    read_blocks,
    read_commands,
    read_links,
)

REFERENCE = ROOT / "docs" / "reference.md"
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.fixture(scope="module")
def bundled_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which mini-linux is indexed as it is for somebody who has no index."""
    folder = tmp_path_factory.mktemp("bundled")
    done = run([sys.executable, "-m", "kgraph", "callers", "veth_xmit"], folder)
    assert done.returncode == 0, done.stderr
    return folder / "cache"


@pytest.fixture
def folder(tmp_path: Path, bundled_cache: Path) -> Path:
    """A working folder that looks like a checkout, with `kgraph` as a command."""
    shutil.copytree(bundled_cache, tmp_path / "cache")
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    command = tmp_path / "bin" / "kgraph"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m kgraph "$@"\n')
    command.chmod(0o755)
    return tmp_path


def run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
             "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")},
    )


@by_name
def test_commands_print_what_the_page_shows(
    page: Path, folder: Path, pytestconfig: pytest.Config
) -> None:
    text = page.read_text(encoding="utf-8")
    blessed, moved = text, 0
    for block in read_blocks(text):
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            done = run([sys.executable, "-c", block.text], folder)
            assert done.returncode == 0, done.stderr
        for command in read_commands(block) if block.language == "console" else ():
            done = run(["bash", "-c", command.command], folder)
            assert "Traceback" not in done.stderr
            # What the page shows of standard error are the lines that start as kgraph's do.
            errors = command.output.startswith(("kgraph: ", "hint: "))
            real = done.stderr if errors else done.stdout
            if errors:
                real = "".join(line for line in real.splitlines(keepends=True)
                               if "no index was built" not in line)
            fits = output_fits(command.output, real)
            if not fits and pytestconfig.getoption("--bless") and "..." not in command.output:
                at = command.start + moved
                blessed = blessed[:at] + real + blessed[at + len(command.output):]
                moved += len(real) - len(command.output)
                continue
            assert fits, f"{page.name}: $ {command.command}\n{real}"
    if blessed != text:
        page.write_text(blessed, encoding="utf-8")


@by_name
def test_every_command_is_understood(page: Path) -> None:
    """Commands that need a real kernel or another machine: verbs and options exist."""
    for block in read_blocks(page.read_text(encoding="utf-8")):
        if block.language != "sh":
            continue
        for line in block.text.splitlines():
            for part in line.partition("#")[0].split("&&"):
                words = shlex.split(part.replace("<(", "").replace(")", "").partition(">")[0])
                if words and words[0].rpartition("/")[2] == "kgraph":
                    understand(words[1:])


def understand(words: list[str]) -> None:
    with click.Context(cli, info_name="kgraph") as context:
        name, verb, rest = cli.resolve_command(context, words)
        assert verb is not None
        with verb.make_context(name, rest, parent=context):
            pass


@by_name
def test_toml_is_toml(page: Path) -> None:
    for block in read_blocks(page.read_text(encoding="utf-8")):
        if block.language == "toml":
            tomllib.loads(block.text)


@by_name
def test_links_lead_somewhere(page: Path) -> None:
    for link in read_links(page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1000


def test_reference_is_that_of_the_command_line(pytestconfig: pytest.Config) -> None:
    reference = make_reference(cli)
    if pytestconfig.getoption("--bless"):
        REFERENCE.write_text(reference, encoding="utf-8")
    assert reference == REFERENCE.read_text(encoding="utf-8")


def test_every_page_is_listed() -> None:
    listed = set(read_links((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in PAGES[1:]} - {"README.md"}


def test_help_shows_every_page(kgraph) -> None:
    overview = find_resource("docs") / "README.md"
    assert kgraph("help").stdout == overview.read_text(encoding="utf-8")
    for page in PAGES[1:]:
        answer = CliRunner().invoke(cli, ["help", page.stem])
        assert answer.stdout == page.read_text(encoding="utf-8"), page


def test_help_shows_a_verb_or_says_that_there_is_no_topic(kgraph) -> None:
    answer = kgraph("help", "callers")
    assert answer.stdout.startswith("Usage: kgraph callers [OPTIONS] FUNCTION")
    unknown = kgraph("help", "nosuch")
    assert unknown.returncode == 2
    assert "no topic `nosuch`" in unknown.stderr


@pytest.mark.parametrize("command", [
    ("path", "__napi_schedule", "ip_rcv", "--guards"), ("path", "veth_xmit", "SyS_sendto"),
    ("callers", "net_rx_action"), ("ops", "sock.sk_prot"), ("site", "net/ipv4/af_inet.c:37"),
    ("status",), ("check", "veth"),
])
def test_every_key_is_documented(kgraph, mini_index: Path, command: tuple[str, ...]) -> None:
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    answer = json.loads(kgraph(*command, "--json", "--index", mini_index).stdout)
    keys = set(iter_keys(answer)) - COUNTED
    assert {key for key in keys if f"`{key}`" not in page} == set()


# What is counted has names of the index as its keys: kinds, reasons, verdicts.
COUNTED = {"summary", "units", "call_sites", "candidates", "deferred"}


def iter_keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if not (key in COUNTED and isinstance(inner, dict)):
                yield from iter_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from iter_keys(inner)
