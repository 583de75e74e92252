"""Questions about entry points: what reaches a place, what a kind of entry points reaches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.model.results import KnownFunction, ReachAnswer


def reach(
    graph: "CallGraph", place: str, kinds: Sequence[str] = (), *, deferred: bool = True
) -> "ReachAnswer":
    """Which kinds of entry points (all by default) reach a function, FILE:LINE, or the calls
    through a slot: reached, with the way; proved not; or undecided, with what keeps it open.
    Without `deferred` only calls count that run at once.

    Raises LookupFailed where the place means nothing, and for an unknown kind.
    """
    from kgraph.query.reach.verdicts import find_reach

    return find_reach(graph, place, kinds, deferred=deferred)


def reached_functions(
    graph: "CallGraph", kinds: Sequence[str] = ()
) -> "list[tuple[KnownFunction, tuple[str, ...]]]":
    """The functions to which calls lead from kinds of entry points (all by default), each with the
    kinds. None is missing that no open call adds, but not every one need be reached: `reach` judges
    one.

    Raises LookupFailed for an unknown kind.
    """
    from kgraph.query.reach.verdicts import list_reached

    return list_reached(graph, kinds)


def entry_kinds() -> list[str]:
    """The kinds of entry points."""
    from kgraph.query.reach.entries import list_kinds

    return list_kinds()
