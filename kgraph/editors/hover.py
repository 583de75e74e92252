"""What an editor shows beside a word: what it means, what calls it, by what evidence."""

from collections.abc import Iterable, Iterator
from itertools import islice

from kgraph.graph import CallGraph
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import KnownFunction, KnownSite
from kgraph.query import find_callers
from kgraph.query.call_site import make_site_answer
from kgraph.query.neighbours import find_open_sites
from kgraph.query.symbol import (
    Symbol,
    find_bound_functions,
    find_candidates,
    find_slot_sites,
)
from kgraph.report.text import format_call_sites, format_definition, format_edges

_MOST_CALLERS = 12
_MOST_LINES = 24
_MOST_FUNCTIONS = 4


def format_hover(graph: CallGraph, symbol: Symbol) -> str:
    """The text for what stands at a place, in Markdown."""
    parts = [part for site in symbol.sites[:_MOST_FUNCTIONS]
             for part in _describe_site(graph, site)]
    parts += [part for function in symbol.functions[:_MOST_FUNCTIONS]
              for part in _describe_function(graph, function)]
    if not symbol.sites:
        parts += [part for slot in symbol.slots[:_MOST_FUNCTIONS]
                  for part in _describe_slot(graph, slot)]
        more = len(symbol.slots) - _MOST_FUNCTIONS
        if more > 0:
            parts.append(f"{more} more records have a field `{symbol.word}`")
    parts += [f"`{each.id.name}` ({each.type or 'object'}, {each.location or 'not defined here'})"
              for each in symbol.objects]
    parts += [f"macro `{symbol.word}` ({location})" for location in symbol.macros[:_MOST_FUNCTIONS]]
    return "\n\n".join(parts)


def _describe_site(graph: CallGraph, site: KnownSite) -> Iterator[str]:
    answer = make_site_answer(graph, site, tuple(find_candidates(graph, [site.number])))
    verdict = {SiteStatus.EMPTY: "proved to call nothing in this configuration",
               SiteStatus.UNRESOLVED: "kgraph could not tell what this calls"}.get(site.status)
    if verdict is not None:
        yield f"**{verdict}**"
    yield _quote(format_call_sites([answer]))


def _describe_function(graph: CallGraph, function: KnownFunction) -> Iterator[str]:
    callers = graph.callers_of(function.number)
    yield f"`{function}()` ({format_definition(function)}), called by {len(callers)} functions"
    hops = find_callers(graph, function, most=_MOST_CALLERS)
    if hops:
        more = len(callers) - _MOST_CALLERS
        rest = [f"and {more} more callers"] if more > 0 else []
        yield _quote([*format_edges(hops, callers=True), *rest])
    elif not graph.is_whole:
        yield "no call of it is in the index, which is not of the whole kernel"
    open_sites = find_open_sites(graph, function)
    unresolved = [each for each in open_sites if each.site.status is SiteStatus.UNRESOLVED]
    if unresolved:
        yield f"{len(unresolved)} of its calls through pointers are unresolved"


def _describe_slot(graph: CallGraph, slot: str) -> Iterator[str]:
    sites = graph.load_sites(find_slot_sites(graph, slot)[:_MOST_CALLERS])
    functions = find_bound_functions(graph, slot)
    yield (f"slot `{slot}`: {len(functions)} functions,"
           f" called at {len(find_slot_sites(graph, slot))} places")
    yield _quote([
        *(f"{site.location}: {graph.function(site.caller)}()  {site.expression}()"
          for site in sites),
        *(f"  {function}() ({format_definition(function)})" for function in functions)])


def _quote(lines: Iterable[str]) -> str:
    shown = list(islice(lines, _MOST_LINES + 1))
    if len(shown) > _MOST_LINES:
        shown[_MOST_LINES:] = ["..."]
    return "\n".join(("```text", *(line.replace("```", "'''") for line in shown), "```"))
