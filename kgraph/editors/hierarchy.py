"""The call hierarchy: an item for a function, for a slot, and for a call without a candidate.

The detail of an item says how the call gets there: the slot, how many candidates there are, the
evidence. An item carries the name of what it stands for, so that it outlives the index.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from lsprotocol import types

from kgraph.editors.documents import TreeDocuments
from kgraph.graph import CallGraph
from kgraph.model.ids import VMLINUX
from kgraph.model.location import Location
from kgraph.model.results import Hop, KnownFunction, KnownSite, OpenSite
from kgraph.query import find_callees, find_callers
from kgraph.query.neighbours import find_open_sites
from kgraph.query.symbol import (
    Symbol,
    find_bound_functions,
    find_candidates,
    find_slot_sites,
)
from kgraph.report.text import format_long_note

MOST_CALLERS = 300  # that an editor shows: it has to draw them all
_MOST_ITEMS = 50


class ItemKey(NamedTuple):
    """What an item stands for: a "function" with [name, scope, image], a "slot" with its name, or a
    "site" with [path, line, column, ordinal]."""

    kind: str
    key: Any


def read_item(data: object) -> ItemKey:
    """What an item that we made stands for. Raises ValueError for another one."""
    if isinstance(data, dict) and len(data) == 1:
        [(kind, key)] = data.items()
        strings = isinstance(key, list) and all(isinstance(each, str) for each in key)
        if kind == "function" and strings and len(key) == 3:
            return ItemKey(kind, key)
        if kind == "slot" and isinstance(key, str):
            return ItemKey(kind, key)
        if kind == "site" and isinstance(key, list) and len(key) == 4 and (
                isinstance(key[0], str) and all(type(each) is int for each in key[1:])):
            return ItemKey(kind, key)
    raise ValueError("the item was not made by this server")


class CallHierarchy:
    """Makes the items of one answer."""

    def __init__(self, graph: CallGraph, documents: TreeDocuments) -> None:
        self._graph = graph
        self._documents = documents

    def prepare(self, symbol: Symbol, path: str, line: int) -> list[types.CallHierarchyItem]:
        """The items for what stands at a place: functions, slots, or calls through a pointer that
        go through neither."""
        items = [self._make_function(each) for each in symbol.functions]
        here = Location(path, line, symbol.start + 1)
        items += [self._make_slot(slot, here, symbol) for slot in symbol.slots]
        if not items:
            items = [self._make_site(site) for site in symbol.sites]
        return items[:_MOST_ITEMS]

    def list_incoming(self, item: ItemKey) -> list[types.CallHierarchyIncomingCall]:
        """The calls that reach what an item stands for."""
        kind, key = item
        if kind == "function":
            function = self._find_function(key)
            if function is None:
                return []
            count = len(self._graph.callers_of(function.number))
            hops = find_callers(self._graph, function, most=MOST_CALLERS)
            calls = [self._make_incoming(hop) for hop in hops]
            return [*calls, *self._say_more(function, count - MOST_CALLERS)]
        sites = self._find_sites(kind, key)
        graph = self._graph
        found = graph.load_sites(sites[:MOST_CALLERS])
        return [self._make_call_of_slot(number, list(group))
                for number, group in groupby(found, key=lambda site: site.caller)]

    def list_outgoing(self, item: ItemKey) -> list[types.CallHierarchyOutgoingCall]:
        """The calls that what an item stands for makes."""
        kind, key = item
        if kind == "function":
            function = self._find_function(key)
            if function is None:
                return []
            calls = [self._make_outgoing(hop) for hop in find_callees(self._graph, function)]
            return [*calls, *map(self._make_open, find_open_sites(self._graph, function))]
        hops = find_candidates(self._graph, self._find_sites(kind, key))
        items = [self._make_function(hop.callee, hop) for hop in hops]
        if kind == "slot":
            reached = {hop.callee.number for hop in hops}
            items += [self._make_function(each, detail="put there; no call of it is known")
                      for each in find_bound_functions(self._graph, key)
                      if each.number not in reached]
        return [types.CallHierarchyOutgoingCall(item, []) for item in items]

    def _find_sites(self, kind: str, key: Any) -> list[int]:
        """The call sites that an item stands for."""
        if kind == "slot":
            return find_slot_sites(self._graph, key)
        path, line, column, ordinal = key
        return [site.number for site in self._graph.find_sites_at(path, line)
                if (site.location.column, site.ordinal) == (column, ordinal)]

    def _find_function(self, key: list[str]) -> KnownFunction | None:
        name, *rest = key
        return next((each for each in self._graph.find_functions(name)
                     if [each.id.scope, each.id.image] == rest), None)

    def _make_function(
        self, function: KnownFunction, hop: Hop | None = None, detail: str = ""
    ) -> types.CallHierarchyItem:
        """The item of a function; its detail says how `hop` gets there."""
        location = function.location or Location("", 1, 1)
        name = self._documents.find_range(location, function.id.name)
        image = "" if function.id.image == VMLINUX else f"of {function.id.image}"
        place = "not defined in the index" if function.location is None else location.path
        notes = [detail, "" if hop is None else format_long_note(hop), image]
        return types.CallHierarchyItem(
            function.id.name, types.SymbolKind.Function, self._documents.make_uri(location.path),
            types.Range(name.start, types.Position(
                max(function.end_line - 1, name.end.line), name.end.character)),
            name, detail=", ".join(filter(None, notes)) or place,
            data={"function": [function.id.name, function.id.scope, function.id.image]})

    def _make_slot(self, slot: str, here: Location, symbol: Symbol) -> types.CallHierarchyItem:
        """The item of a slot, at the place where it was asked for."""
        field = slot.rpartition(".")[2]
        at = self._documents.find_range(here, field)
        own = [site for site in symbol.sites if site.holder == slot]
        if own:
            data: dict[str, object] = {"site": _identify(own[0])}
            detail = _count(len(self._graph.edges_of(own[0].number)), "candidate")
            if not self._graph.edges_of(own[0].number):
                detail = f"{own[0].status}: {own[0].reason}"
        else:
            data = {"slot": slot}
            detail = _count(len(find_bound_functions(self._graph, slot)), "candidate")
        return types.CallHierarchyItem(
            slot, types.SymbolKind.Field, self._documents.make_uri(here.path), at, at,
            detail=detail, data=data)

    def _make_site(self, site: KnownSite, detail: str = "") -> types.CallHierarchyItem:
        """The item of a call site."""
        at = self._documents.find_range(site.location, site.expression)
        return types.CallHierarchyItem(
            f"{site.expression}()", types.SymbolKind.Event,
            self._documents.make_uri(site.location.path), at, at,
            detail=detail or f"through {site.holder or 'a pointer'}",
            data={"site": _identify(site)})

    def _make_incoming(self, hop: Hop) -> types.CallHierarchyIncomingCall:
        return types.CallHierarchyIncomingCall(
            self._make_function(hop.caller, hop), self._find_ranges(hop))

    def _make_call_of_slot(
        self, caller: int, sites: list[KnownSite]
    ) -> types.CallHierarchyIncomingCall:
        width = max(len(self._graph.edges_of(site.number)) for site in sites)
        function = self._graph.function(caller)
        item = self._make_function(
            function, detail=f"through {sites[0].holder}, {_count(width, 'candidate')}")
        return types.CallHierarchyIncomingCall(item, self._find_ranges_of(
            function, ((site.location, site.expression) for site in sites)))

    def _say_more(
        self, function: KnownFunction, more: int
    ) -> Iterator[types.CallHierarchyIncomingCall]:
        """An item that says how many callers are left out."""
        if more > 0:
            item = self._make_function(function)
            item.name = f"{more} more callers"
            item.detail = f"`kgraph callers {function}` shows them"
            yield types.CallHierarchyIncomingCall(item, [])

    def _make_outgoing(self, hop: Hop) -> types.CallHierarchyOutgoingCall:
        return types.CallHierarchyOutgoingCall(
            self._make_function(hop.callee, hop), self._find_ranges(hop))

    def _make_open(self, found: OpenSite) -> types.CallHierarchyOutgoingCall:
        """A call that has no candidate, proved or not."""
        site = found.site
        by_type = f", {_count(found.by_type, 'function')} of its type" if found.by_type else ""
        item = self._make_site(site, f"no candidate, {site.status}: {site.reason}{by_type}")
        return types.CallHierarchyOutgoingCall(item, [item.selection_range])

    def _find_ranges(self, hop: Hop) -> list[types.Range]:
        places = (hop.site.location, *hop.sites)
        return self._find_ranges_of(hop.caller, ((at, hop.site.expression) for at in places))

    def _find_ranges_of(
        self, caller: KnownFunction, places: Iterable[tuple[Location, str]]
    ) -> list[types.Range]:
        """The calls in the file of their caller, which is what an editor expects."""
        own = caller.location.path if caller.location is not None else ""
        return [self._documents.find_range(location, expression)
                for location, expression in places if location.path == own]


def _identify(site: KnownSite) -> list[object]:
    at = site.location
    return [at.path, at.line, at.column, site.ordinal]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
