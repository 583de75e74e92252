"""The call graph of an open index: arrays for searching, records on demand.

Functions, call sites, edges and hops are numbers (kgraph.store.arrays says what is what); an array
is read from the file when it is first used.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kgraph.graph.numbers import Numbers
from kgraph.graph.requests import OpenRequests
from kgraph.graph.types import TypeCandidates
from kgraph.model.answers import Hop, IndexDescription, KnownFunction, KnownObject, KnownSite
from kgraph.model.edges import EdgeKind, Evidence
from kgraph.model.holders import How
from kgraph.model.location import Location
from kgraph.store.reading import BOUND, IndexReader

# What is bound to a holder, for CallGraph.bound.
BOUND_TO = "b.holder = (SELECT text FROM holder WHERE name = ?)"


@dataclass(frozen=True, slots=True)
class BoundRow:
    """A row of `bound`: what (a function or an object, by number) is bound to which holder."""

    holder: str
    function: int | None
    object: int | None
    table: int | None
    location: Location
    how: How


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row of `held`: a table (an object's number) comes into a pointer field by copies."""

    holder: str
    object: int
    evidence: tuple[Evidence, ...]
    whole: bool


class CallGraph(Numbers):
    """A call graph over an index file. Methods raise StoreError where the file is damaged."""

    def __init__(self, reader: IndexReader) -> None:
        super().__init__(reader)
        self._functions: dict[int, KnownFunction] = {}
        self._sites: dict[int, KnownSite] = {}
        self._evidence: dict[int, tuple[Evidence, ...]] = {}
        self._sites_from = -1
        self._sites_by_callee: dict[int, list[int]] = {}

    def close(self) -> None:
        """Close the index file."""
        self.reader.close()

    @property
    def description(self) -> IndexDescription:
        """What the index is of."""
        return self.reader.description

    @property
    def path(self) -> Path:
        """The index file."""
        return self.reader.path

    def function(self, number: int) -> KnownFunction:
        """The function of this number."""
        if number not in self._functions:
            self._functions[number] = self.reader.functions("f.id = ?", (number,))[0]
        return self._functions[number]

    def functions_named(self, name: str) -> list[KnownFunction]:
        """The functions of this name."""
        return self.reader.functions("name = ?", (name,))

    def site(self, number: int) -> KnownSite:
        """The call site of this number."""
        if number not in self._sites:
            self._sites[number] = self.reader.sites("s.id = ?", (number,))[0]
        return self._sites[number]

    def sites_at(self, path: str, line: int) -> list[KnownSite]:
        """The call sites that start at a line."""
        return self.reader.sites("file.path = ? AND s.line = ?", (path, line))

    def sites_of(self, function: int) -> list[KnownSite]:
        """The call sites of a function."""
        return self.reader.sites("s.caller = ?", (function,))

    def sites_through(self, holder: str) -> list[int]:
        """The call sites that go through the holder of this name."""
        rows = self.reader.rows(
            "SELECT id FROM site WHERE holder = (SELECT text FROM holder WHERE name = ?)"
            " ORDER BY id", (holder,)
        )
        return [row[0] for row in rows]

    def is_holder(self, name: str) -> bool:
        """Whether anything is bound to a holder of this name, or called through it."""
        return bool(self.reader.rows("SELECT 1 FROM holder WHERE name = ?", (name,)))

    def aliases(self, name: str) -> dict[str, list[str]]:
        """Last member -> slots that end with it, of the paths that a macro stands for."""
        found: dict[str, list[str]] = {}
        for member, slot in self.reader.rows(
            "SELECT member, slot FROM alias WHERE name = ? ORDER BY id", (name,)
        ):
            found.setdefault(member, []).append(slot)
        return found

    def object_numbered(self, number: int) -> KnownObject:
        """The object of this number."""
        return self.reader.objects("o.id = ?", (number,))[0]

    def evidence(self, edge: int) -> tuple[Evidence, ...]:
        """The evidence of an edge."""
        number = self.edge_evidence[edge]
        if number not in self._evidence:
            self._evidence[number] = self.reader.evidence(number)
        return self._evidence[number]

    def hop(self, edge: int, width: int | None = None) -> Hop:
        """The record of an edge; `width` replaces its number of candidates."""
        site = self.site(self.site_of(edge))
        callee = self.edge_callee[edge]
        others = [other for other in self._sites_to(site.caller)[callee] if other != site.number]
        return Hop(
            self.function(site.caller), self.function(callee), site, self.kind(edge),
            self.width(edge) if width is None else width, self.evidence(edge),
            self.reader.site_places(others),
        )

    def _sites_to(self, caller: int) -> dict[int, list[int]]:
        """Callee -> the call sites of `caller` that reach it; kept for one caller at a time."""
        if self._sites_from != caller:
            found: dict[int, list[int]] = {}
            for site in range(self.site_start[caller], self.site_start[caller + 1]):
                edges = self.edges_of(site)
                for callee in set(self.edge_callee[edges.start:edges.stop]):
                    found.setdefault(callee, []).append(site)
            self._sites_from, self._sites_by_callee = caller, found
        return self._sites_by_callee

    def know(self, edges: Iterable[int]) -> None:
        """Read what the records of many edges need at once, for those that are asked for next."""
        edges = list(edges)
        sites = {self.site_of(edge) for edge in edges} - self._sites.keys()
        self._sites.update((site.number, site) for site in self.reader.sites_numbered(sites))
        functions = {self.edge_callee[edge] for edge in edges}
        functions |= {self._sites[self.site_of(edge)].caller for edge in edges}
        self._functions.update(
            (function.number, function)
            for function in self.reader.functions_numbered(functions - self._functions.keys()))

    def holders_from(self, caller: int) -> dict[int, int]:
        """Call site -> the number of the text of its holder, of the sites of a caller that go
        through one."""
        rows = self.reader.rows(
            "SELECT id, holder FROM site WHERE id >= ? AND id < ? AND holder IS NOT NULL",
            (self.site_start[caller], self.site_start[caller + 1]))
        return dict(rows)

    @cached_property
    def by_type(self) -> TypeCandidates:
        """What types alone would make possible."""
        return TypeCandidates(self.reader)

    @cached_property
    def requests(self) -> OpenRequests:
        """What is asked to be run later where no callee was found."""
        return OpenRequests(self.reader)

    def hop_by_type(self, site: int, callee: int) -> Hop:
        """The record of a call that only types make possible."""
        known = self.site(site)
        width = len(self.by_type.callees(site))
        return Hop(
            self.function(known.caller), self.function(callee), known, EdgeKind.TYPE, width
        )

    def bound(self, where: str, values: tuple[object, ...]) -> Iterator[BoundRow]:
        """What is bound, by an SQL condition over bound b, text h (its holder) and file."""
        for row in self.reader.rows(f"{BOUND} WHERE {where} ORDER BY b.id", values):
            place = Location(row[4], row[5], row[6])
            yield BoundRow(row[0], row[1], row[2], row[3], place, How(row[7]))

    def held(self, where: str, values: tuple[object, ...]) -> Iterator[HeldRow]:
        """The tables that come into pointer fields by copies, by an SQL condition over held."""
        rows = self.reader.rows(
            "SELECT text, object, evidence, whole FROM held JOIN text ON text.id = holder"  # noqa: S608
            f" WHERE {where} ORDER BY held.id", values)
        for holder, table, evidence, whole in rows:
            yield HeldRow(holder, table, self.reader.evidence(evidence), bool(whole))
