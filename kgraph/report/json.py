"""Answers as JSON records.

The keys are stable: programs rely on them. `format` names the version of a record; new keys may
be added within a version. docs/json.md describes every record.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kgraph.api import PathResult
from kgraph.model.document import Scenario
from kgraph.model.location import Guard, Location
from kgraph.model.resolution import EdgeKind, Evidence, SiteStatus
from kgraph.model.results import (
    CachedIndex,
    CacheInventory,
    Contradiction,
    Coverage,
    Frontier,
    Hop,
    IndexDescription,
    KnownFunction,
    KnownMacro,
    KnownObject,
    NamedThing,
    OpsRow,
    Reach,
    RequiredAnswer,
    SiteAnswer,
    WhyNot,
)
from kgraph.model.verdicts import ChainCheck, LineVerdict, Verdict
from kgraph.report.status_text import sort_newest_first

if TYPE_CHECKING:
    from kgraph.api import IndexSummary
    from kgraph.query.call_tree import ReachingCall
    from kgraph.query.pins import RowPartner

LineReader = Callable[[Location], str]
Record = dict[str, object]


def encode_function(function: KnownFunction) -> Record:
    """A function; file and line are null if no definition of it was indexed."""
    place = function.location
    return {
        "name": function.id.name,
        "file": place.path if place else None,
        "line": place.line if place else None,
        "scope": function.id.scope,
        "image": function.id.image,
    }


def encode_location(location: Location, read_line: LineReader) -> Record:
    """A citation with its source line."""
    return {
        "file": location.path, "line": location.line, "column": location.column,
        "text": read_line(location),
    }


def encode_place(location: Location | None) -> Record | None:
    """A citation without its source line."""
    return None if location is None else {
        "file": location.path, "line": location.line, "column": location.column}


def encode_hop(hop: Hop, read_line: LineReader) -> Record:
    """One call."""
    return {
        "caller": encode_function(hop.caller),
        "callee": encode_function(hop.callee),
        "kind": hop.kind.value,
        "site": encode_location(hop.site.location, read_line),
        "sites": [encode_location(location, read_line) for location in hop.sites],
        "macro": hop.site.macro,
        "expression": hop.site.expression,
        "slot": hop.site.holder or None,
        "candidates": hop.candidates,
        "evidence": [encode_evidence(item, read_line) for item in hop.evidence],
        "guards": [encode_guard(guard, read_line) for guard in hop.site.guards],
        "more_guards": hop.site.may_have_more_guards,
        "deferred": _encode_deferred(hop),
    }


def encode_evidence(item: Evidence, read_line: LineReader) -> Record:
    """A citation that justifies an edge, or the absence of one."""
    return {"role": item.role.value, "file": item.location.path, "line": item.location.line,
            "text": read_line(item.location), "holder": item.holder}


def encode_guard(guard: Guard, read_line: LineReader) -> Record:
    """A condition around a call."""
    start = guard.extent.start
    return {
        "file": start.path, "line": start.line, "text": read_line(start), "holds": guard.holds
    }


def _encode_deferred(hop: Hop) -> Record | None:
    if hop.kind is not EdgeKind.DEFERRED:
        return None
    registered = hop.evidence[0] if hop.evidence else None
    stored = (
        hop.site.status is not SiteStatus.DIRECT
    )  # no API requests what such a call runs
    kind = registered.holder.split(" ")[0] if registered else "stored"
    return {
        "api": kind if stored else hop.site.expression,
        "key": registered.holder if registered else None,
        "registered": str(registered.location) if registered else None,
    }


def encode_index(about: IndexDescription) -> Record:
    """The tree and configuration of an index."""
    return {"tree": about.tree, "release": about.release, "config": about.config}


def encode_paths(result: PathResult, about: IndexDescription, read_line: LineReader) -> Record:
    """The answer of `path`. `partners` are pins that go with those of the question."""
    question, answer = result.question, result.answer
    paths = [[encode_hop(hop, read_line) for hop in path.hops] for path in answer.paths]
    record: Record = {
        "format": "kgraph-path/1",
        "index": encode_index(about),
        "scenario": None if question.scenario is None else encode_scenario(question.scenario),
        "bindings": list(question.bind),
        "partners": [_encode_row_partner(partner) for partner in result.partners],
        "paths": [{"hops": hops} for hops in paths],
        "others": answer.others,
        "others_at_least": answer.others_at_least,
    }
    if answer.frontier is not None:
        record["frontier"] = encode_frontier(answer.frontier, read_line)
    if answer.contradiction is not None:
        record["contradiction"] = _encode_contradiction(answer.contradiction, read_line)
    if result.why_not is not None:
        record["why_not"] = _encode_absence(result.why_not, read_line)
    return record


def _encode_contradiction(found: Contradiction, read_line: LineReader) -> Record:
    """A path that cannot happen: its hop that the ones before it contradict, and why."""
    return {
        "hops": [encode_hop(hop, read_line) for hop in found.path.hops],
        "at": encode_hop(found.hop, read_line), "reason": found.reason,
        "certain": found.is_certain,
    }


def _encode_absence(found: WhyNot, read_line: LineReader) -> Record:
    """Why the path does not pass a function."""
    contradiction = found.contradiction
    return {
        "function": encode_function(found.function), "passed": found.is_passed,
        "hops": None if found.path is None
        else [encode_hop(hop, read_line) for hop in found.path.hops],
        "contradiction": None if contradiction is None
        else _encode_contradiction(contradiction, read_line),
        "more_hops": found.more_hops,
        "dear": [{"hop": encode_hop(dear.hop, read_line), "cost": dear.cost}
                 for dear in found.dear],
    }


def _encode_row_partner(partner: "RowPartner") -> Record:
    """A pin that goes with a given one, and the row that has both."""
    return {
        "slot": partner.pin.slot, "target": partner.pin.target, "beside": str(partner.given_pin),
        "table": partner.table, "file": partner.location.path, "line": partner.location.line,
    }


def encode_scenario(scenario: Scenario) -> Record:
    """A scenario."""
    return {
        "name": scenario.name or None, "origin": scenario.origin or None,
        "pins": [
            {"slot": pin.slot, "target": pin.target, "from": pin.start or None,
             "to": pin.end or None}
            for pin in scenario.pins
        ],
        "via": list(scenario.via), "avoid": list(scenario.avoid),
    }


def encode_frontier(frontier: Frontier, read_line: LineReader) -> Record:
    """Why there is no path."""
    return {
        "caller": encode_function(frontier.caller), "callee": encode_function(frontier.callee),
        "forward": _encode_reach(frontier.forward, read_line),
        "backward": _encode_reach(frontier.backward, read_line),
        "by_type": frontier.by_type, "callbacks": frontier.is_connected,
        "by_request": frontier.by_request, "by_undefined": frontier.by_undefined,
        "assembler_stores": [
            {**encode_location(store.location, read_line), "holder": store.holder,
             "function": store.function.id.name}
            for store in frontier.assembler_stores],
        "assembler_entries": [encode_function(each) for each in frontier.assembler_entries],
        "stopped_after": frontier.stopped_after or None,
    }


def encode_required(result: RequiredAnswer, read_line: LineReader) -> Record:
    """The answer of `path --must`."""
    frontier = result.frontier
    return {
        "format": "kgraph-required/1",
        "functions": [{**encode_function(each.function), "certain": each.is_certain}
                      for each in result.functions],
        "frontier": None if frontier is None else encode_frontier(frontier, read_line),
    }


def _encode_reach(reach: Reach, read_line: LineReader) -> Record:
    return {
        "functions": reach.functions,
        "deepest": [encode_function(function) for function in reach.deepest],
        "unresolved": [
            {**encode_location(site.location, read_line), "expression": site.expression,
             "reason": site.reason}
            for site in reach.unresolved
        ],
        "unresolved_count": reach.unresolved_count,
        "undefined": [encode_function(function) for function in reach.undefined],
        "undefined_count": reach.undefined_count,
    }


def encode_edges(of: KnownFunction | KnownMacro) -> Record:
    """The answer of `callers` and `callees`, before its hops are added to its last list."""
    function = _encode_macro(of) if isinstance(of, KnownMacro) else encode_function(of)
    return {"format": "kgraph-edges/1", "function": function, "edges": []}


def _encode_macro(macro: KnownMacro) -> Record:
    """A macro in the place of a function."""
    place = macro.location
    return {
        "name": macro.name, "file": place.path if place else None,
        "line": place.line if place else None, "scope": "", "image": "", "macro": macro.text,
    }


def encode_count(of: KnownFunction | KnownMacro, hops: Sequence[Hop]) -> Record:
    """The answer of `callers --count`."""
    return {
        "format": "kgraph-edges/1", "function": encode_edges(of)["function"],
        "calls": sum(1 + len(hop.sites) for hop in hops),
        "functions": len({hop.caller.number for hop in hops}), "edges": [],
    }


def encode_reaching(found: "Sequence[ReachingCall]") -> Record:
    """The answer of `callers --to syscall`."""
    return {
        "format": "kgraph-reaching/1",
        "syscalls": [{**encode_function(each.function), "distance": each.distance}
                     for each in found],
    }


def encode_names(found: Sequence[NamedThing], count: int) -> Record:
    """The answer of `find`. `count` is how many names match, also those that are not shown."""
    return {
        "format": "kgraph-find/1", "count": count,
        "names": [{
            "kind": each.kind, "name": each.name,
            "file": each.location.path if each.location else None,
            "line": each.location.line if each.location else None,
            "image": each.image or None, "type": each.type or None,
            "bindings": each.bindings or None,
        } for each in found],
    }


def encode_ops(rows: Sequence[OpsRow], read_line: LineReader) -> Record:
    """The answer of `ops`."""
    return {"format": "kgraph-ops/1", "bindings": [_encode_ops_row(row, read_line) for row in rows]}


def _encode_ops_row(row: OpsRow, read_line: LineReader) -> Record:
    bound = row.bound
    return {
        "table": row.table.id.name if row.table else None,
        "slot": row.slot,
        "function": bound.id.name if isinstance(bound, KnownFunction) else None,
        "object": bound.id.name if isinstance(bound, KnownObject) else None,
        "file": row.location.path,
        "line": row.location.line,
        "defined": str(bound.location) if bound.location else None,
        "installs": [
            {"slot": install.holder, "file": install.location.path, "line": install.location.line,
             "passed": install.is_argument, "copied": install.is_copy}
            for install in row.installs
        ],
        "evidence": [encode_evidence(item, read_line) for item in row.evidence],
        "whole": row.is_complete,
    }


def encode_call_sites(answers: Sequence[SiteAnswer], read_line: LineReader) -> Record:
    """The answer of `site`."""
    return {
        "format": "kgraph-site/1",
        "sites": [
            {
                "caller": encode_function(answer.caller),
                "site": encode_location(answer.site.location, read_line),
                "slot": answer.site.holder or None,
                "kind": _get_kind(answer.candidates),
                "status": answer.site.status.value,
                "rule": answer.site.rule,
                "reason": answer.site.reason,
                "proof": [encode_evidence(item, read_line) for item in answer.proof],
                "expression": answer.site.expression,
                "macro": answer.site.macro,
                "by_type": answer.by_type,
                "requests": [
                    {"kind": request.kind, "asked": request.requested or None,
                     "reason": request.reason}
                    for request in answer.requests
                ],
                "candidates": [encode_hop(hop, read_line) for hop in answer.candidates],
            }
            for answer in answers
        ],
    }


def _get_kind(candidates: Sequence[Hop]) -> str | None:
    return candidates[0].kind.value if candidates else None


def encode_status(about: IndexDescription, account: Coverage) -> Record:
    """The answer of `status`."""
    return {
        "format": "kgraph-status/1",
        **encode_index(about),
        "only": list(about.only),
        "modules": [{"name": module.name, "folder": module.path} for module in about.modules],
        "built": about.built,
        "units": {
            "total": account.units, "parsed": account.parsed, "errors": account.errors,
            "failed": account.failed,
        },
        "functions": account.functions,
        "call_sites": {
            "direct": account.direct, "indirect": account.indirect, "resolved": account.resolved,
            "empty": account.empty, "unresolved": account.unresolved,
        },
        "candidates": {**account.candidates, "by_holder": account.holders,
                       "shared": [
                           {"candidates": shared.candidates, "types": shared.types,
                            "count": shared.count, "holders": list(shared.holders)}
                           for shared in account.shared]},
        "deferred": account.deferred,
    }


def encode_summary(summary: "IndexSummary") -> Record:
    """The answer of `index`."""
    return {
        **encode_status(summary.description, summary.coverage),
        "index": str(summary.index),
        "seconds": {"wall": round(summary.wall_seconds, 2), "cpu": round(summary.cpu_seconds, 2)},
        "peak_bytes": {"main": summary.peak_bytes, "worker": summary.worker_peak_bytes},
        "units_read": summary.units_read,
        "units_kept": summary.units_kept,
        "units_lent": summary.units_lent,
        "failed": [list(unit) for unit in summary.failed_units],
        "with_errors": [list(unit) for unit in summary.units_with_errors],
    }


def encode_inventory(found: CacheInventory) -> Record:
    """The answer of `status --all` and `index --prune`."""
    return {
        "format": "kgraph-inventory/1",
        "indexes": [
            _encode_cached_index(index) for index in sort_newest_first(found.indexes)
        ],
        "spare": [
            {"path": str(spare.path), "bytes": spare.size, "why": spare.reason}
            for spare in found.unused
        ],
        "spare_bytes": sum(spare.size for spare in found.unused),
        "busy": [str(folder) for folder in found.busy],
    }


def _encode_cached_index(index: CachedIndex) -> Record:
    about: Record = {"trouble": index.trouble}
    if index.description is not None and index.coverage is not None:
        about = encode_status(index.description, index.coverage)
    return {
        "path": str(index.path), "bytes": index.size, "generated_bytes": index.generated, **about
    }


def encode_checks(checks: Sequence[ChainCheck], read_line: LineReader) -> Record:
    """The answer of `check`. The conditions around a call are in its hop."""
    summary = Counter(line.verdict for check in checks for line in check.claims)
    return {
        "format": "kgraph-check/1",
        "documents": [
            {
                "file": check.document.file,
                "scenario": encode_scenario(check.scenario),
                "lines": [_encode_line(line, read_line) for line in check.lines],
            }
            for check in checks
        ],
        "summary": {verdict.value: summary[verdict] for verdict in Verdict if summary[verdict]},
    }


def _encode_line(line: LineVerdict, read_line: LineReader) -> Record:
    found = line.found
    return {
        "line": line.line.file_line,
        "text": line.line.text,
        "kind": line.line.kind.value,
        "verdict": line.verdict.value,
        "citation": line.citation.value,
        "found": {"file": found.path, "line": found.line} if found else None,
        "distance": line.distance,
        "hop": encode_hop(line.hop, read_line) if line.hop else None,
        "via": [encode_hop(hop, read_line) for hop in line.via],
        "note": line.note,
    }
