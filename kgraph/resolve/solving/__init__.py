"""Solving: from constraints to points-to sets.

    solve_by_objects(constraints) -> Solution

solves. Constraints and Solution hold integers only. The stages after this one read the Solution and
the sets of its solver; `incremental` also reads the relevance slice.

Owns the relevance slice, propagation, and the two passes of the analysis. Must
not know what is reported of a set.

`relevance` finds the nodes to solve; `solver` propagates; `pointer_closure` adds what goes through
pointers to pointers, and `storage_overlap` what lies at one place; `table_points_to` and
`object_sensitivity` tell tables apart, and solve again.
"""
