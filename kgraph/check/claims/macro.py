"""Judges names that the index has no function for: macros, names made by a macro, locals that hold
a pointer, and unknown names.

A macro or a local pointer may also be used by a function that is called from where a line stands;
the steps to it count as left out. `rcu_dereference(x)` stands nearly everywhere, so a macro counts
only if its arguments are the line's.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from kgraph.check.claims.arguments import compare_arguments
from kgraph.check.claims.call_search import GAP, CallPath, find_path_with_gaps
from kgraph.check.claims.pointer_call import judge_pointer_call
from kgraph.check.context import PlacedLine
from kgraph.check.outcome import Outcome, Position, join_notes
from kgraph.check.source.tokens import list_tokens
from kgraph.model.location import Location
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import KnownFunction, KnownSite
from kgraph.model.verdicts import Verdict

_MAX_USES = 200  # of a macro, of which the lines under it may be calls
_MAX_COMPARED = 4000  # of which the arguments are looked at
_MAX_STEPS = 4  # to a use that a line may mean
_MAX_FUNCTIONS = 400  # that are looked at for one
_ELIDED = frozenset({"...", "…", "......", "……"})


def judge_macro(placed: PlacedLine) -> Outcome | None:
    """A macro that starts a chain: it is used. Under it stands what its uses call. None for other
    names, also for a macro that defines functions: which it defines is the claim.
    """
    name, context = placed.claim.name, placed.context
    if context.graph.find_functions_of_macro(name):
        return None
    sites = context.graph.find_sites_of_macro(
        name, _MAX_COMPARED if placed.claim.arguments else _MAX_USES)
    if not sites:
        return None
    definition = context.definitions.find_macro(name)
    verdict, note = _judge_macro_arguments(placed, sites, definition)
    used = sites[:_MAX_USES]
    callers = dict.fromkeys(site.caller for site in used)
    position = Position(
        tuple(context.free.make_start_state(caller) for caller in callers),
        tuple(site.number for site in used), is_macro=True)
    what = f"a macro ({definition})" if definition else "a macro"
    return Outcome(verdict, join_notes(what, note), position=position)


def _judge_macro_arguments(
    placed: PlacedLine, sites: list[KnownSite], definition: Location | None
) -> tuple[Verdict, str]:
    """(verdict, note): a use of a macro has the arguments that a line writes, or its definition has
    them as the names of its parameters.
    """
    claimed, tree = placed.claim.arguments or (), placed.context.tree
    if not claimed or _ELIDED & set(claimed) or not compare_arguments(
            placed, [site.extent for site in sites]):
        return Verdict.HOLDS, ""
    if definition is not None:
        lines = tree.read_lines(definition.path)[definition.line - 1:definition.line + 3]
        head = re.match(
            rf"\s*#\s*define\s+{re.escape(placed.claim.name)}\(([^()]*)\)", " ".join(lines))
        if head and "".join(head[1].split()) == "".join(",".join(claimed).split()):
            return Verdict.HOLDS, ""
    words = [word for each in claimed for word in list_tokens(each) if word.isidentifier()]
    tree.announce(set(words))
    missing = [word for word in words if tree.find_name(word) is None]
    if missing:
        return Verdict.REFUTED, f"no {', '.join(dict.fromkeys(missing))} in this tree"
    return (Verdict.UNDECIDED,
            f"none of the {len(sites)} uses that were compared has these arguments")


def judge_unknown(placed: PlacedLine) -> Outcome:
    """A name that the index does not have."""
    name = placed.claim.name
    entries = placed.context.find_system_call(name)
    if entries and placed.above is None:
        note = f"the system call that this makes: {entries[0]} ({entries[0].location})"
        states = placed.context.make_states(entries)
        return Outcome(Verdict.STANDS, note, position=Position(states))
    elsewhere = placed.context.describe_elsewhere(name)
    position = Position(doubt=f"{name} is not in the index")
    if not elsewhere:
        return Outcome(Verdict.REFUTED, f"no {name} in this tree", position=position)
    alike = find_made_functions(placed, other_number=True)
    if alike:
        there = "; ".join(dict.fromkeys(f"{each.macro} ({each.location})" for each in alike))
        note = f"it is not defined like this; there is {there}"
        return Outcome(Verdict.REFUTED, note, position=position)
    return Outcome(Verdict.UNDECIDED, elsewhere, position=position)


def find_made_functions(
    placed: PlacedLine, *, other_number: bool = False
) -> list[KnownFunction]:
    """The functions that a line like DEFINE_FUNCTION(name, ...) makes: their names hold `name`.
    `other_number`: those of a macro that differs in the number at its end.
    """
    words, name = placed.claim.arguments or (), placed.claim.name
    if not words or not words[0].isidentifier():
        return []
    graph, stem = placed.context.graph, name.rstrip("0123456789")
    if not other_number:
        made = graph.find_functions_of_macro(name, words[0])
        use = re.compile(rf"\b{re.escape(name)}\s*\(\s*{re.escape(words[0])}\b", re.ASCII)
        return [each for each in made if _is_made_by(placed, each, use)] or made
    return [] if stem == name else graph.find_functions_like(f"{stem}[0-9]*", f"*_{words[0]}")


def _is_made_by(placed: PlacedLine, function: KnownFunction, use: re.Pattern[str]) -> bool:
    """Whether the use of a macro stands where the function is defined."""
    if function.location is None:
        return False
    lines = placed.context.texts.sources.read_lines(function.location.path)
    return use.search("\n".join(lines[function.location.line - 1:][:1])) is not None


def judge_used_below(placed: PlacedLine) -> Outcome | None:
    """The outcome if a function nearby uses the macro, or calls the pointer, that a line names;
    None if none does.
    """
    name, context = placed.claim.name, placed.context
    users = set(context.graph.find_callers_using(name))
    if not users:
        return None
    near = _find_near(placed, users)
    if placed.claim.target:
        return _judge_pointer_target(placed, near)
    for user in near:
        sites = [site for site in context.texts.sites_of(user) if site.macro == name]
        if sites and (not placed.claim.arguments or compare_arguments(
                placed, [site.extent for site in sites])):
            continue
        path = find_path_with_gaps(context, placed.position, [user])
        if path is not None and path.measure <= GAP:
            return _judge_use(placed, path, sites)
    return _judge_other_uses(placed, users)


def _find_near(placed: PlacedLine, users: set[int]) -> list[int]:
    """Those of some functions that few calls lead to, the nearest first."""
    layer = list(placed.position.states)
    seen = {state.function for state in layer}
    found: list[int] = []
    for _ in range(_MAX_STEPS):
        following = []
        for state in layer:
            for step in placed.context.likely.iter_steps(state):
                if step.state.function not in seen and len(seen) < _MAX_FUNCTIONS:
                    seen.add(step.state.function)
                    following.append(step.state)
        found += [state.function for state in following if state.function in users]
        layer = following
    return found


def _judge_other_uses(placed: PlacedLine, users: Iterable[int]) -> Outcome:
    """Nobody can tell whether the line means one of the uses elsewhere."""
    context = placed.context
    caller = context.list_names(state.function for state in placed.position.states)
    note = (f"{caller} does not use {placed.claim.name} itself, as"
            f" {context.list_names(users, most=3)} do")
    return Outcome(Verdict.UNDECIDED, note, position=Position(doubt=note))


def _judge_pointer_target(placed: PlacedLine, users: list[int]) -> Outcome | None:
    """A pointer with a claimed target: there is a path to it by such a call, or none of the calls
    nearby may reach it.
    """
    context, claim = placed.context, placed.claim
    targets = {function.number for function in context.find_functions(claim.target)}
    sites = [site for user in users for site in context.texts.sites_of(user)
             if site.expression == claim.name]
    path = find_path_with_gaps(context, placed.position, targets) if sites else None
    if path is not None and path.measure <= GAP and path.hops[-1].site.expression == claim.name:
        last = path.hops[-1]
        position = Position(
            (context.free.make_start_state(last.caller.number),), (last.site.number,),
            (path.state._replace(via_passed=0),))
        return Outcome(Verdict.GAP, f"by way of {path.steps}", last, path.hops,
                       (path.hops[0].site.extent,), position)
    candidates = {callee for site in sites for callee in context.callees_of(site.number)}
    if not sites or targets & candidates or not all(
            site.status is SiteStatus.RESOLVED for site in sites):
        return _judge_other_uses(placed, users) if users else None
    note = (f"{claim.target} is not a candidate of {claim.name}() ({sites[0].location});"
            f" candidates: {context.list_names(candidates)}")
    return Outcome(Verdict.REFUTED, note, position=Position(doubt=note))


def _judge_use(placed: PlacedLine, path: CallPath, sites: list[KnownSite]) -> Outcome:
    """A use by the function at the end of a path: at `sites` a macro, else a pointer."""
    context = placed.context
    note = f"by way of {' -> '.join(hop.callee.id.name for hop in path.hops)}"
    position = Position((path.state._replace(via_passed=0),))
    places = (path.hops[0].site.extent,)
    if not sites:
        judged = judge_pointer_call(placed.move_to(position), expression=placed.claim.name)
        gap = Verdict.GAP if judged.verdict is Verdict.HOLDS else judged.verdict
        return replace(judged, verdict=gap, note=join_notes(note, judged.note), via=path.hops,
                       places=places)
    callees = {callee for site in sites for callee in context.callees_of(site.number)}
    targets = context.make_states(map(context.graph.function, callees))
    return Outcome(Verdict.GAP, note, path.hops[-1], path.hops, places,
                   replace(position, states=(*position.states, *targets)))
