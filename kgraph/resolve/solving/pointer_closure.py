"""Closes a solution over pointers to pointers, and over callers that are not seen.

The kernel passes the addresses of a hundred thousand things that are no function pointers. The
solver admits the address of a pointer only if that pointer holds a function. Where a function
is stored through a pointer, a backward search finds the addresses that may reach the pointer.
Both steps repeat until nothing is new.

Only then does a slot get what is written at its place under other names (storage_overlap), and
not what those names get by overlapping it.
"""

from collections.abc import Iterable, Mapping

from kgraph.resolve.constraint_graph import CONSTANT_OF, TOP, UNCITED
from kgraph.resolve.interning import NONE
from kgraph.resolve.solving.solver import EMPTY, Solver
from kgraph.resolve.solving.storage_overlap import StorageOverlap

MOST_POINTEES = 32


def close_over_pointers(solver: Solver) -> None:
    """Solve to the end: with pointers to pointers and with unseen callers."""
    given = _find_given_addresses(solver)
    stored: set[tuple[int, int]] = set()
    _solve_to_fixpoint(solver, given, stored)
    StorageOverlap(solver, _find_function_holders(solver)).add_edges()
    _solve_to_fixpoint(solver, given, stored)


def _solve_to_fixpoint(
    solver: Solver, given: dict[int, list[int]], stored: set[tuple[int, int]]
) -> None:
    while True:
        _open_unseen_calls(solver)
        if not _admit_addresses(solver, given) | _store_through_pointers(solver, given, stored):
            return


def _find_given_addresses(solver: Solver) -> dict[int, list[int]]:
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


def _find_function_holders(solver: Solver) -> set[int]:
    functions = {token for token, (node, function) in enumerate(solver.nodes.tokens)
                 if node == NONE and function != NONE}
    return {node for node, held in solver.sets.items() if not functions.isdisjoint(held)}


def _admit_addresses(solver: Solver, given: dict[int, list[int]]) -> bool:
    """Admit the addresses of what holds a function."""
    holders = _find_function_holders(solver)
    tokens = solver.nodes.tokens
    found = {token for token in given if tokens[token][0] in holders} - solver.admitted
    solver.admitted |= found
    for token in found:
        for node in given[token]:
            if solver.is_relevant(node):
                solver.add_tokens(node, {token})
    solver.propagate()
    return bool(found)


def _store_through_pointers(
    solver: Solver, given: dict[int, list[int]], stored: set[tuple[int, int]]
) -> bool:
    """Let functions that are stored through pointers reach what these may point to."""
    holders = _find_function_holders(solver)
    addresses: dict[int, list[int]] = {}
    for token, nodes in given.items():
        for node in nodes:
            addresses.setdefault(node, []).append(solver.nodes.tokens[token][0])
    found: list[tuple[int, int, int]] = []  # all are looked for before the first makes an edge
    for store in solver.constraints.stores:
        source = solver.as_node(store.source)
        if store.pointer < 0 or source not in holders:
            continue
        for target in _find_pointees(store.pointer, solver.preds, addresses):
            if (source, target) not in stored:
                stored.add((source, target))
                found.append((target, source, store.label))
    for target, source, cited in found:
        solver.add_store(target, source, cited)
    solver.propagate()
    return bool(found)


def _find_pointees(
    pointer: int, preds: Mapping[int, Iterable[int]], addresses: dict[int, list[int]]
) -> set[int]:
    """What a pointer may point to, searched backwards over all edges, if it is no more than FEW."""
    found: set[int] = set()
    seen = {pointer}
    stack = [pointer]
    while stack:
        node = stack.pop()
        found.update(addresses.get(node, ()))
        if len(found) > MOST_POINTEES:
            return set()
        for source in preds.get(node, ()):
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return found


def _open_unseen_calls(solver: Solver) -> None:
    """Account for functions whose address is taken and that no call reaches, and for what is
    passed in calls of which nothing is known."""
    for function in solver.relevance.taken_functions - solver.called_functions:
        solver.open_parameters(function)
    for call in solver.constraints.calls:
        held = solver.sets.get(solver.as_node(call.target), EMPTY)
        if TOP in held and all(solver.nodes.function_of(token) == NONE for token in held):
            for choice in call.arguments:
                for code in choice:
                    solver.add_edge(solver.as_node(code), solver.constraints.escape, UNCITED)
    solver.propagate()
