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
from kgraph.resolve.deferred.specification import Action, Field
from kgraph.resolve.deferred.summaries import ClosedSummary, Position, Summary

NO_KEY = "its key cannot be told"
NO_CALLBACK = "its callback cannot be told"
NOTHING = "nothing is registered under its key"
NOTHING_KNOWN = "nothing known is registered under its key"
_NULL: DeferralKey = (0,)  # where a kind's keys are no numbers
Entry = tuple[Location, FunctionId]


@dataclass(frozen=True, slots=True)
class DeferredEdges:
    """The deferred callees of call sites, by definition and position; all requests; and what each
    kind may run."""

    edges: Mapping[Position, tuple[Candidate, ...]]
    requests: tuple[DeferredRequest, ...]
    callbacks: tuple[DeferredCallback, ...]


class RequestMatcher:
    """Joins settled duties."""

    def __init__(self, rows: RecordRows) -> None:
        self._rows = rows
        self._registered: dict[tuple[str, DeferralKey], set[Entry]] = defaultdict(set)
        self._started: dict[str, set[FunctionId]] = defaultdict(set)  # by calls, with no key to ask
        self._untold: dict[str, set[FunctionId]] = defaultdict(set)  # registered, but under what?
        self._asked: dict[tuple[Position, str], set[DeferralKey | None]] = defaultdict(set)
        self._called: dict[tuple[Position, str], str] = {}  # why a call has no callback, or ""
        self._edges: dict[Position, dict[FunctionId, tuple[Location, str]]] = defaultdict(dict)

    def match(self, settled: Iterable[ClosedSummary]) -> DeferredEdges:
        """The edges and the account."""
        indirect = []
        for item in settled:
            duty = item.duty
            if duty.action is Action.RUN:
                if item.position is not None:
                    self._asked[item.position, duty.kind].add(_close_key(duty.key))
            elif duty.action is Action.CALL:
                self._call(item)
            elif duty.field is not None or duty.parts:
                indirect.append(item)
            else:
                self._register(duty.kind, _close_key(duty.key), duty.callback, item.location)
        for item in indirect:
            self._through(item.duty, item.location)
        requests = [*self._run(), *self._calls()]
        edges = {site: _make_candidates(found) for site, found in self._edges.items()}
        return DeferredEdges(edges, tuple(sorted(requests)), self._callbacks())

    def _register(
        self, kind: str, key: DeferralKey | None, callback: Meaning | None, location: Location
    ) -> None:
        if not isinstance(callback, FunctionId):
            return
        if key is None or any(isinstance(part, HeapPointee) for part in key):
            self._untold[kind].add(callback)
        if key is not None:
            self._registered[kind, key].add((location, callback))

    def _through(self, duty: Summary, location: Location) -> None:
        """Register what a field of the registered record holds."""
        if duty.parts:
            self._by_parts(duty, location)
            return
        for function in self._held(duty.field, duty.callback):
            self._register(duty.kind, _close_key(duty.key), function, location)

    def _by_parts(self, duty: Summary, location: Location) -> None:
        """Register under the numbers that stand in the record, beside the callback or alone."""
        record = duty.key[0] if duty.key else None
        held = self._held(duty.field, duty.callback)
        if not isinstance(record, ObjectId) or not self._rows.has_rows(record):
            for function in held:
                self._register(duty.kind, None, function, location)
            return
        beside = duty.field if record == duty.callback else None
        for key, value in self._rows.iter_keys(record, duty.parts, beside):
            callbacks = [value] if beside is not None else held
            for callback in callbacks:
                if isinstance(callback, FunctionId):
                    self._register(duty.kind, key, callback, location)

    def _held(self, field: Field | None, callback: Meaning | None) -> list[FunctionId]:
        """The functions that a callback is: itself, or what the field of its record holds."""
        if isinstance(callback, FunctionId):
            return [callback]
        if field is None or not isinstance(callback, Slot | ObjectId | Variable | HeapPointee):
            return []
        held = self._registered.get((field_kind(field), (callback,)), ())
        return sorted({function for _, function in held})

    def _call(self, item: ClosedSummary) -> None:
        """A call that registers and asks at once."""
        duty, site = item.duty, item.position
        if site is None:
            return
        known = self._called.get((site, duty.kind))
        if isinstance(duty.callback, FunctionId):
            key = " ".join(map(str, duty.key)) if duty.key else item.named
            self._edge(site, duty.callback, item.location, f"{duty.kind} {key}")
            self._started[duty.kind].add(duty.callback)
            self._called[site, duty.kind] = ""
        elif known is None and duty.callback is None:  # a number is NULL: nothing is asked for
            self._called[site, duty.kind] = NO_CALLBACK

    def _calls(self) -> Iterable[DeferredRequest]:
        for (site, kind), why in self._called.items():
            edges = len(self._edges.get(site, ()))
            yield DeferredRequest(*site, kind, edges, "" if edges else why, key_unknown=bool(why))

    def _run(self) -> Iterable[DeferredRequest]:
        numbered = {kind for kind, key in self._registered if _is_number(key)}
        for (site, kind), asked in self._asked.items():
            keys = asked if kind in numbered else asked - {_NULL}
            if not keys:
                continue
            before = len(self._edges.get(site, ()))
            for key in keys:
                for location, function in self._registered.get((kind, key), ()) if key else ():
                    self._edge(site, function, location, f"{kind} {_key_text(key)}")
            edges = len(self._edges.get(site, ())) - before
            yield self._request(site, kind, keys, edges)

    def _request(
        self, site: Position, kind: str, keys: set[DeferralKey | None], edges: int
    ) -> DeferredRequest:
        untold = any(key is None or any(isinstance(p, HeapPointee | Variable) for p in key)
                     for key in keys)  # others may hold the address of a local
        if edges:
            return DeferredRequest(*site, kind, edges)
        told = sorted(_key_text(key) for key in keys if key is not None)
        if untold:
            return DeferredRequest(*site, kind, 0, NO_KEY, " or ".join(told), key_unknown=True)
        why = NOTHING_KNOWN if self._untold.get(kind) else NOTHING
        return DeferredRequest(*site, kind, 0, why, " or ".join(told))

    def _edge(self, site: Position, callee: FunctionId, location: Location, key: str) -> None:
        edges = self._edges[site]
        edges[callee] = min(edges.get(callee, (location, key)), (location, key))

    def _callbacks(self) -> tuple[DeferredCallback, ...]:
        """What each kind may run; those of a field alone are of no kind."""
        found = {
            DeferredCallback(kind, function, key_unknown=function in self._untold.get(kind, ()))
            for (kind, _), entries in self._registered.items() if "." not in kind
            for _, function in entries
        }
        found |= {DeferredCallback(kind, function, key_unknown=False)
                  for kind, functions in self._started.items() for function in functions}
        found |= {
            DeferredCallback(kind, function, key_unknown=True)
            for kind, functions in self._untold.items()
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
