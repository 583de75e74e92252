"""Requests to run something later for which no callee was found, and the functions that they might
run.

They are shown at their call sites. A search uses them only to tell "no path" from "could not
tell".
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from kgraph.graph.lookups import Lookups
from kgraph.model.results import OpenRequest


@dataclass(frozen=True, slots=True)
class _KnownRequest:
    request: OpenRequest
    candidates: frozenset[int]


class OpenRequests:
    """The requests of an index that have no callee, by number of the call site."""

    def __init__(self, lookups: Lookups) -> None:
        anything: dict[str, set[int]] = defaultdict(set)
        untold: dict[str, set[int]] = defaultdict(set)
        for kind, function, unknown in lookups.find_deferred_callbacks():
            anything[kind].add(function)
            if unknown:
                untold[kind].add(function)
        self._of_site: dict[int, list[_KnownRequest]] = defaultdict(list)
        self._of_caller: dict[int, list[_KnownRequest]] = defaultdict(list)
        for site, caller, kind, reason, asked, unknown in lookups.find_open_requests():
            found = _KnownRequest(
                OpenRequest(kind, reason, asked),
                frozenset((anything if unknown else untold).get(kind, ())))
            self._of_site[site].append(found)
            self._of_caller[caller].append(found)

    def find_at_site(self, site: int) -> tuple[OpenRequest, ...]:
        """The requests of a call site."""
        return tuple(asked.request for asked in self._of_site.get(site, ()))

    def iter_candidates(self, caller: int) -> Iterator[int]:
        """The functions that the requests of a function might run; some more than once."""
        for asked in self._of_caller.get(caller, ()):
            yield from asked.candidates
