"""Candidates by type: which functions an unresolved call site could call if its signature alone
decided.

These are all functions of that signature whose address is taken. They are counted, and searched
only on request.
"""

from collections import defaultdict
from collections.abc import Iterable

from kgraph.graph.lookups import Lookups

_NONE: tuple[int, ...] = ()


class TypeCandidates:
    """Unresolved call sites and the functions that fit them, by number, ascending."""

    def __init__(self, lookups: Lookups) -> None:
        rows = lookups.find_unresolved_calls()
        self._type: dict[int, int] = {site: kind for site, _, _, kind in rows}
        self._untyped = {site for site, _, text, _ in rows if not text}
        self._of_caller: dict[int, list[int]] = defaultdict(list)
        self._of_type: dict[int, list[int]] = defaultdict(list)
        for site, caller, _, kind in rows:
            self._of_caller[caller].append(site)
            self._of_type[kind].append(site)
        self._callees: dict[int, list[int]] = defaultdict(list)
        self._signature: dict[int, int] = {}
        if rows:
            for function, kind in lookups.find_address_taken():
                self._callees[kind].append(function)
                self._signature[function] = kind

    @property
    def callers(self) -> Iterable[int]:
        """The functions that have unresolved call sites."""
        return self._of_caller.keys()

    def type_of(self, site: int) -> int:
        """The number of the type of an unresolved call site."""
        return self._type[site]

    def sites_of(self, caller: int) -> "list[int] | tuple[int, ...]":
        """The unresolved call sites of a function."""
        return self._of_caller.get(caller, _NONE)

    def callees(self, site: int) -> "list[int] | tuple[int, ...]":
        """The functions that fit an unresolved call site."""
        return _NONE if site in self._untyped else self._callees.get(self._type[site], _NONE)

    def sites_for(self, callee: int) -> "list[int] | tuple[int, ...]":
        """The unresolved call sites that a function fits."""
        return [
            site for site in self._of_type.get(self._signature.get(callee, -1), _NONE)
            if site not in self._untyped
        ]

    def has_unknown_type(self, site: int) -> bool:
        """Whether nothing is known of the type of an unresolved call site: any would fit."""
        return site in self._untyped
