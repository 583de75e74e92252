"""Names that are no functions, used by a function that is called from where a line stands: macros,
and pointers by the name of the local that holds them. The steps to it are left out, as between
functions.

`rcu_dereference(x)` stands nearly everywhere, so a macro counts only where its arguments are the
line's.
"""

from collections.abc import Iterable
from dataclasses import replace

from kgraph.model.answers import KnownSite
from kgraph.model.documents import DocumentLine, Verdict
from kgraph.model.resolution import Status
from kgraph.query.checking.calls import GAP, Call, calls_with_gaps
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.parameters import arguments_note
from kgraph.query.checking.pointers import judge_pointer

_MOST_STEPS = 4
_MOST_FUNCTIONS = 400


def judge_used_below(ground: Ground, line: DocumentLine, standing: Standing) -> Outcome | None:
    """The verdict where a function nearby uses the macro, or calls the pointer, that a line names;
    None where none does.
    """
    name = line.claim.name
    users = {row[0] for row in ground.graph.reader.rows(
        "SELECT DISTINCT caller FROM site WHERE macro IN (SELECT id FROM text WHERE text = ?1)"
        " OR (holder IS NOT NULL AND expression IN (SELECT id FROM text WHERE text = ?1))", (name,)
    )}
    if not users:
        return None
    near = _near(ground, standing, users)
    if line.claim.target:
        return _to_target(ground, line, standing, near)
    for user in near:
        sites = [site for site in ground.sites_of(user) if site.macro == name]
        if sites and (not line.claim.arguments or arguments_note(ground, line, [
                site.extent for site in sites], [])):
            continue
        way = calls_with_gaps(ground, standing, [user])
        if way is not None and way.cost <= GAP:
            return _used(ground, line, way, sites)
    return _not_here(ground, name, standing, users)


def _not_here(
    ground: Ground, name: str, standing: Standing, users: Iterable[int]
) -> Outcome:
    """That nobody can tell whether the line means one of the uses elsewhere."""
    caller = ground.names(state.function for state in standing.states)
    note = f"{caller} does not use {name} itself, as {ground.names(users, most=3)} do"
    return Outcome(Verdict.UNDECIDED, note, standing=Standing(doubt=note))


def _to_target(
    ground: Ground, line: DocumentLine, standing: Standing, users: list[int]
) -> Outcome | None:
    """The verdict on a pointer with a claimed target: there is a way to it by such a call, or none
    of the calls nearby may reach it.
    """
    claim = line.claim
    targets = {function.number for function in ground.functions(claim.target, None)}
    sites = [site for user in users for site in ground.sites_of(user)
             if site.expression == claim.name]
    way = calls_with_gaps(ground, standing, targets) if sites else None
    if way is not None and way.cost <= GAP and way.hops[-1].site.expression == claim.name:
        steps = " -> ".join(hop.callee.id.name for hop in way.hops[:-1])
        here = ground.free.start(way.hops[-1].caller.number)
        after = Standing((here,), (way.hops[-1].site.number,), (way.state._replace(passed=0),))
        return Outcome(Verdict.GAP, f"by way of {steps}", way.hops[-1], way.hops,
                       (way.hops[0].site.extent,), after)
    candidates = {callee for site in sites for callee in ground.callees(site.number)}
    if not sites or targets & candidates or not all(
            site.status is Status.RESOLVED for site in sites):
        return _not_here(ground, claim.name, standing, users) if users else None
    note = (f"{claim.target} is no candidate of {claim.name}() ({sites[0].location});"
            f" candidates: {ground.names(candidates)}")
    return Outcome(Verdict.REFUTED, note, standing=Standing(doubt=note))


def _near(ground: Ground, standing: Standing, users: set[int]) -> list[int]:
    """Those of some functions that few calls lead to, the nearest first."""
    layer = list(standing.states)
    seen = {state.function for state in layer}
    found: list[int] = []
    for _ in range(_MOST_STEPS):
        following = []
        for state in layer:
            for step in ground.likely.after(state):
                if step.state.function not in seen and len(seen) < _MOST_FUNCTIONS:
                    seen.add(step.state.function)
                    following.append(step.state)
        found += [state.function for state in following if state.function in users]
        layer = following
    return found


def _used(ground: Ground, line: DocumentLine, way: Call, sites: list[KnownSite]) -> Outcome:
    steps = " -> ".join(hop.callee.id.name for hop in way.hops)
    here = Standing((way.state._replace(passed=0),))
    if not sites:
        judged = judge_pointer(ground, line, here, expression=line.claim.name)
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
