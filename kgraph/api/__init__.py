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

A name is imported from its room when it is first used, and a function imports what it needs when it
runs: a question starts quickly because it loads neither the parser of documents nor the indexer.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgraph.api.changes import ImpactResult, impact
    from kgraph.api.comparing import WayResult, diff, diff_ways, explain_parts, find_successors
    from kgraph.api.exporting import (
        PartQuestion,
        export,
        export_edges,
        network,
        network_of_paths,
    )
    from kgraph.api.indexing import index, index_matrix, list_cache, prune_cache
    from kgraph.api.opened_index import Index, PathConstraints, open_index
    from kgraph.api.opening import NameKind, Remark, complete_name, open_graph, use_index
    from kgraph.api.paths import (
        DocumentedScenario,
        PathResult,
        explain_absence,
        path,
        required,
    )
    from kgraph.api.questions import (
        CallTreeQuestion,
        CheckResult,
        call_tree,
        callees,
        callers,
        check,
        find,
        ops,
        reaching_syscalls,
        select_callees,
        site,
        walk_callees,
    )
    from kgraph.api.reaching import entry_kinds, reach, reached_functions
    from kgraph.check.document.query_files import read_shipped_queries
    from kgraph.check.document.subjects import Subject, read_subject
    from kgraph.graph import CallGraph
    from kgraph.graph.text import SourceText
    from kgraph.indexing.index_tree import IndexSummary
    from kgraph.indexing.workers.pool import Limits
    from kgraph.indexing.write_index import IndexRequest
    from kgraph.query.cross_reference import NameReferences, find_files_named, search_text
    from kgraph.query.paths.question import PathQuestion
    from kgraph.query.pins import RowPartner
    from kgraph.store.connection import report_damage

# Where each name is defined.
_ROOMS = {
    "kgraph.api.opened_index": ("Index", "PathConstraints", "open_index"),
    "kgraph.api.opening": ("NameKind", "Remark", "complete_name", "open_graph", "use_index"),
    "kgraph.api.paths": ("DocumentedScenario", "PathResult", "explain_absence", "path",
                         "required"),
    "kgraph.api.questions": (
        "CallTreeQuestion", "CheckResult", "call_tree", "callees", "callers", "check", "find",
        "ops", "reaching_syscalls", "select_callees", "site", "walk_callees"),
    "kgraph.api.comparing": ("WayResult", "diff", "diff_ways", "explain_parts",
                             "find_successors"),
    "kgraph.api.reaching": ("entry_kinds", "reach", "reached_functions"),
    "kgraph.api.exporting": ("PartQuestion", "export", "export_edges", "network",
                             "network_of_paths"),
    "kgraph.api.changes": ("ImpactResult", "impact"),
    "kgraph.api.indexing": ("index", "index_matrix", "list_cache", "prune_cache"),
    "kgraph.graph": ("CallGraph",),
    "kgraph.indexing.write_index": ("IndexRequest",),
    "kgraph.indexing.index_tree": ("IndexSummary",),
    "kgraph.indexing.workers.pool": ("Limits",),
    "kgraph.query.cross_reference": ("NameReferences", "find_files_named", "search_text"),
    "kgraph.query.paths.question": ("PathQuestion",),
    "kgraph.query.pins": ("RowPartner",),
    "kgraph.graph.text": ("SourceText",),
    "kgraph.check.document.subjects": ("Subject", "read_subject"),
    "kgraph.check.document.query_files": ("read_shipped_queries",),
    "kgraph.store.connection": ("report_damage",),
}
_DEFINED_IN = {name: module for module, names in _ROOMS.items() for name in names}
__all__ = [
    "CallGraph",
    "CallTreeQuestion",
    "CheckResult",
    "DocumentedScenario",
    "ImpactResult",
    "Index",
    "IndexRequest",
    "IndexSummary",
    "Limits",
    "NameKind",
    "NameReferences",
    "PartQuestion",
    "PathConstraints",
    "PathQuestion",
    "PathResult",
    "Remark",
    "RowPartner",
    "SourceText",
    "Subject",
    "WayResult",
    "call_tree",
    "callees",
    "callers",
    "check",
    "complete_name",
    "diff",
    "diff_ways",
    "entry_kinds",
    "explain_absence",
    "explain_parts",
    "export",
    "export_edges",
    "find",
    "find_files_named",
    "find_successors",
    "impact",
    "index",
    "index_matrix",
    "list_cache",
    "network",
    "network_of_paths",
    "open_graph",
    "open_index",
    "ops",
    "path",
    "prune_cache",
    "reach",
    "reached_functions",
    "reaching_syscalls",
    "read_shipped_queries",
    "read_subject",
    "report_damage",
    "required",
    "search_text",
    "select_callees",
    "site",
    "use_index",
    "walk_callees",
]


def __getattr__(name: str) -> Any:
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_DEFINED_IN[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
