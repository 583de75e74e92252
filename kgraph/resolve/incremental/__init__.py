"""Incremental resolution: can the previous graph be carried over to changed facts?

One of the four parts of the carried graph: model/incremental.py, kgraph.resolve.incremental,
kgraph.store.incremental, and indexing/graph_patching.py, which puts the other three together.
Resolving itself uses only `collect_footprint` of them.

While kgraph resolves, `dependencies` collects what the result depends on. After an edit, `effects`
finds the facts of a function that can matter to others, and `change_impact` compares the two.
"""
