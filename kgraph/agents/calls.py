"""Tools about the calls of a function, of a place, and through a slot."""

from collections import Counter

from kgraph.agents.answers import Draft, Item, describe_end, list_open_calls
from kgraph.agents.names import FunctionTool
from kgraph.agents.tool import Asked, Name, Tool
from kgraph.errors import LookupFailed
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import Finding, Hop, KnownFunction, KnownObject, OpsRow, SiteAnswer

_MOST_SITES = 200  # calls through a slot


class FindCallers(FunctionTool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who calls a function: direct calls, calls through pointers, and calls that are registered and
    run later (`kind` deferred). For a macro: who uses it.
    """

    name_of_tool = "find_callers"

    def answer_for(self, asked: Asked, name: str) -> Draft:
        from kgraph.query.paths.no_path import find_open_callers

        found = asked.index.callers(name)
        hops, function = found.hops, found.function
        gaps: list[str] = []
        if isinstance(function, KnownFunction):
            gaps = list_open_calls(find_open_callers(asked.index.graph, function.number))
            if not asked.index.graph.is_whole and (
                    not function.id.scope or function.address_taken):
                gaps.append("the units of the tree that were not indexed")
        kinds = Counter(hop.kind.value for hop in hops)
        said = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none known"
        none = Finding.OPEN if gaps else Finding.NONE
        return Draft(
            finding=Finding.FOUND if hops else none, summary=f"callers of {function}: {said}",
            items=hops, encode=asked.hop, complete=not gaps, would_decide=gaps,
            remarks=found.remarks)


class FindCalls(FunctionTool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a function calls, in the order of its lines; each candidate of a call through a pointer
    is an item. Calls without a callee are in the remarks: proved empty, or unresolved.
    """

    name_of_tool = "find_calls"

    def answer_for(self, asked: Asked, name: str) -> Draft:
        found = asked.index.callees(name)
        function = found.function
        gaps = [f"what `{each.site.expression}` at {each.site.location} calls"
                f" ({each.site.reason}; {each.by_type} functions have its type)"
                for each in found.open_sites if each.site.status is SiteStatus.UNRESOLVED]
        if isinstance(function, KnownFunction) and function.location is None:
            gaps.append("a configuration that defines it")
        empty = [f"`{each.site.expression}` at {each.site.location} is proved to call nothing in"
                 " this configuration"
                 for each in found.open_sites if each.site.status is SiteStatus.EMPTY]
        none = Finding.OPEN if gaps else Finding.NONE
        return Draft(
            finding=Finding.FOUND if found.hops else none,
            summary=f"{function} makes {len(found.hops)} calls, {len(gaps)} more are unresolved",
            items=found.hops, encode=asked.hop, complete=not gaps, would_decide=gaps,
            remarks=[*found.remarks, *empty])


class FindCandidates(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a call through a pointer can call. `at` is FILE:LINE, a function (all its calls), or a
    slot such as net_device_ops.ndo_start_xmit (all calls through it).
    """

    name_of_tool = "find_candidates"
    at: Name

    def answer(self, asked: Asked) -> Draft:
        sites = self._find_sites(asked)
        items = [(site, hop) for site in sites for hop in site.candidates or (None,)]
        unresolved = [each for each in sites if each.site.status is SiteStatus.UNRESOLVED]
        gaps = [f"what `{each.site.expression}` at {each.site.location} holds ({each.site.reason};"
                f" {each.by_type} functions have its type)" for each in unresolved]
        hops = sum(len(each.candidates) for each in sites)
        none = Finding.OPEN if gaps else Finding.NONE
        return Draft(
            finding=Finding.FOUND if hops else none,
            summary=f"{len(sites)} calls with {hops} candidates; {len(unresolved)} unresolved",
            items=items, complete=not gaps, would_decide=gaps,
            encode=lambda item: _describe_candidate(asked, *item))

    def _find_sites(self, asked: Asked) -> list[SiteAnswer]:
        graph = asked.index.graph
        numbers = graph.find_sites_through(self.at) if "." in self.at else []
        if not numbers:
            return asked.index.site(self.at)
        return [each for number in numbers[:_MOST_SITES] for each in _answer_site(asked, number)]


def _answer_site(asked: Asked, number: int) -> list[SiteAnswer]:
    site = asked.index.graph.site(number)
    place = f"{site.location.path}:{site.location.line}:{site.location.column}"
    return [each for each in asked.index.site(place) if each.site.number == number]


def _describe_candidate(asked: Asked, site: SiteAnswer, hop: Hop | None) -> Item:
    if hop is not None:
        record = asked.hop(hop)
        del record["text"]  # the same for each candidate
        return {"site_status": site.site.status.value, **record}
    return {
        "site_status": site.site.status.value, "caller": describe_end(site.caller),
        "at": str(site.site.location), "text": asked.text.read_line(site.site.location),
        "expression": site.site.expression, "slot": site.site.holder, "reason": site.site.reason,
        "proof": [f"{item.role.value} {item.location}" for item in site.proof[:5]],
        "functions_of_its_type": site.by_type,
    }


class FindRegistrations(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is put into a slot (record.field, or a field that one record has), a table or a record;
    or where a function is registered. With where the table is installed.
    """

    name_of_tool = "find_registrations"
    name: Name

    def answer(self, asked: Asked) -> Draft:
        try:
            rows = asked.index.ops(self.name)
        except LookupFailed as failed:
            return Draft(
                finding=Finding.OPEN, summary=failed.message, remarks=[failed.hint],
                would_decide=[("the full name of the slot or table; symbol_exists tells whether"
                              " there is one")])
        if not rows:
            return self._explain_none(asked)
        gaps = [] if all(row.is_complete for row in rows) else [
            "copies that kgraph could not follow"]
        if not asked.index.graph.is_whole:
            gaps.append("the units of the tree that were not indexed")
        return Draft(
            finding=Finding.FOUND, summary=f"{len(rows)} registrations", items=rows,
            encode=_describe_row, complete=not gaps, would_decide=gaps)

    def _explain_none(self, asked: Asked) -> Draft:
        """The answer about a function that no slot or table has."""
        taken = asked.index.function(self.name).address_taken
        return Draft(
            finding=Finding.OPEN if taken else Finding.NONE,
            summary=f"no slot or table has {self.name}",
            would_decide=["find_callers: its address is taken, and may be handed on as an argument"]
            if taken else ())


def _describe_row(row: OpsRow) -> Item:
    bound = row.bound.location
    return {
        "slot": row.slot, "table": row.table.id.name if row.table else None,
        "bound": f"{row.bound.id.name} ({bound})" if bound else row.bound.id.name,
        "is_object": True if isinstance(row.bound, KnownObject) else None,
        "at": str(row.location),
        "installed": [f"{each.holder} at {each.location}" for each in row.installs[:5]],
        "installs": len(row.installs) if len(row.installs) > 5 else None,
    }
