"""Does a function call another: at one of its call sites, or with steps left out?

A gap is a path of few hops and few choices: what a writer leaves out, not whatever the graph
can reach. The measure of the cheapest path is a hop for each call, three times log2(n) more for a
choice among n candidates, and six more for a deferred call, without the choice at its last hop:
there the claim names the callee. (What the conditions around a call are worth to a path is worth
nothing here: writers leave out what is seldom called, too.) A path of at most GAP is a gap: that is
sixteen direct calls, or three and one call through a pointer with sixteen candidates. Up to FAR the
claim is undecided, beyond it refuted.

The limits were measured on linux-4.6.2 (2,021 units) without any scenario: on 304 true claims,
made by leaving steps out of seven documented chains, and on 1,213 claims of a function that the
caller does not call.

    steps left out        1        2        3        4      another function: of the chains, of the
                                                             folder, of the kernel
    gap              88/88    80/82    64/72    55/62       0.21   0.09   0.05
    gap or far       88/88    82/82    72/72    62/62       0.46   0.26   0.15

(Some of the last are true, too: the graph has the path.) If the last choice counted as well, 86/88,
74/82, 57/72 and 49/62 of the true claims would pass, and all others would be refuted.

Where the claimed callee itself calls the caller, a path is a gap only up to NEAR: otherwise a chain
with two lines exchanged would be true wherever there is a cycle. Beyond NEAR the claim is undecided
if the path has at most FEW_HOPS hops: dst_output() leads to ip_finish_output() by three hops, with
a choice, and is called by it, too. (Without that limit, 13 of 110 pairs of exchanged lines would be
undecided, through paths of five to ten hops.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2

from kgraph.check.context import CheckContext
from kgraph.check.outcome import Outcome, Position
from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop
from kgraph.model.verdicts import Verdict
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.question import cite_pinned_table, make_hops
from kgraph.query.paths.search import PathSearch
from kgraph.query.paths.state_space import State, StateSpace, Step

NEAR = 6.0
GAP = 16.0
FAR = 28.0
FEW_HOPS = 4
_MAX_COST = 60 * HOP
_MAX_GAP_HOPS = 10  # nobody leaves out as many
_MAX_TRIED = 6  # targets, and functions to start from


@dataclass(frozen=True, slots=True)
class CallPath:
    """A path from a line's caller to a function: its hops, the state that it ends in, its measure
    (that of several hops without the choice at the last one).
    """

    hops: tuple[Hop, ...]
    state: State
    measure: float

    @property
    def steps(self) -> str:
        """The functions between its ends, for a note."""
        return " -> ".join(hop.callee.id.name for hop in self.hops[:-1])


def find_single_hops(
    space: StateSpace, position: Position, targets: Iterable[int]
) -> list[CallPath]:
    """The single hops from where a document stands to one of `targets`, cheapest first."""
    wanted, found = set(targets), []
    for state in position.states:
        for step in space.iter_steps(state):
            if step.state.function in wanted:
                hop = _make_hop(space, position, step)
                if hop is not None:
                    found.append(CallPath((hop,), step.state, _measure(space.graph, (step,))))
    return sorted(found, key=lambda call: (call.measure, call.hops[0].site.number))


def _measure(graph: CallGraph, steps: Sequence[Step]) -> float:
    """What a path of these steps is worth."""
    total = 0.0
    for step in steps:
        is_deferred = step.edge is not None and graph.kind(step.edge) is EdgeKind.DEFERRED
        total += 1 + _choice(step) + (6 if is_deferred else 0)
    return total


def _choice(step: Step) -> float:
    return 3 * log2(max(1, step.width))


def _make_hop(space: StateSpace, position: Position, step: Step) -> Hop | None:
    """The record of a step, at one of the call sites that count."""
    graph = space.graph
    if position.sites is None:
        return make_hops(graph, (step,), space.constraints)[0]
    # The step stands for all edges of its kind between the two functions.
    for site in position.sites:
        for edge in graph.edges_of(site):
            if graph.edge_callee[edge] == step.state.function:
                return cite_pinned_table(graph, graph.hop(edge, step.width), space.constraints)
    return None


def find_path_with_gaps(
    context: CheckContext, position: Position, targets: Iterable[int]
) -> CallPath | None:
    """The cheapest path to one of `targets` that leaves steps out; one through the chain's claimed
    targets before others. None if there is none, or only beyond FAR.
    """
    wanted = list(targets)[:_MAX_TRIED]
    starts = _find_starts(context, position)[:_MAX_TRIED]
    if context.likely is not context.pinned:
        path = _find_cheapest(context.prune(context.likely), starts, wanted)
        if path is not None and path.measure <= GAP:
            return path
    return _find_cheapest(context.prune(context.pinned), starts, wanted)


def _find_starts(context: CheckContext, position: Position) -> tuple[State, ...]:
    """Where paths begin: of a macro not in those that use it, but in what these uses call."""
    if not position.is_macro:
        return position.states
    callees = dict.fromkeys(
        callee for site in position.sites or () for callee in context.callees_of(site))
    return context.make_states(map(context.graph.function, callees))


def _find_cheapest(
    space: StateSpace, starts: Sequence[State], targets: Iterable[int]
) -> CallPath | None:
    best: CallPath | None = None
    for target in targets:
        for state in starts:
            start = state._replace(
                via_passed=0, facts=space.facts.facts_at_start(state.function))
            search = PathSearch(space, start, target, max_cost=_MAX_COST)
            path = search.find_first()
            if path is None or path.cost > _MAX_COST:
                continue
            if len(path.steps) > _MAX_GAP_HOPS:
                continue
            last = path.steps[-1]
            measure = _measure(space.graph, path.steps) - _choice(last)
            if measure <= FAR and (best is None or measure < best.measure):
                hops = make_hops(space.graph, path.steps, space.constraints)
                best = CallPath(hops, last.state, measure)
    return best


def find_frame_left_out(context: CheckContext, path: CallPath) -> str:
    """The first function on a path which must have a frame of its own in a printed stack, and has
    none; "" if each may have been inlined, or ends with the call of the next one. What runs later
    stands in no frame of who asked for it.
    """
    for before, hop in pairwise(path.hops):
        is_deferred = EdgeKind.DEFERRED in (before.kind, hop.kind)
        if is_deferred or not (_can_be_inlined(before) or _ends_with(context, hop)):
            return before.callee.id.name
    return ""


def _can_be_inlined(hop: Hop) -> bool:
    """Whether the compiler sees the callee's body where it is called."""
    caller, callee = hop.caller.location, hop.callee.location
    is_near = caller is not None and callee is not None and (
        caller.path == callee.path or callee.path.endswith(".h"))
    return is_near and hop.kind is EdgeKind.DIRECT


def _ends_with(context: CheckContext, hop: Hop) -> bool:
    """Whether the caller of a hop may end with the call: it returns its value, or nothing but the
    end of the function follows.
    """
    extent, caller = hop.site.extent, hop.caller
    lines = context.texts.sources.read_lines(extent.start.path)
    text = lines[extent.start.line - 1:extent.start.line]
    is_returned = bool(text) and text[0].lstrip().startswith("return")
    return is_returned or caller.end_line - extent.end_line <= 1


def describe_reverse_call(
    context: CheckContext, position: Position, callees: Sequence[int]
) -> str:
    """A note that what a line claims to be called is what calls; "" if it does not, or if both may
    well call each other.
    """
    if position.is_macro:
        return ""
    callers = [state.function for state in position.states]
    for callee in callees:
        here = Position(context.make_states([context.graph.function(callee)]))
        for call in find_single_hops(context.free, here, callers):
            hop = call.hops[0]
            if hop.kind is EdgeKind.CALLBACK or context.graph.find_forwards(hop.site.number):
                continue  # what passes on callbacks may come several times on one path
            return f"{hop.caller} calls {hop.callee} ({hop.site.location})"
    return ""


def judge_long_path(path: CallPath, position: Position) -> Outcome:
    """The outcome for a path of which nobody can tell whether the claim means it."""
    choices = ", ".join(
        f"{hop.candidates} at {hop.site.location}" for hop in path.hops[:-1] if hop.candidates > 1
    )
    note = f"only a long path leads there, by {path.steps}"
    return Outcome(
        Verdict.UNDECIDED, f"{note}, with choices ({choices})" if choices else note,
        position=position,
    )
