"""Walks a document from its first line to its last and judges each."""

from dataclasses import dataclass, replace

from kgraph.graph import CallGraph
from kgraph.model.answers import KnownFunction
from kgraph.model.documents import (
    ChainCheck,
    CitationVerdict,
    Claim,
    Document,
    DocumentLine,
    LineKind,
    LineVerdict,
    Pin,
    Scenario,
    Verdict,
)
from kgraph.model.location import Extent, Location
from kgraph.query.checking.citing import judge_citation, judge_place
from kgraph.query.checking.claimed_calls import judge_call, judge_root
from kgraph.query.checking.claimed_targets import ClaimedTargets
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.pointers import judge_pointer
from kgraph.query.checking.sections import (
    NAMING,
    QUOTING,
    Layout,
    judging_order,
    lay_out,
    unknown_names,
)
from kgraph.query.checking.segments import (
    Printed,
    Segments,
    printed_tables,
    scenario_stretches,
)
from kgraph.query.checking.tables import judge_field, judge_record, judge_row, judge_table
from kgraph.query.checking.texts import judge_condition, judge_statement
from kgraph.query.scenarios import SitePins

_SILENT = (
    LineKind.OMISSION, LineKind.CLOSING, LineKind.CONTINUATION, LineKind.HEADING,
    LineKind.COMMAND, LineKind.PROSE,
)

_WORSE = (
    Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED, Verdict.GAP, Verdict.UNDECIDED,
    Verdict.CONTRADICTS, Verdict.REFUTED,
)


def check_document(
    graph: CallGraph, document: Document, scenario: Scenario | None = None
) -> ChainCheck:
    """Every line of a document judged under a scenario. Without one the document makes its own: of
    the tables that it prints, each in its part of its section, and of the targets that it names,
    each in its chain.

    Raises LookupFailed for a pin that nothing supports.
    """
    ground = Ground(graph)
    layout = lay_out(document)
    ground.absence.announce(unknown_names(ground, document))
    if scenario is not None:
        stretches = scenario_stretches(graph, document, scenario)
        walk = _Walk(ground, layout, Segments(ground, stretches))
    else:
        printed = printed_tables(ground, document, layout)
        claimed = ClaimedTargets(graph)
        walk = _Walk(ground, layout, Segments(ground, printed.stretches), printed, claimed)
    for line in judging_order(document.lines):
        walk.step(line)
    verdicts = tuple(walk.verdict(line) for line in document.lines)
    if scenario is None:
        scenario = _own(printed.pins, claimed.pins())
    return ChainCheck(document, verdicts, scenario)


def _own(tables: tuple[Pin, ...], targets: tuple[Pin, ...]) -> Scenario:
    """The scenario that a document makes itself."""
    told = {"the tables that the document prints": tables, "the targets that it names": targets}
    origin = " and ".join(text for text, pins in told.items() if pins)
    return Scenario(pins=(*tables, *targets), origin=origin)


@dataclass
class _Walk:
    """The state of a walk: outcomes by line number, and where functions were left off. A chain is
    named after the line that it starts in, and goes on where a root names what it came to.
    """

    ground: Ground
    layout: Layout
    segments: Segments
    printed: Printed | None = None
    claimed: ClaimedTargets | None = None

    def __post_init__(self) -> None:
        self._outcomes: dict[int, Outcome] = {}
        self._standing: dict[int, Standing] = {}
        self._chain: dict[int, int] = {}
        self._leaves: dict[str, tuple[DocumentLine, Standing]] = {}
        self._last: tuple[Ground, SitePins, Ground] = (self.ground, {}, self.ground)

    def step(self, line: DocumentLine) -> None:
        """Judge a line, given those above it."""
        self._chain[line.number] = self._chain.get(line.parent, line.number)
        outcome = self._judge(line)
        self._outcomes[line.number] = outcome
        self._standing[line.number] = outcome.standing or self._above(line)
        if line.kind in NAMING and line.claim.name:
            self._leaves.setdefault(line.claim.name, (line, self._standing[line.number]))
        target, inside = line.claim.target, self._standing[line.number].inside
        if target and inside:
            self._leaves.setdefault(target, (line, Standing(inside)))
        hop = outcome.hop if outcome.verdict is Verdict.ONE_OF else None
        if self.claimed and hop is not None and hop.site.holder:
            self.claimed.add(self._chain[line.number], hop)

    def _above(self, line: DocumentLine) -> Standing:
        return self._standing.get(line.parent, Standing())

    def _ground(self, line: DocumentLine) -> Ground:
        ground = self.segments.ground(line.number)
        believed = self.claimed.of_chain(self._chain[line.number]) if self.claimed else None
        if not believed:
            return ground
        if self._last[0] is not ground or self._last[1] is not believed:
            self._last = ground, believed, ground.believing(believed)
        return self._last[2]

    def _judge(self, line: DocumentLine) -> Outcome:
        ground, kind = self._ground(line), line.kind
        if kind in _SILENT:
            return Outcome(Verdict.PROSE)
        if kind is LineKind.UNREAD:
            return Outcome(Verdict.UNREAD, "this looks like a claim and could not be read")
        if kind in NAMING:
            return self._going_on(ground, line, self._function(ground, line))
        if kind in QUOTING:
            judge = judge_statement if kind is LineKind.STATEMENT else judge_condition
            return judge(ground, line, self._above(line))
        if kind is LineKind.INDIRECT:
            return judge_pointer(ground, line, self._above(line))
        return self._of_table(ground, line)

    def _going_on(self, ground: Ground, line: DocumentLine, first: Outcome) -> Outcome:
        """The verdict on a line that holds a chain: the worst on its calls, each said by name. What
        hangs under the line is called by the last.
        """
        outcomes = [first]
        for name in line.claim.onward:
            part = replace(line, claim=Claim(name=name), citation=None)
            standing = outcomes[-1].standing or self._above(line)
            outcomes.append(judge_call(ground, part, standing))
        if len(outcomes) == 1:
            return first
        names = (line.claim.name, *line.claim.onward)
        notes = [f"{name}: {each.verdict}{each.note and ', '}{each.note}"
                 for name, each in zip(names, outcomes, strict=True)
                 if each.note or each.verdict is not Verdict.HOLDS]
        worst = max(outcomes, key=lambda each: _WORSE.index(each.verdict))
        return replace(worst, note="; ".join(notes), places=first.places,
                       standing=outcomes[-1].standing)

    def _function(self, ground: Ground, line: DocumentLine) -> Outcome:
        if line.parent in self._standing:
            return judge_call(ground, line, self._above(line))
        left_off = self._leaves.get(line.claim.name)
        outcome = judge_root(ground, line)
        if left_off is None or outcome.verdict is not Verdict.HOLDS:
            return outcome
        before, standing = left_off
        self._chain[line.number] = self._chain[before.number]
        note = f"goes on from line {before.number}"
        return replace(
            outcome, note="; ".join(filter(None, (note, outcome.note))), standing=standing
        )

    def _of_table(self, ground: Ground, line: DocumentLine) -> Outcome:
        above = self.layout.lines.get(line.parent)
        if line.kind is LineKind.TABLE:
            rows = self.layout.children.get(line.number, [])
            told = judge_table(ground, line, [row for row in rows if row.kind is LineKind.ROW])
            refused = self.printed.refused.get(line.number, "") if self.printed else ""
            return replace(told, note="; ".join(filter(None, (told.note, refused))))
        if line.kind is LineKind.ROW:
            named = above if above is not None and above.kind is LineKind.TABLE else None
            return judge_row(ground, line, named)
        if line.kind is LineKind.RECORD:
            return judge_record(ground, line)
        record = above if above is not None and above.kind is LineKind.RECORD else None
        return judge_field(ground, line, record)

    def verdict(self, line: DocumentLine) -> LineVerdict:
        """The verdict of a line, once all are judged."""
        outcome = self._outcomes[line.number]
        citation, found, distance = CitationVerdict.NONE, outcome.found, 0
        if line.citation is not None and outcome.verdict is not Verdict.PROSE:
            functions = self._functions(line)
            if line.kind in NAMING and functions:
                places = self._places(line)
                incoming = () if outcome.standing is None else outcome.places
                citation, found, distance = judge_citation(
                    self.ground, line.citation, functions, places, incoming
                )
            else:
                citation, found, distance = judge_place(
                    self.ground, line.citation, outcome.found or _first(outcome.places)
                )
        elif found is None:
            found = _first(outcome.places)
        return LineVerdict(
            line, outcome.verdict, citation, found, distance, outcome.hop, outcome.via,
            outcome.note,
        )

    def _functions(self, line: DocumentLine) -> list[KnownFunction]:
        """The functions that a line was understood to mean."""
        found = self.ground.functions(line.claim.name, line.citation)
        if found:
            return found
        graph = self.ground.graph
        return [
            graph.function(state.function) for state in self._standing[line.number].states
        ]

    def _places(self, line: DocumentLine) -> list[Extent]:
        """What bears out the lines under a line: calls if there are any, else what is quoted."""
        below = self.layout.children.get(line.number, [])
        calls = [child for child in below if child.kind not in QUOTING]
        for kinds in (calls, below):
            places = [
                place for child in kinds for place in self._outcomes[child.number].places
            ]
            if places:
                return places
        return []


def _first(places: tuple[Extent, ...]) -> Location | None:
    return min((place.start for place in places), default=None)
