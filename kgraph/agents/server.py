"""Serves the tools by the Model Context Protocol, over standard input and output.

Questions are answered one after the other by one thread, which has the index. A request that is
cancelled before its turn is not answered; one that runs is finished, and its answer dropped. What
an agent sends can be wrong in any way: it gets an error of the protocol, or of the tool, and the
server goes on. Nothing is written.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import msgspec
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from kgraph import api
from kgraph.agents.answers import Answer, cut_page
from kgraph.agents.calls import FindCallers, FindCalls, FindCandidates, FindRegistrations
from kgraph.agents.names import FindFunction, IndexStatus, SymbolExists
from kgraph.agents.open_index import AnsweringIndex
from kgraph.agents.tool import Asked, Tool
from kgraph.agents.ways import CheckChain, FindPath, Reach
from kgraph.errors import KgraphError
from kgraph.resources import find_resource

_LOG = logging.getLogger("kgraph.agents")
_MAX_SAID = 300  # characters of an error
TOOLS: dict[str, type[Tool]] = {tool.name_of_tool: tool for tool in (
    IndexStatus, SymbolExists, FindFunction, FindCallers, FindCalls, FindCandidates,
    FindRegistrations, FindPath, Reach, CheckChain)}


def serve(path: Path | None, version: str) -> None:
    """Answer until standard input ends. `path` is the index; None chooses one as other verbs do."""
    anyio.run(_serve, path, version)


def read_instructions() -> str:
    """What an agent is told: the page for agents."""
    return (find_resource("docs") / "agents.md").read_text(encoding="utf-8")


async def _serve(path: Path | None, version: str) -> None:
    keeper = AnsweringIndex(path)
    with ThreadPoolExecutor(1, "kgraph") as thread:
        try:
            server = _make_server(keeper, thread, version)
            async with stdio_server() as (reading, writing):
                await server.run(reading, writing, server.create_initialization_options())
        finally:
            thread.submit(keeper.close)


def _make_server(
    keeper: AnsweringIndex, thread: ThreadPoolExecutor, version: str
) -> Server[Any]:
    tools = [_describe_tool(name, tool) for name, tool in TOOLS.items()]

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        question = _read_question(params.name, params.arguments or {})
        future = thread.submit(_answer, keeper, question)
        return await asyncio.wrap_future(future)

    return Server("kgraph", version=version, instructions=read_instructions(),
                  on_list_tools=list_tools, on_call_tool=call_tool)


def _read_question(name: str, arguments: dict[str, Any]) -> Tool:
    """The question of a request. Raises MCPError, which the client gets as invalid parameters."""
    tool = TOOLS.get(name)
    if tool is None:
        raise MCPError(
            types.INVALID_PARAMS, f"no tool {_cut(repr(name))}: there are {', '.join(TOOLS)}")
    try:
        return msgspec.convert(arguments, tool)
    except msgspec.ValidationError as error:
        raise MCPError(types.INVALID_PARAMS, f"{name}: {_cut(str(error))}") from error


def _answer(keeper: AnsweringIndex, question: Tool) -> types.CallToolResult:
    """The result of a tool, which may be an error of it."""
    try:
        index = keeper.open()
        text = api.SourceText(index.graph)
        with api.report_damage(index.graph.path):
            draft = question.answer(Asked(index, text, keeper))
            answer = cut_page(draft, question.page, question.limit, (), keeper.name_index())
        # Only the page that is shown has read the tree.
        answer = msgspec.structs.replace(
            answer, warnings=list(dict.fromkeys(keeper.iter_warnings(text))))
        return _make_result(answer)
    except KgraphError as error:
        said = f"{error.message}; {error.hint}" if error.hint else error.message
        return _make_error(_cut(said))
    except Exception as error:  # noqa: BLE001
        # The server goes on, whatever went wrong.
        _LOG.exception("%s failed", type(question).__name__)
        return _make_error(f"internal error: {_cut(str(error))}")


def _make_result(answer: Answer) -> types.CallToolResult:
    data = msgspec.json.encode(answer)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=data.decode())],
        structured_content=msgspec.json.decode(data))


def _make_error(said: str) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=said)], is_error=True)


def _describe_tool(name: str, tool: type[Tool]) -> types.Tool:
    return types.Tool(
        name=name, description=" ".join((tool.__doc__ or "").split()),
        input_schema=_make_schema(tool), output_schema=_make_schema(Answer),
        annotations=types.ToolAnnotations(
            read_only_hint=True, idempotent_hint=True, open_world_hint=False))


def _make_schema(of: type) -> dict[str, Any]:
    """The JSON schema of a record, an object at its root as the protocol wants it."""
    _, components = msgspec.json.schema_components([of])
    return {name: value for name, value in components[of.__name__].items() if name != "title"}


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SAID else f"{text[:_MAX_SAID]} ..."
