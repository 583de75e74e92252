"""Candidates by type: which functions an unresolved call site could call if its signature alone
decided.

These are all functions of that signature whose address is taken. They are counted, and searched
only on request.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kgraph.graph.lookups import Lookups


class TypeCandidates:
    """Unresolved call sites and the functions that fit them, by number, ascending.

    A type is the number of a signature.
    """

    def __init__(self, lookups: Lookups) -> None:
        calls = lookups.find_unresolved_calls()
        self._type = {call.site: call.signature_id for call in calls}
        self._untyped = {call.site for call in calls if not call.signature}
        self._sites_of_caller: dict[int, list[int]] = defaultdict(list)
        self._sites_of_type: dict[int, list[int]] = defaultdict(list)
        for call in calls:
            self._sites_of_caller[call.caller].append(call.site)
            self._sites_of_type[call.signature_id].append(call.site)
        self._functions_of_type: dict[int, list[int]] = defaultdict(list)
        self._type_of_function: dict[int, int] = {}
        if calls:
            for function, type_ in lookups.find_address_taken():
                self._functions_of_type[type_].append(function)
                self._type_of_function[function] = type_

    @property
    def callers(self) -> Iterable[int]:
        """The functions that have unresolved call sites."""
        return self._sites_of_caller.keys()

    def type_of(self, site: int) -> int:
        """The type that an unresolved call site calls."""
        return self._type[site]

    def sites_of(self, caller: int) -> Sequence[int]:
        """The unresolved call sites of a function."""
        return self._sites_of_caller.get(caller, ())

    def callees(self, site: int) -> Sequence[int]:
        """The functions that fit an unresolved call site; none if its type is unknown."""
        return () if site in self._untyped else self._functions_of_type.get(self._type[site], ())

    def sites_for(self, callee: int) -> Sequence[int]:
        """The unresolved call sites that a function fits."""
        sites = self._sites_of_type.get(self._type_of_function.get(callee, -1), ())
        return [site for site in sites if site not in self._untyped]

    def has_unknown_type(self, site: int) -> bool:
        """Whether the type of an unresolved call site is unknown: any function would fit."""
        return site in self._untyped
