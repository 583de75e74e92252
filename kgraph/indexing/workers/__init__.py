"""Worker processes: a pool on this machine, or the workers of a Dask cluster.

Owns isolation (a crash, a hang or too much memory costs one unit, not the run), limits, and the
start of processes that run no code of the tree. Does not know the store's tables.
"""
