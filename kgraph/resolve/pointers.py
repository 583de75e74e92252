"""Pointers to pointers, and callers that are not seen: what closes a solution.

The kernel passes the addresses of a hundred thousand things that are no function pointers. The
address of a pointer is admitted to the solver only where it holds a function; where a function is
stored through a pointer, the addresses that may reach that pointer are looked for backwards. Both
are done again until nothing new is found.

Only then does a slot get what is written at its place under other names (beside): that alone, not
what the others get by lying on it themselves.
"""

from collections.abc import Iterable, Mapping

from kgraph.resolve.beside import Overlaid
from kgraph.resolve.labels import UNCITED
from kgraph.resolve.nodes import CONSTANT_OF, TOP
from kgraph.resolve.numbering import NONE
from kgraph.resolve.solver import EMPTY, Solver

FEW = 32


def close(solver: Solver) -> None:
    """Solve to the end: with pointers to pointers and with unseen callers."""
    given = _given_addresses(solver)
    stored: set[tuple[int, int]] = set()
    _settle(solver, given, stored)
    Overlaid(solver, _function_holders(solver)).join()
    _settle(solver, given, stored)


def _settle(
    solver: Solver, given: dict[int, list[int]], stored: set[tuple[int, int]]
) -> None:
    while True:
        _unseen_callers(solver)
        if not _admit(solver, given) | _store(solver, given, stored):
            return


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
    pointer: int, preds: Mapping[int, Iterable[int]], addresses: dict[int, list[int]]
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
