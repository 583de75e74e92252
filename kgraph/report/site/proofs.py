"""Hops with their proof: source around the call, candidates, evidence, guards."""

from collections.abc import Sequence

from markupsafe import Markup

from kgraph.graph import CallGraph
from kgraph.model.answers import Hop
from kgraph.model.edges import EdgeKind, Evidence
from kgraph.model.location import Extent, Guard
from kgraph.report.site.highlight import highlighted
from kgraph.report.site.mentions import CONTEXT, Mentions
from kgraph.report.site.pages import CandidateRow, EvidenceRow, Excerpt, GuardRow, Proof, SourceLine
from kgraph.report.source import SourceText

MOST_CANDIDATES = 40
_LONGEST = 24


class Proofs:
    """Makes proofs, and notes what they mention."""

    def __init__(self, graph: CallGraph, source: SourceText, mentions: Mentions) -> None:
        self._graph = graph
        self._source = source
        self.mentions = mentions

    def proof(self, hop: Hop, anchor: str) -> Proof:
        """The proof of a hop."""
        self.mentions.hop(hop)
        rows = self._candidates(hop)
        return Proof(
            anchor, hop, self.excerpt(hop.site.extent), tuple(rows[:MOST_CANDIDATES]),
            max(0, len(rows) - MOST_CANDIDATES), tuple(map(self._evidence, hop.evidence)),
            tuple(map(self._guard, hop.site.guards)),
        )

    def _candidates(self, hop: Hop) -> list[CandidateRow]:
        """The candidates of the call site, the chosen one first."""
        graph = self._graph
        if hop.kind in (EdgeKind.DIRECT, EdgeKind.ASM, EdgeKind.TYPE):
            return []
        deferred = hop.kind is EdgeKind.DEFERRED
        numbers = dict.fromkeys(
            graph.edge_callee[edge] for edge in graph.edges_of(hop.site.number)
            if (graph.kind(edge) is EdgeKind.DEFERRED) is deferred
        )
        rows = [
            CandidateRow(graph.function(number), number == hop.callee.number) for number in numbers
        ]
        return sorted(rows, key=lambda row: (not row.chosen, row.function.id))

    def excerpt(self, extent: Extent) -> Excerpt:
        """The lines of an extent, marked, with those around them."""
        start, path = extent.start.line, extent.start.path
        end = min(max(extent.end_line, start), start + _LONGEST)
        first = max(1, start - CONTEXT)
        return Excerpt(path, tuple(self.lines(path, first, end + CONTEXT, range(start, end + 1))))

    def lines(
        self, path: str, first: int, last: int, marked: range | frozenset[int]
    ) -> list[SourceLine]:
        """The lines from `first` to `last` of a file, as far as it has them."""
        found = self._source.lines(path)[first - 1:last]
        return [
            SourceLine(number, code, number in marked)
            for number, code in enumerate(highlighted(found), first)
        ] if found else []

    def _evidence(self, item: Evidence) -> EvidenceRow:
        return EvidenceRow(item, self._line(self._source(item.location)))

    def _line(self, text: str) -> Markup:
        return highlighted([text])[0] if text else Markup()

    def _guard(self, guard: Guard) -> GuardRow:
        condition = " ".join(self._source.text(guard.extent).split())
        return GuardRow(guard.extent.start, condition, guard.holds)


def numbered(hops: Sequence[Hop], proofs: Proofs, prefix: str) -> tuple[Proof, ...]:
    """The proofs of hops, with anchors PREFIX-1, PREFIX-2 ..."""
    return tuple(
        proofs.proof(hop, f"{prefix}-{number}") for number, hop in enumerate(hops, 1)
    )
