"""Coverage of an index: units, functions and call sites, and how many are resolved."""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from statistics import fmean
from typing import Any

from kgraph.model.facts import Definition, Function
from kgraph.model.ids import FunctionId
from kgraph.model.resolution import DeferredRequest, EdgeKind, Resolution, ResolvedSite, SiteStatus
from kgraph.model.results import Coverage, HolderStatistics, SharedCandidates
from kgraph.model.values import Holder, Slot, Symbol
from kgraph.resolve.linkage import FunctionLinker

# The second statistics leave out this many holders: one table of system calls or of attributes
# weighs as much as hundreds of others.
HEAVIEST_LEFT_OUT = 3
# Sets of candidates that several holders share: how small the smallest is that counts, how many are
# kept, and how many holders of each are named.
FEWEST_SHARED, MOST_SHARED, MOST_NAMED = 4, 5, 6


class DefinitionSurvey:
    """Notes of the definitions that pass what the totals need.

    `taken` are the functions whose name is used as a value: only these can be called indirectly.
    `takers` has the functions that use it so, None for objects, `symbols` the functions that
    assembler names.
    `signatures` are the types of the functions that are defined, `indirect_signatures` those of
    indirect calls, by the key of the definition and the position.
    """

    def __init__(self) -> None:
        self.takers: dict[FunctionId, set[FunctionId | None]] = {}
        self.symbols: set[FunctionId] = set()
        self.signatures: list[tuple[FunctionId, str]] = []
        self.indirect_signatures: dict[tuple[str, int], str] = {}

    @property
    def taken(self) -> AbstractSet[FunctionId]:
        """The functions whose name is used as a value."""
        return self.takers.keys()

    def link_takers(
        self, functions: Iterable[Function]
    ) -> dict[FunctionId, frozenset[FunctionId]]:
        """The functions whose name only other functions use as a value, with these."""
        linker = FunctionLinker({function.id: function for function in functions})
        linked: dict[FunctionId, set[FunctionId | None]] = {}
        for function, takers in self.takers.items():
            linked.setdefault(linker.link(function), set()).update(
                None if taker is None else linker.link(taker) for taker in takers)
        for symbol in self.symbols:
            linked.setdefault(linker.link(symbol), set()).add(None)
        names = {symbol.name for symbol in self.symbols}
        return {function: frozenset(taker for taker in takers if taker is not None)
                for function, takers in linked.items()
                if None not in takers and function.name not in names}

    def collect(self, definitions: Iterable[Definition]) -> Iterator[Definition]:
        """The same definitions."""
        for definition in definitions:
            subject = definition.subject
            if isinstance(subject, Function):
                self.signatures.append((subject.id, subject.signature))
            for position, call in enumerate(definition.calls):
                if not isinstance(call.target, FunctionId):
                    self.indirect_signatures[definition.key, position] = call.signature
            taker = subject.id if isinstance(subject, Function) else None
            for value in definition.list_values():
                if isinstance(value, FunctionId):
                    self.takers.setdefault(value, set()).add(taker)
                elif isinstance(value, Symbol):
                    self.symbols.add(value.function)
            yield definition


def compute_coverage(
    survey: DefinitionSurvey, resolution: Resolution, units: tuple[int, int, int],
) -> Coverage:
    """Count what an index has.

    `survey` is that of all definitions. `units` are how many units there are, how many of them have
    errors, and how many failed.
    """
    statistics = _CandidateStatistics(survey, resolution)
    sites = Counter(site.status for site in resolution.sites)
    indirect = [site for site in resolution.sites if site.status is not SiteStatus.DIRECT]
    return Coverage(
        *units,
        functions=len(resolution.functions),
        direct=sites[SiteStatus.DIRECT],
        indirect=len(indirect),
        resolved=_count(site.rule for site in indirect if site.status is SiteStatus.RESOLVED),
        empty=_count(site.reason for site in indirect if site.status is SiteStatus.EMPTY),
        unresolved=_count(site.reason for site in indirect if site.status is SiteStatus.UNRESOLVED),
        candidates=statistics.by_site(),
        holders=statistics.by_holder(),
        shared=statistics.list_shared(),
        deferred=_count_deferred(resolution),
    )


def _count_deferred(resolution: Resolution) -> dict[str, dict[str, Any]]:
    """Count deferred calls, by kind."""
    unknown_keys = Counter(later.kind for later in resolution.callbacks if later.key_unknown)
    kinds: dict[str, list[DeferredRequest]] = {}
    for request in resolution.requests:
        kinds.setdefault(request.kind, []).append(request)
    return {
        kind: {
            "requests": len(requests),
            "resolved": sum(request.edges > 0 for request in requests),
            "without": _count(request.reason for request in requests if not request.edges),
            "untold": unknown_keys[kind],
        }
        for kind, requests in sorted(kinds.items())
    }


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _compute_percentiles(counts: list[int]) -> dict[str, float]:
    """The 50th, 90th and 99th percentile of ascending numbers."""
    return {f"p{part}": counts[min(len(counts) - 1, len(counts) * part // 100)]
            for part in (50, 90, 99)}


def _count_candidates(site: ResolvedSite) -> int:
    """How many functions a site calls. Deferred ones count only if it calls nothing else."""
    kinds = Counter(candidate.kind for candidate in site.candidates)
    later = kinds[EdgeKind.DEFERRED]
    return kinds.total() - kinds[EdgeKind.TYPE] - later or later


class _CandidateStatistics:
    """How many candidates resolved call sites have, and how many signature matching would give."""

    def __init__(self, survey: DefinitionSurvey, resolution: Resolution) -> None:
        self._signatures = survey.indirect_signatures
        self._by_type = Counter(
            signature for function, signature in survey.signatures if function in survey.taken)
        self._types = dict(survey.signatures)
        self._resolved = [site for site in resolution.sites if site.status is SiteStatus.RESOLVED]

    def _signature(self, site: ResolvedSite) -> str:
        """The type of a call. If a model made a pointer call of one by name, that of a callee."""
        known = self._signatures.get((site.key, site.position), "")
        return known or next(
            (self._types.get(each.callee, "") for each in site.candidates), "")

    def by_site(self) -> dict[str, float]:
        """Mean and percentiles over call sites."""
        counts = sorted(_count_candidates(site) for site in self._resolved)
        if not counts:
            return {}
        by_type = fmean(self._by_type[self._signature(site)] for site in self._resolved)
        return {"mean": round(fmean(counts), 2), **_compute_percentiles(counts),
                "by_type_mean": round(by_type, 2)}

    def by_holder(self) -> dict[str, HolderStatistics]:
        """The same over holders, each with all candidates of its call sites.

        A holder that a macro calls through at a thousand places weighs no more than another.
        """
        found = self._collect_holders()
        weights = sorted(
            ((len(callees), sum(self._by_type[name] for name in signatures), str(holder))
             for holder, (callees, signatures) in found.items() if callees), reverse=True)
        if not weights:
            return {}
        heaviest = [name for _, _, name in weights[:HEAVIEST_LEFT_OUT]]
        return {"all": _summarize_holders(weights), "without": {
            **_summarize_holders(weights[HEAVIEST_LEFT_OUT:]), "left_out": heaviest}}


    def _collect_holders(self) -> dict[Holder, tuple[set[FunctionId], set[str]]]:
        """The candidates of each holder, and the types of its calls."""
        found: dict[Holder, tuple[set[FunctionId], set[str]]] = {}
        for site in self._resolved:
            if site.holder is not None:
                callees, signatures = found.setdefault(site.holder, (set(), set()))
                callees.update(c.callee for c in site.candidates
                               if c.kind not in (EdgeKind.TYPE, EdgeKind.DEFERRED))
                signatures.add(self._signature(site))
        return found

    def list_shared(self) -> tuple[SharedCandidates, ...]:
        """The sets of candidates of several types that several holders have, the heaviest first.

        Holders that are copied into each other share sets as well, but of one type.
        """
        groups: dict[frozenset[FunctionId], list[Holder]] = {}
        for holder, (callees, _) in self._collect_holders().items():
            if len(callees) >= FEWEST_SHARED:
                groups.setdefault(frozenset(callees), []).append(holder)
        found = []
        for shared, holders in groups.items():
            types = {self._types.get(callee, "") for callee in shared} - {""}
            if len(holders) > 1 and len(types) > 1:
                names = sorted((not isinstance(holder, Slot), str(holder)) for holder in holders)
                found.append(SharedCandidates(
                    len(shared), len(types), len(holders),
                    tuple(name for _, name in names[:MOST_NAMED])))
        found.sort(key=lambda each: (-each.candidates * each.count, each.holders))
        return tuple(found[:MOST_SHARED])


def _summarize_holders(weights: list[tuple[int, int, str]]) -> HolderStatistics:
    if not weights:
        return {"holders": 0}
    counts = sorted(count for count, _, _ in weights)
    by_type = sum(number for _, number, _ in weights)
    return {
        "holders": len(counts), "mean": round(fmean(counts), 2), **_compute_percentiles(counts),
        "by_type_mean": round(by_type / len(counts), 2),
        "ratio": round(sum(counts) / by_type, 3) if by_type else 0.0,
    }
