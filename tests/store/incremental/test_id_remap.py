"""Rows that are numbered in the order of their names keep that order when some come and go."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from kgraph.store.incremental.id_remap import NumberShift

NAMES = st.sets(st.integers(0, 40), max_size=20)


@given(NAMES, NAMES)
def test_a_shift_gives_each_row_its_place(before: set[int], after: set[int]) -> None:
    old, new = sorted(before), sorted(after)
    added = sorted(after - before)
    shift = NumberShift(
        [old.index(name) for name in before - after],
        [sum(other < name for other in old) for name in added])
    every = shift.map_all(len(old))
    for number, name in enumerate(old):
        if name in after:
            assert shift.map_kept(number) == every[number] == new.index(name)
    for position, name in enumerate(added):
        assert shift.map_added(position) == new.index(name)


@given(NAMES, NAMES)
def test_a_shift_is_the_same_in_sql(before: set[int], after: set[int]) -> None:
    old = sorted(before)
    shift = NumberShift(
        [old.index(name) for name in before - after],
        [sum(other < name for other in old) for name in after - before])
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (n)")
    connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in (*range(len(old)), None)])
    found = dict(connection.execute(f"SELECT n, {shift.sql_expression('n')} FROM t"))
    kept = {number: shift.map_kept(number) for number in range(len(old)) if old[number] in after}
    assert found[None] is None
    assert {number: found[number] for number in kept} == kept
