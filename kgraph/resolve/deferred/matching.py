"""Matches requests with what is registered under the same kind and key.

Makes the edges of deferred calls, and keeps account of requests that have none: why, and which
callbacks could be theirs. A request whose key is not known may have any callback of its kind.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.resolution import (
    Candidate,
    DeferredCallback,
    DeferredRequest,
    EdgeKind,
    Evidence,
    Role,
)
from kgraph.model.values import Slot, Variable
from kgraph.resolve.deferred.keys import DeferralKey, HeapPointee, Meaning, OwnParameter
from kgraph.resolve.deferred.record_rows import RecordRows
from kgraph.resolve.deferred.specification import Action
from kgraph.resolve.deferred.summaries import ClosedSummary, SitePosition, Summary
from kgraph.resolve.models.declared import Field

NO_KEY = "its key cannot be told"
NO_CALLBACK = "its callback cannot be told"
NOTHING_REGISTERED = "nothing is registered under its key"
NOTHING_KNOWN = "nothing known is registered under its key"
_NULL: DeferralKey = (0,)  # where a kind's keys are not numbers
Entry = tuple[Location, FunctionId]


@dataclass(frozen=True, slots=True)
class DeferredEdges:
    """The deferred callees of call sites, all requests, and the callbacks of each kind."""

    edges: Mapping[SitePosition, tuple[Candidate, ...]]
    requests: tuple[DeferredRequest, ...]
    callbacks: tuple[DeferredCallback, ...]


class RequestMatcher:
    """Matches closed summaries."""

    def __init__(self, rows: RecordRows) -> None:
        self._rows = rows
        self._registered: dict[tuple[str, DeferralKey], set[Entry]] = defaultdict(set)
        self._started: dict[str, set[FunctionId]] = defaultdict(set)  # by calls that do both
        self._key_unknown: dict[str, set[FunctionId]] = defaultdict(set)
        self._requested: dict[tuple[SitePosition, str], set[DeferralKey | None]] = defaultdict(set)
        # Why a call has no callback, or "".
        self._call_reasons: dict[tuple[SitePosition, str], str] = {}
        self._edges: dict[SitePosition, dict[FunctionId, tuple[Location, str]]] = defaultdict(dict)

    def match(self, closed: Iterable[ClosedSummary]) -> DeferredEdges:
        """Match all requests with all that is registered."""
        indirect = []
        for item in closed:
            summary = item.summary
            if summary.action is Action.RUN:
                if item.position is not None:
                    self._requested[item.position, summary.kind].add(_close_key(summary.key))
            elif summary.action is Action.CALL:
                self._add_call(item)
            elif summary.field is not None or summary.parts:
                indirect.append(item)
            else:
                key = _close_key(summary.key)
                self._register(summary.kind, key, summary.callback, item.location)
        for item in indirect:
            self._register_through(item.summary, item.location)
        requests = [*self._match_requests(), *self._iter_calls()]
        edges = {site: _make_candidates(found) for site, found in self._edges.items()}
        return DeferredEdges(edges, tuple(sorted(requests)), self._list_callbacks())

    def _register(
        self, kind: str, key: DeferralKey | None, callback: Meaning | None, location: Location
    ) -> None:
        if not isinstance(callback, FunctionId):
            return
        if key is None or any(isinstance(part, HeapPointee) for part in key):
            self._key_unknown[kind].add(callback)
        if key is not None:
            self._registered[kind, key].add((location, callback))

    def _register_through(self, summary: Summary, location: Location) -> None:
        """Register what a field of the registered record holds."""
        if summary.parts:
            self._register_by_parts(summary, location)
            return
        for function in self._find_callbacks(summary.field, summary.callback):
            self._register(summary.kind, _close_key(summary.key), function, location)

    def _register_by_parts(self, summary: Summary, location: Location) -> None:
        """Register under the numbers in the record, which may stand beside the callback."""
        record = summary.key[0] if summary.key else None
        held = self._find_callbacks(summary.field, summary.callback)
        if not isinstance(record, ObjectId) or not self._rows.has_rows(record):
            for function in held:
                self._register(summary.kind, None, function, location)
            return
        own_field = summary.field if record == summary.callback else None
        for key, value in self._rows.iter_keys(record, summary.parts, own_field):
            callbacks = [value] if own_field is not None else held
            for callback in callbacks:
                if isinstance(callback, FunctionId):
                    self._register(summary.kind, key, callback, location)

    def _find_callbacks(self, field: Field | None, callback: Meaning | None) -> list[FunctionId]:
        """The functions that a callback is: itself, or what the field of its record holds."""
        if isinstance(callback, FunctionId):
            return [callback]
        if field is None or not isinstance(callback, Slot | ObjectId | Variable | HeapPointee):
            return []
        held = self._registered.get((field_kind(field), (callback,)), ())
        return sorted({function for _, function in held})

    def _add_call(self, item: ClosedSummary) -> None:
        """Enter a call that registers and requests at once."""
        summary, site = item.summary, item.position
        if site is None:
            return
        known = self._call_reasons.get((site, summary.kind))
        if isinstance(summary.callback, FunctionId):
            key = " ".join(map(str, summary.key)) if summary.key else item.callee
            self._add_edge(site, summary.callback, item.location, f"{summary.kind} {key}")
            self._started[summary.kind].add(summary.callback)
            self._call_reasons[site, summary.kind] = ""
        elif known is None and summary.callback is None:  # a number is NULL: nothing is requested
            self._call_reasons[site, summary.kind] = NO_CALLBACK

    def _iter_calls(self) -> Iterable[DeferredRequest]:
        for (site, kind), why in self._call_reasons.items():
            edges = len(self._edges.get(site, ()))
            yield DeferredRequest(*site, kind, edges, "" if edges else why, key_unknown=bool(why))

    def _match_requests(self) -> Iterable[DeferredRequest]:
        numbered = {kind for kind, key in self._registered if _is_number(key)}
        for (site, kind), requested in self._requested.items():
            keys = requested if kind in numbered else requested - {_NULL}
            if not keys:
                continue
            before = len(self._edges.get(site, ()))
            for key in keys:
                for location, function in self._registered.get((kind, key), ()) if key else ():
                    self._add_edge(site, function, location, f"{kind} {_key_text(key)}")
            edges = len(self._edges.get(site, ())) - before
            yield self._make_request(site, kind, keys, edges)

    def _make_request(
        self, site: SitePosition, kind: str, keys: set[DeferralKey | None], edges: int
    ) -> DeferredRequest:
        is_unknown = any(key is None or any(isinstance(p, HeapPointee | Variable) for p in key)
                         for key in keys)  # others may hold the address of a local
        if edges:
            return DeferredRequest(*site, kind, edges)
        known = sorted(_key_text(key) for key in keys if key is not None)
        if is_unknown:
            return DeferredRequest(*site, kind, 0, NO_KEY, " or ".join(known), key_unknown=True)
        why = NOTHING_KNOWN if self._key_unknown.get(kind) else NOTHING_REGISTERED
        return DeferredRequest(*site, kind, 0, why, " or ".join(known))

    def _add_edge(
        self, site: SitePosition, callee: FunctionId, location: Location, key: str
    ) -> None:
        edges = self._edges[site]
        edges[callee] = min(edges.get(callee, (location, key)), (location, key))

    def _list_callbacks(self) -> tuple[DeferredCallback, ...]:
        """What each kind may run. What is kept under a field alone is of no kind."""
        found = {
            DeferredCallback(
                kind, function, key_unknown=function in self._key_unknown.get(kind, ()))
            for (kind, _), entries in self._registered.items() if "." not in kind
            for _, function in entries
        }
        found |= {DeferredCallback(kind, function, key_unknown=False)
                  for kind, functions in self._started.items() for function in functions}
        found |= {
            DeferredCallback(kind, function, key_unknown=True)
            for kind, functions in self._key_unknown.items()
            if "." not in kind
            for function in functions
        }
        return tuple(sorted(found))


def field_kind(field: Field) -> str:
    """What callbacks in a field are kept under; no kind has a dot."""
    return ".".join(field)


def _close_key(meanings: tuple[Meaning, ...] | None) -> DeferralKey | None:
    """A key without open parts."""
    if meanings is None:
        return None
    return tuple(part for part in meanings if not isinstance(part, OwnParameter | FunctionId))


def _is_number(key: DeferralKey) -> bool:
    return all(isinstance(part, int) for part in key)


def _key_text(key: DeferralKey | None) -> str:
    return "" if key is None else " ".join(map(str, key))


def _make_candidates(edges: dict[FunctionId, tuple[Location, str]]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(callee, EdgeKind.DEFERRED, (Evidence(Role.BINDING, location, key),))
        for callee, (location, key) in sorted(edges.items())
    )
