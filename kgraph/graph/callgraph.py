"""The call graph of an open index: arrays for searching, records on demand.

Functions, call sites, edges and hops are numbers; kgraph.store.arrays says what each array
holds. An array is read from the file when it is first used.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from operator import or_
from pathlib import Path
from typing import NamedTuple, cast

from kgraph.graph.by_type import TypeCandidates
from kgraph.graph.installs import NearestInstalls
from kgraph.graph.lookups import Lookups
from kgraph.graph.open_requests import OpenRequests
from kgraph.model.codes import ForwardedValue
from kgraph.model.facts import HandedKind, HandedValue
from kgraph.model.location import Location, ParameterTest
from kgraph.model.resolution import EdgeKind, Evidence
from kgraph.model.results import Hop, IndexDescription, KnownFunction, KnownSite
from kgraph.store.arrays import decode_forwarded
from kgraph.store.reader import IndexReader

_KINDS = tuple(EdgeKind)
_MOST_SITES = 50_000  # to keep
_HANDED = tuple(HandedKind)


class _LazyArray:
    """An array of the index, read when it is first used; then a plain attribute."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, graph: "GraphArrays", owner: type) -> "array[int]":
        numbers = graph.reader.read_array(self._name)
        graph.__dict__[self._name] = numbers
        return numbers


def find_rows(keys: "array[int]", key: int) -> range:
    """The rows of a key in an array that is in order."""
    return range(bisect_left(keys, key), bisect_right(keys, key))


class Forward(NamedTuple):
    """A call site hands a function to `parameter` of its callee: `function`, whatever its caller's
    `own_parameter` holds, or one of the functions of the set of this number. The others are None.
    """

    parameter: int
    function: int | None
    own_parameter: int | None
    function_set: int | None


class HandedPath(NamedTuple):
    """A call site hands to `path`, an access path of its callee, what its caller's `own_path` is,
    or one of the functions of the set of this number. The other is None."""

    path: int
    own_path: int | None
    function_set: int | None


class GraphArrays:
    """The arrays of an index, and what follows from them alone."""

    def __init__(self, reader: IndexReader) -> None:
        self.reader = reader
        self._counted_site = -1  # that _candidate_counts is of
        self._candidate_counts: Counter[EdgeKind | None] = Counter()
        self._tests: dict[int, tuple[ParameterTest, ...]] = {}
        self._constants: dict[int, tuple[HandedValue, ...]] = {}
        self._tested: dict[int, frozenset[int]] = {}

    folder = _LazyArray()
    site_start = _LazyArray()
    edge_start = _LazyArray()
    edge_callee = _LazyArray()
    edge_kind = _LazyArray()
    edge_evidence = _LazyArray()
    hop_start = _LazyArray()
    hop_edge = _LazyArray()
    hop_caller = _LazyArray()
    hop_callee = _LazyArray()
    hop_width = _LazyArray()
    hop_flags = _LazyArray()
    hop_cost = _LazyArray()
    slot_site = _LazyArray()
    slot_record = _LazyArray()
    bound_function = _LazyArray()
    bound_record = _LazyArray()
    bound_table = _LazyArray()
    bound_folder = _LazyArray()
    partner_table = _LazyArray()
    partner_other = _LazyArray()
    kin_record = _LazyArray()
    kin_other = _LazyArray()
    back_start = _LazyArray()
    back_hop = _LazyArray()
    forward_site = _LazyArray()
    forward_parameter = _LazyArray()
    forward_value = _LazyArray()
    handed_site = _LazyArray()
    handed_path = _LazyArray()
    handed_value = _LazyArray()
    set_start = _LazyArray()
    set_function = _LazyArray()
    taken_function = _LazyArray()
    taken_by = _LazyArray()

    test_site = _LazyArray()
    test_parameter = _LazyArray()
    test_mask = _LazyArray()
    test_value = _LazyArray()
    test_equal = _LazyArray()
    constant_site = _LazyArray()
    constant_parameter = _LazyArray()
    constant_value = _LazyArray()
    constant_kind = _LazyArray()

    def tests_of(self, site: int) -> tuple[ParameterTest, ...]:
        """What the guards of a call site ask of the parameters of its caller."""
        known = self._tests.get(site)
        if known is None:
            sites = self.test_site
            known = self._tests[site] = tuple([
                ParameterTest(self.test_parameter[row], self.test_mask[row], self.test_value[row],
                     bool(self.test_equal[row]))
                for row in find_rows(sites, site)])
        return known

    def constants_of(self, site: int) -> tuple[HandedValue, ...]:
        """What a call site hands to parameters of its callees that matter: those that a guard in
        the callee tests, or that the callee hands on to one that does. What is not among them
        may be anything. Callees that are called later (deferred) get none of it.
        """
        known = self._constants.get(site)
        if known is None:
            sites = self.constant_site
            known = self._constants[site] = tuple([
                HandedValue(self.constant_parameter[row], _HANDED[self.constant_kind[row]],
                            self.constant_value[row])
                for row in find_rows(sites, site)])
        return known

    def find_tested_parameters(self, function: int) -> frozenset[int]:
        """The parameters of a function that matter: a guard tests them, or they are handed on to
        one that does.
        """
        known = self._tested.get(function)
        if known is None:
            first, last = self.site_start[function], self.site_start[function + 1]
            low, high = (bisect_left(self.test_site, site) for site in (first, last))
            found = set(self.test_parameter[low:high])
            low, high = (bisect_left(self.constant_site, site) for site in (first, last))
            found.update(
                value for kind, value in zip(
                    self.constant_kind[low:high], self.constant_value[low:high], strict=True)
                if kind == HandedKind.PARAMETER)
            known = self._tested[function] = frozenset(found)
        return known

    def record_of(self, site: int) -> int | None:
        """The id of the text of the record whose field a call site goes through."""
        row = next(iter(find_rows(self.slot_site, site)), None)
        return None if row is None else self.slot_record[row]

    def find_forwards(self, site: int) -> list[Forward]:
        """What a call site hands on."""
        sites = self.forward_site
        values = cast("Sequence[ForwardedValue]", self.forward_value)
        return [
            Forward(self.forward_parameter[row], *decode_forwarded(values[row]))
            for row in find_rows(sites, site)
        ]

    def find_handed(self, site: int) -> list[HandedPath]:
        """What a call site hands to access paths of its callee."""
        found: list[HandedPath] = []
        values = cast("Sequence[ForwardedValue]", self.handed_value)
        for row in find_rows(self.handed_site, site):
            _, own_path, function_set = decode_forwarded(values[row])
            found.append(HandedPath(self.handed_path[row], own_path, function_set))
        return found

    @cached_property
    def access_paths(self) -> dict[int, int]:
        """Call site -> the access path of its caller that it goes through."""
        return dict(zip(self.reader.read_array("through_site"),
                        self.reader.read_array("through_path"), strict=True))

    @cached_property
    def sites_handing_sets(self) -> frozenset[int]:
        """The call sites that hand one of a set of functions to an access path."""
        values = cast("Iterable[ForwardedValue]", self.handed_value)
        return frozenset(site for site, value in zip(self.handed_site, values, strict=True)
                         if decode_forwarded(value)[2] is not None)

    def functions_of_set(self, number: int) -> "array[int]":
        """The functions of a set that a call site hands on."""
        return self.set_function[self.set_start[number]:self.set_start[number + 1]]

    @cached_property
    def takers(self) -> dict[int, list[int]]:
        """The functions whose name only other functions use as a value, with these."""
        found: dict[int, list[int]] = {}
        for function, taker in zip(self.taken_function, self.taken_by, strict=True):
            found.setdefault(function, []).append(taker)
        return found

    @cached_property
    def sites_by_forwarded(self) -> dict[int, list[int]]:
        """Function -> the call sites that hand it on."""
        found: dict[int, list[int]] = {}
        values = cast("Iterable[ForwardedValue]", self.forward_value)
        for site, value in zip(self.forward_site, values, strict=True):
            function = decode_forwarded(value)[0]
            if function is not None:
                found.setdefault(function, []).append(site)
        return found

    @cached_property
    def callbacks(self) -> dict[int, int]:
        """Call site -> the parameter of its caller that it goes through."""
        return dict(
            zip(
                self.reader.read_array("callback_site"),
                self.reader.read_array("callback_parameter"),
                strict=True,
            )
        )

    def __len__(self) -> int:
        return len(self.site_start) - 1

    def site_of(self, edge: int) -> int:
        """The call site of an edge."""
        return bisect_right(self.edge_start, edge) - 1

    def caller_of(self, site: int) -> int:
        """The function that a call site is in."""
        return bisect_right(self.site_start, site) - 1

    @cached_property
    def used_flags(self) -> int:
        """The flags that any hop has."""
        return reduce(or_, set(self.hop_flags), 0)

    def kind(self, edge: int) -> EdgeKind:
        """The kind of an edge."""
        return _KINDS[self.edge_kind[edge]]

    def edges_of(self, site: int) -> range:
        """The edges of a call site."""
        return range(self.edge_start[site], self.edge_start[site + 1])

    def count_candidates(self, edge: int) -> int:
        """How many candidates the call site of an edge has. Candidates by type, and deferred calls,
        are counted by themselves.
        """
        site = self.site_of(edge)
        if self._counted_site != site:
            self._counted_site = site
            self._candidate_counts = Counter(
                _counting_class(self.kind(other)) for other in self.edges_of(site))
        return self._candidate_counts[_counting_class(self.kind(edge))]

    def edges_from(self, function: int) -> range:
        """All edges that leave a function."""
        first, last = self.site_start[function], self.site_start[function + 1]
        return range(self.edge_start[first], self.edge_start[last])

    def callees_of(self, function: int) -> list[int]:
        """The functions that `function` has an edge to, each once, ascending."""
        return sorted(set(self.hop_callee[self.hop_start[function]:self.hop_start[function + 1]]))

    def callers_of(self, function: int) -> list[int]:
        """The functions with an edge to `function`, each once, ascending."""
        return sorted({self.hop_caller[hop] for hop in self.hops_to(function)})

    def hops_to(self, function: int) -> "array[int]":
        """The hops that reach `function`."""
        return self.back_hop[self.back_start[function]:self.back_start[function + 1]]


def _counting_class(kind: EdgeKind) -> EdgeKind | None:
    return kind if kind in (EdgeKind.TYPE, EdgeKind.DEFERRED) else None


class CallGraph(GraphArrays, Lookups):
    """The call graph of an index file: its arrays, its tables, and records of both, which are kept.

    Functions, call sites and edges are numbers. Methods raise StoreError if the file is damaged.
    """

    def __init__(self, reader: IndexReader) -> None:
        super().__init__(reader)
        self._functions: dict[int, KnownFunction] = {}
        self._named: dict[str, list[KnownFunction]] = {}
        self._sites: dict[int, KnownSite] = {}
        self._evidence: dict[int, tuple[Evidence, ...]] = {}
        self._installs = NearestInstalls(self)
        self._sites_from = -1
        self._sites_by_callee: dict[int, list[int]] = {}

    def close(self) -> None:
        """Close the index file."""
        self.reader.close()

    @property
    def description(self) -> IndexDescription:
        """What the index is of."""
        return self.reader.description

    @cached_property
    def is_whole(self) -> bool:
        """Whether the index has all that is linked into the kernel and its modules. What none of
        its units defines, no code that is left calls."""
        return self.description.whole and not self.reader.coverage.failed

    @property
    def path(self) -> Path:
        """The index file."""
        return self.reader.path

    def function(self, number: int) -> KnownFunction:
        """The function of this number."""
        if number not in self._functions:
            self._functions[number] = self.load_functions((number,))[0]
        return self._functions[number]

    def load_names(self, names: Iterable[str]) -> None:
        """Keep the functions of these names: find_functions() then does not ask the file."""
        missing = set(names) - self._named.keys()
        self._named.update((name, []) for name in missing)
        for function in self.find_named_functions(missing):
            self._functions[function.number] = function
            self._named[function.id.name].append(function)

    def find_functions(self, name: str) -> list[KnownFunction]:
        """The functions of this name."""
        known = self._named.get(name)
        return super().find_functions(name) if known is None else list(known)

    def find_sites_of(self, function: int) -> list[KnownSite]:
        """The call sites of a function."""
        return self.find_sites_between(self.site_start[function], self.site_start[function + 1])

    def site(self, number: int) -> KnownSite:
        """The call site of this number."""
        if number not in self._sites:
            self._sites[number] = self.load_sites((number,))[0]
        return self._sites[number]

    def evidence(self, edge: int) -> tuple[Evidence, ...]:
        """The evidence of an edge."""
        number = self.edge_evidence[edge]
        if number not in self._evidence:
            self._evidence[number] = self.reader.read_evidence(number)
        return self._evidence[number]

    def hop(self, edge: int, width: int | None = None, *, others: bool = True) -> Hop:
        """The record of an edge; `width` replaces its count of candidates. With `others` it has the
        other call sites of the same caller and callee."""
        site = self.site(self.site_of(edge))
        callee = self.edge_callee[edge]
        beside = [other for other in self._sites_to(site.caller)[callee]
                  if other != site.number] if others else []
        ends = self.function(site.caller), self.function(callee)
        return Hop(
            *ends, site, self.kind(edge), self.count_candidates(edge) if width is None else width,
            self.cite_nearest_install(self.evidence(edge), *ends), self._locate_sites(beside),
        )

    def cite_nearest_install(
        self, evidence: tuple[Evidence, ...], caller: KnownFunction, callee: KnownFunction
    ) -> tuple[Evidence, ...]:
        """The evidence of a call with the install of its table that is nearest to it."""
        return self._installs.cite_nearest(evidence, caller, callee)

    def _locate_sites(self, numbers: Sequence[int]) -> tuple[Location, ...]:
        if all(number in self._sites for number in numbers):
            return tuple(self._sites[number].location for number in numbers)
        return self.load_site_locations(numbers)

    def _sites_to(self, caller: int) -> dict[int, list[int]]:
        """Callee -> the call sites of `caller` that call it; kept for one caller at a time."""
        if self._sites_from != caller:
            found: dict[int, list[int]] = {}
            for site in range(self.site_start[caller], self.site_start[caller + 1]):
                edges = self.edges_of(site)
                for callee in set(self.edge_callee[edges.start:edges.stop]):
                    found.setdefault(callee, []).append(site)
            self._sites_from, self._sites_by_callee = caller, found
        return self._sites_by_callee

    def count_sites(self, caller: int, callee: int) -> int:
        """How many call sites of a caller call a function."""
        return len(self._sites_to(caller)[callee])

    def load_all_functions(self) -> None:
        """Read the records of all functions at once, if they are not there."""
        if len(self._functions) < len(self):
            self._functions = {each.number: each for each in self.find_all_functions()}

    def preload(self, edges: Iterable[int]) -> None:
        """Read at once what the records of many edges need, before you ask for them one by one."""
        edges = list(edges)
        callers = [self.caller_of(self.site_of(edge)) for edge in edges]
        callees = [self.edge_callee[edge] for edge in edges]
        if len(self._sites) > _MOST_SITES:
            self._sites.clear()
        sites = {site for caller, callee in set(zip(callers, callees, strict=True))
                 for site in self._sites_to(caller)[callee] if site not in self._sites}
        self._sites.update((site.number, site) for site in self.load_sites(sites))
        functions = {each for each in (*callers, *callees) if each not in self._functions}
        self._functions.update(
            (function.number, function) for function in self.load_functions(functions))
        evidence = {self.edge_evidence[edge] for edge in edges}
        self._evidence.update(self.load_evidence(
            number for number in evidence if number not in self._evidence))

    def find_holders_from(self, caller: int) -> dict[int, int]:
        """Call site -> id of its holder, for the call sites of a caller that go through one."""
        return self.find_holder_ids(self.site_start[caller], self.site_start[caller + 1])

    @cached_property
    def by_type(self) -> TypeCandidates:
        """What unresolved call sites could call by their type."""
        return TypeCandidates(self)

    @cached_property
    def open_requests(self) -> OpenRequests:
        """The requests to run something later for which no callee was found."""
        return OpenRequests(self)

    def hop_by_type(self, site: int, callee: int) -> Hop:
        """The record of a call to a candidate by type."""
        known = self.site(site)
        width = len(self.by_type.callees(site))
        return Hop(
            self.function(known.caller), self.function(callee), known, EdgeKind.TYPE, width
        )
