"""Findings: what the solved points-to sets say.

Owns candidates with their evidence, the reasons why a call site has none, and the rows of
`kgraph ops`. Must not change a set.
"""
