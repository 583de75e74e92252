"""What an answer to an agent looks like: status, counts, places, a page that is not too long."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from kgraph.model.ids import VMLINUX
from kgraph.model.location import Location
from kgraph.model.results import Finding, Frontier, Hop, KnownFunction, OpenCallers

MAX_CHARACTERS = 20_000  # of the items of an answer, as JSON
_MOST_EVIDENCE = 4
_MOST_SITES = 5
Item = dict[str, Any]
ReadLine = Callable[[Location], str]


class Answer(Struct, frozen=True, kw_only=True):
    """An answer. `status` says whether something was found, was proved not to be there, or could
    not be told, and `would_decide` what would decide it then. `complete`: nothing can be missing in
    this configuration but what is on further pages. `count` is the number of all items; with
    `truncated` ask again with `page` = `next_page`.
    """

    status: Literal["found", "proved none", "could not tell"]
    summary: str
    count: int
    complete: bool
    truncated: bool
    next_page: int | None
    items: list[Item]
    would_decide: list[str]
    remarks: list[str]
    warnings: list[str]
    index: dict[str, str]


class Draft(Struct, kw_only=True):
    """An answer before its page is cut. `encode` makes the record of one of `items`."""

    finding: Finding
    summary: str
    items: Sequence[Any] = ()
    encode: Callable[[Any], Item] = dict
    complete: bool = True
    would_decide: Iterable[str] = ()
    remarks: Iterable[str] = ()


Page = Annotated[int, Meta(ge=0, le=10_000_000, description="The `next_page` of an answer.")]
Limit = Annotated[int, Meta(ge=1, le=500, description="The most items of an answer.")]


def cut_page(
    draft: Draft, page: int, limit: int, warnings: Iterable[str], index: dict[str, str]
) -> Answer:
    """The answer with the items from number `page` on: at most `limit`, and as many as fit; at
    least one.
    """
    shown: list[Item] = []
    room = MAX_CHARACTERS - len("[]")
    for each in draft.items[page:page + limit]:
        item = _shorten(draft.encode(each))
        room -= len(msgspec.json.encode(item)) + len(",")
        if room < 0 and shown:
            break
        shown.append(item)
    end = page + len(shown)
    more = end < len(draft.items)
    return Answer(
        status=draft.finding.value, summary=draft.summary, count=len(draft.items),
        complete=draft.complete and draft.finding is not Finding.OPEN, truncated=more,
        next_page=end if more else None, items=shown,
        would_decide=list(draft.would_decide), remarks=list(draft.remarks),
        warnings=list(dict.fromkeys(warnings)), index=index)


def _shorten(item: Item) -> Item:
    """An item without what is empty."""
    return {name: value for name, value in item.items() if value not in (None, "", [], ())}


def describe_function(function: KnownFunction) -> Item:
    """A function: its place, and what tells it from others of its name."""
    place = function.location
    return _shorten({
        "name": function.id.name, "at": str(place) if place else None,
        "end_line": function.end_line or None, "static_in": function.id.scope,
        "image": function.id.image if function.id.image != VMLINUX else None,
        "alias_of": function.alias_of, "defined_by_macro": function.macro,
        "note": None if place else "called, but not defined in this configuration",
    })


def describe_end(function: KnownFunction) -> str:
    """A function as one text: `name (file:line)`."""
    return f"{function} ({function.location or 'not defined in this configuration'})"


def describe_hop(hop: Hop, read_line: ReadLine) -> Item:
    """A call: its ends, its place with the source line, and why it is believed."""
    more = len(hop.evidence) - _MOST_EVIDENCE
    evidence = [f"{item.role.value} {item.location} {item.holder}".rstrip()
                for item in hop.evidence[:_MOST_EVIDENCE]]
    return {
        "caller": describe_end(hop.caller), "callee": describe_end(hop.callee),
        "at": str(hop.site.location), "text": read_line(hop.site.location),
        "kind": hop.kind.value, "slot": hop.site.holder, "macro": hop.site.macro,
        "candidates": hop.candidates, "evidence": evidence,
        "more_evidence": more if more > 0 else None,
        "also_at": [str(place) for place in hop.sites[:_MOST_SITES]],
        "calls": len(hop.sites) + 1 if hop.sites else None,
    }


def list_open_calls(found: OpenCallers) -> list[str]:
    """What would decide whether further calls reach a function."""
    said = [f"what `{site.expression}` at {site.location} calls ({site.reason})"
            for site in found.unresolved]
    more = found.unresolved_count - len(found.unresolved)
    if more > 0:
        said.append(f"what {more} more unresolved calls can call")
    if found.undefined_count:
        said.append(f"the code of {found.undefined_count} functions that this index does not"
                    " define: index the whole tree, with the configuration that builds them")
    if found.by_request:
        said.append("what a deferred request without a known callback runs")
    if found.by_assembler:
        said.append("where assembler goes on to a stored function")
    return said


def list_gaps(frontier: Frontier) -> list[str]:
    """What would decide whether there is a path."""
    reach = frontier.forward
    said = list_open_calls(OpenCallers(
        reach.unresolved, reach.unresolved_count, reach.undefined_count,
        frontier.by_request, bool(frontier.assembler_stores)))
    if frontier.stopped_after:
        said.append(f"a longer search: this one stopped after {frontier.stopped_after} calls;"
                    " ask about a shorter way, or with `via`")
    if frontier.is_connected and not said:
        said.append("reading the code: calls lead there, but against what they fix before"
                    " (a table, key, number or context)")
    return said
