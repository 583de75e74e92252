"""Walks a document from its first line to its last and judges each, given those above it."""

from dataclasses import dataclass, replace

from kgraph.model.answers import KnownFunction
from kgraph.model.documents import (
    Citation,
    CitationVerdict,
    Claim,
    DocumentLine,
    LineKind,
    LineVerdict,
    Verdict,
)
from kgraph.model.location import Extent, Location
from kgraph.query.checking.branches import consequences, judge_condition
from kgraph.query.checking.citing import Judged, judge_citation, judge_place, right_place
from kgraph.query.checking.claimed_calls import judge_call, judge_root
from kgraph.query.checking.claimed_targets import ClaimedTargets
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.leading import in_switch, labelled, led_to, under
from kgraph.query.checking.local_tables import judge_local_rows, judge_local_table
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.pointers import judge_pointer
from kgraph.query.checking.records import judge_field, judge_record
from kgraph.query.checking.results import aliased, going_to, without_body
from kgraph.query.checking.sections import NAMING, QUOTING, Layout
from kgraph.query.checking.segments import Printed, Segments
from kgraph.query.checking.several import called, of_parts, worst
from kgraph.query.checking.stubs import unless_stub
from kgraph.query.checking.tables import (
    Rows,
    element_rows,
    judge_rows,
    judge_table,
    written_rows,
)
from kgraph.query.checking.texts import judge_statement
from kgraph.query.scenarios import SitePins

_SILENT = (
    LineKind.OMISSION, LineKind.CLOSING, LineKind.CONTINUATION, LineKind.HEADING,
    LineKind.COMMAND, LineKind.PROSE,
)
_MOST_AROUND = 60  # conditions around a line that it is held against


@dataclass
class Walk:
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
        self._elements: dict[int, Rows] = {}
        self._local: set[int] = set()
        self._leaves: dict[str, tuple[DocumentLine, Standing]] = {}
        self._apart: dict[int, Standing] = {}
        self._last: tuple[Ground, SitePins, Ground] = (self.ground, {}, self.ground)

    def step(self, line: DocumentLine) -> None:
        """Judge a line, given those above it."""
        self._chain[line.number] = self._chain.get(line.parent, line.number)
        outcome = self._judge(line)
        self._outcomes[line.number] = outcome
        self._standing[line.number] = outcome.standing or self._above(line)
        if outcome.standing is None and line.parent in self._apart:
            self._apart[line.number] = self._apart[line.parent]
        if line.kind in NAMING and line.claim.name:
            name = line.claim.onward[-1] if line.claim.onward else line.claim.name
            self._leaves.setdefault(name, (line, self._standing[line.number]))
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
        first = labelled(ground, self._above(line), self._one(ground, line), line)
        first = self._conditional(ground, line, first)
        if line.kind in (LineKind.TABLE, LineKind.ROW):
            return first
        return unless_stub(
            ground, line, self._above(line), self._going_on(ground, line, first))

    def _conditional(self, ground: Ground, line: DocumentLine, outcome: Outcome) -> Outcome:
        """The verdict on a claim where the conditions that it stands under must lead to it."""
        above, most = self.layout.lines.get(line.parent), _MOST_AROUND
        start = self._above(line)
        here = {state.function for state in (*start.states, *start.inside)}
        while above is not None and above.kind is LineKind.CONDITION and most:
            around = {state.function for state in self._above(above).states}
            if here.isdisjoint(around):
                break  # it stands in what the condition leads to, `if (x) f()`
            switch = self._switch(above)
            outcome = under(ground, above.claim, self._above(above), outcome, line, switch)
            above, most = self.layout.lines.get(above.parent), most - 1
        return outcome

    def _switch(self, line: DocumentLine) -> str:
        """What the `switch` that a line stands right under asks for, "" where it does not."""
        above = self.layout.lines.get(line.parent)
        switched = above is not None and above.claim.branch == "switch"
        return above.claim.condition if above is not None and switched else ""

    def _one(self, ground: Ground, line: DocumentLine) -> Outcome:
        """The verdict on the first claim of a line."""
        kind, above = line.kind, self._above(line)
        if kind in NAMING:
            named = aliased(ground, line, self._function(ground, line))
            return without_body(ground, line, going_to(ground, line, named))
        if kind is LineKind.STATEMENT:
            return judge_statement(ground, line, above)
        if kind is LineKind.CONDITION:
            condition = judge_condition(ground, line, above)
            condition = in_switch(ground, line, above, condition, self._switch(line))
            then = [self._one(ground, part) for part in consequences(line)]
            if not then or condition.verdict is not Verdict.HOLDS:
                return condition
            told = led_to(ground, line, above, condition, then, self._switch(line))
            if line.claim.branch != "case" or told.standing is None:
                return told
            # What stands below may go on from what the label leads to, or stand beside it.
            return replace(told, standing=replace(above, inside=told.standing.states))
        if kind is LineKind.INDIRECT:
            return going_to(ground, line, judge_pointer(ground, line, above))
        return self._of_table(ground, line)

    def _going_on(self, ground: Ground, line: DocumentLine, first: Outcome) -> Outcome:
        """The verdict on a line that holds a chain, or several claims: the worst of them, each said
        by name. What hangs under the line is called by the last of a chain, by any of several.
        """
        named = [(called(line.kind, line.claim), first)]
        for name in line.claim.onward:
            part = replace(line, claim=Claim(name=name), citation=None)
            above = named[-1][1].standing or self._above(line)
            named.append((name, judge_call(ground, part, above)))
        for kind, claim in line.claim.also:
            part = replace(line, kind=kind, claim=claim, citation=None)
            told = self._conditional(ground, part, self._one(ground, part))
            if line.claim.branch == "case":
                above = self._above(line)
                told = under(ground, line.claim, above, told, part, self._switch(line))
            named.append((called(kind, claim), told))
        return first if len(named) == 1 else of_parts(named, chain=bool(line.claim.onward))

    def _function(self, ground: Ground, line: DocumentLine) -> Outcome:
        if line.parent in self._standing:
            return judge_call(ground, line, self._above(line))
        left_off = self._leaves.get(line.claim.name)
        outcome = judge_root(ground, line)
        if left_off is None or outcome.verdict is not Verdict.HOLDS:
            return outcome
        before, standing = left_off
        self._chain[line.number] = self._chain[before.number]
        if outcome.standing is not None:
            self._apart[line.number] = outcome.standing
        note = f"goes on from line {before.file_line}"
        return replace(
            outcome, note="; ".join(filter(None, (note, outcome.note))), standing=standing
        )

    def _of_table(self, ground: Ground, line: DocumentLine) -> Outcome:
        above = self.layout.lines.get(line.parent)
        if line.kind is LineKind.TABLE:
            local = judge_local_table(ground, line, self._above(line))
            if local is not None:
                self._local.add(line.number)
                return local
            rows = self.layout.children.get(line.number, [])
            self._elements.update(element_rows(rows))
            told = judge_table(ground, line, [line, *rows])
            refused = self.printed.refused.get(line.number, "") if self.printed else ""
            told = replace(told, note="; ".join(filter(None, (told.note, refused))))
            return worst([told, *judge_rows(ground, line, line, written_rows(line))])
        if line.kind is LineKind.ROW and line.parent in self._local:
            return judge_local_rows(ground, line, self._above(line))
        if line.kind is LineKind.ROW:
            named = above if above is not None and above.kind is LineKind.TABLE else None
            group = self._elements.get(line.number, ())
            return worst(judge_rows(ground, line, named, group))
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
            functions = self.ground.functions(line.claim.name, None) if line.kind in NAMING else []
            found = right_place(functions, self._places(line)) or _first(outcome.places)
        return LineVerdict(
            line, outcome.verdict, citation, found, distance, outcome.hop, outcome.via,
            outcome.note,
        )

    def _cited(self, line: DocumentLine, citation: Citation, outcome: Outcome) -> Judged:
        """The verdict on a citation."""
        functions = self._functions(line) if line.kind in NAMING else []
        place = outcome.found or _first(outcome.places)
        here = judge_place(self.ground, citation, place)
        named = functions and self.ground.functions(line.claim.name, citation)
        if not functions or (not named and here[0] is CitationVerdict.EXACT):
            return here  # of a macro, or of a pointer, where it is used
        incoming = () if outcome.standing is None else outcome.places
        return judge_citation(self.ground, citation, functions, self._places(line), incoming)

    def _functions(self, line: DocumentLine) -> list[KnownFunction]:
        """The functions that a line was understood to mean."""
        found = self.ground.functions(line.claim.name, line.citation)
        if found:
            return found
        return self.ground.functions_of(self._standing[line.number])

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
