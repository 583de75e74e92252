"""Judges calls that hand on a function or a table: `open_softirq(NET_RX_SOFTIRQ, net_rx_action)`
inside a function, `module_init(x)` at file scope.

The claim is what is handed on, and the constants beside it: a call that hands on something else
supports it no more than a call of something else does. At the left margin, where no caller is
named, the place is looked for where the index has the function or table installed, and in the
file that defines it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from kgraph.check.context import CheckContext
from kgraph.check.document import find_call_arguments, parse_arguments
from kgraph.check.outcome import Outcome, Position
from kgraph.model.document import DocumentLine
from kgraph.model.location import Extent, Location
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import KnownFunction, KnownObject
from kgraph.model.verdicts import Verdict

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]{2,}|\d+", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_MOST_LINES = 12
_RUN_LATER = (EdgeKind.DEFERRED, EdgeKind.POINTER, EdgeKind.CALLBACK, EdgeKind.OPS)
Target = KnownFunction | KnownObject


def _plain(argument: str) -> str:
    """An argument without blanks, casts before it and `&`."""
    text = re.sub(r"\s+", "", argument)
    return re.sub(r"^(?:\([\w*]+\))*&?", "", text)


def find_targets(
    ground: CheckContext, line: DocumentLine, functions: Sequence[KnownFunction], *,
    within: bool = True,
) -> dict[str, list[Target]]:
    """The functions and objects that the arguments of a line name. `within` a function a word that
    a variable could be as well is none.
    """
    if line.claim.declared:
        return {}
    parameters = {name for function in functions for name in function.parameters}
    found: dict[str, list[Target]] = {}
    for argument in line.claim.arguments or ():
        name = _plain(argument)
        if not _IDENTIFIER.fullmatch(name) or name in parameters:
            continue
        known: list[Target] = []
        if "_" in name.strip("_") or not within:
            known += [each for each in ground.graph.find_functions(name)
                      if each.address_taken or not within]
        if not known and "&" in argument:
            known += ground.graph.find_objects(name)
        if known:
            found[name] = known
    return found


def _claimed(line: DocumentLine, named: Iterable[str]) -> set[str]:
    """The arguments that make the claim: what is handed on, and the constants beside it."""
    plain = [_plain(each) for each in line.claim.arguments or ()]
    return {*named, *(each for each in plain if _CONSTANT.fullmatch(each) and each != "NULL")}


def describe_other_targets(
    ground: CheckContext, line: DocumentLine, places: Iterable[Extent],
    functions: Sequence[KnownFunction],
) -> str:
    """What the calls at `places` hand on where it is not what the line says; "" where one of them
    does, or the line says nothing of the kind.
    """
    named = find_targets(ground, line, functions)
    if not named:
        return ""
    wanted, there = _claimed(line, named), []
    for place in places:
        written = find_call_arguments(ground.sources.read_extent(place))
        if written is None:
            continue
        if wanted <= set(map(_plain, written)):
            return ""
        there.append((place.start, written))
    return f"what is handed on there is {_shown(there)}" if there else ""


def _shown(there: Sequence[tuple[Location, Sequence[str]]]) -> str:
    return "; ".join(
        f"({', '.join(' '.join(each.split()) for each in written)}) ({place})"
        for place, written in there[:3]
    )


def judge_registration(ground: CheckContext, line: DocumentLine) -> Outcome | None:
    """A call without a caller that hands on a function or an object; None where it is no such."""
    functions = ground.functions(line.claim.name, line.citation)
    named = find_targets(ground, line, functions, within=bool(functions))
    if not named:
        return None
    wanted, there = _claimed(line, named), []
    for place, written, bound in _calls(ground, line.claim.name, named):
        if wanted <= set(map(_plain, written)):
            return _registered(ground, place, named if bound else {}, functions)
        there.append((place, written))
    standing = Position(ground.states(functions))
    name = line.claim.name
    if there:
        return Outcome(
            Verdict.REFUTED, f"no such {name}; there is {_shown(there)}", found=there[0][0],
            position=standing,
        )
    if ground.absence.find_name(name) is None and not functions:
        return None
    return Outcome(
        Verdict.REFUTED, f"{', '.join(named)} is handed to {name} nowhere {ground.here}",
        position=standing,
    )


def _registered(
    ground: CheckContext, place: Location, named: dict[str, list[Target]],
    functions: Sequence[KnownFunction],
) -> Outcome:
    """The verdict on a registration that is there; under it stands what is called, or run because
    of it.
    """
    edges = [edge for site in ground.graph.find_sites_at(place.path, place.line)
             for edge in ground.graph.edges_of(site.number)
             if ground.graph.edge_callee[edge] in {each.number for each in functions}]
    known = [each for all_of in named.values() for each in all_of]
    run = [each for each in known if isinstance(each, KnownFunction)]
    callers = {
        caller for each in run for caller in ground.graph.callers_of(each.number)
        if _later(ground, caller, each.number)
    }
    hop = ground.graph.hop(edges[0]) if edges else None
    within = f"in {hop.caller}" if hop is not None else ""
    by = f"run by {ground.names(callers)}" if callers else ""
    return Outcome(
        Verdict.HOLDS, "; ".join(filter(None, (within, by))), hop,
        places=(Extent(place, place.line),), found=place,
        position=Position(ground.states([*functions, *run])),
    )


def _later(ground: CheckContext, caller: int, callee: int) -> bool:
    """Whether a caller runs the function by a pointer, or because it was asked for."""
    return any(
        ground.graph.edge_callee[edge] == callee and ground.graph.kind(edge) in _RUN_LATER
        for edge in ground.graph.edges_from(caller)
    )


def _calls(
    ground: CheckContext, name: str, named: dict[str, list[Target]]
) -> Iterator[tuple[Location, tuple[str, ...], bool]]:
    """(place, arguments, whether the index has it put somewhere there) of the calls of `name` that
    may hand one of the targets on.
    """
    seen: set[Location] = set()
    for target in (each for known in named.values() for each in known):
        rows = (ground.graph.find_bindings_of_function(target.number)
                if isinstance(target, KnownFunction)
                else ground.graph.find_installs(target.number))
        places = dict.fromkeys(
            Location(row.location.path, row.location.line) for row in rows)
        for place in [*places, *_in_own_file(ground, name, target)]:
            written = None if place in seen else _arguments_at(ground, name, place)
            seen.add(place)
            if written is not None:
                yield place, written, place in places


def _in_own_file(ground: CheckContext, name: str, target: Target) -> Iterator[Location]:
    """The lines of the file that defines a target which have a call of `name` with it."""
    if target.location is None:
        return
    both = re.compile(rf"\b{re.escape(name)}\s*\(.*\b{re.escape(target.id.name)}\b", re.ASCII)
    path = target.location.path
    for number, text in enumerate(ground.sources.read_lines(path), 1):
        if name in text and both.search(text):
            yield Location(path, number)


def _arguments_at(ground: CheckContext, name: str, place: Location) -> tuple[str, ...] | None:
    """The arguments of the call of `name` on a line, or of one that was begun before it."""
    lines = ground.sources.read_lines(place.path)
    head = re.compile(rf"\b{re.escape(name)}\s*(?=\()", re.ASCII)
    for first in range(place.line - 1, max(-1, place.line - 1 - _MOST_LINES), -1):
        text = "\n".join(lines[first:first + 2 * _MOST_LINES])
        found = head.search(lines[first]) if first < len(lines) else None
        if found is not None:
            written = parse_arguments(text[found.end():])
            end = first + text[:found.end() + sum(map(len, written or ()))].count("\n")
            return written if written is not None and end >= place.line - 1 else None
        if first < place.line - 1 and lines[first].rstrip().endswith((";", "}")):
            return None
    return None
