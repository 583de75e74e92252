"""Judges for each kind of entry points whether it reaches a place.

One search over the bare calls finds the entries from which calls lead there, the nearest first. It
follows every edge whatever is handed on, so what it does not find no edge makes. A path search,
with its rules, then says how the nearest of them reach it.

- reached: a path search found a way.
- proved not: no entry is among the functions that lead there even if every open call goes wherever
  it might; or calls lead there, but for every entry the path search proved that no way exists. An
  index of a part of a kernel without any entry of a kind proves nothing.
- undecided: anything else, with the open calls that keep it so.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.location import Extent, Location
from kgraph.model.results import (
    CapabilityCheck,
    EntryVerdict,
    Hop,
    KnownFunction,
    Path,
    ReachAnswer,
)
from kgraph.query.call_site import Place, find_call_sites
from kgraph.query.lookup import find_function, has_function, write_name
from kgraph.query.ops import find_holders
from kgraph.query.paths.adjacency import Adjacency
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.ends import iter_nearest
from kgraph.query.paths.no_path import OpenCalls, Reachable
from kgraph.query.paths.question import PathQuestion, find_paths
from kgraph.query.reach.entries import find_check_functions, find_entries

REACHED, PROVED_NOT, UNDECIDED = "reached", "proved not", "undecided"
_MOST_TRIES = 4  # path searches for one kind
_MOST_LISTED = 8


def find_reach(
    graph: CallGraph, place: str, kinds: Sequence[str] = (), *, deferred: bool = True
) -> ReachAnswer:
    """Which kinds of entry points (all by default) reach a function, FILE:LINE, or the calls
    through a slot; without `deferred` by calls that run at once.

    Raises LookupFailed where the place means nothing, and for an unknown kind.
    """
    targets = _find_targets(graph, place)
    constraints = PathConstraints(deferred=deferred)
    judge = _Judge(Adjacency(graph, constraints), targets, find_entries(graph, kinds))
    return ReachAnswer(place, tuple(map(graph.function, targets)), tuple(judge.iter_verdicts()))


def list_reached(
    graph: CallGraph, kinds: Sequence[str] = ()
) -> list[tuple[KnownFunction, tuple[str, ...]]]:
    """The functions to which calls lead from kinds of entry points (all by default), each with the
    kinds: none is missing that no open call adds, but not every one need be reached.

    Raises LookupFailed for an unknown kind.
    """
    find_callees = Adjacency(graph, PathConstraints()).make_callee_function()
    reaching: dict[int, list[str]] = {}
    for kind, entries in find_entries(graph, kinds).items():
        for function in Reachable(sorted(entries), find_callees).order:
            reaching.setdefault(function, []).append(kind)
    graph.load_all_functions()
    return [(graph.function(number), tuple(found)) for number, found in sorted(reaching.items())
            if graph.function(number).location is not None]


def _find_targets(graph: CallGraph, place: str) -> list[int]:
    """The functions that a place means: the one around a line, those that call through a slot."""
    if Place.parse(place).line is not None:
        return sorted({answer.caller.number for answer in find_call_sites(graph, place)})
    if not has_function(graph, place) and "." in place and not Place.parse(place).is_file:
        sites = [site for slot in find_holders(graph, place)
                 for site in graph.find_sites_through(slot)]
        if not sites:
            raise LookupFailed(f"no call goes through `{place}`", "`kgraph find` finds slots")
        return sorted({graph.caller_of(site) for site in sites})
    return [find_function(graph, place).number]


class _Try(NamedTuple):
    """The path searches for one kind: a way, or whether all of them proved that there is none."""

    entry: int | None = None
    path: Path | None = None
    is_open: bool = False
    is_stopped: bool = False


class _Judge:
    """Judges the kinds of one place."""

    def __init__(
        self, adjacency: Adjacency, targets: Sequence[int], entries: dict[str, set[int]]
    ) -> None:
        self._graph = graph = adjacency.graph
        self._targets = targets
        self._entries = entries
        self._adjacency = adjacency
        self._deferred = adjacency.constraints.deferred
        self._open_calls = OpenCalls(adjacency, targets)
        every = set().union(*entries.values()) - set(targets)
        self._nearest = list(iter_nearest(
            graph, targets, every, is_forward=False, deferred=self._deferred))
        self._checks = find_check_functions(graph)
        self._tried: dict[int, _Try] = {}

    def iter_verdicts(self) -> Iterator[EntryVerdict]:
        """The verdict on each kind."""
        for kind, entries in self._entries.items():
            yield self._judge(kind, entries)

    def _judge(self, kind: str, entries: set[int]) -> EntryVerdict:
        own = entries.intersection(self._targets)
        connected = [pair for pair in self._nearest if pair[0] in entries]
        count = len(connected) + len(own)
        if own:
            return EntryVerdict(
                kind, REACHED, len(entries), count, self._graph.function(min(own)), Path(()))
        if not entries and not self._graph.is_whole:
            return EntryVerdict(kind, UNDECIDED, 0)
        if entries.isdisjoint(self._open_calls.leading):
            return EntryVerdict(kind, PROVED_NOT, len(entries))
        found = self._try(connected[:_MOST_TRIES])
        if found.path is not None and found.entry is not None:
            return EntryVerdict(
                kind, REACHED, len(entries), count, self._graph.function(found.entry), found.path,
                tuple(self._find_checks(found.path.hops)))
        untried = max(len(connected) - _MOST_TRIES, 0)
        linked = {entry for entry, _ in connected}
        leading = entries & self._open_calls.leading
        if not untried and not found.is_open and leading <= linked:
            return EntryVerdict(kind, PROVED_NOT, len(entries), count)
        return self._explain(kind, entries, EntryVerdict(
            kind, UNDECIDED, len(entries), count, untried=untried, is_stopped=found.is_stopped))

    def _try(self, pairs: Sequence[tuple[int, int]]) -> _Try:
        """Search for a way from one entry after another."""
        is_open = is_stopped = False
        for entry, target in pairs:
            if entry not in self._tried:
                self._tried[entry] = self._find_way(entry, target)
            found = self._tried[entry]
            if found.path is not None:
                return found
            is_open |= found.is_open
            is_stopped |= found.is_stopped
        return _Try(is_open=is_open, is_stopped=is_stopped)

    def _find_way(self, entry: int, target: int) -> _Try:
        caller, callee = (write_name(self._graph, self._graph.function(each))
                          for each in (entry, target))
        question = PathQuestion(caller, callee, deferred=self._deferred, count_others=False)
        try:
            answer = find_paths(self._graph, question)
        except LookupFailed:  # no name tells a function from its twins
            return _Try(is_open=True)
        if answer.paths:
            return _Try(entry, answer.paths[0])
        frontier = answer.frontier
        return _Try(is_open=frontier is None or frontier.is_open or len(self._targets) > 1,
                    is_stopped=frontier is not None and bool(frontier.stopped_after))

    def _explain(self, kind: str, entries: set[int], verdict: EntryVerdict) -> EntryVerdict:
        """The verdict "undecided" with the open calls that keep it so."""
        graph = self._graph
        reachable = Reachable(sorted(entries), self._adjacency.make_callee_function())
        sites = self._open_calls.find_sites(reachable)
        undefined = self._open_calls.find_undefined(reachable)
        return EntryVerdict(
            kind, verdict.verdict, verdict.entries, verdict.connected,
            open_sites=tuple(map(graph.site, sites[:_MOST_LISTED])), open_count=len(sites),
            undefined=tuple(map(graph.function, undefined[:_MOST_LISTED])),
            by_request=self._open_calls.has_request(reachable), untried=verdict.untried,
            is_stopped=verdict.is_stopped)

    def _find_checks(self, hops: Sequence[Hop]) -> Iterator[CapabilityCheck]:
        """The capability checks in the functions of a way, before the call that goes on."""
        graph = self._graph
        for hop in hops:
            edges = [edge for edge in graph.edges_from(hop.caller.number)
                     if graph.edge_callee[edge] in self._checks]
            places = graph.load_site_places({graph.site_of(edge) for edge in edges})
            for edge in edges:
                location = places[graph.site_of(edge)][0]
                is_guard = any(_holds(guard.extent, location) for guard in hop.site.guards)
                if is_guard or (location.path == hop.site.location.path
                                and location.line <= hop.site.location.line):
                    yield CapabilityCheck(
                        self._checks[graph.edge_callee[edge]], location, is_guard)


def _holds(extent: Extent, location: Location) -> bool:
    """Whether a place lies in a part of its file."""
    start = extent.start
    return (start.path == location.path
            and (start.line, start.column) <= (location.line, location.column)
            <= (extent.end_line, extent.end_column or location.column))
