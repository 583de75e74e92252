"""Which install the evidence of a hop cites, where a table is put in several places.

The index has one for all calls through a field. Of those that bring the table into the same
field, a reader wants the one nearest to the call: in the file of the caller or the callee, in
the folder of one, with the longest path in common with both, near to the caller, in the table's
own file.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kgraph.graph.lookups import Lookups
from kgraph.model.location import Location
from kgraph.model.resolution import Evidence, Role
from kgraph.model.results import KnownFunction
from kgraph.model.values import TransferKind


class _Install(NamedTuple):
    """A place that puts a table into `holder`, from where it comes into `field`, by copies if the
    two differ.
    """

    field: str
    holder: str
    location: Location
    is_copied: bool


class NearestInstalls:
    """Chooses installs; what it has looked up is kept."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._tables: dict[tuple[int, Location], int | None] = {}
        self._installs: dict[int, tuple[_Install, ...]] = {}
        self._files: dict[int, str] = {}

    def cite_nearest(
        self, evidence: tuple[Evidence, ...], caller: KnownFunction, callee: KnownFunction
    ) -> tuple[Evidence, ...]:
        """The evidence of a call from `caller` to `callee` with the nearest install."""
        if len(evidence) < 2 or evidence[-1].role is not Role.INSTALL:
            return evidence
        table = self._find_table(callee.number, evidence[0].location)
        if table is None:
            return evidence
        choices = self._find_choices(table, evidence[-1].location)
        if len(choices) < 2:
            return evidence
        ends = [end.location.path for end in (caller, callee) if end.location is not None]
        own = self._find_file(table)
        best = min(choices, key=lambda each: _measure_distance(each.location, ends, own))
        if best.location == evidence[-1].location:
            return evidence
        return (*evidence[:-1], Evidence(Role.INSTALL, best.location, best.holder))

    def _find_table(self, function: int, location: Location) -> int | None:
        """The table that binds a function at a location."""
        place = function, location
        if place not in self._tables:
            self._tables[place] = next(
                (row.table for row in self._lookups.find_bindings_of_function(function)
                 if row.location == location and row.table is not None), None)
        return self._tables[place]

    def _find_choices(self, table: int, cited: Location) -> list[_Install]:
        """The installs that bring a table into the field into which the cited one does."""
        if table not in self._installs:
            self._installs[table] = tuple(self._iter_installs(table))
        installs = self._installs[table]
        same = [install for install in installs if install.location == cited]
        copied = [install for install in same if install.is_copied]
        fields = {install.field for install in copied or same}
        return [install for install in installs if install.field in fields]

    def _iter_installs(self, table: int) -> Iterator[_Install]:
        for row in self._lookups.find_installs(table):
            if row.how is not TransferKind.ARGUMENT:
                yield _Install(row.holder, row.holder, row.location, is_copied=False)
        for copy in self._lookups.find_copies_of_table(table):
            first = copy.evidence[0]
            yield _Install(copy.holder, first.holder, first.location, is_copied=True)

    def _find_file(self, table: int) -> str:
        if table not in self._files:
            location = self._lookups.known_object(table).location
            self._files[table] = "" if location is None else location.path
        return self._files[table]


def _measure_distance(
    location: Location, ends: list[str], own: str
) -> tuple[int, int, int, bool, bool, Location]:
    """A sort key: how far a location is from the files of the two ends, the caller's first, and of
    the table.
    """
    path = location.path
    folder = path.rpartition("/")[0]
    return (
        -sum(path == end for end in ends),
        -sum(folder == end.rpartition("/")[0] for end in ends),
        -sum(_count_common_folders(path, end) for end in ends),
        folder != ends[0].rpartition("/")[0] if ends else False,
        path != own,
        location,
    )


def _count_common_folders(path: str, other: str) -> int:
    count = 0
    for one, two in zip(path.split("/")[:-1], other.split("/")[:-1], strict=False):
        if one != two:
            break
        count += 1
    return count
