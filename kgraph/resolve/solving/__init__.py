"""Solving: from constraints to points-to sets.

Owns the relevance slice, propagation, and the two passes of the analysis. Must not know what is
reported of a set.
"""
