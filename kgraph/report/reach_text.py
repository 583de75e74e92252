"""What reaches a place, as text and as JSON."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kgraph.model.location import Location
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import EntryVerdict, KnownFunction, PathAnswer, ReachAnswer
from kgraph.report.json import encode_function, encode_hop, encode_location
from kgraph.report.text import format_definition, format_paths

LineReader = Callable[[Location], str]
Reached = tuple[KnownFunction, tuple[str, ...]]


def format_reach(answer: ReachAnswer) -> Iterator[str]:
    """A line for each kind, and below it the way, or what keeps the answer open."""
    for verdict in answer.verdicts:
        yield f"{verdict.kind}: {verdict.verdict}{_describe_counts(verdict)}"
        if verdict.path is not None and verdict.entry is not None:
            lines = (format_paths(PathAnswer((verdict.path,))) if verdict.path.hops
                     else [f"{verdict.entry}() ({format_definition(verdict.entry)})"])
            yield from (f"  {line}" for line in lines)
        for check in verdict.checks:
            how = "guards the way" if check.is_guard else "is called on the way"
            yield f"  {check.function}() {how} ({check.location})"
        yield from (f"  {line}" for line in _describe_openness(verdict))


def _describe_counts(verdict: EntryVerdict) -> str:
    if not verdict.entries:
        return " (the index has no entry of this kind)"
    hops = verdict.path.hops if verdict.path is not None else ()
    later = sum(hop.kind is EdgeKind.DEFERRED for hop in hops)
    length = f"{len(hops)} calls, {later} of them deferred; " if later else (
        f"{len(hops)} calls; " if hops else "")
    return f" ({length}calls lead from {verdict.connected} of {verdict.entries} entries)"


def _describe_openness(verdict: EntryVerdict) -> Iterator[str]:
    if verdict.untried:
        yield f"no way from the nearest entries; {verdict.untried} others were not looked at"
    if verdict.is_stopped:
        yield "a search was given up"
    yield from (f"unresolved: {site.expression} ({site.location}): {site.reason}"
                for site in verdict.open_sites)
    more = verdict.open_count - len(verdict.open_sites)
    if more > 0:
        yield f"and {more} more unresolved calls"
    if verdict.by_request:
        yield "a deferred request without a known callee might lead there"
    if verdict.undefined:
        names = ", ".join(dict.fromkeys(map(str, verdict.undefined)))
        yield f"functions without a definition might lead there: {names}"


def format_reached(functions: Iterable[Reached]) -> Iterator[str]:
    """One function a line, its place first, then the kinds of entries."""
    return (f"{function.location}: {function}: {' '.join(kinds)}" for function, kinds in functions)


def encode_reach(answer: ReachAnswer, read_line: LineReader) -> dict[str, Any]:
    """The answer of `reach`."""
    return {
        "format": "kgraph-reach/1", "place": answer.place,
        "functions": [encode_function(each) for each in answer.targets],
        "entries": [_encode_verdict(each, read_line) for each in answer.verdicts],
    }


def _encode_verdict(verdict: EntryVerdict, read_line: LineReader) -> dict[str, Any]:
    return {
        "kind": verdict.kind, "verdict": verdict.verdict,
        "count": verdict.entries, "connected": verdict.connected,
        "entry": None if verdict.entry is None else encode_function(verdict.entry),
        "hops": [] if verdict.path is None else [
            encode_hop(hop, read_line) for hop in verdict.path.hops],
        "checks": [{"name": check.function, "guards": check.is_guard,
                    "site": encode_location(check.location, read_line)}
                   for check in verdict.checks],
        "open": {
            "sites": [encode_location(site.location, read_line) for site in verdict.open_sites],
            "count": verdict.open_count, "by_request": verdict.by_request,
            "undefined": [encode_function(each) for each in verdict.undefined],
            "untried": verdict.untried, "stopped": verdict.is_stopped},
    }


def encode_reached(functions: Sequence[Reached]) -> dict[str, Any]:
    """The answer of `reach --list`."""
    return {"format": "kgraph-reached/1", "count": len(functions),
            "functions": [{**encode_function(function), "kinds": list(kinds)}
                          for function, kinds in functions]}
