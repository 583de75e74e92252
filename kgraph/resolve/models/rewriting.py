"""Replaces places in the facts of a definition, wherever its calls and flows name them."""

from collections.abc import Callable

from msgspec.structs import replace

from kgraph.model.facts import CallSite, Definition, Flow
from kgraph.model.values import Address, Load, Place, Value


def replace_places(
    definition: Definition, find_new: Callable[[Place], Place | None]
) -> Definition:
    """The definition with other places in its calls and flows; `find_new` gives None for a place
    that stays. If all stay, that is the same object.
    """

    def place(old: Place) -> Place:
        new = find_new(old)
        if new is not None:
            return new
        if old.base is None:
            return old
        base = value(old.base)
        return old if base is old.base else Place(old.holder, base)

    def value(old: Value) -> Value:
        if not isinstance(old, Load | Address):
            return old
        new = place(old.place)
        return old if new is old.place else type(old)(new)

    calls = tuple(_rewrite_call(call, value) for call in definition.calls)
    flows = tuple(_rewrite_flow(flow, value(flow.source), place(flow.target))
                  for flow in definition.flows)
    if all(new is old for new, old in zip(
            (*calls, *flows), (*definition.calls, *definition.flows), strict=True)):
        return definition
    return replace(definition, calls=calls, flows=flows)


def _rewrite_flow(flow: Flow, source: Value, target: Place) -> Flow:
    if source is flow.source and target is flow.target:
        return flow
    return replace(flow, source=source, target=target)


def _rewrite_call(call: CallSite, value: Callable[[Value], Value]) -> CallSite:
    target = value(call.target)
    arguments = tuple(
        tuple(value(choice) for choice in choices) for choices in call.arguments)
    if target is call.target and all(
            new is old for row, rest in zip(arguments, call.arguments, strict=True)
            for new, old in zip(row, rest, strict=True)):
        return call
    return replace(call, target=target, arguments=arguments)
