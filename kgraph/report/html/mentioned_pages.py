"""Makes the pages of everything that answers mention: functions, slots, tables, cited source."""

from collections.abc import Iterator

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.results import Hop, KnownFunction, OpsRow
from kgraph.query import find_bindings, find_callees, find_callers
from kgraph.report.html.links import PageNames, make_file_names, make_own_names
from kgraph.report.html.pages import Excerpt, FunctionPage, SlotPage, SourcePage, TablePage
from kgraph.report.html.proofs import Mentions, ProofMaker

MAX_CALLS = 12
MAX_ROWS = 40
MAX_LINES = 400  # of a function
_NEAR = 3  # stretches with at most this many lines between them are shown as one


class MentionedPages:
    """Makes the pages of what was mentioned. `page_names` grows as pages are made."""

    def __init__(self, graph: CallGraph, mentions: Mentions) -> None:
        self._graph = graph
        self._mentions = mentions
        self._bindings = {
            number: _find_bindings(graph, function)
            for number, function in sorted(mentions.functions.items())
        }
        for rows in self._bindings.values():
            for row in rows:
                if row.table is not None:
                    mentions.tables[row.table.number] = row.table
        self.page_names = PageNames(
            make_file_names(
                {number: found.id.name for number, found in mentions.functions.items()}
            ),
            make_own_names(mentions.slots),
            make_file_names({number: found.id.name for number, found in mentions.tables.items()}),
        )

    def iter_functions(self, proofs: ProofMaker) -> Iterator[FunctionPage]:
        """The pages of functions, by number."""
        graph, mentions = self._graph, self._mentions
        for number, function in sorted(mentions.functions.items()):
            callers = find_callers(graph, function, most=MAX_CALLS)[:MAX_CALLS]
            callees = find_callees(graph, function)
            rows = self._bindings[number]
            self._cite((*callers, *callees), rows[:MAX_CALLS])
            for hop in callees:
                mentions.add_location(hop.callee.location)
            source, hidden = _make_source(proofs, function, callees)
            yield FunctionPage(
                self.page_names.functions[number], function, source, hidden, tuple(callers),
                len(graph.callers_of(number)), tuple(callees), tuple(rows[:MAX_CALLS]), len(rows),
            )

    def _cite(self, hops: tuple[Hop, ...], rows: list[OpsRow]) -> None:
        for hop in hops:
            self._mentions.add_citations(hop)
        for row in rows:
            self._mentions.add_row(row)

    def iter_slots(self) -> Iterator[SlotPage]:
        """The pages of slots (and other holders), by name."""
        graph = self._graph
        for name in sorted(self._mentions.slots):
            rows = _find_rows(graph, name)
            numbers = graph.find_sites_through(name)
            sites = [graph.site(number) for number in numbers[:MAX_ROWS]]
            self._cite((), rows[:MAX_ROWS])
            for site in sites:
                self._mentions.add_location(site.location)
            yield SlotPage(
                self.page_names.slots[name], name, tuple(rows[:MAX_ROWS]), len(rows),
                tuple((graph.function(site.caller), site) for site in sites), len(numbers),
            )

    def iter_tables(self) -> Iterator[TablePage]:
        """The pages of tables, by number."""
        for number, table in sorted(self._mentions.tables.items()):
            found = _find_rows(self._graph, table.id.name)
            rows = [row for row in found if row.table is not None and row.table.number == number]
            self._cite((), rows)
            self._mentions.add_location(table.location)
            installs = rows[0].installs if rows else ()
            yield TablePage(self.page_names.tables[number], table, tuple(rows), installs)

    def iter_sources(self, proofs: ProofMaker) -> Iterator[SourcePage]:
        """The pages of source files, by path. Call it last: every other page cites source."""
        cited = self._mentions.locations
        self.page_names.sources.update(make_own_names(cited))
        for path in sorted(cited):
            excerpts = []
            for first, last in _join_lines(cited[path]):
                lines = proofs.read_lines(path, first, last, frozenset(cited[path]))
                if lines:
                    excerpts.append(Excerpt(path, tuple(lines)))
            yield SourcePage(self.page_names.sources[path], path, tuple(excerpts))


def _make_source(
    proofs: ProofMaker, function: KnownFunction, callees: list[Hop]
) -> tuple[Excerpt, int]:
    """The source of a function, its calls marked, and how many further lines it has."""
    place = function.location
    if place is None:
        return Excerpt("", ()), 0
    last = max(function.end_line, place.line)
    shown = min(last, place.line + MAX_LINES - 1)
    calls = frozenset(location.line for hop in callees
                      for location in (hop.site.location, *hop.sites)
                      if location.path == place.path)
    lines = proofs.read_lines(place.path, place.line, shown, calls)
    return Excerpt(place.path, tuple(lines)), last - shown if lines else 0


def _find_rows(graph: CallGraph, name: str) -> list[OpsRow]:
    try:
        return find_bindings(graph, name)
    except LookupFailed:  # nothing binds it
        return []


def _find_bindings(graph: CallGraph, function: KnownFunction) -> list[OpsRow]:
    """The bindings of this function, not of others of its name."""
    return [
        row for row in _find_rows(graph, function.id.name)
        if isinstance(row.bound, KnownFunction) and row.bound.number == function.number
    ]


def _join_lines(lines: dict[int, int]) -> list[tuple[int, int]]:
    """First and last lines of what to show; `lines` are cited lines, each with its context."""
    found: list[tuple[int, int]] = []
    for line, context in sorted(lines.items()):
        first, last = max(1, line - context), line + context
        if found and first <= found[-1][1] + _NEAR:
            found[-1] = (min(first, found[-1][0]), max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found
