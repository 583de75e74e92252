"""The call graph as numbers: compact arrays, read lazily, with records on demand.

Owns adjacency and look-ups. Must not know what is asked of it, nor how answers are shown.
"""

from kgraph.graph.callgraph import BOUND_TO, BoundRow, CallGraph
from kgraph.graph.source import Sources

__all__ = ["BOUND_TO", "BoundRow", "CallGraph", "Sources"]
