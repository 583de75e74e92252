"""The tables of a path are those of one object.

Where a path goes through a table that the rows of another table pair with some (`inetsw_array` has
tcp_prot beside inet_stream_ops), a later call goes through one of these. And where a later call can
go through a table that is implemented in the same folder (the address_space_operations of the file
system whose file_operations were taken), another one is dear: it may be that of another object. So
is one whose own folder implements the table before, too. A function that nothing calls but through
its tables has been reached through one of them, also where the path starts in it.
"""

from collections.abc import Sequence
from functools import cached_property

from kgraph.graph import CallGraph
from kgraph.graph.callgraph import find_rows
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, ValueNumbers, Verdict
from kgraph.store.arrays import FLAG_CALLBACK, FLAG_INDIRECT

NAME = "tables"
_FAMILY = -1  # the key of the fact of the folder; others are records
_OTHER_FAMILY = 6 * HOP
_HAS_OWN = HOP  # another folder, which implements the table before, too
_Tables = frozenset[int]


class ObjectTables:
    """The rule of the tables of one object."""

    name = NAME
    is_of_parameters = False

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._values = ValueNumbers[tuple[int, frozenset[int]]]()  # a record, its tables or folders
        self._folders: dict[int, frozenset[int]] = {}

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop goes through a table."""
        if hop.is_direct or hop.is_deferred or hop.flags & FLAG_CALLBACK:
            return False
        return self._graph.record_of(self._graph.site_of(hop.edge)) is not None

    def judge(
        self, hop: OutgoingHop, own: Facts, _bindings: tuple[tuple[int, int], ...]
    ) -> Verdict:
        """Refuse a table that is not paired with one before; that of another folder is dear."""
        if hop.is_deferred:
            return Verdict()
        record = None
        if hop.rules and not hop.is_direct:
            record = self._graph.record_of(self._graph.site_of(hop.edge))
        if record is None:
            return Verdict(own)
        tables = self._find_tables(hop.callee, record)
        if not tables:
            return Verdict(own)
        facts = {fact.key: fact.value for fact in own}
        if self._contradicts(facts, record, tables):
            return Verdict(refused="these tables are not of one object", is_certain=False)
        cost = self._price_family(hop, record, facts.get(_FAMILY))
        if record in self._paired_records:
            facts[record] = self._values.assign((record, tables))
        if hop.width > 1 and record in self._kin:
            folders = frozenset(self._folders_of(hop.callee, record))
            if folders:
                facts[_FAMILY] = self._values.assign((record, folders))
        return Verdict(tuple(Fact(NAME, *item) for item in facts.items()), cost=cost)

    def facts_at_start(self, function: int) -> Facts:
        """The tables of the function, if all calls of it go through tables of one record."""
        graph = self._graph
        records = set[int | None]()
        for hop in graph.hops_to(function):
            is_direct = not graph.hop_flags[hop] & FLAG_INDIRECT
            records.add(None if is_direct else graph.record_of(graph.site_of(graph.hop_edge[hop])))
        record = records.pop() if len(records) == 1 else None
        tables = frozenset() if record is None else self._find_tables(function, record)
        if record is None or not tables or record not in self._paired_records:
            return ()
        return (Fact(NAME, record, self._values.assign((record, tables))),)

    def _contradicts(self, facts: dict[int, int], record: int, tables: _Tables) -> bool:
        passed = {key: value for key, value in facts.items() if key not in (_FAMILY, record)}
        return any(self._is_contradicted(self._values[value][1], before, tables, record)
                   for before, value in passed.items())

    def _is_contradicted(
        self, before: _Tables, before_record: int, now: _Tables, record: int
    ) -> bool:
        """Whether no table of the one is paired with any of the other, though all have partners."""
        for ones, others, type_ in ((now, before, before_record), (before, now, record)):
            partners = [self._find_partners(table, type_) for table in ones]
            if all(partners) and others.isdisjoint(frozenset().union(*partners)):
                return True
        return False

    def _find_partners(self, table: int, record: int) -> set[int]:
        return {other for other in self._partners.get(table, ())
                if record in self._records_of_table.get(other, ())}

    def _price_family(self, hop: OutgoingHop, record: int, family: int | None) -> int:
        if family is None or hop.width == 1:
            return 0
        before, folders = self._values[family]
        if before == record or record not in self._kin.get(before, ()):
            return 0
        if not folders.isdisjoint(self._folders_of(hop.callee, record)):
            return 0
        if not folders.isdisjoint(self._find_folders(hop, record)):
            return _OTHER_FAMILY
        own = self._folders_of(hop.callee, record)
        return 0 if own.isdisjoint(self._folders_of_record.get(before, ())) else _HAS_OWN

    def _find_folders(self, hop: OutgoingHop, record: int) -> frozenset[int]:
        """The folders of the tables that a call site may go through."""
        graph, site = self._graph, self._graph.site_of(hop.edge)
        if site not in self._folders:
            callees = graph.edge_callee[graph.edge_start[site]:graph.edge_start[site + 1]]
            self._folders[site] = frozenset(
                folder for callee in callees for folder in self._folders_of(callee, record))
        return self._folders[site]

    def _rows_of(self, function: int) -> range:
        return find_rows(self._graph.bound_function, function)

    def _find_tables(self, function: int, record: int) -> _Tables:
        graph = self._graph
        return frozenset(graph.bound_table[row] for row in self._rows_of(function)
                         if graph.bound_record[row] == record)

    def _folders_of(self, function: int, record: int) -> set[int]:
        graph = self._graph
        return {graph.bound_folder[row] for row in self._rows_of(function)
                if graph.bound_record[row] == record and graph.bound_folder[row] >= 0}

    @cached_property
    def _folders_of_record(self) -> dict[int, set[int]]:
        """The folders with tables of a record."""
        return _group(self._graph.bound_record, self._graph.bound_folder)

    @cached_property
    def _partners(self) -> dict[int, set[int]]:
        return _group(self._graph.partner_table, self._graph.partner_other)

    @cached_property
    def _paired_records(self) -> frozenset[int]:
        return frozenset(record for table in self._partners
                         for record in self._records_of_table.get(table, ()))

    @cached_property
    def _records_of_table(self) -> dict[int, set[int]]:
        """The records of the tables that have partners."""
        found: dict[int, set[int]] = {}
        for table, record in set(zip(
                self._graph.bound_table, self._graph.bound_record, strict=True)):
            if table in self._partners:
                found.setdefault(table, set()).add(record)
        return found

    @cached_property
    def _kin(self) -> dict[int, set[int]]:
        return _group(self._graph.kin_record, self._graph.kin_other)


def _group(keys: Sequence[int], values: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for key, value in zip(keys, values, strict=True):
        found.setdefault(key, set()).add(value)
    return found
