"""What kgraph can do for you: a function for each verb that asks, checks, exports or indexes.

    from kgraph import api

    with api.use_index() as graph:
        result = api.path(graph, api.PathQuestion("SyS_sendto", "veth_xmit"))
        for hop in result.answer.paths[0].hops:
            print(hop.caller, hop.site.location, hop.callee)

The functions take names as you write them and return records. A result also has what else you
should know: which aliases were resolved, which scenario was used. This module prints nothing and
does not know how a result is shown; the command line and the report stand on it. A function has the
name of its verb. `kgraph status` shows `graph.description` and `graph.reader.coverage`; reports are
written on the command line only.

Each function imports what it needs when it runs: a question starts quickly because it loads neither
the parser of documents nor the indexer.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from kgraph.errors import LookupFailed
from kgraph.logs import PackageLogger
from kgraph.model.results import Alias, Neighbours

if TYPE_CHECKING:
    from kgraph.check.document.query_files import read_shipped_queries
    from kgraph.check.document.subjects import Subject, read_subject
    from kgraph.graph import CallGraph
    from kgraph.graph.nx import NetworkxGraph
    from kgraph.graph.text import SourceText
    from kgraph.indexing.index_tree import IndexSummary
    from kgraph.indexing.matrix import MatrixOutcome
    from kgraph.indexing.workers.pool import Limits
    from kgraph.indexing.write_index import IndexRequest, Progress
    from kgraph.model.document import Query, Scenario
    from kgraph.model.results import (
        CacheInventory,
        Hop,
        NamedThing,
        OpsRow,
        PathAnswer,
        SiteAnswer,
        WhyNot,
    )
    from kgraph.model.verdicts import ChainCheck
    from kgraph.query.call_tree import CallTree, ReachingCall
    from kgraph.query.lookup import FoundFunction
    from kgraph.query.neighbours import CalleeWalk, EdgeRow
    from kgraph.query.neighbours import Progress as EdgeProgress
    from kgraph.query.paths.question import PathQuestion
    from kgraph.query.pins import RowPartner
    from kgraph.store.connection import report_damage

__all__ = [
    "CallGraph",
    "CallTreeQuestion",
    "CheckResult",
    "DocumentedScenario",
    "IndexRequest",
    "IndexSummary",
    "Limits",
    "NameKind",
    "PathQuestion",
    "PathResult",
    "RowPartner",
    "SourceText",
    "Subject",
    "call_tree",
    "callees",
    "callers",
    "check",
    "complete_name",
    "export",
    "export_edges",
    "find",
    "index",
    "index_matrix",
    "list_cache",
    "network",
    "open_index",
    "ops",
    "path",
    "prune_cache",
    "reaching_syscalls",
    "read_shipped_queries",
    "read_subject",
    "report_damage",
    "site",
    "use_index",
    "walk_callees",
]

# Names that you need for a call, and the modules that define them.
_DEFINED_IN = {
    "CallGraph": "kgraph.graph",
    "IndexRequest": "kgraph.indexing.write_index",
    "IndexSummary": "kgraph.indexing.index_tree",
    "Limits": "kgraph.indexing.workers.pool",
    "PathQuestion": "kgraph.query.paths.question",
    "RowPartner": "kgraph.query.pins",
    "SourceText": "kgraph.graph.text",
    "Subject": "kgraph.check.document.subjects",
    "read_shipped_queries": "kgraph.check.document.query_files",
    "read_subject": "kgraph.check.document.subjects",
    "report_damage": "kgraph.store.connection",
}

_LOG = PackageLogger("kgraph.api")
Remark = Callable[[str], None]


def __getattr__(name: str) -> Any:
    if name in _DEFINED_IN:
        return getattr(import_module(_DEFINED_IN[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _ignore_remark(_text: str) -> None:
    """Receive a remark and do nothing."""


def _ignore_progress(_done: int, _total: int, _what: str) -> None:
    """Receive progress and do nothing."""


def _ignore_edges_read(_done: int, _total: int) -> None:
    """Receive how far an export is and do nothing."""


def open_index(
    path: Path | str | None = None, *, functions: Sequence[str] = (),
    remark: Remark = _ignore_remark,
) -> "CallGraph":
    """Open an index for questions. Close it when you are done, or say `with use_index()`.

    Without `path` the choice is: KGRAPH_INDEX, else the index of the tree that holds the current
    folder, else the one that was built last, else mini-linux, which is indexed if necessary.
    `functions` are the names that you are going to ask for: mini-linux must have them. `remark`
    receives which index was chosen, where you did not choose it.

    Raises StoreError where there is no index, or it is damaged or of another version; LookupFailed
    where mini-linux lacks one of `functions`.
    """
    from kgraph.graph import CallGraph
    from kgraph.indexing.index_choice import ChoiceReason, choose_index, open_bundled_index
    from kgraph.store import IndexReader

    chosen = choose_index(None if path is None else Path(path))
    _LOG.debug("index %s (%s)", chosen.path, chosen.choice)
    if chosen.choice is ChoiceReason.BUNDLED:
        return open_bundled_index(functions, remark)
    graph = CallGraph(IndexReader(chosen.path))
    if chosen.choice is ChoiceReason.LAST:
        remark(f"using the index built last, of {graph.description.tree}")
        if chosen.unindexed is not None:
            remark(f"{chosen.unindexed} has no index: run `kgraph index {chosen.unindexed}`")
    return graph


@contextmanager
def use_index(
    path: Path | str | None = None, *, functions: Sequence[str] = (),
    remark: Remark = _ignore_remark,
) -> "Iterator[CallGraph]":
    """Open an index (see open_index), and close it at the end of the block. Your own exceptions
    leave the block as they are.
    """
    graph = open_index(path, functions=functions, remark=remark)
    try:
        yield graph
    finally:
        graph.close()


NameKind = Literal["function", "binding", "file"]


def complete_name(start: str, kind: NameKind, path: Path | str | None = None) -> list[str]:
    """Names in an index that begin with `start`, the first 200: of functions; of what `ops` takes
    (tables, slots, functions); or of files and folders. Without an index there are none.

    Raises StoreError where the index is damaged or of another version.
    """
    from kgraph.graph import CallGraph
    from kgraph.indexing.index_choice import ChoiceReason, choose_index
    from kgraph.store import IndexReader

    chosen = choose_index(None if path is None else Path(path))
    if chosen.choice is ChoiceReason.BUNDLED:
        return []
    graph = CallGraph(IndexReader(chosen.path))
    try:
        if kind == "file":
            return graph.find_paths_from(start)
        names = graph.find_function_names_from(start, 200)
        return names if kind == "function" else sorted(
            {*names, *graph.find_binding_names_from(start, 200)})
    finally:
        graph.close()


class DocumentedScenario(Struct, frozen=True):
    """The scenario of a query that documents the path you asked for. `misfit` says why it does not
    fit the index and was not used; "" if it was.
    """

    query: str
    scenario: "Scenario"
    misfit: str = ""


class PathResult(Struct, frozen=True):
    """The answer to a path question. `question` is the one that was answered: with aliases replaced
    and the scenario filled in. `partners` are pins that go with those of the question; they were
    not applied. `why_not` is asked for by explain_absence. `remarks` say how names were understood.
    """

    question: "PathQuestion"
    answer: "PathAnswer"
    aliases: tuple[Alias, ...] = ()
    documented: DocumentedScenario | None = None
    partners: "tuple[RowPartner, ...]" = ()
    why_not: "WhyNot | None" = None
    remarks: tuple[str, ...] = ()


def path(
    graph: "CallGraph", question: "PathQuestion", scenario: str | None = None, *,
    documented: bool = True,
) -> PathResult:
    """How one function reaches another. An end may also be a slot, a table, a file or folder, a
    pattern, or `syscall:*`: the nearest pairs of functions are answered for.

    `scenario` names a query (or its file) whose pins, via and avoid are used. Without it, and if
    the question has no via, avoid, pins or scenario of its own, kgraph uses the scenario of the
    query that documents this path, if one of those that come with kgraph does. `documented=False`
    prevents that. A documented scenario that does not fit the index is not used.

    Raises LookupFailed for an unknown or ambiguous name and for a pin that nothing supports,
    DocumentError for an unknown `scenario`.
    """
    from kgraph.query.paths.question import find_paths
    from kgraph.query.pins import propose_partners

    between = _path_between_sets(graph, question, scenario)
    if between is not None:
        return between
    question, ends = _resolve_ends(graph, question)
    used, answer = None, None
    if scenario is not None:
        question = _use_scenario(question, scenario)
    elif documented and not (
            question.via or question.avoid or question.bind or question.scenario):
        used, answer = _try_documented(graph, question)
        if used is not None and answer is not None:
            question = replace(question, scenario=used.scenario)
    if answer is None:
        answer = find_paths(graph, question)
    partners = propose_partners(graph, question.collect_pins())
    aliases = tuple(alias for alias in map(_make_alias, ends) if alias is not None)
    remarks = tuple(dict.fromkeys(remark for end in ends for remark in end.remarks))
    return PathResult(question, answer, aliases, used, tuple(partners), remarks=remarks)


def _path_between_sets(
    graph: "CallGraph", question: "PathQuestion", scenario: str | None
) -> PathResult | None:
    """The result of `path` where an end means several functions; None where none does."""
    from kgraph.query.lookup import resolve_function
    from kgraph.query.paths.ends import find_end, find_paths_between

    names = question.caller, question.callee
    ends = [find_end(graph, name) for name in names]
    if ends == [None, None]:
        return None
    sets = [(resolve_function(graph, name).function,) if end is None else end.functions
            for name, end in zip(names, ends, strict=True)]
    if scenario is not None:
        question = _use_scenario(question, scenario)
    callers, callees = ([each.number for each in functions] for functions in sets)
    question, answer = find_paths_between(graph, question, callers, callees)
    remarks = tuple(
        f"`{end.text}` means {len(end.functions)} functions: each path is of one of them"
        for end in ends if end is not None)
    return PathResult(question, answer, remarks=remarks)


def explain_absence(graph: "CallGraph", result: PathResult, function: str) -> PathResult:
    """The result of `path`, with why its first path does not pass a function.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query.paths.why_not import explain_absence as explain

    return replace(result, why_not=explain(graph, result.question, function))


def _resolve_ends(
    graph: "CallGraph", question: "PathQuestion"
) -> "tuple[PathQuestion, list[FoundFunction]]":
    """The question with its ends resolved, and what they were resolved to."""
    from kgraph.query.lookup import qualify_name, resolve_function

    names = question.caller, question.callee
    found = [resolve_function(graph, name) for name in names]
    caller, callee = (qualify_name(graph, name) for name in names)
    return replace(question, caller=caller, callee=callee), found


def _make_alias(found: "FoundFunction") -> Alias | None:
    return Alias(found.alias, found.function) if found.alias else None


def _use_scenario(question: "PathQuestion", name: str) -> "PathQuestion":
    """The question under the scenario of a query: under the part between its ends, if they are on
    the path of the query.
    """
    from kgraph.check.document.query_files import find_query
    from kgraph.query.scenarios import restrict_scenario

    query = find_query(name)
    part = restrict_scenario(query, question.caller, question.callee)
    return replace(question, scenario=part or query.scenario)


def _try_documented(
    graph: "CallGraph", question: "PathQuestion"
) -> "tuple[DocumentedScenario | None, PathAnswer | None]":
    """The scenario that documents the path, if any, and the answer under it, if it fits."""
    from kgraph.query.paths.question import find_paths

    found = _find_documented(question)
    if found is None:
        return None, None
    try:
        answer = find_paths(graph, replace(question, scenario=found.scenario))
        misfit = "" if answer.paths else "no path under it"
    except LookupFailed as error:
        misfit = error.message
    _LOG.debug("scenario of query %s: %s", found.query, misfit or "used")
    return (replace(found, misfit=misfit), None) if misfit else (found, answer)


def _find_documented(question: "PathQuestion") -> DocumentedScenario | None:
    """The scenario of the first query that documents the path with pins or via."""
    from kgraph.check.document.query_files import read_shipped_queries
    from kgraph.query.scenarios import restrict_scenario

    for query in read_shipped_queries():
        scenario = restrict_scenario(query, question.caller, question.callee)
        if scenario is not None and (scenario.pins or scenario.via):
            return DocumentedScenario(query.name, scenario)
    return None


def callers(
    graph: "CallGraph", name: str, *, types: bool = False, deferred: bool = True, folder: str = ""
) -> Neighbours:
    """The calls that reach a function; with `types` also those that it only fits by its type.
    `folder`: only calls by functions that are defined in this folder or file. For a macro: one hop
    for each function that uses it.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_callers
    from kgraph.query.lookup import FoundMacro, resolve_name
    from kgraph.query.macros import iter_macro_callers
    from kgraph.query.neighbours import find_within

    found = resolve_name(graph, name)
    if isinstance(found, FoundMacro):
        hops = list(iter_macro_callers(graph, found.uses))
    else:
        hops = find_callers(graph, found.function, types=types, deferred=deferred)
    within = find_within(graph, folder)
    if within is not None:
        hops = [hop for hop in hops if hop.caller.number in within]
    if isinstance(found, FoundMacro):
        return Neighbours(found.uses.macro, tuple(hops), remarks=found.remarks)
    return Neighbours(
        found.function, tuple(hops), _make_alias(found), remarks=found.remarks)


def callees(
    graph: "CallGraph", name: str, *, depth: int = 1, types: bool = False, deferred: bool = True
) -> Neighbours:
    """The calls that a function makes, in the order of its lines, `depth` calls deep. For a macro:
    one hop for each function that calls through it reach.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_callees
    from kgraph.query.lookup import FoundMacro, resolve_name
    from kgraph.query.macros import iter_macro_callees
    from kgraph.query.neighbours import find_open_sites

    found = resolve_name(graph, name)
    if isinstance(found, FoundMacro):
        hops = list(iter_macro_callees(graph, found.uses))
        return Neighbours(found.uses.macro, tuple(hops), remarks=found.remarks)
    function = found.function
    hops = find_callees(graph, function, depth=depth, types=types, deferred=deferred)
    return Neighbours(
        function, tuple(hops), _make_alias(found), find_open_sites(graph, function), found.remarks)


def walk_callees(
    graph: "CallGraph", name: str, *, depth: int = 1, types: bool = False, deferred: bool = True
) -> "CalleeWalk":
    """The hops of `callees`, one by one as they are found: whatever the depth, they take little
    memory.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_function
    from kgraph.query.neighbours import CalleeWalk

    return CalleeWalk(
        graph, find_function(graph, name), depth=depth, types=types, deferred=deferred)


class CallTreeQuestion(Struct, frozen=True):
    """What a call tree shows: the `callers` of a function or its callees, `depth` calls deep, at
    most `limit` calls, between functions that are defined in `folder`.
    """

    callers: bool
    depth: int = 2
    limit: int = 1000
    types: bool = False
    deferred: bool = True
    folder: str = ""


def call_tree(graph: "CallGraph", name: str, question: CallTreeQuestion) -> "CallTree":
    """The callers or callees of a function as a tree, nearest first.

    Raises LookupFailed for an unknown or ambiguous name, and for a folder without functions.
    """
    from kgraph.query import find_function
    from kgraph.query.call_tree import TreeRequest, find_call_tree
    from kgraph.query.neighbours import Kinds, find_within

    kinds = Kinds(types=question.types, deferred=question.deferred)
    return find_call_tree(graph, find_function(graph, name), TreeRequest(
        question.callers, question.depth, question.limit, kinds,
        find_within(graph, question.folder)))


def reaching_syscalls(
    graph: "CallGraph", name: str, *, deferred: bool = True
) -> "list[ReachingCall]":
    """The system calls from which calls lead to a function, nearest first. Ask `path` whether, and
    how, one of them does.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_function
    from kgraph.query.call_tree import find_reaching_syscalls

    return find_reaching_syscalls(graph, find_function(graph, name), deferred=deferred)


def ops(graph: "CallGraph", name: str) -> "list[OpsRow]":
    """What is bound in an ops table, struct or slot, or where a function is bound.

    Raises LookupFailed where the index knows nothing of that name.
    """
    from kgraph.query import find_bindings

    return find_bindings(graph, name)


def site(graph: "CallGraph", place: str) -> "list[SiteAnswer]":
    """What is called at FILE:LINE, in FILE or in a function, every candidate with its evidence.

    Raises LookupFailed where no call starts there; its hint names the nearest ones.
    """
    from kgraph.query import find_call_sites

    return find_call_sites(graph, place)


def find(graph: "CallGraph", pattern: str, kinds: Sequence[str] = ()) -> "list[NamedThing]":
    """The functions, macros, tables and slots (`kinds`: only these) whose names match a shell
    pattern, a regular expression, or have a text in them.

    Raises LookupFailed where none matches.
    """
    from kgraph.query.find import KINDS, find_names

    return find_names(graph, pattern, kinds or KINDS)


class CheckResult(Struct, frozen=True):
    """A checked document. `partners` are pins that go with those of its scenario."""

    subject: "Subject"
    check: "ChainCheck"
    partners: "tuple[RowPartner, ...]" = ()

    @property
    def query(self) -> "Query | None":
        """The query that the document is the chain of, None for a document."""
        return self.subject.query


def check(
    graph: "CallGraph", subject: "Subject | str", scenario: str | None = None
) -> CheckResult:
    """Which lines of a document (a file, or a query by its name) hold.

    The lines are judged under `scenario`, which names a query (or its file), else that of the query
    itself, else the one that the document's own claims make.

    Raises DocumentError for an unknown or unreadable document or scenario, LookupFailed for a pin
    that nothing supports.
    """
    from kgraph.check.document.query_files import find_query
    from kgraph.check.document.subjects import read_subject
    from kgraph.check.walk import check_document
    from kgraph.query.pins import propose_partners

    if isinstance(subject, str):
        subject = read_subject(subject)
    query = subject.query if scenario is None else find_query(scenario)
    checked = check_document(graph, subject.document, None if query is None else query.scenario)
    return CheckResult(subject, checked, tuple(propose_partners(graph, checked.scenario.pins)))


def export(
    graph: "CallGraph", progress: "EdgeProgress" = _ignore_edges_read
) -> "Iterator[Hop]":
    """Every edge of the graph as a hop, once, one caller's after another's. `progress` receives how
    many functions are done, of how many.
    """
    from kgraph.query.neighbours import iter_hops

    return iter_hops(graph, progress)


def export_edges(
    graph: "CallGraph", progress: "EdgeProgress" = _ignore_edges_read
) -> "Iterator[EdgeRow]":
    """Every edge of the graph once, without its evidence: in seconds for a whole kernel."""
    from kgraph.query.neighbours import iter_edge_rows

    return iter_edge_rows(graph, progress)


def network(
    graph: "CallGraph", *, only: str = "", around: Sequence[str] = (), depth: int = 1
) -> "NetworkxGraph":
    """The graph, or a part of it, as a networkx.MultiDiGraph (see kgraph.graph.nx).

    `only` is a folder or file: functions defined there. `around` are functions: they, and what
    reaches them or is reached from them in at most `depth` calls.

    Raises LookupFailed for an unknown or ambiguous function, and if the part has no function.
    """
    from kgraph.graph.nx import GraphPart, to_networkx
    from kgraph.query import find_function

    centres = tuple(find_function(graph, name).number for name in around)
    folder = normpath(only)
    whole = folder == "."  # which is also the folder ""
    part = to_networkx(
        graph, GraphPart(folder="" if whole else folder, around=centres, depth=depth))
    if not part:
        near = f" near {', '.join(around)}" if around else ""
        raise LookupFailed(
            f"no function{near} is defined in {only or 'the tree'}",
            "give a folder or file of the tree, as citations write it")
    return part


def index(
    request: "IndexRequest", *, progress: "Progress" = _ignore_progress,
    remark: Remark = _ignore_remark, is_last: bool = False,
) -> "IndexSummary":
    """Read a kernel tree and write its index. `is_last`: the process ends afterwards, so memory
    need not be freed.

    Raises KgraphError. Whatever is raised, an earlier index stays as it was.
    """
    from kgraph.indexing.index_tree import index_tree

    return index_tree(request, progress=progress, remark=remark, is_last=is_last)


def index_matrix(
    file: Path, request: "IndexRequest", *, progress: "Progress" = _ignore_progress,
    remark: Remark = _ignore_remark,
) -> "Iterator[MatrixOutcome]":
    """Index the trees and configurations that a TOML file lists, one after the other. `request`
    has what they share.
    """
    from kgraph.indexing.matrix import index_matrix, read_matrix

    return index_matrix(read_matrix(file, request), progress=progress, remark=remark)


def list_cache() -> "CacheInventory":
    """Every index in the cache folder, and the files that no index uses."""
    from kgraph.indexing.cache_inventory import list_cache

    return list_cache()


def prune_cache() -> "CacheInventory":
    """Remove the files in the cache folder that no index uses; returns what was removed."""
    from kgraph.indexing.cache_inventory import prune_cache

    return prune_cache()
