"""Open requests: deferred calls for which no callee was found, and the functions that they might
run.

They are shown at their call sites. A search uses them only to tell "no path" from "could not
tell".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from kgraph.graph.lookups import Lookups
from kgraph.model.results import OpenRequest


class OpenRequests:
    """The requests of an index that have no callee, by the number of their call site."""

    def __init__(self, lookups: Lookups) -> None:
        registered: dict[str, set[int]] = defaultdict(set)
        under_unknown_keys: dict[str, set[int]] = defaultdict(set)
        for callback in lookups.find_deferred_callbacks():
            registered[callback.kind].add(callback.function)
            if callback.key_unknown:
                under_unknown_keys[callback.kind].add(callback.function)
        self._requests: dict[int, list[OpenRequest]] = defaultdict(list)  # by call site
        self._candidates: dict[int, list[frozenset[int]]] = defaultdict(list)  # by caller
        for row in lookups.find_open_requests():
            self._requests[row.site].append(OpenRequest(row.kind, row.reason, row.requested))
            # A known key matched nothing that is registered under a known key.
            possible = registered if row.key_unknown else under_unknown_keys
            self._candidates[row.caller].append(frozenset(possible.get(row.kind, ())))

    @property
    def callers(self) -> Iterable[int]:
        """The functions that make requests."""
        return self._candidates.keys()

    def find_at_site(self, site: int) -> tuple[OpenRequest, ...]:
        """The requests of a call site."""
        return tuple(self._requests.get(site, ()))

    def iter_candidates(self, caller: int) -> Iterator[int]:
        """The functions that the requests of a function might run; some more than once."""
        for candidates in self._candidates.get(caller, ()):
            yield from candidates
