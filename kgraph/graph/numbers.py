"""The numbers of a call graph: functions, call sites, edges and hops, without their records.

kgraph.store.arrays says what each array is; one is read from the file when it is first used.
"""

from array import array
from bisect import bisect_right
from functools import cached_property, reduce
from operator import or_

from kgraph.model.edges import EdgeKind
from kgraph.store.reading import IndexReader

_KINDS = tuple(EdgeKind)


class _Lazy:
    """An array of the index, read when it is first used; then a plain attribute."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, graph: "Numbers", owner: type) -> "array[int]":
        numbers = graph.reader.array(self._name)
        graph.__dict__[self._name] = numbers
        return numbers


class Numbers:
    """The arrays of an index, and what they say without a look into its tables."""

    def __init__(self, reader: IndexReader) -> None:
        self.reader = reader

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
    def handed(self) -> dict[int, list[int]]:
        """Function -> the call sites that hand it on."""
        found: dict[int, list[int]] = {}
        for site, values in self.forwards.items():
            for _, value in values:
                if value >= 0:
                    found.setdefault(value, []).append(site)
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

    def kind(self, edge: int) -> EdgeKind:
        """The kind of an edge."""
        return _KINDS[self.edge_kind[edge]]

    def edges_of(self, site: int) -> range:
        """The edges of a call site."""
        return range(self.edge_start[site], self.edge_start[site + 1])

    def width(self, edge: int) -> int:
        """How many candidates the call site of an edge has; those by type, and those run later,
        are counted only among themselves.
        """
        kind = _counted_as(self.kind(edge))
        return sum(
            _counted_as(self.kind(other)) is kind for other in self.edges_of(self.site_of(edge))
        )

    def edges_from(self, function: int) -> range:
        """All edges that leave a function."""
        first, last = self.site_start[function], self.site_start[function + 1]
        return range(self.edge_start[first], self.edge_start[last])

    def callers_of(self, function: int) -> list[int]:
        """The functions with an edge to `function`, each once, ascending."""
        first, last = self.back_start[function], self.back_start[function + 1]
        return sorted({self.hop_caller[self.back_hop[place]] for place in range(first, last)})


def _counted_as(kind: EdgeKind) -> EdgeKind | None:
    return kind if kind in (EdgeKind.TYPE, EdgeKind.DEFERRED) else None
