"""What stands at a place of a file that someone looks at: a function, a slot, a call, a macro.

The text may be newer than the index. Then lines have moved: a call counts only if the line still
has its expression, and names are looked up as they are.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from kgraph.graph import CallGraph
from kgraph.model.location import Location
from kgraph.model.resolution import EdgeKind, SiteStatus
from kgraph.model.results import Hop, KnownFunction, KnownObject, KnownSite

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RECORD = re.compile(r"(?:typedef\s+)?(?:struct|union)\s+(\w+)[^;()]*\{?\s*(?:/\*.*)?$", re.ASCII)
_FIELD_BEFORE = re.compile(r"(?:->|\.)\s*$")
_DIRECT = (EdgeKind.DIRECT, EdgeKind.ASM)
_MOST_LINES_ABOVE = 2000  # in which the record of a field is looked for
_MOST_SITES = 2000  # through one slot, whose candidates are joined


class Cursor(NamedTuple):
    """A place in a file of the tree: a line from 1, a column in characters from 0, and the lines of
    the file as they are now; `is_current` if they are those that were indexed."""

    path: str
    line: int
    column: int
    lines: Sequence[str]
    is_current: bool

    @property
    def text(self) -> str:
        """The line."""
        return self.lines[self.line - 1] if 0 < self.line <= len(self.lines) else ""


class Symbol(Struct, frozen=True):
    """What a word means. `sites` are the calls at the place that go through a pointer, or that
    request to run something later; `start` is the column of the word.
    """

    word: str
    start: int
    functions: tuple[KnownFunction, ...] = ()
    slots: tuple[str, ...] = ()
    sites: tuple[KnownSite, ...] = ()
    objects: tuple[KnownObject, ...] = ()
    macros: tuple[Location, ...] = ()


def find_symbol(graph: CallGraph, cursor: Cursor) -> Symbol | None:
    """What the word at a place means; None if there is no word, or the index does not have it."""
    found = next((word for word in _WORD.finditer(cursor.text)
                  if word.start() <= cursor.column <= word.end()), None)
    if found is None:
        return None
    word, start = found[0], found.start()
    sites = list(_find_sites(graph, cursor, word))
    later = [site for site in sites if _is_indirect(graph, site)]
    functions = _select_functions(graph, cursor, word, sites)
    is_call = any(site.status is not SiteStatus.DIRECT for site in later)
    slots = [site.holder for site in later if site.status is not SiteStatus.DIRECT and site.holder]
    is_field = bool(_FIELD_BEFORE.search(cursor.text[:start])) or bool(_find_record(cursor, word))
    if is_call or is_field:
        functions = []
    if not slots and not is_call and not functions:
        slots = _find_slots(graph, cursor, word)
    symbol = Symbol(
        word, start, tuple(functions), tuple(dict.fromkeys(slots)), tuple(later),
        () if functions or slots else tuple(graph.find_objects(word)),
        () if functions or slots
        else tuple(each.location for each in graph.find_macro_definitions(word)))
    is_known = symbol.functions or symbol.slots or symbol.sites or symbol.objects or symbol.macros
    return symbol if is_known else None


def find_candidates(graph: CallGraph, sites: Iterable[int]) -> list[Hop]:
    """What some call sites can call through a pointer or request to run later: of each callee the
    first call."""
    first: dict[int, int] = {}
    for site in sites:
        for edge in graph.edges_of(site):
            if graph.kind(edge) not in _DIRECT:
                first.setdefault(graph.edge_callee[edge], edge)
    graph.preload(first.values())
    return [graph.hop(edge, others=False) for edge in first.values()]


def find_slot_sites(graph: CallGraph, slot: str) -> list[int]:
    """The first call sites through a slot."""
    return graph.find_sites_through(slot)[:_MOST_SITES]


def find_bound_functions(graph: CallGraph, slot: str) -> list[KnownFunction]:
    """The functions that are put into a slot, or that calls through it can reach."""
    numbers = {row.function for row in graph.find_bindings_to_slot(slot)
               if row.function is not None}
    for site in find_slot_sites(graph, slot):
        edges = graph.edges_of(site)
        numbers.update(graph.edge_callee[edges.start:edges.stop])
    return graph.load_functions(numbers)


def _is_indirect(graph: CallGraph, site: KnownSite) -> bool:
    return site.status is not SiteStatus.DIRECT or any(
        graph.kind(edge) is EdgeKind.DEFERRED for edge in graph.edges_of(site.number))


def _find_sites(graph: CallGraph, cursor: Cursor, word: str) -> Iterator[KnownSite]:
    """The call sites at a place whose callee is written as a word, or that a macro hides."""
    if cursor.is_current:
        sites = graph.find_sites_at(cursor.path, cursor.line) + graph.find_sites_over(
            cursor.path, cursor.line)
    else:
        known = graph.find_sites_in(cursor.path)
        written = [site for site in known if site.expression in cursor.text]
        nearest = min((abs(site.location.line - cursor.line) for site in written), default=0)
        sites = [site for site in written
                 if abs(site.location.line - cursor.line) == nearest]
    for site in sites:
        words = _WORD.findall(site.expression)
        if word in (site.macro, words[-1] if words else ""):
            yield site


def _select_functions(
    graph: CallGraph, cursor: Cursor, word: str, sites: Iterable[KnownSite]
) -> list[KnownFunction]:
    """The functions that a word means: what is called at the place, else those of this file, else
    those that other files can call."""
    called = {graph.edge_callee[edge] for site in sites if site.status is SiteStatus.DIRECT
              for edge in graph.edges_of(site.number) if graph.kind(edge) in _DIRECT}
    named = [each for each in graph.find_functions(word) if each.location is not None]
    meant = [each for each in named if each.number in called]
    meant = meant or [each for each in named
                      if each.location is not None and each.location.path == cursor.path]
    return meant or [each for each in named if not each.id.scope] or named


def _find_slots(graph: CallGraph, cursor: Cursor, word: str) -> list[str]:
    """The slots with a field that is named so: the one that is bound or declared at the place, else
    all of them."""
    every = [slot for slot, _ in graph.count_bindings_to_fields(word)]
    here = graph.find_slots_bound_at(cursor.path, cursor.line) if cursor.is_current else []
    record = _find_record(cursor, word)
    if record:
        here = [f"{record}.{word}"]
    return [slot for slot in every if slot in here] or every


def _find_record(cursor: Cursor, word: str) -> str:
    """The record that declares a pointer `(*word)` at a place; "" if none does."""
    if not re.search(rf"\(\s*\*\s*(?:const\s+)?{word}\s*(?:\[\w*\]\s*)?\)", cursor.text):
        return ""
    for number in range(cursor.line - 2, max(cursor.line - _MOST_LINES_ABOVE, -1), -1):
        line = cursor.lines[number] if number < len(cursor.lines) else ""
        if line.startswith("}"):
            return ""
        found = _RECORD.match(line)
        if found is not None:
            return found[1]
    return ""
