"""The call graph of an open index: arrays for searching, records on demand.

Functions, call sites, edges and hops are numbers (kgraph.store.arrays says what is what); an array
is read from the file when it is first used.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from pathlib import Path

from kgraph.graph.types import TypeCandidates
from kgraph.model.answers import Hop, IndexDescription, KnownFunction, KnownObject, KnownSite
from kgraph.model.edges import EdgeKind, Evidence
from kgraph.model.holders import How
from kgraph.model.location import Location
from kgraph.store.reading import BOUND, IndexReader

# What is bound to a holder, for CallGraph.bound.
BOUND_TO = "b.holder = (SELECT text FROM holder WHERE name = ?)"
_KINDS = tuple(EdgeKind)


@dataclass(frozen=True, slots=True)
class BoundRow:
    """A row of `bound`: what (a function or an object, by number) is bound to which holder."""

    holder: str
    function: int | None
    object: int | None
    table: int | None
    location: Location
    how: How


class _Lazy:
    """An array of the index, read when it is first used; then a plain attribute."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, graph: "CallGraph", owner: type) -> "array[int]":
        numbers = graph.reader.array(self._name)
        graph.__dict__[self._name] = numbers
        return numbers


class CallGraph:
    """A call graph over an index file. Methods raise StoreError where the file is damaged."""

    def __init__(self, reader: IndexReader) -> None:
        self.reader = reader
        self._functions: dict[int, KnownFunction] = {}
        self._sites: dict[int, KnownSite] = {}
        self._evidence: dict[int, tuple[Evidence, ...]] = {}

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

    folder = _Lazy()
    site_start = _Lazy()
    edge_start = _Lazy()
    edge_callee = _Lazy()
    edge_kind = _Lazy()
    edge_evidence = _Lazy()
    hop_start = _Lazy()
    hop_edge = _Lazy()
    hop_caller = _Lazy()
    hop_callee = _Lazy()
    hop_width = _Lazy()
    hop_flags = _Lazy()
    back_start = _Lazy()
    back_hop = _Lazy()

    @cached_property
    def forwards(self) -> dict[int, tuple[tuple[int, int], ...]]:
        """Call site -> (parameter, value) of the functions that it hands on (see arrays)."""
        found: dict[int, tuple[tuple[int, int], ...]] = {}
        rows = zip(
            self.reader.array("forward_site"), self.reader.array("forward_parameter"),
            self.reader.array("forward_value"), strict=True,
        )
        for site, parameter, value in rows:
            found[site] = (*found.get(site, ()), (parameter, value))
        return found

    @cached_property
    def handed(self) -> dict[int, tuple[int, ...]]:
        """Function -> the call sites that hand it on."""
        found: dict[int, tuple[int, ...]] = {}
        for site, values in self.forwards.items():
            for _, value in values:
                if value >= 0:
                    found[value] = (*found.get(value, ()), site)
        return found

    @cached_property
    def callbacks(self) -> dict[int, int]:
        """Call site -> the parameter of its caller that it goes through."""
        return dict(
            zip(
                self.reader.array("callback_site"), self.reader.array("callback_parameter"),
                strict=True,
            )
        )

    def __len__(self) -> int:
        return len(self.site_start) - 1

    def site_of(self, edge: int) -> int:
        """The call site of an edge."""
        return bisect_right(self.edge_start, edge) - 1

    def caller_of(self, site: int) -> int:
        """The function that a call site is in."""
        return bisect_right(self.site_start, site) - 1

    @cached_property
    def flags_used(self) -> int:
        """The flags that any hop has."""
        return reduce(or_, set(self.hop_flags), 0)

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

    def sites_of_record(self, record: str) -> list[tuple[int, str]]:
        """The call sites that go through a slot of a record, each with its slot, by number."""
        rows = self.reader.rows(
            "SELECT s.id, h.name FROM holder h CROSS JOIN site s ON s.holder = h.text"
            " WHERE h.name > ? AND h.name < ? ORDER BY s.id", (f"{record}.", f"{record}/")
        )
        return [(site, slot) for site, slot in rows if slot.rpartition(".")[0] == record]

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

    def kind(self, edge: int) -> EdgeKind:
        """The kind of an edge."""
        return _KINDS[self.edge_kind[edge]]

    def edges_of(self, site: int) -> range:
        """The edges of a call site."""
        return range(self.edge_start[site], self.edge_start[site + 1])

    def evidence(self, edge: int) -> tuple[Evidence, ...]:
        """The evidence of an edge."""
        number = self.edge_evidence[edge]
        if number not in self._evidence:
            self._evidence[number] = self.reader.evidence(number)
        return self._evidence[number]

    def width(self, edge: int) -> int:
        """How many candidates the call site of an edge has; those by type, and those run later,
        are counted only among themselves.
        """
        kind = _counted_as(self.kind(edge))
        return sum(
            _counted_as(self.kind(other)) is kind for other in self.edges_of(self.site_of(edge))
        )

    def hop(self, edge: int, width: int | None = None) -> Hop:
        """The record of an edge; `width` replaces its number of candidates."""
        site = self.site(self.site_of(edge))
        callee = self.edge_callee[edge]
        return Hop(
            self.function(site.caller), self.function(callee), site, self.kind(edge),
            self.width(edge) if width is None else width, self.evidence(edge),
            tuple(other.location for other in self._others(site, callee)),
        )

    def _others(self, site: KnownSite, callee: int) -> list[KnownSite]:
        """Other call sites of the same caller that reach `callee`."""
        first, last = self.site_start[site.caller], self.site_start[site.caller + 1]
        return [
            self.site(other)
            for other in range(first, last)
            if other != site.number
            and any(self.edge_callee[edge] == callee for edge in self.edges_of(other))
        ]

    def edges_from(self, function: int) -> range:
        """All edges that leave a function."""
        first, last = self.site_start[function], self.site_start[function + 1]
        return range(self.edge_start[first], self.edge_start[last])

    def callers_of(self, function: int) -> list[int]:
        """The functions with an edge to `function`, each once, ascending."""
        first, last = self.back_start[function], self.back_start[function + 1]
        return sorted({self.hop_caller[self.back_hop[place]] for place in range(first, last)})

    @cached_property
    def by_type(self) -> TypeCandidates:
        """What types alone would make possible."""
        return TypeCandidates(self.reader)

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


def _counted_as(kind: EdgeKind) -> EdgeKind | None:
    return kind if kind in (EdgeKind.TYPE, EdgeKind.DEFERRED) else None
