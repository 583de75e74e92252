"""Index a kernel tree, and choose and open the index that answers.

This is the composition root: it may use every layer below it. It never prints and knows no
terminal. Progress and remarks go to functions that the caller passes.
"""

from kgraph.indexing.index_choice import (
    ChoiceReason,
    ChosenIndex,
    choose_index,
    open_bundled_index,
)

__all__ = [
    "ChoiceReason",
    "ChosenIndex",
    "choose_index",
    "open_bundled_index",
]
