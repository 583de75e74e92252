"""What a hop costs a path: little for what a caller always does, much for what it seldom does.

The unit is a call that its function always makes: it costs 1 hop, which is HOP (4096) as an
integer. To that is added
- what a choice among n candidates says little about: 0.75 log2(n) hops;
- what leaves the caller's context: a deferred call;
- what the call depends on: each condition around it, each early exit before it. A condition that
  the source calls unlikely costs much, one that it calls likely nothing;
- what tells of an error and leads nowhere else: a call that a macro of diagnostics makes, or of
  a function that prints, or that ends the kernel. unlikely_calls.toml names these. A function that
  is cold or does not return by its attribute is dear, too.
A candidate by type comes last.

Ties are broken by how many functions the caller calls: a call is more likely the purpose of a
function that makes two calls than of one that makes thirty. Costs are integers, so that sums are
exact in any order. They are computed when an index is written.
"""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import cache
from importlib import resources
from math import log2
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from kgraph.model.facts import Function
from kgraph.store.arrays import FLAG_DEFERRED, FLAG_INDIRECT, FLAG_TYPE

HOP = 4096  # 1 hop
_PRICES_PER_HOP = 8  # prices of call sites and functions are bytes: eighths of a hop
_CONDITION = 1.5
_ELSE = 1.0
_EARLY_EXIT = 0.25
_UNLIKELY = 4.0
_MOST_FOR_CONDITIONS = 6.0
_DIAGNOSTIC = 12.0
_COLD = 4.0
_NO_RETURN = 2.0
_CHOICE = 0.75  # a bit of choice
_DEFERRED = 4.0
_BY_TYPE = 40.0
_MAX_CALLEES_COST = HOP // 128


class _Pattern(Struct, forbid_unknown_fields=True):
    names: Annotated[list[str], Meta(min_length=1)]
    reason: Annotated[str, Meta(min_length=1)]


class _Table(Struct, forbid_unknown_fields=True):
    macro: list[_Pattern]
    function: list[_Pattern]


def choice_cost(width: int) -> int:
    """What a choice among `width` candidates adds to the cost of a hop."""
    return round(_CHOICE * HOP * log2(max(1, width)))


@cache
def hop_cost(width: int, flags: int, price: int = 0) -> int:
    """The cost of a hop through a call site with `width` candidates. `flags` are FLAG_* of
    kgraph.store.arrays, `price` is the sum of what price_call_site and price_function say.
    """
    cost = HOP + price * HOP // _PRICES_PER_HOP
    if flags & FLAG_INDIRECT:
        cost += choice_cost(width)
    if flags & FLAG_DEFERRED:
        cost += round(_DEFERRED * HOP)
    if flags & FLAG_TYPE:
        cost += round(_BY_TYPE * HOP)
    return cost


def break_tie(callees: int) -> int:
    """What is added to each hop of a function that calls so many others."""
    return min(callees, _MAX_CALLEES_COST)


def price_call_site(macro: str, guards: Iterable[Sequence[Any]]) -> int:
    """What the conditions around a call, and the macro that makes it, add: eighths of a hop, a
    byte. `guards` are rows of codec.py.
    """
    price = min(_MOST_FOR_CONDITIONS, sum(map(_price_guard, guards)))
    if macro and _is_diagnostic("macro", macro):
        price += _DIAGNOSTIC
    return round(price * _PRICES_PER_HOP)


def price_function(name: str, function: Function | None) -> int:
    """What a call of a function adds: eighths of a hop, a byte. `function` is its definition."""
    price = 0.0
    if _is_diagnostic("function", name):
        price = _DIAGNOSTIC
    elif function is not None:
        price = _COLD if function.is_cold else _NO_RETURN if function.is_noreturn else 0.0
    return round(price * _PRICES_PER_HOP)


def _price_guard(guard: Sequence[Any]) -> float:
    holds, *rest = guard[5:]  # behind its extent
    is_early_exit, expected = rest[:2] or (0, -1)
    if expected >= 0:
        return 0.0 if expected == holds else _UNLIKELY
    if holds:
        return _CONDITION
    return _EARLY_EXIT if is_early_exit else _ELSE


@cache
def _is_diagnostic(table: str, name: str) -> bool:
    return _patterns()[table].match(name) is not None


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    text = resources.files("kgraph.store").joinpath("unlikely_calls.toml").read_text("utf-8")
    read = msgspec.toml.decode(text, type=_Table)
    return {"macro": _join_patterns(read.macro), "function": _join_patterns(read.function)}


def _join_patterns(rows: Iterable[_Pattern]) -> re.Pattern[str]:
    return re.compile("|".join(translate(name) for row in rows for name in row.names))
