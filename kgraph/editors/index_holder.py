"""The index that a server answers from: chosen once, and opened again when it is replaced."""

import time
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.graph import CallGraph
from kgraph.indexing.index_choice import ChoiceReason, choose_index
from kgraph.store import IndexReader
from kgraph.textfile import identify_file

_SECONDS_BETWEEN_TRIES = 2.0


class IndexHolder:
    """Gives the graph of the index that `named` names, or that a folder's tree has. `trouble` says
    why there is none.
    """

    def __init__(self, named: Path | None) -> None:
        self._named = named
        self._folder: Path | None = None
        self._graph: CallGraph | None = None
        self._state: tuple[int, ...] = ()
        self._tried = float("-inf")
        self.trouble = ""

    def choose_for(self, folder: Path | None) -> None:
        """Use the index of the tree that holds a folder, where none is named."""
        self._folder = folder
        self.close()

    def find_graph(self) -> CallGraph | None:
        """The graph; None where there is no index. An index that was written anew is opened."""
        if self._graph is not None and identify_file(self._graph.path) not in ((), self._state):
            self.close()
        if self._graph is None and time.monotonic() - self._tried >= _SECONDS_BETWEEN_TRIES:
            self._tried = time.monotonic()
            try:
                self._graph = self._open()
                self.trouble = ""
            except StoreError as error:
                self.trouble = f"{error.message}: {error.hint}" if error.hint else error.message
        return self._graph

    def close(self) -> None:
        """Close the index. The next question chooses again."""
        if self._graph is not None:
            self._graph.close()
        self._graph, self._tried = None, float("-inf")

    def _open(self) -> CallGraph:
        chosen = choose_index(self._named, self._folder)
        if chosen.choice is ChoiceReason.BUNDLED:
            raise StoreError("no kernel was indexed yet", "run `kgraph index TREE`")
        self._state = identify_file(chosen.path)
        graph = CallGraph(IndexReader(chosen.path))
        for name in ("site_start", "edge_start", "edge_callee", "edge_kind", "edge_evidence",
                     "hop_start", "hop_edge", "hop_caller", "hop_callee", "back_start",
                     "back_hop"):
            getattr(graph, name)  # is read now, and not when somebody waits
        return graph
