"""Pages of what the site mentions: functions, slots, tables, stretches of source."""

from collections.abc import Iterator

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.answers import Hop, KnownFunction, OpsRow
from kgraph.query import callees, callers, ops
from kgraph.report.site.links import Targets, distinct, slugs
from kgraph.report.site.mentions import Mentions
from kgraph.report.site.pages import Excerpt, FunctionPage, SlotPage, SourcePage, TablePage
from kgraph.report.site.proofs import Proofs

MOST_CALLS = 12
MOST_ROWS = 40
_NEAR = 3  # two cited stretches with fewer lines between them are shown as one


class Surroundings:
    """Makes the pages of what was mentioned; `targets` grows as pages are made."""

    def __init__(self, graph: CallGraph, mentions: Mentions) -> None:
        self._graph = graph
        self._mentions = mentions
        self._bindings = {
            number: _of_function(graph, function)
            for number, function in sorted(mentions.functions.items())
        }
        for rows in self._bindings.values():
            for row in rows:
                if row.table is not None:
                    mentions.tables[row.table.number] = row.table
        self.targets = Targets(
            slugs({number: found.id.name for number, found in mentions.functions.items()}),
            distinct(mentions.slots),
            slugs({number: found.id.name for number, found in mentions.tables.items()}),
        )

    def functions(self) -> Iterator[FunctionPage]:
        """The pages of functions, by number."""
        graph, mentions = self._graph, self._mentions
        for number, function in sorted(mentions.functions.items()):
            to = callers(graph, function, most=MOST_CALLS)[:MOST_CALLS]
            from_ = callees(graph, function)
            rows = self._bindings[number]
            self._cite((*to, *from_[:MOST_CALLS]), rows[:MOST_CALLS])
            yield FunctionPage(
                self.targets.functions[number], function, tuple(to),
                len(graph.callers_of(number)), tuple(from_[:MOST_CALLS]), len(from_),
                tuple(rows[:MOST_CALLS]), len(rows),
            )

    def _cite(self, hops: tuple[Hop, ...], rows: list[OpsRow]) -> None:
        for hop in hops:
            self._mentions.cited(hop)
        for row in rows:
            self._mentions.row(row)

    def slots(self) -> Iterator[SlotPage]:
        """The pages of slots (and other holders), by name."""
        graph = self._graph
        for name in sorted(self._mentions.slots):
            rows = _rows(graph, name)
            numbers = graph.sites_through(name)
            sites = [graph.site(number) for number in numbers[:MOST_ROWS]]
            self._cite((), rows[:MOST_ROWS])
            for site in sites:
                self._mentions.place(site.location)
            yield SlotPage(
                self.targets.slots[name], name, tuple(rows[:MOST_ROWS]), len(rows),
                tuple((graph.function(site.caller), site) for site in sites), len(numbers),
            )

    def tables(self) -> Iterator[TablePage]:
        """The pages of tables, by number."""
        for number, table in sorted(self._mentions.tables.items()):
            found = _rows(self._graph, table.id.name)
            rows = [row for row in found if row.table is not None and row.table.number == number]
            self._cite((), rows)
            self._mentions.place(table.location)
            installs = rows[0].installs if rows else ()
            yield TablePage(self.targets.tables[number], table, tuple(rows), installs)

    def sources(self, proofs: Proofs) -> Iterator[SourcePage]:
        """The pages of source files, by path, once all places are known."""
        places = self._mentions.places
        self.targets.sources.update(distinct(places))
        for path in sorted(places):
            excerpts = []
            for first, last in _stretches(places[path]):
                lines = proofs.lines(path, first, last, frozenset(places[path]))
                if lines:
                    excerpts.append(Excerpt(path, tuple(lines)))
            yield SourcePage(self.targets.sources[path], path, tuple(excerpts))


def _rows(graph: CallGraph, name: str) -> list[OpsRow]:
    try:
        return ops(graph, name)
    except LookupFailed:  # nothing binds it
        return []


def _of_function(graph: CallGraph, function: KnownFunction) -> list[OpsRow]:
    """The bindings of this function, not of others of its name."""
    return [
        row for row in _rows(graph, function.id.name)
        if isinstance(row.bound, KnownFunction) and row.bound.number == function.number
    ]


def _stretches(lines: dict[int, int]) -> list[tuple[int, int]]:
    """First and last lines to show, where `lines` gives cited lines and how much around them."""
    found: list[tuple[int, int]] = []
    for line, context in sorted(lines.items()):
        first, last = max(1, line - context), line + context
        if found and first <= found[-1][1] + _NEAR:
            found[-1] = (min(first, found[-1][0]), max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found
