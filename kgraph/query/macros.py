"""Macros as names: what one stands for, where it is defined, and the calls that come through it.

A call site has the outermost macro that hides it. What comes through a macro by way of another one
(`pr_info` for `printk`) is found by the text of their definitions, and counts only if it is a call
that the macro itself makes elsewhere.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

from msgspec import Struct
from msgspec.structs import replace

from kgraph.graph import CallGraph, KnownMacroDefinition, MacroSite
from kgraph.model.ids import VMLINUX
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop, KnownFunction, KnownMacro

MACRO = "macro"  # the qualifier of `macro:memcpy`
_MAX_NAMED = 6
_MAX_TEXT = 120  # characters of a definition that a remark shows
_MAX_WAYS = 400  # macros by way of which another one is looked for
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class MacroUses(Struct, frozen=True):
    """A macro and the call sites that it hides; `ways` are the macros by way of which it hides
    some of them.
    """

    macro: KnownMacro
    sites: tuple[MacroSite, ...]
    ways: tuple[str, ...] = ()


def find_macro(graph: CallGraph, name: str) -> MacroUses | None:
    """The macro of this name; None if no file that units read defines it, and no call uses it."""
    definitions = graph.find_macro_definitions(name)
    own = graph.find_sites_of_macros([name])
    if not definitions and not own:
        return None
    calls = {_get_first_word(site) for site in own} or _find_words(graph, definitions)
    ways = _find_ways(graph, name)
    through = [site for site in graph.find_sites_of_macros(ways)
               if _get_first_word(site) in calls]
    best = min(definitions, key=lambda each: _rank(each, calls), default=None)
    macro = KnownMacro(name, None if best is None else best.location,
                       "" if best is None else best.text)
    used = {site.macro for site in through}
    sites = sorted((*own, *through), key=lambda site: site.number)
    return MacroUses(macro, tuple(sites), tuple(way for way in ways if way in used))


def has_calls_in(graph: CallGraph, uses: MacroUses, image: str) -> bool:
    """Whether a function of an image uses a macro."""
    callers = graph.load_functions({site.caller for site in uses.sites})
    return any(each.id.image == image for each in callers)


def find_macro_callees(graph: CallGraph, uses: MacroUses) -> list[KnownFunction]:
    """The functions that calls through a macro reach at once, those that most of them reach first;
    one of each name.
    """
    counts = Counter(graph.edge_callee[edge] for site in uses.sites
                     for edge in _find_immediate_edges(graph, site))
    known = {each.number: each for each in graph.load_functions(counts)}
    by_name: dict[str, KnownFunction] = {}
    for number, _ in counts.most_common():
        by_name.setdefault(known[number].id.name, known[number])
    return list(by_name.values())


def _find_immediate_edges(graph: CallGraph, site: MacroSite) -> list[int]:
    """The edges of a call site without those of what is called later."""
    return [edge for edge in graph.edges_of(site.number)
            if graph.kind(edge) is not EdgeKind.DEFERRED]


def iter_macro_callers(graph: CallGraph, uses: MacroUses) -> Iterator[Hop]:
    """One hop for each function that uses a macro: its first call there; the others are cited as
    its `sites`.
    """
    known = {each.number: each for each in graph.load_functions(
        {site.caller for site in uses.sites})}
    # A function of a header is once in each image that includes it: it is shown once.
    callers = sorted(known.values(), key=lambda each: each.id.image != VMLINUX)
    shown = {(each.id.name, each.location): each.number for each in reversed(callers)}
    first: list[tuple[int, list[int]]] = []
    for caller, group in groupby(uses.sites, key=lambda site: site.caller):
        sites = [site for site in group if _find_immediate_edges(graph, site)]
        if sites and shown[known[caller].id.name, known[caller].location] == caller:
            numbers = [site.number for site in sites]
            first.append((_find_immediate_edges(graph, sites[0])[0], numbers))
    every = sorted(number for _, numbers in first for number in numbers)
    places = dict(zip(every, graph.load_site_locations(every), strict=True))
    graph.preload(edge for edge, _ in first)
    for edge, numbers in first:
        others = dict.fromkeys(places[number] for number in numbers)
        yield replace(graph.hop(edge), sites=tuple(others)[1:])


def iter_macro_callees(graph: CallGraph, uses: MacroUses) -> Iterator[Hop]:
    """One hop for each function that calls through a macro reach: the first."""
    first: dict[int, int] = {}
    for site in uses.sites:
        for edge in _find_immediate_edges(graph, site):
            first.setdefault(graph.edge_callee[edge], edge)
    graph.preload(first.values())
    for edge in first.values():
        yield replace(graph.hop(edge), sites=())


def describe_macro(graph: CallGraph, uses: MacroUses) -> tuple[str, ...]:
    """Remarks: what a macro stands for, and what it calls."""
    macro = uses.macro
    where = f" ({macro.location})" if macro.location else ""
    text = macro.text if len(macro.text) <= _MAX_TEXT else f"{macro.text[:_MAX_TEXT]} ..."
    remarks = [f"`{macro}` is a macro{where}" + (f": #define {text}" if text else "")]
    callees = [str(each) for each in find_macro_callees(graph, uses)]
    if callees:
        remarks.append(f"calls that come through it reach {_list(callees)}")
    else:
        remarks.append("no call comes through it")
    if uses.ways:
        remarks.append(f"some come by way of {_list(uses.ways)}")
    return tuple(remarks)


def find_meant_function(graph: CallGraph, uses: MacroUses) -> KnownFunction | None:
    """The function that a macro stands for: all calls through it call this one, by its name."""
    callees = find_macro_callees(graph, uses)
    kinds = {graph.kind(edge) for site in uses.sites for edge in _find_immediate_edges(graph, site)}
    return callees[0] if len(callees) == 1 and kinds == {EdgeKind.DIRECT} else None


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:_MAX_NAMED]) + more


def _get_first_word(site: MacroSite) -> str:
    found = _WORD.search(site.expression)
    return found[0] if found else ""


def _find_words(graph: CallGraph, definitions: Iterable[KnownMacroDefinition]) -> set[str]:
    """The words of some definitions, and of those of the macros that they mention, and so on."""
    found: set[str] = set()
    worklist = list(definitions)
    while worklist and len(found) < _MAX_WAYS:
        words = set(_WORD.findall(worklist.pop().text)) - found
        found |= words
        worklist += chain.from_iterable(map(graph.find_macro_definitions, sorted(words)))
    return found


def _find_ways(graph: CallGraph, name: str) -> list[str]:
    """The macros whose definitions lead to one, in however many steps, the nearest first."""
    found, layer = [name], [name]
    while layer and len(found) < _MAX_WAYS:
        following = chain.from_iterable(map(graph.find_macros_mentioning, layer))
        layer = [each for each in dict.fromkeys(following) if each not in found]
        found += layer
    return found[1:]


def _rank(definition: KnownMacroDefinition, calls: Iterable[str]) -> tuple[bool, bool]:
    """What makes one definition of a macro likelier than another: it mentions what is called; it
    stands where all can include it."""
    words = set(_WORD.findall(definition.text))
    return words.isdisjoint(calls), not definition.location.path.startswith("include/")
