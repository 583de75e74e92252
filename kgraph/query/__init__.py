"""Questions to a call graph: callers, callees, paths, bindings, call sites. Pure functions.

Owns searching and names as users write them. Must not know SQL beyond the graph's look-ups, nor
how an answer is shown.
"""

from kgraph.query.names import find_function
from kgraph.query.neighbours import callees, callers
from kgraph.query.paths import PathQuestion, find_paths
from kgraph.query.places import site
from kgraph.query.tables import ops

__all__ = ["PathQuestion", "callees", "callers", "find_function", "find_paths", "ops", "site"]
