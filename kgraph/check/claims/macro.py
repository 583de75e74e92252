"""Judges names that the index has no function for: macros, names made by a macro, locals that hold
a pointer, and unknown names.

A macro or a local pointer may also be used by a function that is called from where a line
stands; the steps to it count as left out. `rcu_dereference(x)` stands nearly everywhere, so a
macro counts only where its arguments are the line's.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from kgraph.check.claims.arguments import compare_arguments
from kgraph.check.claims.call_search import GAP, CallPath, find_path_with_gaps
from kgraph.check.claims.pointer_call import judge_pointer_call
from kgraph.check.claims.statement import split_words
from kgraph.check.context import CheckContext
from kgraph.check.outcome import Outcome, Position
from kgraph.model.document import DocumentLine
from kgraph.model.location import Location
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import KnownFunction, KnownSite
from kgraph.model.verdicts import Verdict

_MOST_USES = 200  # of a macro, of which the lines under it may be calls
_MOST_COMPARED = 4000  # of which the arguments are looked at
_ELIDED = frozenset({"...", "…", "......", "……"})


def judge_macro(ground: CheckContext, line: DocumentLine) -> Outcome | None:
    """A macro that starts a chain: it is used. Under it stands what its uses call. One that defines
    functions is no such: which it defines is the claim.
    """
    name = line.claim.name
    if ground.graph.find_functions_of_macro(name):
        return None
    sites = ground.graph.find_sites_of_macro(
        name, _MOST_COMPARED if line.claim.arguments else _MOST_USES)
    if not sites:
        return None
    there = ground.defined.find_macro(name)
    verdict, note = _with_arguments(ground, line, sites, there)
    callers = dict.fromkeys(site.caller for site in sites[:_MOST_USES])
    what = f"a macro ({there})" if there else "a macro"
    return Outcome(
        verdict, f"{what}; {note}" if note else what,
        position=Position(
            tuple(ground.free.make_start_state(caller) for caller in callers),
            tuple(site.number for site in sites[:_MOST_USES]),
            is_macro=True,
        ),
    )


def _with_arguments(
    ground: CheckContext, line: DocumentLine, sites: list[KnownSite], there: Location | None
) -> tuple[Verdict, str]:
    """Whether a use of a macro has the arguments that a line writes, or its definition has them as
    the names of its parameters.
    """
    said = line.claim.arguments or ()
    if not said or _ELIDED & set(said):
        return Verdict.HOLDS, ""
    if not compare_arguments(ground, line, [site.extent for site in sites], []):
        return Verdict.HOLDS, ""
    if there is not None:
        define = " ".join(ground.absence.read_lines(there.path)[there.line - 1:there.line + 3])
        head = re.match(rf"\s*#\s*define\s+{re.escape(line.claim.name)}\(([^()]*)\)", define)
        if head and "".join(head[1].split()) == "".join(",".join(said).split()):
            return Verdict.HOLDS, ""
    words = [word for each in said for word in split_words(each) if word.isidentifier()]
    ground.absence.announce(set(words))
    missing = [word for word in words if ground.absence.find_name(word) is None]
    if missing:
        return Verdict.REFUTED, f"no {', '.join(dict.fromkeys(missing))} in this tree"
    return Verdict.UNDECIDED, "no use looked at has these arguments"


def judge_unknown(ground: CheckContext, line: DocumentLine) -> Outcome:
    """A name that the index does not have."""
    name = line.claim.name
    elsewhere = ground.elsewhere(name)
    doubt = Position(doubt=f"{name} is not in the index")
    if not elsewhere:
        return Outcome(Verdict.REFUTED, f"no {name} in this tree", position=doubt)
    alike = find_macro_defined(ground, line, numbered=True)
    if alike:
        there = "; ".join(dict.fromkeys(f"{each.macro} ({each.location})" for each in alike))
        return Outcome(Verdict.REFUTED, f"it is not defined so; there is {there}", position=doubt)
    return Outcome(Verdict.UNDECIDED, elsewhere, position=doubt)


def find_macro_defined(
    ground: CheckContext, line: DocumentLine, *, numbered: bool = False
) -> list[KnownFunction]:
    """The functions that a line like DEFINE_FUNCTION(name, ...) makes: their names hold `name`.
    `numbered`: those that a macro makes which differs in the number at its end.
    """
    words, name = line.claim.arguments or (), line.claim.name
    if not words or not words[0].isidentifier():
        return []
    stem = name.rstrip("0123456789")
    if not numbered:
        return ground.graph.find_functions_of_macro(name, words[0])
    return [] if stem == name else ground.graph.find_functions_like(
        f"{stem}[0-9]*", f"*_{words[0]}")


_MOST_STEPS = 4
_MOST_FUNCTIONS = 400


def judge_used_below(
    ground: CheckContext, line: DocumentLine, standing: Position
) -> Outcome | None:
    """The verdict where a function nearby uses the macro, or calls the pointer, that a line names;
    None where none does.
    """
    name = line.claim.name
    users = set(ground.graph.find_callers_using(name))
    if not users:
        return None
    near = _near(ground, standing, users)
    if line.claim.target:
        return _to_target(ground, line, standing, near)
    for user in near:
        sites = [site for site in ground.sites_of(user) if site.macro == name]
        if sites and (not line.claim.arguments or compare_arguments(ground, line, [
                site.extent for site in sites], [])):
            continue
        way = find_path_with_gaps(ground, standing, [user])
        if way is not None and way.cost <= GAP:
            return _used(ground, line, way, sites)
    return _not_here(ground, name, standing, users)


def _not_here(
    ground: CheckContext, name: str, standing: Position, users: Iterable[int]
) -> Outcome:
    """That nobody can tell whether the line means one of the uses elsewhere."""
    caller = ground.names(state.function for state in standing.states)
    note = f"{caller} does not use {name} itself, as {ground.names(users, most=3)} do"
    return Outcome(Verdict.UNDECIDED, note, position=Position(doubt=note))


def _to_target(
    ground: CheckContext, line: DocumentLine, standing: Position, users: list[int]
) -> Outcome | None:
    """The verdict on a pointer with a claimed target: there is a way to it by such a call, or none
    of the calls nearby may reach it.
    """
    claim = line.claim
    targets = {function.number for function in ground.functions(claim.target, None)}
    sites = [site for user in users for site in ground.sites_of(user)
             if site.expression == claim.name]
    way = find_path_with_gaps(ground, standing, targets) if sites else None
    if way is not None and way.cost <= GAP and way.hops[-1].site.expression == claim.name:
        steps = " -> ".join(hop.callee.id.name for hop in way.hops[:-1])
        here = ground.free.make_start_state(way.hops[-1].caller.number)
        after = Position((here,), (way.hops[-1].site.number,), (way.state._replace(via_passed=0),))
        return Outcome(Verdict.GAP, f"by way of {steps}", way.hops[-1], way.hops,
                       (way.hops[0].site.extent,), after)
    candidates = {callee for site in sites for callee in ground.callees(site.number)}
    if not sites or targets & candidates or not all(
            site.status is SiteStatus.RESOLVED for site in sites):
        return _not_here(ground, claim.name, standing, users) if users else None
    note = (f"{claim.target} is no candidate of {claim.name}() ({sites[0].location});"
            f" candidates: {ground.names(candidates)}")
    return Outcome(Verdict.REFUTED, note, position=Position(doubt=note))


def _near(ground: CheckContext, standing: Position, users: set[int]) -> list[int]:
    """Those of some functions that few calls lead to, the nearest first."""
    layer = list(standing.states)
    seen = {state.function for state in layer}
    found: list[int] = []
    for _ in range(_MOST_STEPS):
        following = []
        for state in layer:
            for step in ground.likely.iter_steps(state):
                if step.state.function not in seen and len(seen) < _MOST_FUNCTIONS:
                    seen.add(step.state.function)
                    following.append(step.state)
        found += [state.function for state in following if state.function in users]
        layer = following
    return found


def _used(
    ground: CheckContext, line: DocumentLine, way: CallPath, sites: list[KnownSite]
) -> Outcome:
    steps = " -> ".join(hop.callee.id.name for hop in way.hops)
    here = Position((way.state._replace(via_passed=0),))
    if not sites:
        judged = judge_pointer_call(ground, line, here, expression=line.claim.name)
        gap = Verdict.GAP if judged.verdict is Verdict.HOLDS else judged.verdict
        note = "; ".join(filter(None, (f"by way of {steps}", judged.note)))
        return replace(judged, verdict=gap, note=note, via=way.hops,
                       places=(way.hops[0].site.extent,))
    callees = {callee for site in sites for callee in ground.callees(site.number)}
    inside = ground.states(ground.graph.function(number) for number in callees)
    return Outcome(
        Verdict.GAP, f"by way of {steps}", way.hops[-1], way.hops, (way.hops[0].site.extent,),
        replace(here, states=(*here.states, *inside)),
    )
