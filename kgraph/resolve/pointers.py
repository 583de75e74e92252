"""Pointers to pointers, and callers that are not seen: what closes a solution.

The kernel passes the addresses of a hundred thousand things that are no function pointers. The
address of a pointer is admitted to the solver only where it holds a function; where a function is
stored through a pointer, the addresses that may reach that pointer are looked for backwards. Both
are done again until nothing new is found.

Only then does a slot get what is written at its place under other names: that and no more, not what
the others get by lying on it themselves. A void * in a union would otherwise hand the function of
one type on to a member of another type. Where a slot has functions of its own, it gets all that
another one there holds only if both are called; where one is not (a void *, data of another kind of
object) only the functions that stand there by name, and only if it is called or has some by name
itself. That its record is written in a way that shows no function then says nothing of it.
"""

from kgraph.resolve.labels import UNCITED
from kgraph.resolve.nodes import BESIDE, CONSTANT_OF, LOADED, NAMED, TOP
from kgraph.resolve.numbering import NONE, SLOT
from kgraph.resolve.solver import EMPTY, Solver
from kgraph.resolve.values import token_code

FEW = 32


def close(solver: Solver) -> None:
    """Solve to the end: with pointers to pointers and with unseen callers."""
    given = _given_addresses(solver)
    stored: set[tuple[int, int]] = set()
    _settle(solver, given, stored)
    _overlay(solver)
    _settle(solver, given, stored)


def _settle(
    solver: Solver, given: dict[int, list[int]], stored: set[tuple[int, int]]
) -> None:
    while True:
        _unseen_callers(solver)
        if not _admit(solver, given) | _store(solver, given, stored):
            return


def _overlay(solver: Solver) -> None:
    """Let slots hold what is written at their place."""
    holders = _function_holders(solver)
    called = _called_slots(solver)
    keys = solver.nodes.keys
    for target, beside in solver.constraints.overlays.items():
        slot = keys[target][1]
        filled = slot in holders
        for code, cited in beside.items():
            sources = set()
            if code < 0 or keys[code][0] != SLOT:
                if not filled:
                    sources.add(solver.as_node(code))
            elif filled and not {slot, code} <= called:
                if slot in called or _names(solver, slot):
                    sources.add(_named(solver, code))
            else:
                sources |= _written(solver, code)
            for source in sources:
                solver.connect(source, target, cited)
    solver.run()


def _called_slots(solver: Solver) -> set[int]:
    """The slots that calls go through: they are pointers to functions."""
    keys = solver.nodes.keys
    found = set()
    for call in solver.constraints.calls:
        key = keys[call.target] if call.target >= 0 else ()
        if key:
            found.add(key[1] if key[0] == LOADED else call.target)
    return found


def _written(solver: Solver, slot: int) -> set[int]:
    """The nodes of all that is written to a slot under its own name."""
    constraints = solver.constraints
    written = {source for source, _ in constraints.preds.get(slot, ())
               if solver.nodes.keys[source][0] != BESIDE}
    return written | {constraints.values.anonymous(slot)}


def _named(solver: Solver, slot: int) -> int:
    """The node of the functions that are written to a slot by name."""
    node = solver.nodes.number((NAMED, slot))
    for token, cited in _names(solver, slot):
        solver.connect(solver.as_node(token_code(token)), node, cited)
    return node


def _names(solver: Solver, slot: int) -> list[tuple[int, int]]:
    """The functions that are written to a slot by name, with the labels of that."""
    given = solver.constraints.given
    return [(token, cited) for source in _written(solver, slot)
            for token, cited in given.get(source, {}).items()
            if solver.nodes.function_of(token) != NONE]


def _given_addresses(solver: Solver) -> dict[int, list[int]]:
    """For each address token the nodes that are given it."""
    tokens = solver.nodes.tokens
    given: dict[int, list[int]] = {}
    for node, held in solver.constraints.given.items():
        for token in held:
            if tokens[token][0] != NONE:
                given.setdefault(token, []).append(node)
    for node, key in enumerate(solver.nodes.keys):
        if key[0] == CONSTANT_OF and key[1] != NONE and tokens[key[1]][0] != NONE:
            given.setdefault(key[1], []).append(node)
    return given


def _function_holders(solver: Solver) -> set[int]:
    functions = {token for token, (node, function) in enumerate(solver.nodes.tokens)
                 if node == NONE and function != NONE}
    return {node for node, held in solver.sets.items() if not functions.isdisjoint(held)}


def _admit(solver: Solver, given: dict[int, list[int]]) -> bool:
    """Admit the addresses of what holds a function."""
    holders = _function_holders(solver)
    tokens = solver.nodes.tokens
    found = {token for token in given if tokens[token][0] in holders} - solver.plain
    solver.plain |= found
    for token in found:
        for node in given[token]:
            if solver.wanted(node):
                solver.gain(node, {token})
    solver.run()
    return bool(found)


def _store(
    solver: Solver, given: dict[int, list[int]], stored: set[tuple[int, int]]
) -> bool:
    """Let functions that are stored through pointers reach what these may point to."""
    holders = _function_holders(solver)
    addresses: dict[int, list[int]] = {}
    for token, nodes in given.items():
        for node in nodes:
            addresses.setdefault(node, []).append(solver.nodes.tokens[token][0])
    found: list[tuple[int, int, int]] = []  # all are looked for before the first makes an edge
    for store in solver.constraints.stores:
        source = solver.as_node(store.source)
        if store.pointer < 0 or source not in holders:
            continue
        for target in _reaching(store.pointer, solver.preds, addresses):
            if (source, target) not in stored:
                stored.add((source, target))
                found.append((target, source, store.label))
    for target, source, cited in found:
        solver.store(target, source, cited)
    solver.run()
    return bool(found)


def _reaching(
    pointer: int, preds: dict[int, list[int]], addresses: dict[int, list[int]]
) -> set[int]:
    """What a pointer may point to, searched backwards over all edges, if it is no more than FEW."""
    found: set[int] = set()
    seen = {pointer}
    stack = [pointer]
    while stack:
        node = stack.pop()
        found.update(addresses.get(node, ()))
        if len(found) > FEW:
            return set()
        for source in preds.get(node, ()):
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return found


def _unseen_callers(solver: Solver) -> None:
    """Account for functions whose address is taken and that no call reaches, and for what is
    passed in calls of which nothing is known."""
    for function in solver.need.taken_functions - solver.called:
        solver.open_parameters(function)
    for call in solver.constraints.calls:
        held = solver.sets.get(solver.as_node(call.target), EMPTY)
        if TOP in held and all(solver.nodes.function_of(token) == NONE for token in held):
            for choice in call.arguments:
                for code in choice:
                    solver.connect(solver.as_node(code), solver.constraints.escape, UNCITED)
    solver.run()
