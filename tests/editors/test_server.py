"""The language server, asked by a real client over its standard streams."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from kgraph.resources import find_mini_linux
from tests.support.command_line import answer_apart
from tests.support.language_client import EditorSession, converse

MINI = find_mini_linux()
VETH, NETDEVICE, DEV = "drivers/net/veth.c", "include/linux/netdevice.h", "net/core/dev.c"
XMITS = {"bond_start_xmit", "br_dev_xmit", "dummy_xmit", "e1000_xmit_frame", "loopback_xmit",
         "macvlan_start_xmit", "start_xmit", "veth_xmit"}


def line_of(path: str, text: str) -> int:
    """The line of mini-linux that has a text."""
    lines = (MINI / path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_call_hierarchy_goes_through_a_pointer_both_ways(mini_index: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        [item] = await editor.prepare(VETH, 17, "veth_xmit")
        assert item.name == "veth_xmit"
        assert item.uri == editor.uri(VETH)
        [call] = await editor.incoming(item)
        assert call.from_.name == "__netdev_start_xmit"
        assert call.from_.detail == (
            "net_device_ops.ndo_start_xmit, 1 of 8 candidates,"
            " bound at drivers/net/veth.c:61, installed at drivers/net/veth.c:69")
        assert [(each.start.line + 1, each.start.character) for each in call.from_ranges] == [
            (135, (MINI / NETDEVICE).read_text().splitlines()[134].index("ops->"))]
        back = await editor.outgoing(call.from_)
        assert {each.to.name for each in back} == XMITS
        assert all("net_device_ops.ndo_start_xmit, 1 of 8" in each.to.detail for each in back)

    converse(MINI, talk, "--index", str(mini_index))


def test_a_deferred_call_names_what_registers_it(mini_index: Path) -> None:
    async def talk(editor: EditorSession) -> list[str]:
        [item] = await editor.prepare(
            "net/core/dev.c", line_of(DEV, "net_rx_action(struct"), "net_rx_action")
        return [call.from_.detail for call in await editor.incoming(item)]

    details = converse(MINI, talk, "--index", str(mini_index))
    assert any(detail.startswith("deferred, ") and "registered at" in detail for detail in details)


def test_a_slot_is_an_item(mini_index: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        [item] = await editor.prepare(VETH, 61, "ndo_start_xmit")
        assert item.name == "net_device_ops.ndo_start_xmit"
        [call] = await editor.incoming(item)
        assert call.from_.name == "__netdev_start_xmit"
        assert {each.to.name for each in await editor.outgoing(item)} >= XMITS
        [at_call] = await editor.prepare(NETDEVICE, 135, "ndo_start_xmit")
        assert {each.to.name for each in await editor.outgoing(at_call)} == XMITS
        declared = line_of(NETDEVICE, "(*ndo_start_xmit)")
        [at_declaration] = await editor.prepare(NETDEVICE, declared, "ndo_start_xmit")
        assert at_declaration.name == "net_device_ops.ndo_start_xmit"

    converse(MINI, talk, "--index", str(mini_index))


def test_places(mini_index: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        bound = line_of(VETH, ".ndo_start_xmit")
        assert await editor.find("definition", VETH, bound, "veth_xmit") == [f"{VETH}:17"]
        assert await editor.find("definition", VETH, bound, "ndo_start_xmit") == [
            f"{NETDEVICE}:{line_of(NETDEVICE, '(*ndo_start_xmit)')}"]
        at_call = await editor.find("implementation", NETDEVICE, 135, "ndo_start_xmit")
        assert len(at_call) == len(XMITS)
        assert f"{VETH}:17" in at_call
        by_slot = await editor.find("implementation", VETH, bound, "ndo_start_xmit")
        assert set(at_call) <= set(by_slot)
        assert await editor.find("implementation", DEV, 143, "dev_queue_xmit") == [f"{DEV}:143"]
        found = await editor.references(VETH, 17, "veth_xmit")
        assert {f"{VETH}:17", f"{VETH}:{bound}", f"{NETDEVICE}:135"} <= set(found)
        assert f"{VETH}:17" not in await editor.references(
            VETH, 17, "veth_xmit", declaration=False)
        of_slot = await editor.references(VETH, bound, "ndo_start_xmit")
        assert {f"{VETH}:{bound}", f"{NETDEVICE}:135"} <= set(of_slot)
        assert await editor.find("definition", VETH, 18, "{") == []

    converse(MINI, talk, "--index", str(mini_index))


def test_hover_says_what_calls_and_why(mini_index: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        text = await editor.hover(VETH, 17, "veth_xmit")
        assert "`veth_xmit()` (drivers/net/veth.c:17), called by 1 functions" in text
        assert "bound at drivers/net/veth.c:61" in text
        text = await editor.hover(NETDEVICE, 135, "ndo_start_xmit")
        assert "through net_device_ops.ndo_start_xmit, 8 candidates" in text
        assert "slot `net_device_ops.ndo_start_xmit`" in await editor.hover(
            VETH, 61, "ndo_start_xmit")

    converse(MINI, talk, "--index", str(mini_index))


OPEN = """
struct ops { int (*run)(int); int (*never)(int); };
static struct ops *shared;
extern void *find(int);
int empty(int a) { return shared->never(a); }
int unknown(int a) { int (*f)(int) = find(a); return f(a); }
"""


@pytest.fixture
def small(kgraph, tmp_path: Path) -> Path:
    """A tree of one file, with an index in the cache of the test."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text(OPEN)
    (tree / "compile_commands.json").write_text(
        '[{"directory": ".", "file": "a.c", "arguments": ["gcc", "-c", "a.c"]}]')
    assert kgraph("index", str(tree), "-j1").returncode == 0
    return tree


def test_nothing_and_unknown_are_two_answers(small: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        assert "proved to call nothing" in await editor.hover("a.c", 5, "never")
        assert "could not tell" in await editor.hover("a.c", 6, "f(a)")
        [item] = await editor.prepare("a.c", 5, "empty")
        [call] = await editor.outgoing(item)
        assert call.to.name == "shared->never()"
        assert call.to.detail.startswith("no candidate, empty: ")
        assert await editor.outgoing(call.to) == []
        [item] = await editor.prepare("a.c", 6, "unknown")
        details = [call.to.detail for call in await editor.outgoing(item)]
        assert any(detail.startswith("no candidate, unresolved: ") for detail in details)

    converse(small, talk)


def test_a_file_that_is_newer_than_the_index_is_said_and_still_answered(small: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        editor.open("a.c")
        assert await editor.hover("a.c", 5, "empty")
        assert editor.diagnostics == {editor.uri("a.c"): []}
        (small / "a.c").write_text("/* è */\n\n" + OPEN)
        editor.client.text_document_did_save(types.DidSaveTextDocumentParams(
            types.TextDocumentIdentifier(editor.uri("a.c"))))
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(2, editor.uri("a.c")),
            [types.TextDocumentContentChangeWholeDocument("/* è */\n\n" + OPEN)]))
        text = await editor.hover("a.c", 7, "empty")
        assert "newer than the index" in text
        [found] = editor.diagnostics[editor.uri("a.c")]
        assert "newer than the index" in found.message
        assert await editor.find("definition", "a.c", 7, "empty") == ["a.c:7"]
        assert "proved to call nothing" in await editor.hover("a.c", 7, "never")

    converse(small, talk)


def test_columns_count_as_the_editor_counts(kgraph, small: Path) -> None:
    (small / "a.c").write_text('int f(void);\nint g(void) { return sizeof("𝄞è") + f(); }\n'
                               "int f(void) { return 0; }\n")
    assert kgraph("index", str(small), "-j1").returncode == 0

    async def talk(editor: EditorSession) -> None:
        found = await editor.client.text_document_references_async(types.ReferenceParams(
            context=types.ReferenceContext(False), **editor.at("a.c", 3, "f")))
        [call] = found
        text = (small / "a.c").read_text().splitlines()[1]
        start = len(text[:text.index("f();")].encode("utf-16-le")) // 2
        assert call.range.start == types.Position(1, start)

    converse(small, talk)


def test_an_index_that_is_written_anew_answers(small: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        assert await editor.prepare("a.c", 5, "empty")
        (small / "a.c").write_text(OPEN + "int later(void) { return empty(1); }\n")
        await asyncio.to_thread(answer_apart, ["index", str(small), "-j1"], small, {})
        [item] = await editor.prepare("a.c", 5, "empty")
        assert [call.from_.name for call in await editor.incoming(item)] == ["later"]

    converse(small, talk)


def test_without_an_index_the_reader_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "a.c").write_text("int f;\n")

    async def talk(editor: EditorSession) -> list[str]:
        for _ in range(2):
            assert await editor.hover("a.c", 1, "f") == ""
        return editor.messages

    [message] = converse(tmp_path, talk)
    assert "run `kgraph index TREE`" in message


def test_nothing_outside_of_the_tree_is_read_and_nothing_is_written(
    mini_index: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.c"
    secret.write_text("int veth_xmit;\n")
    os.utime(secret, (0, 0))
    before = sorted(MINI.rglob("*"))

    async def talk(editor: EditorSession) -> None:
        for uri in (secret.as_uri(), "file:///etc/passwd", "http://x/veth.c", "", "file://h/a",
                    f"{MINI.as_uri()}/../../../../etc/passwd", "file:///%00", "\ud800"[:0] + "::"):
            position = {"text_document": types.TextDocumentIdentifier(uri),
                        "position": types.Position(0, 5)}
            assert await editor.client.text_document_hover_async(
                types.HoverParams(**position)) is None
            editor.client.text_document_did_change(types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(2, uri),
                [types.TextDocumentContentChangePartial(types.Range(
                    types.Position(0, 0), types.Position(0, 0)), "x")]))
        assert "veth_xmit" in await editor.hover(VETH, 17, "veth_xmit")

    converse(MINI, talk, "--index", str(mini_index))
    assert secret.stat().st_atime == 0 or secret.stat().st_atime < 1e6
    assert sorted(MINI.rglob("*")) == before


WRONG_ITEMS = [None, {}, [], {"function": "veth_xmit"}, {"function": ["a"]}, {"slot": 3},
               {"site": [1, 2, 3, 4]}, {"site": ["a", "b", "c", "d"]}, {"other": "x"}]


def test_wrong_requests_are_errors_and_the_server_goes_on(mini_index: Path) -> None:
    async def talk(editor: EditorSession) -> None:
        [item] = await editor.prepare(VETH, 17, "veth_xmit")
        for data in WRONG_ITEMS:
            item.data = data
            with pytest.raises(JsonRpcException) as caught:
                await editor.incoming(item)
            assert caught.value.code == -32602
        item.data = {"function": ["gone", "", "vmlinux"]}
        assert await editor.incoming(item) == []
        for position in (types.Position(10**6, 0), types.Position(16, 10**6)):
            assert await editor.client.text_document_hover_async(types.HoverParams(
                types.TextDocumentIdentifier(editor.uri(VETH)), position)) is None
        assert "veth_xmit" in await editor.hover(VETH, 17, "veth_xmit")

    converse(MINI, talk, "--index", str(mini_index))


def frame(body: bytes, length: int | None = None) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def ask(number: int, method: str, params: object) -> bytes:
    return frame(json.dumps(
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode())


def test_what_is_no_message_does_not_end_the_server(mini_index: Path) -> None:
    garbage = [
        frame(b"{"), frame(b"[]"), frame(b"null"), frame(b"[" * 100_000), frame(b"\xff\xfe"),
        b"nonsense\r\n\r\n", b"Content-Length: -5\r\n\r\n", b"Content-Length: x\r\n\r\n",
        frame(b'{"jsonrpc": "2.0", "method": "nosuch/thing"}'),
        ask(2, "nosuch/thing", {}), ask(3, "textDocument/hover", {"position": "wrong"}),
        ask(4, "textDocument/hover", None), ask(5, "callHierarchy/incomingCalls", {"item": 7}),
    ]
    start = ask(1, "initialize", {
        "processId": None, "rootUri": MINI.as_uri(), "capabilities": {}})
    answer = subprocess.run(
        [sys.executable, "-m", "kgraph", "lsp", "--index", str(mini_index)],
        input=b"".join([start, *garbage, ask(9, "shutdown", None),
                        frame(b'{"jsonrpc": "2.0", "method": "exit"}')]),
        capture_output=True, check=False, timeout=60)
    bodies = [json.loads(part[part.index(b"{"):]) for part in
              answer.stdout.split(b"Content-Length")[1:]]
    errors = {each["id"]: each["error"]["code"] for each in bodies if "error" in each}
    assert errors == {2: -32601, 3: -32602, 4: -32602, 5: -32602}
    assert any(each.get("id") == 9 and "error" not in each for each in bodies)
    assert answer.returncode == 0


def test_a_closed_stream_ends_the_server(mini_index: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "kgraph", "lsp", "--index", str(mini_index)], input=b"",
        capture_output=True, check=False, timeout=60)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"", b"")


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "pygls").mkdir()
    (tmp_path / "pygls/__init__.py").write_text(
        "raise ModuleNotFoundError('no pygls', name='pygls')\n")
    answer = subprocess.run(
        [sys.executable, "-m", "kgraph", "lsp"], capture_output=True, text=True, check=False,
        timeout=60, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"})
    assert answer.returncode == 2
    assert "needs the Python package pygls" in answer.stderr
    assert "pip install 'kgraph[lsp]'" in answer.stderr


NVIM = """
local client = vim.lsp.start_client({ name = "kgraph", cmd = { @PYTHON, "-m", "kgraph", "lsp",
  "--index", "@INDEX" }, cmd_env = { PYTHONPATH = "@ROOT" }, root_dir = "@TREE" })
vim.cmd("edit @TREE/drivers/net/veth.c")
vim.lsp.buf_attach_client(0, client)
vim.wait(20000, function() return vim.lsp.get_client_by_id(client) ~= nil
  and vim.lsp.get_client_by_id(client).initialized end)
vim.fn.cursor(17, 22)
local lines = {}
local function ask(method, params)
  local found = vim.lsp.buf_request_sync(0, method, params, 20000)
  return found and found[client] and found[client].result
end
local here = vim.lsp.util.make_position_params(0, "utf-16")
local items = ask("textDocument/prepareCallHierarchy", here)
for _, call in ipairs(ask("callHierarchy/incomingCalls", { item = items[1] })) do
  table.insert(lines, "call " .. call.from.name .. " " .. call.from.detail)
end
table.insert(lines, "hover " .. ask("textDocument/hover", here).contents.value:gsub("\\n", " "))
vim.lsp.buf.incoming_calls()
vim.wait(20000, function() return #vim.fn.getqflist() > 0 end)
for _, each in ipairs(vim.fn.getqflist()) do
  table.insert(lines, "list " .. vim.fn.bufname(each.bufnr) .. ":" .. each.lnum)
end
vim.fn.writefile(lines, "@OUT")
vim.cmd("qa!")
"""


@pytest.mark.parametrize("nvim", [shutil.which("nvim"), os.environ.get("KGRAPH_NVIM")])
def test_nvim_shows_the_call_hierarchy(
    mini_index: Path, tmp_path: Path, nvim: str | None
) -> None:
    if not nvim:
        pytest.skip("no nvim is installed, or KGRAPH_NVIM names none")
    script, out = tmp_path / "x.lua", tmp_path / "out"
    text = NVIM.replace("@PYTHON", json.dumps(sys.executable)).replace("@INDEX", str(mini_index))
    script.write_text(text.replace("@ROOT", str(Path.cwd())).replace("@TREE", str(MINI))
                      .replace("@OUT", str(out)))
    done = subprocess.run(
        [nvim, "--headless", "-u", "NONE", "-c", f"luafile {script}", "-c", "qa!"], cwd=MINI,
        check=False, timeout=90, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    lines = out.read_text().splitlines() if out.exists() else [done.stderr]
    assert lines[0].startswith("call __netdev_start_xmit net_device_ops.ndo_start_xmit, 1 of 8")
    assert lines[1].startswith("hover `veth_xmit()`")
    assert lines[2].endswith("include/linux/netdevice.h:135")
