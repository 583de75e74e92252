"""A client of the language server over its standard streams: pygls' own."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import BaseLanguageClient

from tests.support.places import ROOT

Result = TypeVar("Result")


class EditorSession:
    """An editor with one tree open; what the server tells it is kept."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.client = BaseLanguageClient("test", "1")
        self.diagnostics: dict[str, list[types.Diagnostic]] = {}
        self.messages: list[str] = []

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def keep(params: types.PublishDiagnosticsParams) -> None:
            self.diagnostics[params.uri] = list(params.diagnostics)

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)
        def show(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)

        @self.client.feature(types.WINDOW_LOG_MESSAGE)
        def log(params: types.LogMessageParams) -> None:
            pass

    async def start(self, *options: str) -> None:
        await self.client.start_io(
            sys.executable, "-m", "kgraph", "lsp", *options, cwd=str(ROOT))
        await self.client.initialize_async(types.InitializeParams(
            types.ClientCapabilities(), root_uri=self.tree.as_uri()))
        self.client.initialized(types.InitializedParams())

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await asyncio.sleep(0.1)
        await self.client.stop()

    def uri(self, path: str) -> str:
        return (self.tree / path).as_uri()

    def open(self, path: str, text: str | None = None) -> None:
        content = (self.tree / path).read_text() if text is None else text
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(
            types.TextDocumentItem(self.uri(path), "c", 1, content)))

    def at(self, path: str, line: int, word: str) -> dict[str, Any]:
        """The parameters of a question about a word of a line, which counts from 1."""
        text = (self.tree / path).read_text().splitlines()[line - 1]
        return {"text_document": types.TextDocumentIdentifier(self.uri(path)),
                "position": types.Position(line - 1, text.index(word) + 1)}

    def cite(self, location: types.Location) -> str:
        """FILE:LINE of an answer."""
        path = location.uri.removeprefix(self.tree.as_uri() + "/")
        return f"{path}:{location.range.start.line + 1}"

    async def prepare(self, path: str, line: int, word: str) -> list[types.CallHierarchyItem]:
        found = await self.client.text_document_prepare_call_hierarchy_async(
            types.CallHierarchyPrepareParams(**self.at(path, line, word)))
        return list(found or ())

    async def incoming(
        self, item: types.CallHierarchyItem
    ) -> list[types.CallHierarchyIncomingCall]:
        found = await self.client.call_hierarchy_incoming_calls_async(
            types.CallHierarchyIncomingCallsParams(item))
        return list(found or ())

    async def outgoing(
        self, item: types.CallHierarchyItem
    ) -> list[types.CallHierarchyOutgoingCall]:
        found = await self.client.call_hierarchy_outgoing_calls_async(
            types.CallHierarchyOutgoingCallsParams(item))
        return list(found or ())

    async def find(self, method: str, path: str, line: int, word: str) -> list[str]:
        """FILE:LINE of `definition` or `implementation`."""
        kind = {"definition": types.DefinitionParams,
                "implementation": types.ImplementationParams}[method]
        ask = getattr(self.client, f"text_document_{method}_async")
        return [self.cite(each) for each in await ask(kind(**self.at(path, line, word))) or ()]

    async def references(
        self, path: str, line: int, word: str, *, declaration: bool = True
    ) -> list[str]:
        found = await self.client.text_document_references_async(types.ReferenceParams(
            context=types.ReferenceContext(declaration), **self.at(path, line, word)))
        return [self.cite(each) for each in found or ()]

    async def hover(self, path: str, line: int, word: str) -> str:
        found = await self.client.text_document_hover_async(
            types.HoverParams(**self.at(path, line, word)))
        return "" if found is None else found.contents.value


def converse(
    tree: Path, talk: Callable[[EditorSession], Awaitable[Result]], *options: str
) -> Result:
    """Hold a session with the server."""
    async def hold() -> Result:
        session = EditorSession(tree)
        await session.start(*options)
        try:
            return await asyncio.wait_for(talk(session), 60)
        finally:
            await asyncio.wait_for(session.stop(), 20)

    return asyncio.run(hold())
