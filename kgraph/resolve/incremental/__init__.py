"""Incremental resolution: can the previous graph be carried over to changed facts?

One of the three packages and two modules of the carried graph: model/incremental.py,
resolve/incremental,
store/incremental, and indexing/incremental.py, their only user. Without them kgraph resolves all
facts after
every edit.
"""
