"""Judges lines that name a function: `f(x)` under `g()` claims that g calls f.

Functions that are empty stubs in this configuration are excused: the index does not know what the
tree's other definition does.
"""

from collections.abc import Sequence

from kgraph.check.claims.arguments import (
    compare_arguments,
    compare_parameters,
    describe_other_constants,
    find_no_member,
    has_other_members,
    is_written,
)
from kgraph.check.claims.call_search import (
    FEW_HOPS,
    GAP,
    NEAR,
    CallPath,
    describe_reverse_call,
    find_frame_left_out,
    find_path_with_gaps,
    find_single_hops,
    judge_long_path,
)
from kgraph.check.claims.macro import (
    find_made_functions,
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
from kgraph.check.claims.statement import judge_quoted_call
from kgraph.check.context import CheckContext, PlacedLine
from kgraph.check.outcome import Outcome, Position, join_notes
from kgraph.model.location import Extent
from kgraph.model.resolution import EdgeKind, SiteStatus
from kgraph.model.results import Hop, KnownFunction, KnownSite
from kgraph.model.verdicts import Verdict

_MAX_STUB_WORDS = 8  # between its braces: `return -EOPNOTSUPP;`


def judge_root(placed: PlacedLine) -> Outcome:
    """The outcome for the first line of a chain: a function, which must exist, or a registration,
    which must stand somewhere in the source.
    """
    functions = placed.find_functions()
    made = [] if functions else find_made_functions(placed)
    registered = None if made else judge_registration(placed)
    if registered is not None:
        return registered
    functions = functions or made
    if functions:
        notes = dict.fromkeys(compare_parameters(placed, each) for each in functions)
        note = "" if "" in notes else next(iter(notes))
        states = placed.context.make_states(functions)
        return Outcome(Verdict.HOLDS, note, position=Position(states))
    return judge_macro(placed) or judge_unknown(placed)


def judge_call(placed: PlacedLine) -> Outcome:
    """A function under another line: it is called there."""
    position, functions = placed.position, placed.find_functions()
    after = Position(placed.context.make_states(functions))
    if _is_introduced(placed, functions):
        return Outcome(Verdict.STANDS, position=after)
    if not position.is_known:
        unknown = None if functions else judge_macro(placed) or judge_unknown(placed)
        if unknown is not None and unknown.verdict is Verdict.REFUTED:
            return unknown
        note = position.doubt or "its caller is not known"
        return Outcome(Verdict.UNDECIDED, note, position=after if functions else position)
    label = _judge_own_label(placed)
    if label is not None:
        return label
    starts = [placed]
    if position.targets:
        starts.append(placed.move_to(Position(position.targets)))
    for start in starts:
        outcome = _judge_here(start, functions)
        if outcome is not None:
            return outcome
    if not functions:
        return judge_used_below(starts[-1]) or judge_unknown(placed)
    return _judge_not_here(starts[-1], functions, after)


def _is_introduced(placed: PlacedLine, functions: list[KnownFunction]) -> bool:
    """Whether the line above is no call of the function, but what leads to it: its registration,
    `module_init(f)`, or the system call that it carries out.
    """
    above = placed.above
    if above is None or above.claim.name == placed.claim.name or above.parent:
        return False
    here = {state.function for state in placed.position.states}
    is_registered = placed.claim.name in (
        argument.strip("& ") for argument in above.claim.arguments or ())
    wanted = here & {each.number for each in functions}
    return bool(wanted) and (is_registered or not wanted.isdisjoint(
        each.number for each in placed.context.find_system_call(above.claim.name)))


def _judge_own_label(placed: PlacedLine) -> Outcome | None:
    """The outcome for a label in assembler that a function has where the line stands: it comes
    there without a call.
    """
    here = {state.function for state in placed.position.states}
    for function, place in placed.context.find_label(placed.claim.name):
        if function.number in here:
            return Outcome(Verdict.HOLDS, found=place, position=placed.position)
    return None


def _judge_here(placed: PlacedLine, functions: list[KnownFunction]) -> Outcome | None:
    """The outcome if one of the functions makes the call itself, in whatever form."""
    context = placed.context
    name, space = placed.claim.name, context.pinned
    numbers = [each.number for each in functions]
    # A function that one image defines may be undefined in that of the caller.
    calls = find_single_hops(space, placed.position, numbers) or find_single_hops(
        space, placed.position, [each.number for each in context.graph.find_functions(name)
                                 if each.location is None])
    if calls:
        return _judge_calls(placed, calls, functions)
    uses = [site for site in _sites_at(placed) if site.macro == name]
    if uses:
        return _judge_macro_uses(placed, uses)
    if find_sites_through(placed, name):
        return judge_pointer_call(placed, expression=name)
    if functions:
        return None
    quoted = judge_quoted_call(placed)
    return quoted if quoted.verdict is Verdict.HOLDS else None


def _judge_calls(
    placed: PlacedLine, calls: Sequence[CallPath], functions: list[KnownFunction]
) -> Outcome:
    """The outcome if there are such calls: of several, those that pass on what the line names."""
    chosen, refusal = _choose_calls(placed, calls)
    hop = chosen[0].hops[0]
    verdict, note = Verdict.HOLDS, ""
    if hop.kind is EdgeKind.DEFERRED:
        verdict, note = Verdict.DEFERRED, "registered here, run later"
    elif hop.candidates > 1:
        verdict = Verdict.ONE_OF
        note = f"one of {hop.candidates} candidates of {hop.site.holder or hop.site.expression}"
    places = tuple(dict.fromkeys(
        place for call in chosen for place in _list_places(placed.context, call.hops[0])))
    places = _choose_places(placed, places, functions)
    position = Position(tuple(dict.fromkeys(
        call.state._replace(via_passed=0) for call in chosen)))
    refusal = (refusal or describe_other_targets(placed, places, functions)
               or describe_other_constants(placed, places))
    missing = "" if refusal else find_no_member(placed, places)
    if refusal or missing:
        return Outcome(Verdict.REFUTED, refusal or f"no member {missing} in this tree", hop,
                       places=places, position=position)
    note = join_notes(note, compare_parameters(placed, hop.callee),
                      compare_arguments(placed, places, functions))
    return Outcome(verdict, note, hop, places=places, position=position)


def _list_places(context: CheckContext, hop: Hop) -> list[Extent]:
    """The call site of a hop, and the others of the same edge."""
    others = [site.extent for site in context.texts.sites_of(hop.site.caller)
              if site.location in hop.sites]
    return [hop.site.extent, *others]


def _choose_calls(
    placed: PlacedLine, calls: Sequence[CallPath]
) -> tuple[Sequence[CallPath], str]:
    """(the calls that pass on the functions which the arguments name, why none does)."""
    claimed, graph = set(placed.claim.arguments or ()), placed.context.graph
    handed = [{graph.function(value).id.name for _, value in call.state.bindings}
              for call in calls]
    fitting = [call for call, names in zip(calls, handed, strict=True) if names & claimed]
    if fitting or not any(handed) or placed.claim.declared or not claimed:
        return fitting or calls, ""
    targets = find_targets(placed)
    if not targets:
        return calls, ""
    there = ", ".join(sorted({name for names in handed for name in names}))
    return calls, f"passes on {there}, not {', '.join(sorted(targets))}"


def _choose_places(
    placed: PlacedLine, places: tuple[Extent, ...], functions: Sequence[KnownFunction]
) -> tuple[Extent, ...]:
    """Of the places of several calls, those with the arguments of the line, if any has them."""
    if len(places) < 2 or not placed.claim.arguments or placed.claim.declared:
        return places
    written = tuple(place for place in places
                    if is_written(placed.context, place, placed.claim.name))
    return tuple(place for place in written
                 if not compare_arguments(placed, [place], functions)) or written or places


def _sites_at(placed: PlacedLine) -> list[KnownSite]:
    return [site for state in placed.position.states
            for site in placed.context.texts.sites_of(state.function)]


def _judge_macro_uses(placed: PlacedLine, sites: list[KnownSite]) -> Outcome:
    """A macro that the caller uses: under it stand calls of its body, which the caller makes."""
    context, graph = placed.context, placed.context.graph
    edges = [edge for site in sites for edge in graph.edges_of(site.number)]
    callees = {graph.edge_callee[edge] for edge in edges}
    later = {graph.edge_callee[edge] for edge in edges if graph.kind(edge) is EdgeKind.DEFERRED}
    now = callees - later
    note = f"a macro, which calls {context.list_names(now)}" if now else "a macro"
    if later:
        note += f"; {context.list_names(later)} may run later"
    places = _choose_places(placed, tuple(site.extent for site in sites), ())
    position = Position((
        *placed.position.states, *context.make_states(map(graph.function, callees))))
    difference = compare_arguments(placed, places)
    refusal = describe_other_targets(placed, places) or describe_other_constants(placed, places)
    if not refusal and placed.claim.result and has_other_members(placed, places):
        # Of `x = macro(...)` the arguments are what is claimed.
        refusal = f"no such statement: {difference}"
    if refusal:
        return Outcome(Verdict.REFUTED, refusal, places=places, position=position)
    return Outcome(
        Verdict.HOLDS, join_notes(note, difference), graph.hop(edges[0]) if edges else None,
        places=places, position=position,
    )


def _judge_not_here(
    placed: PlacedLine, functions: list[KnownFunction], after: Position
) -> Outcome:
    """The outcome if no call of the caller itself reaches the function."""
    context, position = placed.context, placed.position
    numbers = [function.number for function in functions]
    against = find_single_hops(context.free, position, numbers)
    if against:
        hop = against[0].hops[0]
        return Outcome(
            Verdict.CONTRADICTS,
            f"the scenario says {context.list_pinned(hop.site.number)} here", hop,
            places=(hop.site.extent,), position=after,
        )
    note = _describe_in_text(placed, functions[0].id.name) if position.sites is None else ""
    if note:
        return Outcome(Verdict.UNDECIDED, note, position=after)
    path = find_path_with_gaps(context, position, numbers)
    back = describe_reverse_call(context, position, numbers)
    if path is not None and placed.line.is_frame:
        outside = find_frame_left_out(context, path)
        if outside:
            return _judge_missing_frame(placed, path, outside, after)
    if path is not None and path.measure <= (NEAR if back else GAP):
        return _judge_gap(context, path)
    if back and path is not None and path.measure <= GAP and len(path.hops) <= FEW_HOPS:
        note = f"{back}; from here it is called only by way of {path.steps}"
        return Outcome(Verdict.UNDECIDED, note, position=after)
    if back:
        return Outcome(Verdict.REFUTED, f"it is the other way round: {back}", position=after)
    note = _describe_unknown_calls(placed, numbers)
    if note:
        return Outcome(Verdict.UNDECIDED, note, position=after)
    if path is not None:
        return judge_long_path(path, after)
    return Outcome(Verdict.REFUTED, _describe_refusal(placed, functions), position=after)


def _judge_missing_frame(
    placed: PlacedLine, path: CallPath, outside: str, after: Position
) -> Outcome:
    """The outcome in a stack, where a frame for `outside` would stand between the two."""
    caller = placed.context.list_names(state.function for state in placed.position.states)
    note = (f"no call: the nearest way has {len(path.hops)} hops, and {outside} would stand"
            " between the two frames")
    verdict = Verdict.UNDECIDED if len(path.hops) <= FEW_HOPS else Verdict.REFUTED
    unknown = _describe_unknown_calls(placed, [path.hops[-1].callee.number])
    if unknown:
        verdict, note = Verdict.UNDECIDED, unknown
    return Outcome(verdict, f"{caller}: {note}", position=after)


def _describe_in_text(placed: PlacedLine, name: str) -> str:
    """A note that a caller's text has the name before a parenthesis, while the index has no call of
    it; "" if it has not.
    """
    heads = {str(each.location) for each in placed.functions}
    places = [place for place in placed.find_tokens([name, "("])
              if str(place.start) not in heads]
    if not places:
        return ""
    return (f"{name} at {places[0].start} is not a call of the function"
            f" {placed.context.configuration}: it is a macro, or compiled out")


def _judge_gap(context: CheckContext, path: CallPath) -> Outcome:
    is_deferred = any(hop.kind is EdgeKind.DEFERRED for hop in path.hops)
    return Outcome(
        Verdict.DEFERRED if is_deferred else Verdict.GAP, f"by way of {path.steps}",
        path.hops[-1], path.hops, tuple(_list_places(context, path.hops[0])),
        Position((path.state._replace(via_passed=0),)),
    )


def _describe_unknown_calls(placed: PlacedLine, callees: list[int]) -> str:
    """Which calls from where a line stands might be the claimed one: unresolved ones, and what is
    asked to run later; "" if there are none.
    """
    graph = placed.context.graph
    for site in _sites_at(placed):
        if site.status is SiteStatus.UNRESOLVED:
            return (f"{site.expression}() at {site.location} could not be resolved:"
                    f" {site.reason}")
    for state in placed.position.states:
        if not set(callees).isdisjoint(graph.open_requests.iter_candidates(state.function)):
            name = graph.function(state.function)
            return f"cannot tell what {name} asks to be run later"
    return ""


def _describe_refusal(placed: PlacedLine, functions: list[KnownFunction]) -> str:
    """Why none of the functions is called where a line stands."""
    context = placed.context
    name = functions[0].id.name
    if placed.position.sites is not None:
        candidates = {callee for site in placed.position.sites
                      for callee in context.callees_of(site)}
        if candidates:
            return f"{name} is not a candidate of this call: {context.list_names(candidates)}"
    caller = context.list_names(state.function for state in placed.position.states)
    callers = {each for function in functions
               for each in context.graph.callers_of(function.number)}
    if not callers:
        return f"{caller} does not call {name}; nothing does {context.configuration}"
    return (f"{caller} does not call {name}, not even in a few steps;"
            f" callers: {context.list_names(callers)}")


def judge_unless_stub(placed: PlacedLine, outcome: Outcome) -> Outcome:
    """The outcome; undecided instead of refuted if all functions that the line is about are stubs,
    which the tree defines elsewhere, too.
    """
    if outcome.verdict is not Verdict.REFUTED or placed.position.sites is not None:
        return outcome
    others = [_describe_stub(placed.context, each) for each in placed.functions]
    if not others or not all(others) or _is_nowhere(placed.context, placed.claim.name):
        return outcome
    return Outcome(Verdict.UNDECIDED, others[0], position=outcome.position)


def _is_nowhere(context: CheckContext, name: str) -> bool:
    """Whether neither the index nor the rest of the tree has a claimed name."""
    return bool(name) and not (
        context.graph.find_functions(name) or context.describe_elsewhere(name))


def _describe_stub(context: CheckContext, function: KnownFunction) -> str:
    """A note that a function is a stub, with the place of another one; "" if it is none."""
    if function.location is None or context.texts.sites_of(function.number):
        return ""
    words = [word for word, _ in context.texts.tokens_of(function)]
    body = words[words.index("{"):] if "{" in words else []
    if not body or len(body) > _MAX_STUB_WORDS:
        return ""
    name = function.id.name
    other = next((place for place in context.tree.find_bodies(name)
                  if place.path != function.location.path), None)
    if other is None:
        return ""
    here = f"{name} is an empty stub here ({function.location})"
    return f"{here}; the one at {other} is not {context.configuration}"
