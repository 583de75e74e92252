"""Answers as text for people. Each function yields lines; nothing is printed here.

A path reads like the call chains that people write: a tree with one function a line, indented
by `|-`, each with the citation of its call to the next. A call through a pointer has a line of
its own: the expression, and behind `//` the callee, the slot, the candidate count and the
evidence.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from kgraph.model.document import Pin, Scenario
from kgraph.model.ids import VMLINUX
from kgraph.model.location import Extent, Guard
from kgraph.model.resolution import REFERENCE_RULE, EdgeKind, Evidence, Role, SiteStatus
from kgraph.model.results import (
    Contradiction,
    Frontier,
    Hop,
    Install,
    KnownFunction,
    KnownSite,
    NamedThing,
    OpsRow,
    Path,
    PathAnswer,
    Reach,
    RequiredAnswer,
    SiteAnswer,
    WhyNot,
)

if TYPE_CHECKING:
    from kgraph.query.pins import RowPartner

ConditionText = Callable[[Extent], str]
_DIRECT = (EdgeKind.DIRECT, EdgeKind.ASM)


def format_paths(answer: PathAnswer, guards: ConditionText | None = None) -> Iterator[str]:
    """The paths with empty lines between them, or why there is none.

    Where `guards` gives the texts of conditions, those around each call are shown.
    """
    for number, path in enumerate(answer.paths):
        if number:
            yield ""
        yield from _format_path(path, guards)
    if answer.frontier is not None:
        yield from format_frontier(answer.frontier)


def format_row_partner(partner: "RowPartner") -> str:
    """A sentence: which pin goes with a given one, and the row that has both."""
    return f"{partner.table} ({partner.location}) holds {partner.pin} beside {partner.given_pin}"


def format_other_paths(answer: PathAnswer, count: int) -> str:
    """How many ways there are besides the `count` that were asked for; "" for none."""
    if answer.others:
        ways = "ways" if answer.others > 1 else "way"
        return f"{format_other_count(answer)} other {ways} (-k {count + 1} shows the next)"
    if not answer.others_at_least:
        return ""
    shown = len(answer.paths)
    return f"{shown} way{'s' if shown > 1 else ''} shown; there may be more"


def format_other_count(answer: PathAnswer) -> str:
    """How many other paths there are, as a number or a lower bound; "" for none."""
    if not answer.others:
        return ""
    return f"at least {answer.others}" if answer.others_at_least else str(answer.others)


def format_scenario(scenario: Scenario) -> str:
    """A scenario on one line; "" if it restricts nothing."""
    parts = [f"{pin.slot}={pin.target}{_format_pin_range(pin)}" for pin in scenario.pins]
    parts += [f"via {name}" for name in scenario.via]
    parts += [f"avoid {name}" for name in scenario.avoid]
    return ", ".join(parts)


def _format_pin_range(pin: Pin) -> str:
    """The part of the path on which a pin holds; "" for all of it."""
    ends = [f"{word} {name}" for word, name in (("from", pin.start), ("to", pin.end)) if name]
    return f" ({' '.join(ends)})" if ends else ""


def _format_guard(guard: Guard, condition: ConditionText) -> str:
    text = " ".join(condition(guard.extent).split()) or "the condition there"
    return f"{'only if' if guard.holds else 'not if'} {text} ({guard.extent})"


def format_guards(site: KnownSite, condition: ConditionText) -> Iterator[str]:
    """The conditions around a call, a line each."""
    if site.may_have_more_guards:
        yield f"the innermost {len(site.guards)} conditions; there may be more around them:"
    for guard in site.guards:
        yield _format_guard(guard, condition)


def _format_path(path: Path, guards: ConditionText | None) -> Iterator[str]:
    depth = 0
    for number, hop in enumerate(path.hops):
        yield _indent(depth, f"{hop.caller}() ({hop.site.location}){_format_macro_or_asm(hop)}")
        depth += 1
        if guards is not None:
            for line in format_guards(hop.site, guards):
                yield "  " * depth + f"// {line}"
        if hop.kind not in _DIRECT:
            yield _indent(depth, f"{hop.site.expression}()  // {_format_indirect(hop)}")
            depth += 1
        if number == len(path.hops) - 1:
            yield _indent(depth, f"{hop.callee}() ({format_definition(hop.callee)})")


def _indent(depth: int, text: str) -> str:
    return text if not depth else "  " * (depth - 1) + "|-" + text


def _format_macro_or_asm(hop: Hop) -> str:
    """What the line itself does not show: the macro that the call is in, that assembler calls."""
    macro = f"in {hop.site.macro}" if hop.site.macro else ""
    if hop.kind is not EdgeKind.ASM:
        return f"  // {macro}" if macro else ""
    done = "referenced from" if hop.site.rule == REFERENCE_RULE else "called by"
    return f"  // {done} assembler{f', {macro}' if macro else ''}"


def format_definition(function: KnownFunction) -> str:
    """Where a function is defined."""
    return str(function.location) if function.location else "not defined in the index"


def _format_indirect(hop: Hop) -> str:
    """What an indirect call calls here, through what, and the evidence."""
    deferred = hop.kind is EdgeKind.DEFERRED
    if hop.kind is EdgeKind.TYPE:
        return f"{hop.callee} by its type alone, one of {hop.candidates}"
    parts = [
        f"i.e. {hop.callee}: {_format_deferred_key(hop) if deferred else hop.site.holder}",
        _format_candidate_count(hop.candidates),
        _format_evidence(hop.evidence, deferred=deferred),
    ]
    return ", ".join(part for part in parts if part)


def format_short_note(hop: Hop) -> str:
    """What a call goes through, without its evidence; "" for a plain call."""
    if hop.kind in _DIRECT:
        return _format_macro_or_asm(hop).strip().removeprefix("// ")
    if hop.kind is EdgeKind.TYPE:
        return f"by its type alone, one of {hop.candidates}"
    deferred = hop.kind is EdgeKind.DEFERRED
    through = _format_deferred_key(hop) if deferred else hop.site.holder
    return ", ".join(
        part for part in (through, _format_candidate_count(hop.candidates)) if part)


def format_long_note(hop: Hop) -> str:
    """What a call goes through, with its evidence; "" for a plain call."""
    note = format_short_note(hop)
    if hop.kind in _DIRECT or hop.kind is EdgeKind.TYPE:
        return note
    evidence = _format_evidence(hop.evidence, deferred=hop.kind is EdgeKind.DEFERRED)
    return ", ".join(filter(None, (note, evidence)))


def _format_deferred_key(hop: Hop) -> str:
    """The key under which a deferred call was registered."""
    return f"deferred, {hop.evidence[0].holder}" if hop.evidence else "deferred"


def _format_candidate_count(candidates: int) -> str:
    return "the only candidate" if candidates == 1 else f"1 of {candidates} candidates"


_ROLE_PHRASES = {
    Role.BINDING: "bound at", Role.FLOW: "copied at", Role.INSTALL: "installed at",
    Role.ARGUMENT: "passed at", Role.RETURN: "returned at", Role.OVERLAY: "overlaid at",
}


def _format_evidence(evidence: Iterable[Evidence], *, deferred: bool = False) -> str:
    return ", ".join(
        f"{'registered at' if deferred and not number else _ROLE_PHRASES[item.role]}"
        f" {item.location}"
        for number, item in enumerate(evidence)
    )


def format_section(title: str, lines: Iterable[str], count: int, most: int) -> Iterator[str]:
    """A title with a count, and below it the first `most` of so many lines."""
    yield ""
    yield f"{title} ({count:,})"
    for number, line in enumerate(lines):
        if number >= most:
            yield f"  ... {count - most:,} more"
            return
        yield f"  {line}"


def format_contradiction(found: Contradiction) -> str:
    """A remark: which path is left out, and why."""
    hop = found.hop
    return (f"a path of {len(found.path.hops)} calls is left out:"
            f" {hop.caller} calls {hop.callee} ({hop.site.location}), but {found.reason}"
            f"{'' if found.is_certain else ', unless another object is meant'}"
            " (--no-prune shows it)")


def format_absence(found: WhyNot) -> Iterator[str]:
    """Why the path that is shown does not pass a function."""
    if found.is_passed:
        yield f"the path passes {found.function}"
        return
    if found.path is None:
        yield f"no path passes {found.function}"
        return
    names = " -> ".join([str(found.path.hops[0].caller),
                         *(str(hop.callee) for hop in found.path.hops)])
    if found.contradiction is not None:
        hop = found.contradiction.hop
        yield (f"a path over {found.function} cannot happen: {hop.caller} calls {hop.callee}"
               f" ({hop.site.location}), but {found.contradiction.reason}")
        yield f"  {names}"
        return
    yield f"the path over {found.function} is dearer by {found.more_hops} hops"
    yield f"  {names}"
    for dear in found.dear:
        why = _describe_price(dear.hop)
        yield (f"  {dear.hop.caller} calls {dear.hop.callee} ({dear.hop.site.location}):"
               f" worth {dear.cost} hops{': ' if why else ''}{why}")


def _describe_price(hop: Hop) -> str:
    """What makes a hop dear, as far as its record tells."""
    parts = []
    if hop.candidates > 1:
        parts.append(f"1 of {hop.candidates} candidates")
    if hop.kind is EdgeKind.DEFERRED:
        parts.append("deferred")
    if hop.site.guards:
        count = len(hop.site.guards)
        parts.append(f"{count} condition{'s' if count > 1 else ''}")
    if hop.site.macro:
        parts.append(f"in {hop.site.macro}")
    return ", ".join(parts)


def format_frontier(frontier: Frontier) -> Iterator[str]:
    """Why there is no path."""
    if frontier.stopped_after:
        yield (f"no path found from {frontier.caller} to {frontier.callee}: stopped looking after"
               f" {frontier.stopped_after} calls")
    else:
        yield f"no path from {frontier.caller} to {frontier.callee}"
    yield f"  {frontier.caller} reaches {_format_reach(frontier.forward)}"
    yield f"  {frontier.callee} is reached from {_format_reach(frontier.backward)}"
    if frontier.assembler_entries:
        entries = ", ".join(map(_format_with_place, frontier.assembler_entries))
        yield f"  {frontier.callee} is entered from assembler only: {entries}"
    if frontier.is_connected and not frontier.stopped_after:
        yield ("  calls lead from one to the other, but only in too many hops, or against what the"
               " path has fixed: another callback, number, key, table or context")
    for site in frontier.forward.unresolved:
        yield f"  unresolved: {site.expression} ({site.location}): {site.reason}"
    more = frontier.forward.unresolved_count - len(frontier.forward.unresolved)
    if more > 0:
        yield f"  and {more} more unresolved calls"
    if frontier.by_request:
        yield "  undecided: a deferred request without a known callee might make a path"
    if frontier.by_type:
        yield "  undecided: unresolved calls might make a path; --types shows it"
    for store in frontier.assembler_stores:
        yield (f"  undecided: assembler goes on to {store.function}, which {store.holder} gets"
               f" ({store.location})")
    if frontier.by_undefined:
        yield f"  undecided: {_format_undefined(frontier.forward)}"


def format_required(result: RequiredAnswer) -> Iterator[str]:
    """What every path passes, a function a line, or why there is none."""
    if result.frontier is not None:
        yield from format_frontier(result.frontier)
    for each in result.functions:
        doubt = "" if each.is_certain else "  ? an unresolved call might lead around it"
        yield f"{_format_with_place(each.function)}{doubt}"


def _format_undefined(reach: Reach) -> str:
    """A sentence: which functions without a definition keep the answer open."""
    names = ", ".join(dict.fromkeys(map(str, reach.undefined)))  # twins in several images
    count = reach.undefined_count
    if count == 1:
        return f"{names}, which has no definition in the index, might make a path"
    nearest = f"; the nearest: {names}" if count > len(reach.undefined) else f": {names}"
    return f"{count} functions without a definition in the index might make a path{nearest}"


def _format_with_place(function: KnownFunction) -> str:
    return f"{function} ({format_definition(function)})"


def _format_reach(reach: Reach) -> str:
    others = reach.functions - 1
    if not others:
        return "no other function"
    names = ", ".join(map(_format_with_place, reach.deepest))
    return f"{others} other function{'s' if others > 1 else ''}; the farthest: {names}"


def format_edges(hops: Iterable[Hop], *, callers: bool) -> Iterator[str]:
    """One edge a line, its call site first."""
    for hop in hops:
        function = hop.caller if callers else hop.callee
        line = f"{hop.site.location}: "
        line += f"{function}()" if callers else f"{hop.caller}() -> {function}()"
        if hop.kind not in _DIRECT:
            line += f"  {hop.site.expression}()  // {_format_indirect(hop)}"
        else:
            line += _format_macro_or_asm(hop)
        if hop.sites:
            line += f"  also {', '.join(map(str, hop.sites))}"
        yield line


def format_names(found: Iterable[NamedThing]) -> Iterator[str]:
    """One name a line, its place first."""
    for each in found:
        if each.location is None:
            yield f"{each.kind} {each.name}, {each.bindings} bindings"
            continue
        image = f" of {each.image}" if each.image not in ("", VMLINUX) else ""
        type_ = f" ({each.type})" if each.type else ""
        yield f"{each.location}: {each.kind} {each.name}{type_}{image}"


def _format_requests(answer: SiteAnswer) -> Iterator[str]:
    """The requests of a call site to run something later that have no callee."""
    for request in answer.requests:
        requested = f" {request.requested}" if request.requested else ""
        yield f"  requests {request.kind}{requested} without a known callee: {request.reason}"


def format_call_sites(answers: Sequence[SiteAnswer]) -> Iterator[str]:
    """Each call site with its candidates and their evidence."""
    for answer in answers:
        if answer.site.status is SiteStatus.DIRECT and answer.candidates:
            yield from _format_direct_site(answer)
        else:
            yield from _format_indirect_site(answer)


def _format_direct_site(answer: SiteAnswer) -> Iterator[str]:
    for hop in answer.candidates:
        line = f"{answer.site.location}: {answer.caller}() -> {hop.callee}()"
        line += f" ({format_definition(hop.callee)})"
        if hop.kind is EdgeKind.ASM:
            line += _format_macro_or_asm(hop)
        if hop.kind is EdgeKind.DEFERRED:
            line += f"  // {_format_indirect(hop)}"
        yield line
    yield from _format_requests(answer)


def _format_indirect_site(answer: SiteAnswer) -> Iterator[str]:
    site = answer.site
    head = f"{site.location}: {answer.caller}(): {site.expression}() through {site.holder or '?'}"
    if site.status is SiteStatus.RESOLVED:
        yield f"{head}, {len(answer.candidates)} candidates"
    else:
        by_type = f", {answer.by_type} functions have its type" if answer.by_type else ""
        yield f"{head}, {site.status}: {site.reason}{by_type}"
        yield from (f"  {_ROLE_PHRASES[item.role]} {item.location} in {item.holder}: no function"
                    for item in answer.proof)
    yield from _format_requests(answer)
    for hop in answer.candidates:
        yield f"  {hop.callee}() ({format_definition(hop.callee)})"
        if hop.kind is EdgeKind.DEFERRED:
            evidence = _format_evidence(hop.evidence, deferred=True)
            yield f"    {_format_deferred_key(hop)}, {evidence}"
            continue
        for item in hop.evidence:
            holder = f" in {item.holder}" if item.holder else ""
            yield f"    {_ROLE_PHRASES[item.role]} {item.location}{holder}"


_BINDING_PHRASES = {
    Role.BINDING: "put into", Role.ARGUMENT: "passed to", Role.RETURN: "returned by",
}


def format_ops(rows: Sequence[OpsRow]) -> Iterator[str]:
    """Each table with the places that install it, and under it one binding a line."""
    shown: object = ()
    for row in rows:
        if row.table != shown and row.table is not None:
            yield f"{row.table.type or 'object'} {row.table.id} ({row.table.location or '?'})"
            yield from (
                f"  {_install_verb(install)} {install.holder} at {install.location}"
                for install in row.installs
            )
            if not row.installs:
                yield "  installed nowhere in the index"
        shown = row.table
        indent = "  " if row.table else ""
        yield f"{indent}{row.slot} = {row.bound.id} ({row.location})"
        yield from (
            f"{indent}  {_BINDING_PHRASES.get(item.role, 'copied to')} {item.holder}"
            f" at {item.location}"
            for item in row.evidence
        )


def _install_verb(install: Install) -> str:
    if install.is_copy:
        return "comes into"
    return "passed to" if install.is_argument else "installed in"
