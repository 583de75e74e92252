"""Reads path_rules.toml: what is declared of contexts that may not sleep, and of dispatchers."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

_Text = Annotated[str, Meta(min_length=1)]
_Texts = Annotated[tuple[_Text, ...], Meta(min_length=1)]


class RunContext(StrEnum):
    """In which context a deferred callback runs."""

    ATOMIC = "atomic"
    PROCESS = "process"
    CALLER = "caller"


class _Names(Struct, frozen=True, forbid_unknown_fields=True):
    names: _Texts
    reason: _Text


class _DeferredRow(Struct, frozen=True, forbid_unknown_fields=True):
    kinds: _Texts
    context: RunContext
    reason: _Text


class _DispatchRow(Struct, frozen=True, forbid_unknown_fields=True):
    kind: _Text
    slots: _Texts
    reason: _Text


class _Rows(Struct, frozen=True, forbid_unknown_fields=True):
    atomic: tuple[_Names, ...]
    sleeps: tuple[_Names, ...]
    annotation: tuple[_Names, ...]
    deferred: tuple[_DeferredRow, ...]
    dispatch: tuple[_DispatchRow, ...]


class DeclaredPathRules(Struct, frozen=True):
    """`atomic` and `sleeping` are patterns of names of functions; a function with one of the macros
    `annotations` sleeps, too; `contexts` has the context of kinds of deferred calls, `slots` the
    kind that is called at once through a slot.
    """

    atomic: tuple[str, ...]
    sleeping: tuple[str, ...]
    annotations: tuple[str, ...]
    contexts: dict[str, RunContext]
    slots: dict[str, str]


@cache
def load_path_rules() -> DeclaredPathRules:
    """What path_rules.toml declares."""
    text = resources.files("kgraph.query.paths").joinpath("path_rules.toml").read_text("utf-8")
    rows = msgspec.toml.decode(text, type=_Rows)
    return DeclaredPathRules(
        _join(rows.atomic), _join(rows.sleeps), _join(rows.annotation),
        {kind: row.context for row in rows.deferred for kind in row.kinds},
        {slot: row.kind for row in rows.dispatch for slot in row.slots},
    )


def _join(rows: Iterable[_Names]) -> tuple[str, ...]:
    return tuple(name for row in rows for name in row.names)
