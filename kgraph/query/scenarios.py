"""Applies a scenario as it is written (pins, via, avoid) to an index."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.logs import PackageLogger
from kgraph.model.document import Pin, Query, Scenario
from kgraph.query.lookup import find_function
from kgraph.query.pins import find_pinned_sites, find_pinned_table

_LOG = PackageLogger("kgraph.query")
_PATH_END = 1 << 30  # more stops than any path has


class SitePin(NamedTuple):
    """The only callees of a call site, on the part of a path where at least `first` and fewer than
    `last` of the functions to pass were passed. `table` is the number of the object that the pin
    puts into `slot`, None if it names a function.
    """

    callees: frozenset[int]
    first: int = 0
    last: int = _PATH_END
    table: int | None = None
    slot: str = ""


SitePins = dict[int, tuple[SitePin, ...]]


def resolve_pins(
    graph: CallGraph, pins: Iterable[Pin], stops: tuple[str, ...] = ()
) -> SitePins:
    """What pins leave to call sites. `stops` are the functions that the path passes, with its ends:
    a pin for a part of the path begins and ends at one of them.

    Raises LookupFailed for a pin that is not understood or that nothing supports; the message names
    the FILE:LINE of the pin.
    """
    found: SitePins = {}
    for pin in pins:
        try:
            resolved = dict(_resolve_pin(graph, pin, stops))
        except LookupFailed as error:
            if not pin.where:
                raise
            raise LookupFailed(f"{pin.where}: {error.message}", error.hint) from error
        _LOG.debug("pin %s holds at %d call sites", pin, len(resolved))
        for site, site_pin in resolved.items():
            found[site] = (*found.get(site, ()), site_pin)
    return found


def _resolve_pin(
    graph: CallGraph, pin: Pin, stops: tuple[str, ...]
) -> Iterator[tuple[int, SitePin]]:
    first = _find_stop(pin, pin.start, stops) if pin.start else 0
    last = _find_stop(pin, pin.end, stops) if pin.end else _PATH_END
    table = find_pinned_table(graph, pin)
    number = None if table is None else table.number
    for site, callees in find_pinned_sites(graph, pin).items():
        yield site, SitePin(callees, first, last, number, pin.slot)


def merge_site_pins(own: SitePins, others: SitePins) -> SitePins:
    """Both together. Where both concern a call on one part of the path, `own` counts."""
    found = dict(others)
    for site, first in own.items():
        left = list(others.get(site, ()))
        for pin in first:
            left = [part for other in left for part in _subtract_part(other, pin)]
        found[site] = (*first, *left)
    return found


def _subtract_part(pin: SitePin, other: SitePin) -> list[SitePin]:
    """What is left of a pin before and after the part of the path that another is for."""
    parts = ((pin.first, min(pin.last, other.first)), (max(pin.first, other.last), pin.last))
    return [pin._replace(first=first, last=last) for first, last in parts if first < last]


def _find_stop(pin: Pin, name: str, stops: tuple[str, ...]) -> int:
    if name not in stops:
        raise LookupFailed(
            f"the pin {pin} begins or ends at `{name}`, which the path need not pass",
            f"name one of {', '.join(stops)}, or add `{name}` to via",
        )
    return stops.index(name)


def find_function_numbers(graph: CallGraph, names: Iterable[str]) -> tuple[int, ...]:
    """The functions of these names. Raises LookupFailed for an unknown or ambiguous one."""
    return tuple(find_function(graph, name).number for name in names)


def restrict_scenario(query: Query, caller: str, callee: str) -> Scenario | None:
    """The part of a query's scenario between two functions; None if they are not on its path.

    The functions must be ends of the query or among the `via` of its scenario, in this order. Only
    pins and `via` between them are kept.
    """
    stops = [query.caller, *query.scenario.via, query.callee]
    if caller not in stops or callee not in stops:
        return None
    start = stops.index(caller)
    if callee not in stops[start + 1:]:
        return None
    end = stops.index(callee, start + 1)
    between = tuple(stops[start + 1:end])
    reached = {"", *stops[start:end + 1]}
    pins = tuple(
        Pin(pin.slot, pin.target, pin.start if pin.start in reached else "",
            pin.end if pin.end in reached else "")
        for pin in query.scenario.pins
        if not _is_outside(pin, stops, start, end)
    )
    return Scenario(query.name, pins, between, query.scenario.avoid, query.scenario.origin)


def _is_outside(pin: Pin, stops: list[str], start: int, end: int) -> bool:
    """Whether the part of the path that a pin is for lies outside stops[start] to stops[end]."""
    begins = stops.index(pin.start) if pin.start in stops else 0
    ends = stops.index(pin.end) if pin.end in stops else len(stops)
    return begins >= end or ends <= start
