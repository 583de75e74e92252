"""Patches the previous graph where an edit changes little of it.

The store's part of the carried graph (see kgraph.resolve.incremental). Knows the tables and arrays;
must not know why a change is safe.
"""
