"""Judges calls that pass on a function or a table: `open_softirq(NET_RX_SOFTIRQ, net_rx_action)`
inside a function, `module_init(x)` at file scope.

The claim is what is passed on, and the constants beside it: a call that passes on something else
supports it no more than a call of something else does. At the left margin, where no caller is
named, the place is looked for where the index has the function or table installed, and in the file
that defines it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kgraph.check.context import CheckContext, PlacedLine
from kgraph.check.document.brackets import find_call_arguments, parse_arguments
from kgraph.check.outcome import Outcome, Position, join_notes
from kgraph.model.location import Extent, Location
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import KnownFunction, KnownObject
from kgraph.model.verdicts import Verdict

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]{2,}|\d+", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RUN_LATER = (EdgeKind.DEFERRED, EdgeKind.POINTER, EdgeKind.CALLBACK, EdgeKind.OPS)
_MAX_LINES = 12  # that a call is broken over
_MAX_SHOWN = 3

Target = KnownFunction | KnownObject
_Arguments = tuple[str, ...]


def find_targets(
    placed: PlacedLine, functions: Sequence[KnownFunction] = (), *, within: bool = True
) -> dict[str, list[Target]]:
    """The functions and objects that the arguments of a line name, without the parameters of the
    `functions` that the line may mean. A word that could also be a variable is none `within` a
    function.
    """
    if placed.claim.declared:
        return {}
    graph = placed.context.graph
    parameters = {name for function in functions for name in function.parameters}
    found: dict[str, list[Target]] = {}
    for argument in placed.claim.arguments or ():
        name = _strip(argument)
        if not _IDENTIFIER.fullmatch(name) or name in parameters:
            continue
        known: list[Target] = []
        if "_" in name.strip("_") or not within:
            known += [each for each in graph.find_functions(name)
                      if each.address_taken or not within]
        if not known and "&" in argument:
            known += graph.find_objects(name)
        if known:
            found[name] = known
    return found


def describe_other_targets(
    placed: PlacedLine, places: Iterable[Extent], functions: Sequence[KnownFunction] = ()
) -> str:
    """What the calls at `places` pass on, if that is not what the line says; "" if one of them
    does, or if the line says nothing of the kind.
    """
    targets = find_targets(placed, functions)
    if not targets:
        return ""
    claimed = _ClaimedArguments(placed, targets)
    for place in places:
        written = find_call_arguments(placed.context.texts.sources.read_extent(place))
        if written is not None and claimed.are_in(written, place.start):
            return ""
    return f"it passes on {claimed.list_others()}" if claimed.others else ""


def judge_registration(placed: PlacedLine) -> Outcome | None:
    """A call without a caller that passes on a function or an object; None for other lines."""
    context, name, functions = placed.context, placed.claim.name, placed.find_functions()
    targets = find_targets(placed, functions, within=bool(functions))
    if not targets:
        return None
    claimed = _ClaimedArguments(placed, targets)
    for place, written, is_bound in _iter_calls(context, name, targets):
        if claimed.are_in(written, place):
            return _judge_found(context, place, targets if is_bound else {}, functions)
    position = Position(context.make_states(functions))
    if claimed.others:
        return Outcome(
            Verdict.REFUTED, f"no such {name}; there is {claimed.list_others()}",
            found=claimed.others[0][0], position=position,
        )
    if context.tree.find_name(name) is None and not functions:
        return None
    return Outcome(
        Verdict.REFUTED, f"{', '.join(targets)} is passed to {name} nowhere"
        f" {context.configuration}", position=position,
    )


@dataclass
class _ClaimedArguments:
    """The arguments that make a claim: what is passed on, and the constants beside it. `others` are
    calls that have other ones.
    """

    placed: PlacedLine
    targets: Iterable[str]
    others: list[tuple[Location, _Arguments]] = field(default_factory=list)

    def __post_init__(self) -> None:
        plain = map(_strip, self.placed.claim.arguments or ())
        constants = (each for each in plain if _CONSTANT.fullmatch(each) and each != "NULL")
        self._wanted = {*self.targets, *constants}

    def are_in(self, written: _Arguments, place: Location) -> bool:
        """Whether a call with the arguments `written` has them."""
        if self._wanted <= set(map(_strip, written)):
            return True
        self.others.append((place, written))
        return False

    def list_others(self) -> str:
        """The first of the others, for a note."""
        return "; ".join(
            f"({', '.join(' '.join(each.split()) for each in written)}) ({place})"
            for place, written in self.others[:_MAX_SHOWN]
        )


def _strip(argument: str) -> str:
    """An argument without blanks, casts before it and `&`."""
    text = re.sub(r"\s+", "", argument)
    return re.sub(r"^(?:\([\w*]+\))*&?", "", text)


def _judge_found(
    context: CheckContext, place: Location, targets: Mapping[str, list[Target]],
    functions: Sequence[KnownFunction],
) -> Outcome:
    """The outcome for a registration that is there: under it stands what is called, or run because
    of it.
    """
    graph = context.graph
    edges = [edge for site in graph.find_sites_at(place.path, place.line)
             for edge in graph.edges_of(site.number)
             if graph.edge_callee[edge] in {each.number for each in functions}]
    run = [each for known in targets.values() for each in known if isinstance(each, KnownFunction)]
    callers = {
        caller for each in run for caller in graph.callers_of(each.number)
        if _can_run(context, caller, each.number)
    }
    hop = graph.hop(edges[0]) if edges else None
    note = join_notes(f"in {hop.caller}" if hop is not None else "",
                      f"run by {context.list_names(callers)}" if callers else "")
    return Outcome(
        Verdict.HOLDS, note, hop, places=(Extent(place, place.line),), found=place,
        position=Position(context.make_states([*functions, *run])),
    )


def _can_run(context: CheckContext, caller: int, callee: int) -> bool:
    """Whether a caller runs the function through a pointer, or because it was asked for."""
    graph = context.graph
    return any(graph.edge_callee[edge] == callee and graph.kind(edge) in _RUN_LATER
               for edge in graph.edges_from(caller))


def _iter_calls(
    context: CheckContext, name: str, targets: Mapping[str, list[Target]]
) -> Iterator[tuple[Location, _Arguments, bool]]:
    """(place, arguments, whether the index has the target bound there) of the calls of `name` that
    may pass one of the targets on.
    """
    seen: set[Location] = set()
    for target in (each for known in targets.values() for each in known):
        bindings = (context.graph.find_bindings_of_function(target.number)
                    if isinstance(target, KnownFunction)
                    else context.graph.find_installs(target.number))
        places = dict.fromkeys(
            Location(each.location.path, each.location.line) for each in bindings)
        for place in [*places, *_iter_in_own_file(context, name, target)]:
            written = None if place in seen else _read_arguments(context, name, place)
            seen.add(place)
            if written is not None:
                yield place, written, place in places


def _iter_in_own_file(context: CheckContext, name: str, target: Target) -> Iterator[Location]:
    """The lines of the file that defines a target which have a call of `name` with it."""
    if target.location is None:
        return
    both = re.compile(rf"\b{re.escape(name)}\s*\(.*\b{re.escape(target.id.name)}\b", re.ASCII)
    path = target.location.path
    for number, text in enumerate(context.texts.sources.read_lines(path), 1):
        if name in text and both.search(text):
            yield Location(path, number)


def _read_arguments(context: CheckContext, name: str, place: Location) -> _Arguments | None:
    """The arguments of the call of `name` on a line, or of one that begins before it."""
    lines = context.texts.sources.read_lines(place.path)
    head = re.compile(rf"\b{re.escape(name)}\s*(?=\()", re.ASCII)
    for first in range(place.line - 1, max(-1, place.line - 1 - _MAX_LINES), -1):
        text = "\n".join(lines[first:first + 2 * _MAX_LINES])
        found = head.search(lines[first]) if first < len(lines) else None
        if found is not None:
            written = parse_arguments(text[found.end():])
            end = first + text[:found.end() + sum(map(len, written or ()))].count("\n")
            return written if written is not None and end >= place.line - 1 else None
        if first < place.line - 1 and lines[first].rstrip().endswith((";", "}")):
            return None
    return None
