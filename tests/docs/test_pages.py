"""README.md and docs/: what they show is what kgraph prints, and what they link to is there."""

import json
import re
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
from tests.support.command_line import answer_here
from tests.support.doc_pages import (
    PAGES,
    Command,
    make_man_page,
    make_reference,
    output_fits,
    read_blocks,
    read_commands,
    read_links,
)
from tests.support.places import ROOT

REFERENCE = ROOT / "docs" / "reference.md"
MAN_PAGE = ROOT / "docs" / "kgraph.1"
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.fixture(scope="module")
def bundled_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which mini-linux is indexed as it is for somebody who has no index."""
    cache = tmp_path_factory.mktemp("bundled")
    done = answer_here(["callers", "veth_xmit"], cache, {"XDG_CACHE_HOME": str(cache)})
    assert done.returncode == 0, done.stderr
    return cache


@pytest.fixture
def folder(tmp_path: Path, bundled_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which looks like a checkout."""
    cache = tmp_path / "cache"
    shutil.copytree(bundled_cache, cache)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(sys, "argv", ["program"])  # pages run programs that look at it
    monkeypatch.chdir(tmp_path)
    return tmp_path


@by_name
def test_commands_print_what_the_page_shows(
    page: Path, folder: Path, pytestconfig: pytest.Config
) -> None:
    text = page.read_text(encoding="utf-8")
    blessed = text
    for block in read_blocks(text):
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            exec(compile(block.text, str(page), "exec"), {})
        for command in read_commands(block) if block.language == "console" else ():
            real = answer(command, folder)
            if output_fits(command.output, real):
                continue
            can_bless = pytestconfig.getoption("--bless") and "..." not in command.output
            assert can_bless, f"{page.name}: $ {command.command}\n{real}"
            shown = f"$ {command.command}\n"
            blessed = blessed.replace(shown + command.output, shown + real)
    if blessed != text:
        page.write_text(blessed, encoding="utf-8")


def answer(command: Command, folder: Path) -> str:
    """What a page shows of an answer: what goes to standard output, or only the remarks."""
    program, *arguments = shlex.split(command.command)
    assert program == "kgraph"
    done = answer_here(arguments, folder, {})
    assert "internal error" not in done.stderr
    if not command.output.startswith(("kgraph: ", "hint: ")):
        return done.stdout
    remarks = done.stderr.splitlines(keepends=True)
    return "".join(line for line in remarks if "no index was built" not in line)


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


@by_name
def test_files_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:kgraph|tests|docs|fixtures|queries|reports)/[\w./-]*)`", text):
        assert (ROOT / name.replace("VERB", "path")).exists(), name


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1000


def test_reference_is_that_of_the_command_line(pytestconfig: pytest.Config) -> None:
    reference = make_reference(cli)
    if pytestconfig.getoption("--bless"):
        REFERENCE.write_text(reference, encoding="utf-8")
    assert reference == REFERENCE.read_text(encoding="utf-8")


def test_man_page_is_that_of_the_command_line(pytestconfig: pytest.Config) -> None:
    page = make_man_page(cli)
    if pytestconfig.getoption("--bless"):
        MAN_PAGE.write_text(page, encoding="utf-8")
    assert page == MAN_PAGE.read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_groff_reads_the_man_page() -> None:
    command = ["groff", "-man", "-Tutf8", "-P-cbou", "-wall", str(MAN_PAGE)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert "kgraph callers [OPTIONS] FUNCTION" in done.stdout


def test_the_environment_that_kgraph_reads_is_documented() -> None:
    read = {name for file in (ROOT / "kgraph").rglob("*.py")
            for name in ENVIRONMENT.findall(file.read_text(encoding="utf-8"))}
    rows = re.findall(r"^\| (`[A-Z_]+`.*?) \|", make_reference(cli), re.MULTILINE)
    documented = {name for row in rows for name in re.findall("`([A-Z_]+)`", row)}
    assert "KGRAPH_INDEX" in read
    # PATH finds the compilers, as for every program; TERM is the terminal's, and the script of a
    # shell sets the variable for completion.
    assert documented == read - {"PATH", "TERM", "_KGRAPH_COMPLETE"}


ENVIRONMENT = re.compile(r'(?:environ(?:\.get\(|\[)|getenv\()\s*"(\w+)"')


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
    "path __napi_schedule ip_rcv --guards",
    "path veth_xmit SyS_sendto",
    "path SyS_sendto raw_sendmsg --bind sock.sk_prot=raw_prot",
    "callers net_rx_action",
    "find veth_*", "reach veth_xmit", "reach --list",
    "ops sock.sk_prot",
    "ops veth_netdev_ops",
    "site net/ipv4/af_inet.c:37",
    "site net/bridge/br_forward.c:30",
    "status",
    "status --all",
    "check veth",
    "index fixtures/mini-linux",
    "index --matrix set.toml",
    "report veth --output site",
])
def test_every_key_is_documented(kgraph, folder: Path, command: str) -> None:
    (folder / "set.toml").write_text(MATRIX, encoding="utf-8")
    (folder / "broken.json").write_text("[{]", encoding="utf-8")
    (folder / "cache/kgraph/damaged.kgraph").write_bytes(b"no index")
    (folder / "cache/kgraph/.x.kgraph.1-1.unfinished").write_bytes(b"")
    answer = json.loads(kgraph(*command.split(), "--json", cwd=folder).stdout)
    keys = set(iter_keys(answer))
    assert EXPECTED.get(command, set()) <= keys
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert {key for key in keys if f"`{key}`" not in page} == set()


MATRIX = """
[[tree]]
path = "fixtures/mini-linux"
[[configuration]]
[[configuration]]
compile_commands = "broken.json"
"""

# Keys that only some answers have: the commands are chosen so that these do.
EXPECTED = {
    "path veth_xmit SyS_sendto": {"frontier"},
    "path SyS_sendto raw_sendmsg --bind sock.sk_prot=raw_prot": {"beside"},
    "ops veth_netdev_ops": {"passed"},
    "site net/bridge/br_forward.c:30": {"asked"},
    "index fixtures/mini-linux": {"peak_bytes", "ratio", "untold"},
    "status --all": {"trouble", "why"},
    "index --matrix set.toml": {"of", "units_read"},
}


# What is counted has names of the index as its keys: kinds, rules, reasons, verdicts.
COUNTED = re.compile(
    r"summary|(indexes\.)?(call_sites\.(resolved|empty|unresolved)|deferred(\.\w+\.without)?)")


def iter_keys(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not COUNTED.fullmatch(path):
                yield key
            yield from iter_keys(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from iter_keys(inner, path)
