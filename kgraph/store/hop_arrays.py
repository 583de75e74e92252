"""Turns edges into hops: the arrays that a search walks.

A search cannot tell some edges of a pair of functions apart: same callee, same holder, same
kind, same forwarded functions, and the same conditions: what guards ask of parameters, and what
numbers the call hands on. It only sees the cheapest of them (then the first), the hop. One that
asks less and hands on no more stands for dearer ones, too: every way that takes these may take it.
"""

from array import array
from typing import NamedTuple

from kgraph.model.resolution import EdgeKind
from kgraph.store.arrays import (
    FLAG_CALLBACK,
    FLAG_DEFERRED,
    FLAG_FORWARDS,
    FLAG_INDIRECT,
    FLAG_TYPE,
)
from kgraph.store.condition_arrays import find_conditions
from kgraph.store.hop_costs import break_tie, hop_cost

_KIND_FLAGS = [
    {
        EdgeKind.DIRECT: 0,
        EdgeKind.ASM: 0,
        EdgeKind.DEFERRED: FLAG_INDIRECT | FLAG_DEFERRED,
        EdgeKind.TYPE: FLAG_INDIRECT | FLAG_TYPE,
    }.get(kind, FLAG_INDIRECT)
    for kind in EdgeKind
]


class HopRow(NamedTuple):
    """What the arrays hop_* say of one hop."""

    edge: int
    caller: int
    callee: int
    width: int
    flags: int
    cost: int


_Hop = tuple[int, int, int, int, int, int]  # cost, edge, callee, width, flags, call site

HOP_ARRAYS = {"hop_edge": "I", "hop_caller": "I", "hop_callee": "I", "hop_width": "I",
              "hop_flags": "B", "hop_cost": "I"}
"""The arrays of the members of HopRow, in their order."""


def build_hop_arrays(edges: dict[str, "array[int]"], holders: list[int]) -> dict[str, "array[int]"]:
    """The arrays hop_* and back_* of all edges. `holders` are the ids of the holders that call
    sites go through, -1 for none.
    """
    forwards = group_forwards_by_site(edges)
    callbacks = set(edges["callback_site"])
    functions = len(edges["site_start"]) - 1
    hops = {name: array(code) for name, code in HOP_ARRAYS.items()}
    start = array("I", [0])
    for caller in range(functions):
        for row in select_hops(caller, edges, holders, forwards, callbacks):
            for numbers, number in zip(hops.values(), row, strict=True):
                numbers.append(number)
        start.append(len(hops["hop_edge"]))
    back_start, back_hop = reverse_hops(hops["hop_callee"], functions)
    return {**hops, "hop_start": start, "back_start": back_start, "back_hop": back_hop}


def select_hops(
    caller: int,
    edges: dict[str, "array[int]"],
    holders: list[int],
    forwards: dict[int, tuple[tuple[int, int], ...]],
    callbacks: set[int],
) -> list[HopRow]:
    """The hops of `caller`, in the order of callees."""
    groups: dict[tuple[int, int, int, tuple[tuple[int, int], ...]], list[_Hop]] = {}
    callees, kinds, starts = edges["edge_callee"], edges["edge_kind"], edges["edge_start"]
    price_of, site_price = edges["function_price"], edges["site_price"]
    for site in range(edges["site_start"][caller], edges["site_start"][caller + 1]):
        first, last = starts[site], starts[site + 1]
        handed = forwards.get(site, ())
        extra = (FLAG_FORWARDS if handed else 0) | (FLAG_CALLBACK if site in callbacks else 0)
        flags = [_edge_flags(kinds[edge], extra) for edge in range(first, last)]
        widths = {flag: flags.count(flag) if flag & FLAG_INDIRECT else 1 for flag in set(flags)}
        holder = holders[site]
        for edge, flag in enumerate(flags, first):
            width, callee = widths[flag], callees[edge]
            cost = hop_cost(width, flag, site_price[site] + price_of[callee])
            groups.setdefault((callee, flag, holder, handed), []).append(
                (cost, edge, callee, width, flag, site))
    tie = break_tie(len(groups))
    chosen = [hop for group in groups.values() for hop in _select_cheapest(group, edges)]
    chosen.sort(key=_by_callee)
    return [HopRow(edge, caller, callee, width, flag, cost + tie)
            for cost, edge, callee, width, flag, _ in chosen]


def _by_callee(hop: _Hop) -> tuple[int, int]:
    return hop[2], hop[1]


def _select_cheapest(group: list[_Hop], edges: dict[str, "array[int]"]) -> list[_Hop]:
    """Of hops that differ in their conditions at most (and their call sites), those that a search
    may need.
    """
    if len(group) == 1:
        return group
    chosen: list[tuple[_Hop, set[tuple[int, ...]]]] = []
    for hop in sorted(group):
        *_, flag, site = hop
        conditions = find_conditions(edges, site, gets_arguments=not flag & FLAG_DEFERRED)
        if not any(fewer <= conditions for _, fewer in chosen):
            chosen.append((hop, conditions))
            if not conditions:
                break  # it asks nothing, so that it stands for all that are dearer
    return [hop for hop, _ in chosen]


def _edge_flags(kind: int, extra: int) -> int:
    """The flags of an edge. A deferred call does not get what its call site hands on."""
    flags = _KIND_FLAGS[kind]
    return flags | (extra & FLAG_CALLBACK if flags & FLAG_DEFERRED else extra)


def group_forwards_by_site(
    edges: dict[str, "array[int]"],
) -> dict[int, tuple[tuple[int, int], ...]]:
    """Call site -> (parameter, value) of what it hands on, in order."""
    by_site: dict[int, list[tuple[int, int]]] = {}
    rows = zip(
        edges["forward_site"], edges["forward_parameter"], edges["forward_value"], strict=True
    )
    for site, parameter, value in rows:
        by_site.setdefault(site, []).append((parameter, value))
    return {site: tuple(items) for site, items in by_site.items()}


def reverse_hops(callees: "array[int]", functions: int) -> tuple["array[int]", "array[int]"]:
    """The arrays back_start and back_hop: hops in the order of their callees."""
    start = array("I", bytes(4 * (functions + 1)))
    for callee in callees:
        start[callee + 1] += 1
    for function in range(functions):
        start[function + 1] += start[function]
    place = start[:]
    back = array("I", bytes(4 * len(callees)))
    for hop, callee in enumerate(callees):
        back[place[callee]] = hop
        place[callee] += 1
    return start, back
