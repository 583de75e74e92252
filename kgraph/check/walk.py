"""Walks a document from its first line to its last and judges each line, given those above it."""

from dataclasses import dataclass, replace

from kgraph.check.citation_verdict import (
    CitationJudgement,
    choose_cited_place,
    judge_function_citation,
    judge_place_citation,
)
from kgraph.check.claims.arguments import note_alias, note_missing_body, note_result
from kgraph.check.claims.call import judge_call, judge_root, judge_unless_stub
from kgraph.check.claims.condition import judge_condition, split_consequences
from kgraph.check.claims.condition_scope import (
    judge_behind_label,
    judge_consequence,
    judge_in_switch,
    judge_under_condition,
)
from kgraph.check.claims.pointer_call import judge_pointer_call
from kgraph.check.claims.record import judge_field, judge_record
from kgraph.check.claims.statement import judge_statement
from kgraph.check.claims.table import (
    WrittenRows,
    group_rows,
    judge_local_rows,
    judge_local_table,
    judge_rows,
    judge_table,
    list_rows,
)
from kgraph.check.context import CheckContext
from kgraph.check.layout import (
    NAMING_KINDS,
    QUOTING_KINDS,
    Layout,
    find_unknown_names,
    iter_judging_order,
    lay_out,
    split_claims,
)
from kgraph.check.outcome import Outcome, Position, choose_worst, label_claim, merge_parts
from kgraph.check.pin_ranges import (
    ClaimedTargets,
    PinRanges,
    PrintedTables,
    pin_printed_tables,
    pin_scenario,
)
from kgraph.graph import CallGraph
from kgraph.model.document import Citation, Claim, Document, DocumentLine, LineKind, Pin, Scenario
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import ChainCheck, CitationVerdict, LineVerdict, Verdict
from kgraph.query.scenarios import SitePins

_SILENT = (
    LineKind.OMISSION, LineKind.CLOSING, LineKind.CONTINUATION, LineKind.HEADING,
    LineKind.COMMAND, LineKind.PROSE,
)
_MOST_AROUND = 60  # conditions around a line that it is held against


@dataclass
class DocumentWalk:
    """The state of a walk: outcomes by line number, and where functions were left off. A chain is
    named after the line that it starts in, and goes on where a root names what it came to.
    """

    ground: CheckContext
    layout: Layout
    segments: PinRanges
    printed: PrintedTables | None = None
    claimed: ClaimedTargets | None = None

    def __post_init__(self) -> None:
        self._outcomes: dict[int, Outcome] = {}
        self._standing: dict[int, Position] = {}
        self._chain: dict[int, int] = {}
        self._elements: dict[int, WrittenRows] = {}
        self._local: set[int] = set()
        self._leaves: dict[str, tuple[DocumentLine, Position]] = {}
        self._apart: dict[int, Position] = {}
        self._last: tuple[CheckContext, SitePins, CheckContext] = (self.ground, {}, self.ground)

    def step(self, line: DocumentLine) -> None:
        """Judge a line, given those above it."""
        self._chain[line.number] = self._chain.get(line.parent, line.number)
        outcome = self._judge(line)
        self._outcomes[line.number] = outcome
        self._standing[line.number] = outcome.position or self._above(line)
        if outcome.position is None and line.parent in self._apart:
            self._apart[line.number] = self._apart[line.parent]
        if line.kind in NAMING_KINDS and line.claim.name:
            name = line.claim.onward[-1] if line.claim.onward else line.claim.name
            self._leaves.setdefault(name, (line, self._standing[line.number]))
        target, inside = line.claim.target, self._standing[line.number].targets
        if target and inside:
            self._leaves.setdefault(target, (line, Position(inside)))
        hop = outcome.hop if outcome.verdict is Verdict.ONE_OF else None
        if self.claimed and hop is not None and hop.site.holder:
            self.claimed.add(self._chain[line.number], hop)

    def _above(self, line: DocumentLine) -> Position:
        return self._standing.get(line.parent, Position())

    def _ground(self, line: DocumentLine) -> CheckContext:
        ground = self.segments.get_context(line.number)
        believed = self.claimed.of_chain(self._chain[line.number]) if self.claimed else None
        if not believed:
            return ground
        if self._last[0] is not ground or self._last[1] is not believed:
            self._last = ground, believed, ground.believing(believed)
        return self._last[2]

    def _judge(self, line: DocumentLine) -> Outcome:
        if line.kind in _SILENT:
            return Outcome(Verdict.PROSE)
        if line.kind is LineKind.UNREAD:
            return Outcome(Verdict.UNREAD, "this looks like a claim and could not be read")
        outcome = self._claimed(line)
        apart = self._apart.get(line.parent)
        if apart is None or outcome.verdict is not Verdict.REFUTED:
            return outcome
        # The root that it stands under goes on from a leaf, and may be meant by itself.
        joined, self._standing[line.parent] = self._standing[line.parent], apart
        alone = self._claimed(line)
        self._standing[line.parent] = joined
        if alone.verdict is Verdict.REFUTED:
            return outcome
        note = f"not as the chain above goes on ({outcome.note})"
        return replace(alone, note="; ".join(filter(None, (alone.note, note))))

    def _claimed(self, line: DocumentLine) -> Outcome:
        """The verdict on a line that claims something."""
        ground = self._ground(line)
        first = judge_behind_label(ground, self._above(line), self._one(ground, line), line)
        first = self._conditional(ground, line, first)
        if line.kind in (LineKind.TABLE, LineKind.ROW):
            return first
        return judge_unless_stub(
            ground, line, self._above(line), self._going_on(ground, line, first))

    def _conditional(self, ground: CheckContext, line: DocumentLine, outcome: Outcome) -> Outcome:
        """The verdict on a claim where the conditions that it stands under must lead to it."""
        above, most = self.layout.lines.get(line.parent), _MOST_AROUND
        start = self._above(line)
        here = {state.function for state in (*start.states, *start.targets)}
        while above is not None and above.kind is LineKind.CONDITION and most:
            around = {state.function for state in self._above(above).states}
            if here.isdisjoint(around):
                break  # it stands in what the condition leads to, `if (x) f()`
            switch = self._switch(above)
            outcome = judge_under_condition(
                ground, above.claim, self._above(above), outcome, line, switch
            )
            above, most = self.layout.lines.get(above.parent), most - 1
        return outcome

    def _switch(self, line: DocumentLine) -> str:
        """What the `switch` that a line stands right under asks for, "" where it does not."""
        above = self.layout.lines.get(line.parent)
        switched = above is not None and above.claim.branch == "switch"
        return above.claim.condition if above is not None and switched else ""

    def _one(self, ground: CheckContext, line: DocumentLine) -> Outcome:
        """The verdict on the first claim of a line."""
        kind, above = line.kind, self._above(line)
        if kind in NAMING_KINDS:
            named = note_alias(ground, line, self._function(ground, line))
            return note_missing_body(ground, line, note_result(ground, line, named))
        if kind is LineKind.STATEMENT:
            return judge_statement(ground, line, above)
        if kind is LineKind.CONDITION:
            condition = judge_condition(ground, line, above)
            condition = judge_in_switch(ground, line, above, condition, self._switch(line))
            then = [self._one(ground, part) for part in split_consequences(line)]
            if not then or condition.verdict is not Verdict.HOLDS:
                return condition
            told = judge_consequence(ground, line, above, condition, then, self._switch(line))
            if line.claim.branch != "case" or told.position is None:
                return told
            # What stands below may go on from what the label leads to, or stand beside it.
            return replace(told, position=replace(above, targets=told.position.states))
        if kind is LineKind.INDIRECT:
            return note_result(ground, line, judge_pointer_call(ground, line, above))
        return self._of_table(ground, line)

    def _going_on(self, ground: CheckContext, line: DocumentLine, first: Outcome) -> Outcome:
        """The verdict on a line that holds a chain, or several claims: the worst of them, each said
        by name. What hangs under the line is called by the last of a chain, by any of several.
        """
        named = [(label_claim(line.kind, line.claim), first)]
        for name in line.claim.onward:
            part = replace(line, claim=Claim(name=name), citation=None)
            above = named[-1][1].position or self._above(line)
            named.append((name, judge_call(ground, part, above)))
        for kind, claim in line.claim.also:
            part = replace(line, kind=kind, claim=claim, citation=None)
            told = self._conditional(ground, part, self._one(ground, part))
            if line.claim.branch == "case":
                above = self._above(line)
                told = judge_under_condition(
                    ground, line.claim, above, told, part, self._switch(line)
                )
            named.append((label_claim(kind, claim), told))
        return first if len(named) == 1 else merge_parts(named, chain=bool(line.claim.onward))

    def _function(self, ground: CheckContext, line: DocumentLine) -> Outcome:
        if line.parent in self._standing:
            return judge_call(ground, line, self._above(line))
        left_off = self._leaves.get(line.claim.name)
        outcome = judge_root(ground, line)
        if left_off is None or outcome.verdict is not Verdict.HOLDS:
            return outcome
        before, standing = left_off
        self._chain[line.number] = self._chain[before.number]
        if outcome.position is not None:
            self._apart[line.number] = outcome.position
        note = f"goes on from line {before.file_line}"
        return replace(
            outcome, note="; ".join(filter(None, (note, outcome.note))), position=standing
        )

    def _of_table(self, ground: CheckContext, line: DocumentLine) -> Outcome:
        above = self.layout.lines.get(line.parent)
        if line.kind is LineKind.TABLE:
            local = judge_local_table(ground, line, self._above(line))
            if local is not None:
                self._local.add(line.number)
                return local
            rows = self.layout.children.get(line.number, [])
            self._elements.update(group_rows(rows))
            told = judge_table(ground, line, [line, *rows])
            refused = self.printed.refused.get(line.number, "") if self.printed else ""
            told = replace(told, note="; ".join(filter(None, (told.note, refused))))
            return choose_worst([told, *judge_rows(ground, line, line, list_rows(line))])
        if line.kind is LineKind.ROW and line.parent in self._local:
            return judge_local_rows(ground, line, self._above(line))
        if line.kind is LineKind.ROW:
            named = above if above is not None and above.kind is LineKind.TABLE else None
            group = self._elements.get(line.number, ())
            return choose_worst(judge_rows(ground, line, named, group))
        if line.kind is LineKind.RECORD:
            return judge_record(ground, line)
        record = above if above is not None and above.kind is LineKind.RECORD else None
        return judge_field(ground, line, record)

    def verdict(self, line: DocumentLine) -> LineVerdict:
        """The verdict of a line, once all are judged."""
        outcome = self._outcomes[line.number]
        citation, found, distance = CitationVerdict.NONE, outcome.found, 0
        if line.citation is not None and outcome.verdict is not Verdict.PROSE:
            citation, found, distance = self._cited(line, line.citation, outcome)
        elif found is None and outcome.verdict is not Verdict.PROSE:
            functions = (
                self.ground.functions(line.claim.name, None) if line.kind in NAMING_KINDS else []
            )
            found = choose_cited_place(functions, self._places(line)) or _first_place(
                outcome.places
            )
        return LineVerdict(
            line, outcome.verdict, citation, found, distance, outcome.hop, outcome.via,
            outcome.note,
        )

    def _cited(self, line: DocumentLine, citation: Citation, outcome: Outcome) -> CitationJudgement:
        """The verdict on a citation."""
        functions = self._functions(line) if line.kind in NAMING_KINDS else []
        place = outcome.found or _first_place(outcome.places)
        here = judge_place_citation(self.ground, citation, place)
        named = functions and self.ground.functions(line.claim.name, citation)
        if not functions or (not named and here[0] is CitationVerdict.EXACT):
            return here  # of a macro, or of a pointer, where it is used
        incoming = () if outcome.position is None else outcome.places
        return judge_function_citation(
            self.ground, citation, functions, self._places(line), incoming
        )

    def _functions(self, line: DocumentLine) -> list[KnownFunction]:
        """The functions that a line was understood to mean."""
        found = self.ground.functions(line.claim.name, line.citation)
        if found:
            return found
        return self.ground.functions_of(self._standing[line.number])

    def _places(self, line: DocumentLine) -> list[Extent]:
        """What bears out the lines under a line: calls if there are any, else what is quoted."""
        below = self.layout.children.get(line.number, [])
        calls = [child for child in below if child.kind not in QUOTING_KINDS]
        for kinds in (calls, below):
            places = [
                place for child in kinds for place in self._outcomes[child.number].places
            ]
            if places:
                return places
        return []


def _first_place(places: tuple[Extent, ...]) -> Location | None:
    return min((place.start for place in places), default=None)


def check_document(
    graph: CallGraph, document: Document, scenario: Scenario | None = None
) -> ChainCheck:
    """Every line of a document judged under a scenario. Without one the document makes its own: of
    the tables that it prints, each in its part of its section, and of the targets that it names,
    each in its chain.

    Raises LookupFailed for a pin that nothing supports.
    """
    ground = CheckContext(graph)
    spread_out = split_claims(document)
    claims = replace(document, lines=spread_out.lines)
    layout = lay_out(claims)
    ground.absence.announce(find_unknown_names(ground, claims))
    if scenario is not None:
        stretches = pin_scenario(graph, claims, scenario)
        walk = DocumentWalk(ground, layout, PinRanges(ground, stretches))
    else:
        printed = pin_printed_tables(ground, claims, layout)
        claimed = ClaimedTargets(graph)
        walk = DocumentWalk(ground, layout, PinRanges(ground, printed.stretches), printed, claimed)
    for line in iter_judging_order(claims.lines):
        walk.step(line)
    verdicts = tuple(walk.verdict(line) for line in claims.lines)
    if scenario is None:
        scenario = _own(printed.pins, claimed.pins())
    return ChainCheck(document, tuple(spread_out.fold(verdicts, document.lines)), scenario)


def _own(tables: tuple[Pin, ...], targets: tuple[Pin, ...]) -> Scenario:
    """The scenario that a document makes itself."""
    told = {"the tables that the document prints": tables, "the targets that it names": targets}
    origin = " and ".join(text for text, pins in told.items() if pins)
    return Scenario(pins=(*tables, *targets), origin=origin)
