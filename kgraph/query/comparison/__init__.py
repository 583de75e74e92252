"""Compares two graphs: which functions are the same, and what became of the calls between them.

`changes.compare_graphs` finds everything that differs, `path_comparison.compare_paths` what became
of a way.
"""
