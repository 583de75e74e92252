"""Answers as JSON records, in the form that design.md fixes (`format` names the version)."""

from collections.abc import Callable, Sequence

from kgraph.model.answers import (
    Coverage,
    Frontier,
    Hop,
    IndexDescription,
    KnownFunction,
    KnownObject,
    OpsRow,
    PathAnswer,
    Reach,
    SiteAnswer,
)
from kgraph.model.documents import Scenario
from kgraph.model.edges import EdgeKind, Evidence
from kgraph.model.location import Guard, Location
from kgraph.model.resolution import Status
from kgraph.query.row_partners import RowPartner

Text = Callable[[Location], str]
Record = dict[str, object]


def function_record(function: KnownFunction) -> Record:
    """A function: where it is defined, null where no definition of it was indexed."""
    place = function.location
    return {
        "name": function.id.name,
        "file": place.path if place else None,
        "line": place.line if place else None,
        "scope": function.id.scope,
        "image": function.id.image,
    }


def place_record(location: Location, text: Text) -> Record:
    """A citation with its source line."""
    return {
        "file": location.path, "line": location.line, "column": location.column,
        "text": text(location),
    }


def hop_record(hop: Hop, text: Text) -> Record:
    """One hop."""
    return {
        "caller": function_record(hop.caller),
        "callee": function_record(hop.callee),
        "kind": hop.kind.value,
        "site": place_record(hop.site.location, text),
        "sites": [place_record(location, text) for location in hop.sites],
        "macro": hop.site.macro,
        "expression": hop.site.expression,
        "slot": hop.site.holder or None,
        "candidates": hop.candidates,
        "evidence": [evidence_record(item, text) for item in hop.evidence],
        "guards": [guard_record(guard, text) for guard in hop.site.guards],
        "more_guards": hop.site.more_guards,
        "deferred": _deferred(hop),
    }


def evidence_record(item: Evidence, text: Text) -> Record:
    """A citation that justifies an edge, or that there is none."""
    return {"role": item.role.value, "file": item.location.path, "line": item.location.line,
            "text": text(item.location), "holder": item.holder}


def guard_record(guard: Guard, text: Text) -> Record:
    """A condition around a call."""
    start = guard.extent.start
    return {
        "file": start.path, "line": start.line, "text": text(start), "holds": guard.holds
    }


def _deferred(hop: Hop) -> Record | None:
    if hop.kind is not EdgeKind.DEFERRED:
        return None
    registered = hop.evidence[0] if hop.evidence else None
    stored = hop.site.status is not Status.DIRECT  # what such a call runs was asked for by no API
    kind = registered.holder.split(" ")[0] if registered else "stored"
    return {
        "api": kind if stored else hop.site.expression,
        "key": registered.holder if registered else None,
        "registered": str(registered.location) if registered else None,
    }


def index_record(about: IndexDescription) -> Record:
    """What an index is of."""
    return {"tree": about.tree, "release": about.release, "config": about.config}


def path_record(
    answer: PathAnswer, about: IndexDescription, bindings: Sequence[str], text: Text, *,
    scenario: Scenario | None = None, partners: Sequence[RowPartner] = (),
) -> Record:
    """The answer of `path`; `partners` are the pins that belong to those of the question."""
    record: Record = {
        "format": "kgraph-path/1",
        "index": index_record(about),
        "scenario": None if scenario is None else scenario_record(scenario),
        "bindings": list(bindings),
        "partners": [_partner(partner) for partner in partners],
        "paths": [{"hops": [hop_record(hop, text) for hop in path.hops]} for path in answer.paths],
        "others": answer.others,
        "others_at_least": answer.at_least,
    }
    if answer.frontier is not None:
        record["frontier"] = frontier_record(answer.frontier, text)
    return record


def _partner(partner: RowPartner) -> Record:
    """A pin that belongs to another, and the row that has both."""
    return {
        "slot": partner.pin.slot, "target": partner.pin.target, "beside": str(partner.beside),
        "table": partner.table, "file": partner.location.path, "line": partner.location.line,
    }


def scenario_record(scenario: Scenario) -> Record:
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


def frontier_record(gap: Frontier, text: Text) -> Record:
    """Why there is no path."""
    return {
        "caller": function_record(gap.caller), "callee": function_record(gap.callee),
        "forward": _reach(gap.forward, text), "backward": _reach(gap.backward, text),
        "by_type": gap.by_type, "callbacks": gap.callbacks, "by_request": gap.by_request,
    }


def _reach(reach: Reach, text: Text) -> Record:
    return {
        "functions": reach.functions,
        "deepest": [function_record(function) for function in reach.deepest],
        "unresolved": [
            {**place_record(site.location, text), "expression": site.expression,
             "reason": site.reason}
            for site in reach.unresolved
        ],
        "unresolved_count": reach.unresolved_count,
    }


def edges_record(function: KnownFunction, hops: Sequence[Hop], text: Text) -> Record:
    """The answer of `callers` and `callees`."""
    return {
        "format": "kgraph-edges/1", "function": function_record(function),
        "edges": [hop_record(hop, text) for hop in hops],
    }


def ops_record(rows: Sequence[OpsRow], text: Text) -> Record:
    """The answer of `ops`."""
    return {"format": "kgraph-ops/1", "bindings": [_ops_row(row, text) for row in rows]}


def _ops_row(row: OpsRow, text: Text) -> Record:
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
             "passed": install.passed, "copied": install.copied}
            for install in row.installs
        ],
        "evidence": [evidence_record(item, text) for item in row.evidence],
        "whole": row.whole,
    }


def site_record(answers: Sequence[SiteAnswer], text: Text) -> Record:
    """The answer of `site`."""
    return {
        "format": "kgraph-site/1",
        "sites": [
            {
                "caller": function_record(answer.caller),
                "site": place_record(answer.site.location, text),
                "slot": answer.site.holder or None,
                "kind": _kind(answer.candidates),
                "status": answer.site.status.value,
                "rule": answer.site.rule,
                "reason": answer.site.reason,
                "proof": [evidence_record(item, text) for item in answer.proof],
                "expression": answer.site.expression,
                "macro": answer.site.macro,
                "by_type": answer.by_type,
                "requests": [
                    {"kind": request.kind, "asked": request.asked or None, "reason": request.reason}
                    for request in answer.requests
                ],
                "candidates": [hop_record(hop, text) for hop in answer.candidates],
            }
            for answer in answers
        ],
    }


def _kind(candidates: Sequence[Hop]) -> str | None:
    return candidates[0].kind.value if candidates else None


def status_record(about: IndexDescription, account: Coverage) -> Record:
    """The answer of `status`."""
    return {
        "format": "kgraph-status/1",
        **index_record(about),
        "only": list(about.only),
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
        "candidates": {**account.candidates, "by_holder": account.holders},
        "deferred": account.deferred,
    }
