"""The account of an index: how many units, functions, call sites, and how far they are resolved."""

from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import fmean
from typing import Any

from kgraph.model.answers import Coverage
from kgraph.model.edges import EdgeKind
from kgraph.model.facts import Definition, Function
from kgraph.model.holders import Value
from kgraph.model.names import FunctionId
from kgraph.model.resolution import Request, Resolution, ResolvedSite, Status


def address_taken(definitions: Iterable[Definition]) -> set[FunctionId]:
    """The functions whose names stand somewhere as values: only these can be called indirectly."""
    taken: set[FunctionId] = set()
    for definition in definitions:
        taken.update(value for value in _values(definition) if isinstance(value, FunctionId))
    return taken


def _values(definition: Definition) -> Iterator[Value]:
    for binding in definition.bindings:
        yield binding.value
    for flow in definition.flows:
        yield flow.source
    for call in definition.calls:
        for argument in call.arguments:
            yield from argument


def coverage(
    definitions: dict[str, Definition],
    resolution: Resolution,
    taken: set[FunctionId],
    units: tuple[int, int, int],
) -> Coverage:
    """The account; `units` are how many there are, have errors, failed."""
    sites = Counter(site.status for site in resolution.sites)
    indirect = [site for site in resolution.sites if site.status is not Status.DIRECT]
    return Coverage(
        *units,
        functions=len(resolution.functions),
        direct=sites[Status.DIRECT],
        indirect=len(indirect),
        resolved=_count(site.rule for site in indirect if site.status is Status.RESOLVED),
        empty=_count(site.reason for site in indirect if site.status is Status.EMPTY),
        unresolved=_count(site.reason for site in indirect if site.status is Status.UNRESOLVED),
        candidates=_candidates(definitions, resolution, taken),
        deferred=_deferred(resolution),
    )


def _deferred(resolution: Resolution) -> dict[str, dict[str, Any]]:
    """Requests to run something later, by kind."""
    untold = Counter(later.kind for later in resolution.later if later.untold)
    kinds: dict[str, list[Request]] = {}
    for request in resolution.requests:
        kinds.setdefault(request.kind, []).append(request)
    return {
        kind: {
            "requests": len(requests),
            "resolved": sum(request.edges > 0 for request in requests),
            "without": _count(request.reason for request in requests if not request.edges),
            "untold": untold[kind],
        }
        for kind, requests in sorted(kinds.items())
    }


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _candidates(
    definitions: dict[str, Definition], resolution: Resolution, taken: set[FunctionId]
) -> dict[str, float]:
    """Mean and percentiles of the candidates of resolved sites, beside the mean that signature
    matching would give the same sites.
    """
    by_type: Counter[str] = Counter(
        definition.subject.signature
        for definition in definitions.values()
        if isinstance(definition.subject, Function) and definition.subject.id in taken
    )
    resolved = [site for site in resolution.sites if site.status is Status.RESOLVED]
    counts = sorted(_candidate_count(site) for site in resolved)
    if not counts:
        return {}
    return {
        "mean": round(fmean(counts), 2),
        **{f"p{part}": counts[min(len(counts) - 1, len(counts) * part // 100)]
           for part in (50, 90, 99)},
        "by_type_mean": round(
            fmean(by_type[definitions[site.key].calls[site.position].signature]
                  for site in resolved), 2
        ),
    }


def _candidate_count(site: ResolvedSite) -> int:
    """How many functions a site calls; those that it asks to be run later count only where it calls
    nothing else."""
    kinds = Counter(candidate.kind for candidate in site.candidates)
    later = kinds[EdgeKind.DEFERRED]
    return kinds.total() - kinds[EdgeKind.TYPE] - later or later
