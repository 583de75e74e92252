"""The call graph of an index: compact arrays, read lazily, with records on demand.

Owns adjacency, every query of the index's tables, the text of cited files, and the export to
networkx. Must not know what is asked of it, nor how answers are shown.
"""

from kgraph.graph.callgraph import CallGraph
from kgraph.graph.lookups import (
    KnownBinding,
    KnownMacroDefinition,
    KnownTableCopy,
    Lookups,
    MacroSite,
)
from kgraph.graph.text import SourceText

__all__ = [
    "CallGraph",
    "KnownBinding",
    "KnownMacroDefinition",
    "KnownTableCopy",
    "Lookups",
    "MacroSite",
    "SourceText",
]
