"""The difference of two indexes as text and JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kgraph.model.comparison import (
    BindingChange,
    Change,
    Comparison,
    EdgeChange,
    FunctionChange,
    NameChange,
    WayComparison,
    WayStep,
)
from kgraph.model.location import Location
from kgraph.model.results import IndexDescription, KnownFunction
from kgraph.report.json import Record, encode_function, encode_place
from kgraph.report.text import format_section

if TYPE_CHECKING:
    from kgraph.api import WayResult

_SIGNS = {Change.GONE: "-", Change.NEW: "+"}
_FORMAT, _WAY_FORMAT = "kgraph-diff/1", "kgraph-way/1"


def format_comparison(
    found: Comparison, sides: tuple[IndexDescription, IndexDescription], most: int
) -> Iterator[str]:
    """The counts, then what differs: at most `most` of each kind."""
    yield from _format_sides(sides)
    counts = Counter(each.change for each in found.functions)
    yield (f"functions   {found.functions_before:,} -> {found.functions_after:,}:"
           f" {found.same:,} at their place, {counts[Change.MOVED]:,} moved,"
           f" {counts[Change.RENAMED]:,} renamed (guessed), {counts[Change.GONE]:,} gone,"
           f" {counts[Change.NEW]:,} new; {counts[Change.CHANGED]:,} with other parameters")
    yield (f"edges       {_count(found.edges)} between functions of both;"
           f" {found.with_functions:,} came or went with a function")
    yield f"bindings    {_count(found.bindings)}"
    yield f"slots       {_count(found.slots)}"
    yield f"deferred    {_count(found.deferred)} registered to run later"
    for change, title in (
            (Change.RENAMED, "renamed, guessed by body"), (Change.MOVED, "moved"),
            (Change.CHANGED, "other parameters"), (Change.GONE, "functions gone"),
            (Change.NEW, "functions new")):
        rows = [each for each in found.functions if each.change is change]
        if rows:
            yield from format_section(title, map(_format_function, rows), len(rows), most)
    for title, edges in (("edges", found.edges), ("bindings", found.bindings),
                         ("slots", found.slots), ("deferred", found.deferred)):
        if edges:
            yield from format_section(title, map(_format_change, edges), len(edges), most)


def _format_sides(sides: tuple[IndexDescription, IndexDescription]) -> Iterator[str]:
    for word, about in zip(("older", "newer"), sides, strict=True):
        yield f"{word:12}{about.release or about.tree}, {about.config or about.tree}"


def _count(changes: Sequence[EdgeChange | BindingChange | NameChange]) -> str:
    counts = Counter(each.change for each in changes)
    changed = f", {counts[Change.CHANGED]:,} changed" if counts[Change.CHANGED] else ""
    return f"{counts[Change.GONE]:,} gone, {counts[Change.NEW]:,} new{changed}"


def _format_function(each: FunctionChange) -> str:
    before, after = each.before, each.after
    if before is None or after is None:
        one = before or after
        assert one is not None
        return f"{_SIGNS[each.change]} {_name(one)}"
    if each.change is Change.CHANGED:
        return (f"{after}({', '.join(before.parameters)}) -> ({', '.join(after.parameters)})"
                f" ({after.location})")
    sure = f", {each.likeness:.0%} alike" if each.change is Change.RENAMED else ""
    return f"{_name(before)} -> {_name(after)}{sure}"


def _name(function: KnownFunction) -> str:
    return f"{function} ({function.location})"


def _format_change(each: EdgeChange | BindingChange | NameChange) -> str:
    sign = _SIGNS.get(each.change, "~")
    if isinstance(each, EdgeChange):
        kinds = (f"{', '.join(each.before)} -> {', '.join(each.after)}"
                 if each.change is Change.CHANGED else ", ".join(each.before or each.after))
        return f"{sign} {each.caller} -> {each.callee} [{kinds}] ({each.location})"
    if isinstance(each, BindingChange):
        table = f" in {each.table}" if each.table else ""
        return f"{sign} {each.slot} = {each.value or '?'}{table} ({each.location})"
    return f"{sign} {each.name}" + (f" [{each.kind}]" if each.kind else "")


def format_ways(found: WayComparison, sides: tuple[IndexDescription, IndexDescription]
                ) -> Iterator[str]:
    """Two ways side by side: each function with the places from which it is called."""
    yield from _format_sides(sides)
    for word, way, is_open in zip(
            ("older", "newer"), (found.before, found.after), found.is_open, strict=True):
        if way is None:
            yield f"the {word} index has no path" + (
                ", but calls that are not resolved might make one" if is_open else "")
    for step in found.steps:
        yield _format_step(step)
    for sign, way in (("-", found.before), ("+", found.after)):
        if way is not None and not found.steps:
            for hop in way.hops:
                yield f"{sign} {hop.caller} -> {hop.callee} ({hop.site.location})"


def _format_step(step: WayStep) -> str:
    if step.change is Change.GONE:
        return f"- {step.name}{_format_places(step.before)}"
    if step.change is Change.NEW:
        return f"+ {step.name}{_format_places(step.after)}"
    name = step.name if step.change is None else f"{step.was} -> {step.name}"
    return f"  {name}{_format_places(step.before, step.after)}"


def _format_places(*places: Location | None) -> str:
    known = [str(place) for place in places if place is not None]
    return f" ({' -> '.join(dict.fromkeys(known))})" if known else ""


def encode_comparison(
    found: Comparison, sides: tuple[IndexDescription, IndexDescription]
) -> Record:
    """Everything that differs."""
    return {
        "format": _FORMAT, **_encode_sides(sides),
        "counts": {"functions_before": found.functions_before,
                   "functions_after": found.functions_after, "same": found.same,
                   "edges_with_functions": found.with_functions},
        "functions": [{
            "change": each.change.value, "before": _encode(each.before),
            "after": _encode(each.after), "likeness": round(each.likeness, 3),
        } for each in found.functions],
        "edges": [{
            "change": each.change.value, "caller": encode_function(each.caller),
            "callee": encode_function(each.callee), "before": list(each.before),
            "after": list(each.after), "site": encode_place(each.location),
        } for each in found.edges],
        "bindings": [{
            "change": each.change.value, "slot": each.slot, "value": each.value,
            "table": each.table or None, "site": encode_place(each.location),
        } for each in found.bindings],
        "slots": [{"change": each.change.value, "slot": each.name} for each in found.slots],
        "deferred": [{"change": each.change.value, "kind": each.kind, "function": each.name}
                     for each in found.deferred],
    }


def encode_ways(
    result: "WayResult", sides: tuple[IndexDescription, IndexDescription]
) -> Record:
    """Two ways side by side."""
    found = result.ways
    return {
        "format": _WAY_FORMAT, **_encode_sides(sides),
        "paths": [way is not None for way in (found.before, found.after)],
        "open": list(found.is_open),
        "steps": [{
            "change": None if step.change is None else step.change.value, "name": step.name,
            "was": step.was or None, "before": encode_place(step.before),
            "after": encode_place(step.after),
        } for step in found.steps],
    }


def _encode_sides(sides: tuple[IndexDescription, IndexDescription]) -> Record:
    old, new = ({"tree": str(about.tree), "release": about.release, "config": str(about.config)}
                for about in sides)
    return {"before": old, "after": new}


def _encode(function: KnownFunction | None) -> Record | None:
    return None if function is None else encode_function(function)
