"""The language server: each request of the protocol, and what is told without being asked."""

import io
import logging
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import JsonRPCRequestMessage
from pygls.uris import to_fs_path

from kgraph.editors.documents import TreeDocuments, make_range
from kgraph.editors.hierarchy import CallHierarchy, ItemKey, read_item
from kgraph.editors.hover import format_hover
from kgraph.editors.index_holder import IndexHolder
from kgraph.errors import KgraphError
from kgraph.graph import CallGraph
from kgraph.graph.tree_search import find_member
from kgraph.model.location import Location
from kgraph.model.results import KnownFunction
from kgraph.query.cross_reference import NameReferences
from kgraph.query.symbol import (
    Symbol,
    find_bound_functions,
    find_candidates,
    find_symbol,
)
from kgraph.store.connection import report_damage

_INVALID = "kgraph/invalidRequest"
_REQUEST_FAILED = -32803
_MOST_BYTES = 256 << 20  # of a message
_MOST_PLACES = 5000

Answer = TypeVar("Answer")


class _Protocol(LanguageServerProtocol):
    """Answers a request whose parameters are wrong, too, and reads no file because of a message."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Decode a message. Of a wrong request the error goes to who asked, not only to a log."""
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if "method" not in data or not isinstance(data.get("id"), int | str):
                raise
            return JsonRPCRequestMessage(data["id"], _INVALID, "2.0", None)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: types.DidChangeTextDocumentParams
    ) -> Generator[Any, Any, None]:
        """A document that was never opened has no text: pygls would read its file."""
        if params.text_document.uri in self.workspace.text_documents:
            yield from super().lsp_text_document__did_change(params)


class _Question(NamedTuple):
    """A question about a file of the tree."""

    graph: CallGraph
    documents: TreeDocuments
    path: str


class KgraphServer(LanguageServer):
    """Answers from one index. What it was asked and cannot answer is null, or an error of the
    protocol; what a reader should know beside an answer is a diagnostic of the file.
    """

    def __init__(self, index: Path | None) -> None:
        super().__init__("kgraph", _find_version(), protocol_cls=_Protocol)
        self._index = IndexHolder(index)
        self._told: set[str] = set()
        self._built = 0.0

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong without a request that could be answered with it."""
        self.window_log_message(types.LogMessageParams(
            types.MessageType.Warning, f"{getattr(source, '__name__', source)}: {error}"))

    def choose_index(self, params: types.InitializeParams) -> None:
        """Use the index of the tree that the editor works in."""
        uris = [folder.uri for folder in params.workspace_folders or ()]
        uris += [uri for uri in (params.root_uri,) if uri]
        folders = [to_fs_path(uri) for uri in uris]
        self._index.choose_for(next((Path(each) for each in folders if each), None))

    def load_index(self) -> None:
        """Open the index before somebody waits for it, or say why there is none."""
        if self._index.find_graph() is None:
            self._tell(self._index.trouble)

    def ask(self, uri: str, answer: Callable[[_Question], Answer]) -> Answer | None:
        """The answer to a question about a file; None for a file outside of the tree, and without
        an index.
        """
        graph = self._index.find_graph()
        if graph is None:
            self._tell(self._index.trouble)
            return None
        with self._translate_errors(graph):
            if self._built != graph.description.built:
                self._built = graph.description.built
                self._told.clear()
                for opened in list(self.workspace.text_documents):
                    self.tell_changes(opened)
            documents = self._make_documents(graph)
            path = documents.find_path(uri)
            if path is None:
                self._tell(f"the index is of {graph.description.tree}: kgraph has no answers"
                           " about files outside of it")
                return None
            return answer(_Question(graph, documents, path))

    def tell_changes(self, uri: str) -> None:
        """Say beside a file whether it is newer than the index."""
        graph = self._index.find_graph()
        if graph is None:
            return
        with self._translate_errors(graph):
            documents = self._make_documents(graph)
            path = documents.find_path(uri)
            if path is None:
                return
            found = [types.Diagnostic(
                make_range(0, 0, 0), CHANGED, types.DiagnosticSeverity.Information,
                source="kgraph")] if documents.is_changed(path) else []
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found))

    def _make_documents(self, graph: CallGraph) -> TreeDocuments:
        return TreeDocuments(graph, self.workspace.position_codec, self._find_open_text)

    def _find_open_text(self, uri: str) -> Sequence[str] | None:
        document = self.workspace.text_documents.get(uri)
        return None if document is None else [
            line.rstrip("\r\n") for line in cast("list[str]", document.lines)]

    def _tell(self, text: str) -> None:
        """Show a message, once."""
        if text and text not in self._told:
            self._told.add(text)
            self.window_show_message(types.ShowMessageParams(
                types.MessageType.Warning, f"kgraph: {text}"))

    @contextmanager
    def _translate_errors(self, graph: CallGraph) -> Generator[None]:
        """Give errors of kgraph to who asked, as the protocol has them."""
        try:
            with report_damage(graph.path):
                yield
        except KgraphError as error:
            text = f"{error.message}: {error.hint}" if error.hint else error.message
            raise JsonRpcException(text, _REQUEST_FAILED) from error


CHANGED = ("this file is newer than the index: places may have moved, and new calls are missing"
           " (`kgraph index` reads it again)")


def make_server(index: Path | None) -> KgraphServer:
    """A server with every request that it answers."""
    server = KgraphServer(index)
    _register_lifecycle(server)
    _register_hierarchy(server)
    _register_places(server)
    return server


def _register_lifecycle(server: KgraphServer) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.choose_index(params)

    @server.feature(types.INITIALIZED)
    def initialized(_params: types.InitializedParams) -> None:
        server.load_index()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.tell_changes(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.tell_changes(params.text_document.uri)

    @server.feature(_INVALID)
    def refuse(_params: str) -> None:
        raise JsonRpcInvalidParams("the parameters are not those of the method")


def _register_hierarchy(server: KgraphServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    def prepare(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem] | None:
        def answer(asked: _Question) -> list[types.CallHierarchyItem] | None:
            symbol = _find(asked, params.position)
            return None if symbol is None else CallHierarchy(asked.graph, asked.documents).prepare(
                symbol, asked.path, params.position.line + 1)
        return server.ask(params.text_document.uri, answer) or None

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    def list_incoming(
        params: types.CallHierarchyIncomingCallsParams,
    ) -> list[types.CallHierarchyIncomingCall] | None:
        item = _read_item(params.item)
        return server.ask(params.item.uri, lambda asked: CallHierarchy(
            asked.graph, asked.documents).list_incoming(item))

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    def list_outgoing(
        params: types.CallHierarchyOutgoingCallsParams,
    ) -> list[types.CallHierarchyOutgoingCall] | None:
        item = _read_item(params.item)
        return server.ask(params.item.uri, lambda asked: CallHierarchy(
            asked.graph, asked.documents).list_outgoing(item))


def _register_places(server: KgraphServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def find_definition(params: types.DefinitionParams) -> list[types.Location] | None:
        return server.ask(params.text_document.uri, lambda asked: _locate(
            asked, params.position, _list_definitions)) or None

    @server.feature(types.TEXT_DOCUMENT_IMPLEMENTATION)
    def find_implementation(params: types.ImplementationParams) -> list[types.Location] | None:
        return server.ask(params.text_document.uri, lambda asked: _locate(
            asked, params.position, _list_implementations)) or None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def find_references(params: types.ReferenceParams) -> list[types.Location] | None:
        wants_definition = params.context.include_declaration
        return server.ask(params.text_document.uri, lambda asked: _locate(
            asked, params.position, lambda graph, symbol: _list_references(
                graph, symbol, with_definition=wants_definition))) or None

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        def answer(asked: _Question) -> types.Hover | None:
            symbol = _find(asked, params.position)
            if symbol is None:
                return None
            text = format_hover(asked.graph, symbol)
            if asked.documents.is_changed(asked.path):
                text += f"\n\n*{CHANGED}*"
            return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text))
        return server.ask(params.text_document.uri, answer)


def _find(asked: _Question, position: types.Position) -> Symbol | None:
    return find_symbol(asked.graph, asked.documents.make_cursor(asked.path, position))


Places = Iterable[tuple[Location, str]]


def _locate(
    asked: _Question, position: types.Position, find: Callable[[CallGraph, Symbol], Places]
) -> list[types.Location]:
    symbol = _find(asked, position)
    places = () if symbol is None else find(asked.graph, symbol)
    return [asked.documents.locate(location, name)
            for location, name in list(dict.fromkeys(places))[:_MOST_PLACES]]


def _list_definitions(graph: CallGraph, symbol: Symbol) -> Places:
    yield from _list_places(symbol.functions)
    if not symbol.functions:
        for slot in symbol.slots:
            yield from _find_declarations(graph, slot)
    for each in symbol.objects:
        if each.location is not None:
            yield each.location, each.id.name
    yield from ((location, symbol.word) for location in symbol.macros)


def _find_declarations(graph: CallGraph, slot: str) -> Places:
    """Where a slot is declared, in the text: an index does not have it."""
    record, _, field = slot.rpartition(".")
    path = record.split(".")
    found = find_member(graph, path[0], path[1] if len(path) > 1 else field)
    return [] if found is None else [(found, "")]


def _list_implementations(graph: CallGraph, symbol: Symbol) -> Places:
    """What a call at the place can reach through a pointer; else what is put into the slot; else
    the function itself."""
    if symbol.sites:
        yield from _list_places(
            hop.callee for hop in find_candidates(graph, (site.number for site in symbol.sites)))
    elif symbol.slots:
        for slot in symbol.slots:
            yield from _list_places(find_bound_functions(graph, slot))
    else:
        yield from _list_places(symbol.functions)


def _list_references(graph: CallGraph, symbol: Symbol, *, with_definition: bool) -> Places:
    for name in symbol.slots or (symbol.word,):
        references = NameReferences(graph, name, among=symbol.functions)
        found = references.list_all()
        defined = set() if with_definition else set(references.list_definitions())
        yield from ((each.location, symbol.word) for each in found if each not in defined)


def _list_places(functions: Iterable[KnownFunction]) -> Places:
    return [(each.location, each.id.name) for each in functions if each.location is not None]


def _read_item(item: types.CallHierarchyItem) -> ItemKey:
    try:
        return read_item(item.data)
    except ValueError as error:
        raise JsonRpcInvalidParams(str(error)) from error


def _find_version() -> str:
    try:
        return version("kgraph")
    except PackageNotFoundError:
        return "0"


class _BoundedInput(io.RawIOBase):
    """Standard input. A message that is larger than any of an editor is skipped, not kept."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readline(self, _size: int | None = -1, /) -> bytes:
        """A line of a header."""
        return self._source.readline(_MOST_BYTES)

    def read(self, size: int = -1, /) -> bytes:
        """The body of a message, `size` bytes."""
        if size <= _MOST_BYTES:
            return self._source.read(size)
        while size > 0 and (part := self._source.read(min(size, 1 << 20))):
            size -= len(part)
        return b"{}"


def serve(index: Path | None, source: BinaryIO, target: BinaryIO) -> None:
    """Answer an editor until it ends the session."""
    if not logging.root.handlers:  # not asked for by KGRAPH_LOG
        logging.getLogger("pygls").addHandler(logging.NullHandler())
        logging.getLogger("pygls").propagate = False
    make_server(index).start_io(cast("BinaryIO", _BoundedInput(source)), target)
