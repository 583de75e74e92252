"""Questions to a call graph: callers, callees, bindings, call sites, paths. Pure functions.

Owns searching, and names as users write them. Does not know SQL (kgraph.graph looks things up),
nor how a result is shown.
"""

from kgraph.query.call_site import find_call_sites
from kgraph.query.lookup import find_function
from kgraph.query.neighbours import find_callees, find_callers
from kgraph.query.ops import find_bindings
from kgraph.query.paths.question import PathQuestion, find_paths

__all__ = [
    "PathQuestion",
    "find_bindings",
    "find_call_sites",
    "find_callees",
    "find_callers",
    "find_function",
    "find_paths",
]
