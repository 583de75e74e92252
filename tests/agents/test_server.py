"""`kgraph mcp`, asked by the official client over standard input and output."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from tests.support.doc_pages import read_blocks
from tests.support.places import ROOT

pytest.importorskip("mcp")
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

from kgraph.agents.answers import MAX_CHARACTERS
from kgraph.agents.server import TOOLS, read_instructions

Talk = Callable[[Client], Awaitable[Any]]
FAR = 120.0  # seconds


def command(index: Path) -> list[str]:
    return [sys.executable, "-m", "kgraph", "mcp", "--index", str(index)]


def talk(index: Path, *talks: Talk) -> list[Any]:
    """What conversations return, each with a server of its own, all at once."""
    async def one(talk: Talk) -> Any:
        program, *arguments = command(index)
        server = StdioServerParameters(
            command=program, args=arguments,
            env={**os.environ, "PYTHONPATH": str(ROOT)})
        async with Client(stdio_client(server)) as client:
            return await asyncio.wait_for(talk(client), FAR)

    async def run() -> list[Any]:
        return list(await asyncio.gather(*map(one, talks)))

    return asyncio.run(run())


def ask_all(index: Path, *questions: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers to some questions, in one conversation."""
    async def ask(client: Client) -> list[dict[str, Any]]:
        found = []
        for tool, arguments in questions:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result.content
            [text] = result.content
            assert json.loads(text.text) == result.structured_content
            found.append(result.structured_content)
        return found

    [answers] = talk(index, ask)
    return answers


def ask(index: Path, tool: str, **arguments: Any) -> dict[str, Any]:
    return ask_all(index, (tool, arguments))[0]


SESSION: list[tuple[str, dict[str, Any], str]] = [
    ("index_status", {}, "found"),
    ("symbol_exists", {"name": "veth_xmit"}, "found"),
    ("symbol_exists", {"name": "net_device_ops.ndo_start_xmit"}, "found"),
    ("symbol_exists", {"name": "veth_netdev_ops"}, "found"),
    ("symbol_exists", {"name": "veth_transmit"}, "proved none"),
    ("find_function", {"name": "veth_*"}, "found"),
    ("find_function", {"name": "xmit_ready"}, "could not tell"),
    ("find_function", {"name": "xmit_ready", "file": "veth.c"}, "found"),
    ("find_function", {"name": "nosuch_function"}, "proved none"),
    ("find_callers", {"name": "veth_xmit"}, "found"),
    ("find_callers", {"name": "xmit_ready", "file": "drivers/net/veth.c"}, "found"),
    ("find_callers", {"name": "xmit_ready"}, "could not tell"),
    ("find_callers", {"name": "nosuch_function"}, "proved none"),
    ("find_calls", {"name": "netdev_start_xmit"}, "found"),
    ("find_candidates", {"at": "net/ipv4/af_inet.c:37"}, "found"),
    ("find_candidates", {"at": "net_device_ops.ndo_start_xmit"}, "found"),
    ("find_registrations", {"name": "veth_netdev_ops"}, "found"),
    ("find_registrations", {"name": "nosuch.slot"}, "could not tell"),
    ("find_path", {"caller": "SyS_sendto", "callee": "veth_xmit"}, "found"),
    ("find_path", {"caller": "veth_xmit", "callee": "SyS_sendto"}, "proved none"),
    ("reach", {"callee": "veth_xmit"}, "found"),
    ("reach", {"callee": "veth_xmit", "caller": "SyS_sendto"}, "found"),
    ("reach", {"callee": "SyS_sendto", "caller": "veth_xmit"}, "proved none"),
    ("check_chain", {"text": "netdev_start_xmit\n  __netdev_start_xmit\n    veth_xmit\n"}, ""),
    ("check_chain", {"text": "veth_xmit\n  SyS_sendto\n"}, "proved none"),
    ("check_chain", {"text": "Nothing here is a chain.\n"}, "could not tell"),
]


@pytest.fixture(scope="module")
def session(mini_index: Path) -> list[dict[str, Any]]:
    return ask_all(mini_index, *[(tool, arguments) for tool, arguments, _ in SESSION])


@pytest.mark.parametrize("number", range(len(SESSION)), ids=lambda number: " ".join(
    map(str, (SESSION[number][0], *SESSION[number][1].values()))))
def test_each_answer_has_a_status_and_counts(
    session: list[dict[str, Any]], number: int
) -> None:
    answer, (_, _, status) = session[number], SESSION[number]
    assert not status or answer["status"] == status, answer
    assert answer["count"] >= len(answer["items"])
    assert answer["truncated"] == (answer["next_page"] is not None)
    assert answer["summary"]
    if answer["status"] == "could not tell":
        assert answer["would_decide"], answer
        assert not answer["complete"]
    if answer["status"] == "found":
        assert answer["items"] or "reaches" in answer["summary"]


def test_every_tool_is_asked() -> None:
    assert {tool for tool, _, _ in SESSION} == set(TOOLS)


def test_answers_are_those_of_the_command_line(
    session: list[dict[str, Any]], kgraph, mini_index: Path
) -> None:
    by_question = {(tool, *arguments.values()): answer for (tool, arguments, _), answer
                   in zip(SESSION, session, strict=True)}
    edges = json.loads(kgraph("callers", "veth_xmit", "--json", "--index", mini_index).stdout)
    assert [item["at"] for item in by_question["find_callers", "veth_xmit"]["items"]] == [
        f"{edge['site']['file']}:{edge['site']['line']}" for edge in edges["edges"]]
    path = json.loads(
        kgraph("path", "SyS_sendto", "veth_xmit", "--json", "--index", mini_index).stdout)
    hops = by_question["find_path", "SyS_sendto", "veth_xmit"]["items"]
    assert [item["at"] for item in hops] == [
        f"{hop['site']['file']}:{hop['site']['line']}" for hop in path["paths"][0]["hops"]]
    twin = by_question["find_callers", "xmit_ready", "drivers/net/veth.c"]
    assert all("drivers/net/veth.c" in item["callee"] for item in twin["items"])


def test_the_server_tells_what_it_can(mini_index: Path) -> None:
    async def look(client: Client) -> Any:
        return client.instructions, client.server_info.name, (await client.list_tools()).tools

    [(instructions, name, tools)] = talk(mini_index, look)
    assert instructions == read_instructions()
    assert name == "kgraph"
    assert [tool.name for tool in tools] == list(TOOLS)
    for tool in tools:
        assert tool.name in instructions
        assert tool.annotations.read_only_hint
        assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
        assert set(tool.output_schema["required"]) >= {"status", "count", "truncated"}


def test_pages_make_the_whole(mini_index: Path) -> None:
    whole = ask(mini_index, "find_function", name="*", limit=500)
    assert whole["truncated"]
    items, page = [], 0
    while page is not None:
        answer = ask(mini_index, "find_function", name="*", limit=500, page=page)
        assert len(json.dumps(answer["items"], separators=(",", ":"))) <= MAX_CHARACTERS
        items += answer["items"]
        page = answer["next_page"]
    assert len(items) == whole["count"]
    assert len({json.dumps(item) for item in items}) == whole["count"]
    assert ask(mini_index, "find_function", name="*", page=1_000_000)["items"] == []


WRONG: list[tuple[str, Any]] = [
    ("nosuch_tool", {}),
    ("nosuch_tool" * 10_000, {}),
    ("find_callers", {}),
    ("find_callers", {"name": ""}),
    ("find_callers", {"name": 7}),
    ("find_callers", {"name": ["veth_xmit"]}),
    ("find_callers", {"name": "x" * 5_000_000}),
    ("find_callers", {"name": "veth_xmit", "unknown": 1}),
    ("find_callers", {"name": "veth_xmit", "limit": 0}),
    ("find_callers", {"name": "veth_xmit", "page": -1}),
    ("find_path", {"caller": "a", "callee": "b", "paths": 10**9}),
    ("find_path", {"caller": "a", "callee": "b", "via": ["c"] * 1000}),
    ("check_chain", {"text": "a\n" * 1_000_000}),
]
ODD = [
    ("find_callers", {"name": "../../etc/passwd:main"}),
    ("find_callers", {"name": "veth_xmit", "file": "/etc/passwd"}),
    ("find_callers", {"name": "\x00"}),
    ("find_callers", {"name": "\N{REPLACEMENT CHARACTER}\U0010ffff"}),
    ("find_function", {"name": "(((((*"}),
    ("find_function", {"name": "[" * 300}),
    ("symbol_exists", {"name": "a b; rm -rf /"}),
    ("find_candidates", {"at": "../../../../../etc/passwd:1"}),
    ("find_candidates", {"at": "/etc/passwd:1"}),
    ("find_candidates", {"at": "net/socket.c:999999999"}),
    ("find_registrations", {"name": "...."}),
    ("reach", {"callee": "*"}),
    ("find_path", {"caller": "syscall:*", "callee": "veth_xmit"}),
    ("find_path", {"caller": "veth_xmit", "callee": "veth_xmit"}),
    ("find_path", {"caller": "SyS_sendto", "callee": "veth_xmit", "via": ["nosuch"]}),
    ("check_chain", {"text": "\x00\x01 (/etc/passwd:1)\n  root ../../etc/passwd:1\n"}),
    ("check_chain", {"text": " " * 199_999 + "x"}),
]


def test_what_is_wrong_is_an_error_and_the_server_goes_on(mini_index: Path) -> None:
    async def ask_wrong(client: Client) -> list[int]:
        codes = []
        for tool, arguments in WRONG:
            with pytest.raises(MCPError) as caught:
                await client.call_tool(tool, arguments)
            assert len(caught.value.error.message) < 1000
            codes.append(caught.value.error.code)
        assert (await client.call_tool("index_status", {})).structured_content
        return codes

    [codes] = talk(mini_index, ask_wrong)
    assert set(codes) == {-32602}


def test_what_is_odd_is_answered_and_nothing_outside_is_shown(mini_index: Path) -> None:
    async def ask_odd(client: Client) -> list[str]:
        said = []
        for tool, arguments in ODD:
            result = await client.call_tool(tool, arguments)
            said.append(result.content[0].text)
            assert "internal error" not in said[-1]
            assert "damaged" not in said[-1], (tool, arguments, said[-1])
        assert (await client.call_tool("index_status", {})).structured_content
        return said

    [said] = talk(mini_index, ask_odd)
    assert not [text for text in said if "root:x" in text]
    assert all(len(text) < 2 * MAX_CHARACTERS for text in said)


def test_lines_that_are_no_requests_do_not_end_it(mini_index: Path) -> None:
    """Without the client, which would not send them."""
    def request(number: int, method: str, **params: Any) -> str:
        return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    hello = request(1, "initialize", protocolVersion="2025-06-18", capabilities={},
                    clientInfo={"name": "t", "version": "1"})
    ready = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
    lines = [hello, ready, "{", "[]", '"text"', "\x00\xff", "{}" * 10_000, "x" * 3_000_000,
             json.dumps({"jsonrpc": "2.0", "id": 3, "method": "nosuch/method"}),
             request(4, "tools/call", name="find_callers", arguments="text"),
             request(5, "tools/call", name="symbol_exists", arguments={"name": "veth_xmit"})]
    process = subprocess.Popen(
        command(mini_index), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(lines) + "\n")
    process.stdin.flush()
    answers: dict[Any, Any] = {}
    while 5 not in answers:
        line = process.stdout.readline()
        assert line, "the server ended"
        answer = json.loads(line)
        answers[answer.get("id")] = answer
    process.stdin.close()
    assert process.wait(FAR) == 0
    assert answers[5]["result"]["structuredContent"]["status"] == "found"
    assert "error" in answers[3]
    assert "error" in answers[4]


def test_a_cancelled_request_leaves_the_others(mini_index: Path) -> None:
    async def cancel(client: Client) -> Any:
        slow = [asyncio.ensure_future(client.call_tool("find_path", {
            "caller": "SyS_sendto", "callee": "veth_xmit", "paths": 20})) for _ in range(6)]
        await asyncio.sleep(0)
        for each in slow[1:]:
            each.cancel()
        done = await asyncio.gather(*slow, return_exceptions=True)
        after = await client.call_tool("symbol_exists", {"name": "veth_xmit"})
        return done, after.structured_content

    [(done, after)] = talk(mini_index, cancel)
    assert done[0].structured_content["status"] == "found"
    assert all(isinstance(each, asyncio.CancelledError) for each in done[1:])
    assert after["status"] == "found"


def test_many_requests_and_two_clients_at_once(mini_index: Path) -> None:
    async def ask_many(client: Client) -> list[Any]:
        names = ["veth_xmit", "sock_sendmsg", "nosuch_function", "netdev_start_xmit"] * 5
        found = await asyncio.gather(
            *(client.call_tool("find_callers", {"name": name}) for name in names))
        return [each.structured_content for each in found]

    first, second = talk(mini_index, ask_many, ask_many)
    assert first == second
    assert first[:4] == first[4:8]
    assert first[0] != first[1]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of one file that can be edited."""
    root = tmp_path / "tree"
    root.mkdir()
    (root / "a.c").write_text(
        "static int leaf(void) { return 1; }\nint top(void) { return leaf(); }\n")
    (root / "compile_commands.json").write_text(json.dumps([
        {"directory": str(root), "file": "a.c", "command": "cc -c a.c"}]))
    return root


def make_index(tree: Path, index: Path) -> Path:
    return index_tree(IndexRequest(
        tree, compile_commands=tree / "compile_commands.json", index=index, jobs=0)).index


def test_a_stale_index_answers_with_a_warning_and_a_new_one_is_opened(
    tree: Path, tmp_path: Path
) -> None:
    index = make_index(tree, tmp_path / "i.kgraph")

    async def edit(client: Client) -> list[dict[str, Any]]:
        found = []

        async def callers() -> None:
            found.append((await client.call_tool(
                "find_callers", {"name": "leaf"})).structured_content)

        await callers()
        text = (tree / "a.c").read_text()
        (tree / "a.c").write_text(f"{text}int more(void) {{ return leaf(); }}\n")
        await callers()
        make_index(tree, index)
        await callers()
        return found

    [(fresh, stale, anew)] = talk(index, edit)
    assert fresh["warnings"] == []
    assert "a.c" in " ".join(stale["warnings"])
    assert [item["caller"] for item in stale["items"]] == ["top (a.c:2)"]
    assert {item["caller"] for item in anew["items"]} == {"top (a.c:2)", "more (a.c:3)"}
    assert anew["warnings"] == []


def test_without_an_index_each_question_says_what_to_do(tmp_path: Path) -> None:
    async def ask_anyway(client: Client) -> Any:
        return [await client.call_tool("index_status", {}) for _ in range(2)]

    [results] = talk(tmp_path / "none.kgraph", ask_anyway)
    for result in results:
        assert result.is_error
        assert "kgraph index" in result.content[0].text


def test_nothing_is_written(mini_index: Path, tmp_path: Path) -> None:
    place = tmp_path / "index.kgraph"
    shutil.copy(mini_index, place)
    ask_all(place, *[(tool, arguments) for tool, arguments, _ in SESSION[:8]])
    assert [path.name for path in tmp_path.iterdir()] == ["index.kgraph"]
    assert place.read_bytes() == mini_index.read_bytes()


def test_the_session_of_the_page_is_true(mini_index: Path, tmp_path: Path) -> None:
    blocks = read_blocks((ROOT / "docs" / "mcp.md").read_text(encoding="utf-8"))
    [program] = [block.text for block in blocks if block.title == "session.py"]
    [shown] = [block.text for block in blocks if block.language == "text"]
    (tmp_path / "session.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "session.py", "--index", str(mini_index)], cwd=tmp_path, text=True,
        capture_output=True, check=False, timeout=FAR, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout == shown, done.stderr


def test_a_missing_package_is_named(tmp_path: Path, mini_index: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ModuleNotFoundError('none', name='mcp')\n")
    done = subprocess.run(
        command(mini_index), cwd=tmp_path, text=True, capture_output=True, check=False,
        stdin=subprocess.DEVNULL, timeout=FAR,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert done.returncode == 2
    assert "pip install 'kgraph[mcp]'" in done.stderr
