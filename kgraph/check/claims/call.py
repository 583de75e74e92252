"""Judges lines that name a function: `f(x)` under `g()` claims that g calls f.

Functions that are empty stubs in this configuration are excused: the index does not know what
the tree's other definition does.
"""

from collections.abc import Sequence

from kgraph.check.claims.arguments import compare_arguments, compare_parameters, has_other_members
from kgraph.check.claims.call_search import (
    FEW_HOPS,
    GAP,
    NEAR,
    CallPath,
    describe_reverse_call,
    find_path_with_gaps,
    find_single_hops,
    judge_long_path,
)
from kgraph.check.claims.macro import (
    find_macro_defined,
    judge_macro,
    judge_unknown,
    judge_used_below,
)
from kgraph.check.claims.pointer_call import find_sites_through, judge_pointer_call
from kgraph.check.claims.registration import (
    describe_other_targets,
    find_targets,
    judge_registration,
)
from kgraph.check.claims.statement import find_in_position, judge_quoted
from kgraph.check.context import CheckContext
from kgraph.check.outcome import Outcome, Position
from kgraph.model.document import DocumentLine
from kgraph.model.location import Extent
from kgraph.model.resolution import EdgeKind, SiteStatus
from kgraph.model.results import Hop, KnownFunction, KnownSite
from kgraph.model.verdicts import Verdict


def judge_root(ground: CheckContext, line: DocumentLine) -> Outcome:
    """A function that starts a chain: it exists. Or a registration, which is somewhere."""
    functions = ground.functions(line.claim.name, line.citation)
    made = [] if functions else find_macro_defined(ground, line)
    registered = None if made else judge_registration(ground, line)
    if registered is not None:
        return registered
    functions = functions or made
    if functions:
        notes = dict.fromkeys(compare_parameters(ground, line, each) for each in functions)
        note = "" if "" in notes else next(iter(notes))
        return Outcome(Verdict.HOLDS, note, position=Position(ground.states(functions)))
    return judge_macro(ground, line) or judge_unknown(ground, line)


def judge_call(ground: CheckContext, line: DocumentLine, standing: Position) -> Outcome:
    """A function under another line: it is called there."""
    functions = ground.functions(line.claim.name, line.citation)
    after = Position(ground.states(functions))
    if standing.doubt or not standing.states:
        note = standing.doubt or "what calls it is not known"
        return Outcome(Verdict.UNDECIDED, note, position=after if functions else standing)
    starts = [standing, Position(standing.targets)] if standing.targets else [standing]
    for start in starts:
        outcome = _made_here(ground, line, start, functions)
        if outcome is not None:
            return outcome
    if not functions:
        return judge_used_below(ground, line, starts[-1]) or judge_unknown(ground, line)
    return _not_called(ground, starts[-1], functions, after)


def _made_here(
    ground: CheckContext, line: DocumentLine, standing: Position, functions: list[KnownFunction]
) -> Outcome | None:
    """The verdict where one of the functions makes the call itself, by whatever form."""
    name = line.claim.name
    calls = find_single_hops(ground, ground.pinned, standing, [each.number for each in functions])
    if calls:
        return _called(ground, line, calls, functions)
    macro = [site for site in _sites(ground, standing) if site.macro == name]
    if macro:
        return _macro(ground, line, standing, macro)
    if find_sites_through(ground, standing, name):
        return judge_pointer_call(ground, line, standing, expression=name)
    if functions:
        return None
    quoted = judge_quoted(ground, line, standing)
    return quoted if quoted.verdict is Verdict.HOLDS else None


def _called(
    ground: CheckContext,
    line: DocumentLine,
    calls: Sequence[CallPath],
    functions: list[KnownFunction],
) -> Outcome:
    """The verdict where there is such a call; of several, those that hand on what the line says."""
    chosen, note = _handing(ground, line, calls)
    hop = chosen[0].hops[0]
    verdict, why = Verdict.HOLDS, ""
    if hop.kind is EdgeKind.DEFERRED:
        verdict, why = Verdict.DEFERRED, "registered here, run later"
    elif hop.candidates > 1:
        verdict = Verdict.ONE_OF
        why = f"one of {hop.candidates} candidates of {hop.site.holder or hop.site.expression}"
    places = tuple(dict.fromkeys(
        place for call in chosen for place in _places(ground, call.hops[0])))
    states = tuple(dict.fromkeys(call.state._replace(via_passed=0) for call in chosen))
    other = note or describe_other_targets(ground, line, places, functions)
    if other:
        return Outcome(
            Verdict.REFUTED, other, hop, places=places, position=Position(states)
        )
    notes = (
        why, compare_parameters(ground, line, hop.callee),
        compare_arguments(ground, line, places, functions),
    )
    return Outcome(
        verdict, "; ".join(text for text in notes if text), hop, places=places,
        position=Position(states),
    )


def _places(ground: CheckContext, hop: Hop) -> list[Extent]:
    """The call site of a hop and the others of the same edge."""
    others = [site.extent for site in ground.sites_of(hop.site.caller)
              if site.location in hop.sites]
    return [hop.site.extent, *others]


def _handing(
    ground: CheckContext, line: DocumentLine, calls: Sequence[CallPath]
) -> tuple[Sequence[CallPath], str]:
    """The calls that hand on the functions which the line's arguments name."""
    said = set(line.claim.arguments or ())
    handed = {
        index: [ground.graph.function(value).id.name for _, value in call.state.bindings]
        for index, call in enumerate(calls)
    }
    fitting = [calls[index] for index, names in handed.items() if set(names) & said]
    if fitting or not any(handed.values()) or line.claim.declared or not said:
        return fitting or calls, ""
    claimed = find_targets(ground, line, [])
    if not claimed:
        return calls, ""
    there = ", ".join(sorted({name for names in handed.values() for name in names}))
    return calls, f"hands on {there}, not {', '.join(sorted(claimed))}"


def _sites(ground: CheckContext, standing: Position) -> list[KnownSite]:
    return [site for state in standing.states for site in ground.sites_of(state.function)]


def _macro(
    ground: CheckContext, line: DocumentLine, standing: Position, sites: list[KnownSite]
) -> Outcome:
    """A macro that the caller uses; under it stand calls of its body, made by the caller."""
    edges = [edge for site in sites for edge in ground.graph.edges_of(site.number)]
    callees = {ground.graph.edge_callee[edge] for edge in edges}
    later = {ground.graph.edge_callee[edge] for edge in edges
             if ground.graph.kind(edge) is EdgeKind.DEFERRED}
    states = (
        *standing.states, *ground.states(ground.graph.function(number) for number in callees)
    )
    places = tuple(site.extent for site in sites)
    now = callees - later
    why = f"a macro, which calls {ground.names(now)}" if now else "a macro"
    if later:
        why += f"; {ground.names(later)} may run later"
    note = compare_arguments(ground, line, places, [])
    other = describe_other_targets(ground, line, places, [])
    if not other and line.claim.result and has_other_members(ground, line, places):
        other = f"no such statement: {note}"  # of `x = macro(...)` the arguments are what is said
    if other:
        return Outcome(Verdict.REFUTED, other, places=places, position=Position(states))
    return Outcome(
        Verdict.HOLDS, f"{why}; {note}" if note else why,
        ground.graph.hop(edges[0]) if edges else None, places=places, position=Position(states),
    )


def _not_called(
    ground: CheckContext, standing: Position, functions: list[KnownFunction], after: Position
) -> Outcome:
    """The verdict where no call of the caller reaches the function."""
    numbers = [function.number for function in functions]
    against = find_single_hops(ground, ground.free, standing, numbers)
    if against:
        hop = against[0].hops[0]
        there = ground.said_by_pins(hop.site.number)
        return Outcome(
            Verdict.CONTRADICTS, f"the scenario says {there} here", hop,
            places=(hop.site.extent,), position=after,
        )
    written = standing.sites is None and _written(ground, standing, functions[0].id.name)
    if written:
        return Outcome(Verdict.UNDECIDED, written, position=after)
    way = find_path_with_gaps(ground, standing, numbers)
    back = describe_reverse_call(ground, standing, numbers)
    if way is not None and way.cost <= (NEAR if back else GAP):
        return _gap(ground, way)
    if back and way is not None and way.cost <= GAP and len(way.hops) <= FEW_HOPS:
        steps = " -> ".join(hop.callee.id.name for hop in way.hops[:-1])
        return Outcome(
            Verdict.UNDECIDED, f"{back}, and only by way of {steps} is it called from here",
            position=after,
        )
    if back:
        return Outcome(Verdict.REFUTED, f"it is the other way round: {back}", position=after)
    unresolved = [site for site in _sites(ground, standing) if site.status is SiteStatus.UNRESOLVED]
    if unresolved:
        first = unresolved[0]
        return Outcome(
            Verdict.UNDECIDED,
            f"{first.expression}() at {first.location} could not be resolved: {first.reason}",
            position=after,
        )
    for state in standing.states:
        if not set(numbers).isdisjoint(ground.graph.open_requests.iter_candidates(state.function)):
            name = ground.graph.function(state.function)
            return Outcome(
                Verdict.UNDECIDED, f"what {name} asks to be run later is not known", position=after)
    if way is not None:
        return judge_long_path(way, after)
    return Outcome(Verdict.REFUTED, _instead(ground, standing, functions), position=after)


def _written(ground: CheckContext, standing: Position, name: str) -> str:
    """That a caller's text has the name before a parenthesis, and the index no call of it."""
    heads = {str(each.location) for each in ground.functions_of(standing)}
    places = [place for place in find_in_position(ground, standing, [name, "("])
              if str(place.start) not in heads]
    if not places:
        return ""
    return (f"{name} stands at {places[0].start}, and is no call of the function"
            f" {ground.here}: a macro, or left out")


def _gap(ground: CheckContext, way: CallPath) -> Outcome:
    steps = " -> ".join(hop.callee.id.name for hop in way.hops[:-1])
    later = any(hop.kind is EdgeKind.DEFERRED for hop in way.hops)
    return Outcome(
        Verdict.DEFERRED if later else Verdict.GAP, f"by way of {steps}", way.hops[-1], way.hops,
        tuple(_places(ground, way.hops[0])), Position((way.state._replace(via_passed=0),)),
    )


def _instead(
    ground: CheckContext, standing: Position, functions: list[KnownFunction]
) -> str:
    callers = {caller for function in functions
               for caller in ground.graph.callers_of(function.number)}
    name = functions[0].id.name
    caller = ground.names(state.function for state in standing.states)
    if standing.sites is not None:
        candidates = {callee for site in standing.sites for callee in ground.callees(site)}
        if candidates:
            return f"{name} is no candidate of this call: {ground.names(candidates)}"
    if not callers:
        return f"{caller} does not call {name}; nothing does {ground.here}"
    return f"{caller} does not call {name}, nor by few steps; callers: {ground.names(callers)}"


_MOST_WORDS = 8  # between the braces of a stub: `return -EOPNOTSUPP;`


def judge_unless_stub(
    ground: CheckContext, line: DocumentLine, standing: Position, outcome: Outcome
) -> Outcome:
    """The verdict on what a line says that the functions of `standing` do: undecided where it is
    wrong of them, and they are stubs that the tree defines elsewhere, too.
    """
    if outcome.verdict is not Verdict.REFUTED or standing.sites is not None:
        return outcome
    functions = ground.functions_of(standing)
    others = [_describe_stub(ground, each) for each in functions]
    if not others or not all(others) or _is_nowhere(ground, line.claim.name):
        return outcome
    return Outcome(Verdict.UNDECIDED, others[0], position=outcome.position)


def _is_nowhere(ground: CheckContext, name: str) -> bool:
    """Whether the tree has a claimed name nowhere."""
    return bool(name) and not (ground.graph.find_functions(name) or ground.elsewhere(name))


def _describe_stub(ground: CheckContext, function: KnownFunction) -> str:
    """That a function is a stub, and where the tree has another; "" where that is not so."""
    if function.location is None or ground.sites_of(function.number):
        return ""
    words = [word for word, _ in ground.body(function)]
    body = words[words.index("{"):] if "{" in words else []
    if not body or len(body) > _MOST_WORDS:
        return ""
    name = function.id.name
    other = next((place for place in ground.absence.find_bodies(name)
                  if place.path != function.location.path), None)
    if other is None:
        return ""
    here = f"{name} is an empty stub here ({function.location})"
    return f"{here}; the one at {other} is not {ground.here}"
