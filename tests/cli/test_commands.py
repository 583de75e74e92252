"""The command line: help, reference, the form of answers, start-up."""

import csv
import io
import json
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import click
import pytest

from kgraph.cli.entry import cli
from kgraph.cli.output import write_json, write_json_list
from kgraph.resources import find_mini_linux
from tests.support.places import ROOT

REFERENCE = ROOT / "docs/reference.md"
VERBS = sorted(cli.commands)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_and_is_in_the_reference(name: str) -> None:
    command = cli.commands[name]
    assert command.help
    text = REFERENCE.read_text(encoding="utf-8")
    assert f"kgraph {name}" in text
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert any(option in text for option in parameter.opts), parameter.opts


@pytest.mark.parametrize("items", [[], [1], [{"a": ["x\u2028y\x85", {}]}, []]])
def test_a_list_is_written_item_by_item_as_it_is_written_at_once(
    items: list[object], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    write_json({"format": "]", "edges": items})
    at_once = capsysbinary.readouterr().out
    write_json_list({"format": "]", "edges": []}, iter(items))
    assert capsysbinary.readouterr().out == at_once
    assert json.loads(at_once)["edges"] == items


QUESTIONS = {
    "status": ((), "kgraph-status/1", ("tree", "release", "config", "units", "call_sites")),
    "path": (("SyS_sendto", "veth_xmit"), "kgraph-path/1", ("index", "bindings", "paths")),
    "callers": (("veth_xmit",), "kgraph-edges/1", ("function", "edges")),
    "callees": (("inet_sendmsg",), "kgraph-edges/1", ("function", "edges")),
    "ops": (("veth_netdev_ops",), "kgraph-ops/1", ("bindings",)),
    "find": (("*xmit*",), "kgraph-find/1", ("count", "names")),
    "reach": (("veth_xmit",), "kgraph-reach/1", ("place", "functions", "entries")),
    "site": (("net/core/dev.c:84",), "kgraph-site/1", ("sites",)),
}


@pytest.mark.parametrize("verb", sorted(QUESTIONS))
@pytest.mark.parametrize("option", ["--json", "--format=json"])
def test_json(kgraph, mini, mini_index: Path, verb: str, option: str) -> None:
    arguments, form, keys = QUESTIONS[verb]
    if verb == "site":
        [hop] = mini.reader.fetch_rows(
            "SELECT path, s.line FROM site s JOIN file ON file.id = s.file"
            " WHERE status = 'resolved' LIMIT 1"
        )
        arguments = (f"{hop[0]}:{hop[1]}",)
    answer = kgraph(verb, *arguments, option, "--index", mini_index)
    assert answer.returncode == 0, answer.stderr
    record = json.loads(answer.stdout)
    assert record["format"] == form
    assert set(keys) <= set(record)


HOP = {"caller", "callee", "kind", "site", "sites", "macro", "slot", "candidates", "evidence",
       "guards", "more_guards", "deferred"}


def test_every_hop_is_cited_with_the_text_of_its_line(kgraph, mini_index: Path) -> None:
    answer = kgraph("path", "SyS_sendto", "veth_xmit", "--json", "--index", mini_index)
    record = json.loads(answer.stdout)
    assert record["index"]["tree"] == str(find_mini_linux())
    hops = record["paths"][0]["hops"]
    assert hops[0]["caller"]["name"] == "SyS_sendto"
    assert hops[-1]["callee"]["name"] == "veth_xmit"
    for hop, following in pairwise(hops):
        assert hop["callee"] == following["caller"]
    for hop in hops:
        assert set(hop) >= HOP
        for place in (hop["site"], *hop["evidence"]):
            lines = (find_mini_linux() / place["file"]).read_text().split("\n")
            assert place["text"] == lines[place["line"] - 1].strip() != ""
        if hop["kind"] != "direct":
            assert hop["evidence"]


def test_source_lines_of_a_changed_file_are_left_out(kgraph, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(find_mini_linux(), tree)
    index = tmp_path / "x.kgraph"
    assert kgraph("index", tree, "--index", index, "-j1").returncode == 0
    source = tree / "net/socket.c"
    source.write_text("/* moved */\n" + source.read_text())
    answer = kgraph("path", "SyS_sendto", "veth_xmit", "--json", "--index", index)
    texts = {
        hop["site"]["file"]: hop["site"]["text"]
        for hop in json.loads(answer.stdout)["paths"][0]["hops"]
    }
    assert texts.pop("net/socket.c") == ""
    assert all(texts.values())
    assert "net/socket.c changed since the tree was indexed" in answer.stderr
    shutil.rmtree(tree)
    gone = kgraph("path", "SyS_sendto", "veth_xmit", "--index", index)
    assert gone.returncode == 0
    assert "veth_xmit" in gone.stdout


def test_export_writes_one_hop_a_line(kgraph, mini, mini_index: Path) -> None:
    answer = kgraph("export", "--format", "jsonl", "--index", mini_index)
    hops = [json.loads(line) for line in answer.stdout.splitlines()]
    assert all(set(hop) >= HOP for hop in hops)
    assert _count_edges(hops) == _count_edges_of(mini)


def _count_edges(hops: list[dict]) -> Counter:
    """(caller, callee) -> how many hops, each of another kind or slot."""
    keys = [(*_name(hop["caller"]), *_name(hop["callee"]), hop["kind"], hop["slot"])
            for hop in hops]
    assert len(keys) == len(set(keys))
    return Counter(key[:6] for key in keys)


def _name(function: dict) -> tuple[str, str, str]:
    return function["name"], function["scope"], function["image"]


def _count_edges_of(graph) -> Counter:
    found = set()
    for edge, callee in enumerate(graph.edge_callee):
        site = graph.site(graph.site_of(edge))
        ends = graph.function(site.caller).id, graph.function(callee).id
        found.add((*(part for end in ends for part in (end.name, end.scope, end.image)),
                   graph.kind(edge), site.holder))
    return Counter(key[:6] for key in found)


def test_edges_only_have_the_edges_of_the_hops(kgraph, mini_index: Path) -> None:
    hops = kgraph("export", "--index", mini_index).stdout.splitlines()
    lean = kgraph("export", "--edges-only", "--index", mini_index).stdout.splitlines()
    rows = list(csv.DictReader(io.StringIO(
        kgraph("export", "--format", "csv", "--index", mini_index).stdout)))
    edges = [json.loads(line) for line in lean]
    assert _count_edges(list(map(json.loads, hops))) == _count_edges(edges)
    assert [(row["caller"], row["callee"], row["kind"], row["file"], int(row["line"]),
             int(row["calls"])) for row in rows] == [
        (edge["caller"]["name"], edge["callee"]["name"], edge["kind"], edge["site"]["file"],
         edge["site"]["line"], edge["calls"]) for edge in edges]
    [row] = [row for row in rows if row["callee"] == "veth_xmit"]
    assert row["slot"] == "net_device_ops.ndo_start_xmit"


def test_export_of_facts_is_in_canonical_order(kgraph, mini_index: Path) -> None:
    answer = kgraph("export", "--facts", "--index", mini_index)
    subjects = [json.loads(line)["subject"] for line in answer.stdout.splitlines()]
    places = [
        (subject["location"]["path"], subject["location"]["line"], subject["location"]["column"])
        for subject in subjects
    ]
    assert places == sorted(places)
    assert len(places) > 500


def test_a_question_imports_no_more_than_it_needs(mini_index: Path) -> None:
    program = (
        "import sys; from kgraph.cli import main\n"
        f"sys.argv = ['kgraph', 'path', 'SyS_sendto', 'veth_xmit', '--index={mini_index}']\n"
        "try: main()\n"
        "finally:\n"
        " bad = {'clang', 'networkx', 'jinja2', 'multiprocessing', 'kgraph.extract',"
        " 'kgraph.resolve', 'kgraph.build'} & set(sys.modules)\n"
        " assert not bad, bad\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.parametrize(("arguments", "callee"), [
    (("callees", "____napi_schedule"), "net_rx_action"),
    (("callers", "net_rx_action"), "net_rx_action"),
    (("path", "____napi_schedule", "net_rx_action"), "net_rx_action"),
])
def test_a_deferred_call_is_labelled_and_can_be_left_out(
    kgraph, mini_index: Path, arguments: tuple[str, ...], callee: str
) -> None:
    answer = json.loads(kgraph(*arguments, "--json", "--index", mini_index).stdout)
    hops = answer["edges"] if "edges" in answer else answer["paths"][0]["hops"]
    deferred = [hop for hop in hops if hop["kind"] == "deferred"]
    assert deferred
    assert {hop["callee"]["name"] for hop in deferred} == {callee}
    assert deferred[0]["deferred"]["key"] == "softirq 3"
    assert deferred[0]["deferred"]["registered"].startswith("net/core/dev.c:")
    text = kgraph(*arguments, "--index", mini_index).stdout
    assert "deferred, softirq 3" in text
    without = kgraph(*arguments, "--no-deferred", "--index", mini_index).stdout
    assert "deferred, " not in without


def test_site_distinguishes_what_runs_now_from_what_runs_later(kgraph, mini_index: Path) -> None:
    lines = kgraph("site", "net/core/dev.c:152", "--index", mini_index).stdout.splitlines()
    assert len(lines) == 2
    now, later = sorted(lines, key=lambda line: "deferred" in line)
    assert "-> __raise_softirq_irqoff()" in now
    assert "-> net_rx_action()" in later
    assert "registered at net/core/dev.c:" in later


def test_pins_of_one_row_are_proposed_together(kgraph, mini_index: Path) -> None:
    question = ("path", "SyS_sendto", "raw_sendmsg", "--bind", "sock.sk_prot=raw_prot")
    answer = kgraph(*question, "--json", "--index", mini_index)
    [partner] = json.loads(answer.stdout)["partners"]
    assert (partner["target"], partner["beside"]) == ("inet_sockraw_ops", "sock.sk_prot=raw_prot")
    line = f"{partner['table']} ({partner['file']}:{partner['line']}) holds {partner['slot']}="
    assert line in answer.stderr
    both = kgraph(*question, "--bind", "socket.ops=inet_sockraw_ops", "--json",
                  "--index", mini_index)
    assert json.loads(both.stdout)["partners"] == []


def test_the_guards_of_a_call_appear_once_in_the_record(kgraph, mini_index: Path) -> None:
    plain, guarded = (
        kgraph("check", "netns", "--json", *more, "--index", mini_index)
        for more in ((), ("--guards",))
    )
    lines = json.loads(guarded.stdout)["documents"][0]["lines"]
    assert any(line["hop"] and line["hop"]["guards"] for line in lines)
    assert not any("guards" in line for line in lines)
    assert guarded.stdout == plain.stdout


def test_aliases_are_resolved_with_a_remark(kgraph, mini_index: Path) -> None:
    said = "kgraph: sys_sendto is an alias of SyS_sendto"
    way = kgraph("path", "sys_sendto", "sock_sendmsg", "--index", mini_index)
    assert (way.returncode, said in way.stderr) == (0, True)
    assert way.stdout.startswith("SyS_sendto()")
    for verb in ("callers", "callees"):
        found = kgraph(verb, "sys_sendto", "--index", mini_index)
        assert said in found.stderr
        assert found.stdout == kgraph(verb, "SyS_sendto", "--index", mini_index).stdout != ""


def test_control_characters_of_a_document_do_not_reach_the_terminal(
    kgraph, mini_index: Path, tmp_path: Path
) -> None:
    document = tmp_path / "x.md"
    document.write_bytes("sock_sendmsg()\n|-nosuch\x1b[31m()\n|-no\x9bsuch()\n".encode())
    told = kgraph("check", document, "--index", mini_index)
    assert "|-nosuch\\x1b[31m()" in told.stdout
    assert not {"\x1b", "\x9b"} & set(told.stdout + told.stderr)
    assert "\x1b" not in kgraph("path", "\x1b[31m", "veth_xmit", "--index", mini_index).stderr


def test_the_version_is_that_of_the_package(kgraph) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert kgraph("--version").stdout == f"kgraph {project['version']}\n"


def test_the_log_shows_what_a_question_decides(kgraph_apart, mini_index: Path) -> None:
    question = ("path", "SyS_sendto", "veth_xmit", "--index", mini_index)
    logged = kgraph_apart(*question, env={"KGRAPH_LOG": "debug"}).stderr
    assert f"kgraph.api: index {mini_index} (named)\n" in logged
    assert "kgraph.api: scenario of query veth: used\n" in logged
    assert "kgraph.query: SyS_sendto to veth_xmit: first path after " in logged
    assert "kgraph.query" not in kgraph_apart(*question).stderr
    wrong = kgraph_apart(*question, env={"KGRAPH_LOG": "loud"})
    assert (wrong.returncode, "KGRAPH_LOG=loud is not a level" in wrong.stderr) == (2, True)
    assert "hint: `kgraph help reference`" in wrong.stderr


def test_the_overview_cuts_no_help_off(kgraph) -> None:
    assert "..." not in kgraph("--help", env={"COLUMNS": "80"}).stdout.split("Commands:")[1]
