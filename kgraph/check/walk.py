"""Checks a document: splits it into claims, walks from the first line to the last, places each line
in the code that those above it left off at, judges it, and then judges the citations.
"""

import re
from dataclasses import replace

from kgraph.check.citation_verdict import CitationJudge
from kgraph.check.claims.arguments import note_alias, note_missing_body, note_result
from kgraph.check.claims.call import judge_call, judge_root, judge_unless_stub
from kgraph.check.claims.condition import judge_condition, judge_under_condition
from kgraph.check.claims.labels import judge_behind_label
from kgraph.check.claims.pointer_call import judge_pointer_call
from kgraph.check.claims.record import judge_field, judge_record
from kgraph.check.claims.statement import judge_statement
from kgraph.check.claims.surroundings import ClaimPlaces
from kgraph.check.claims.table import TableJudge
from kgraph.check.context import CheckContext, PlacedLine
from kgraph.check.layout import (
    NAMING_KINDS,
    QUOTING_KINDS,
    Layout,
    drop_remarks,
    find_own_functions,
    find_unknown_names,
    lay_out,
    split_claims,
)
from kgraph.check.outcome import (
    Outcome,
    Position,
    join_notes,
    label_claim,
    merge_parts,
)
from kgraph.check.pin_ranges import DocumentPins
from kgraph.graph import CallGraph
from kgraph.logs import PackageLogger
from kgraph.model.document import Claim, Document, DocumentLine, LineKind, Scenario
from kgraph.model.location import Location
from kgraph.model.verdicts import ChainCheck, Verdict

_LOG = PackageLogger("kgraph.check")

_SILENT = (
    LineKind.OMISSION, LineKind.CLOSING, LineKind.CONTINUATION, LineKind.HEADING,
    LineKind.COMMAND, LineKind.PROSE,
)
_DOUBTFUL = (Verdict.GAP, Verdict.UNDECIDED)
_CALLED_THERE = (Verdict.HOLDS, Verdict.ONE_OF)
_LOOPS = ("for", "while", "do")
_LIST_MARKER = re.compile(r"\s*(?:[-*+•◦]|\d{1,3}[.)])\s")
_MAX_CONDITIONS = 60  # around a line that it is compared with


def check_document(
    graph: CallGraph, document: Document, scenario: Scenario | None = None
) -> ChainCheck:
    """Every line of a document judged under a scenario. Without one the document makes its own: of
    the tables that it prints, each in its part of its section, and of the targets that it names,
    each in its chain.

    Raises LookupFailed for a pin that nothing supports.
    """
    context = CheckContext.make(graph)
    claims = split_claims(document)
    context.tree.announce(find_unknown_names(context, claims.lines))
    claims.lines = drop_remarks(context, claims.lines)
    layout = lay_out(claims.lines)
    if scenario is not None:
        pins = DocumentPins.of_scenario(context, claims.lines, scenario)
    else:
        pins = DocumentPins.of_document(context, claims.lines, layout)
    _LOG.debug("%s: %d lines, %d with one claim each", document.file, len(document.lines),
               len(claims.lines))
    walk = DocumentWalk(layout, pins)
    for line in layout.iter_judging_order():
        walk.step(line)
    citations = CitationJudge(context, layout, walk.outcomes, walk.positions)
    verdicts = [citations.judge(line) for line in claims.lines]
    return ChainCheck(document, claims.fold(verdicts, document.lines), pins.scenario)


class DocumentWalk:
    """Walks over the lines of a document. `outcomes` and `positions` are those of the lines that
    were judged, by their numbers.

    A chain is named after the line in which it starts. A root continues the chain whose leaf it
    names.
    """

    def __init__(self, layout: Layout, pins: DocumentPins) -> None:
        self._layout = layout
        self._pins = pins
        self.outcomes: dict[int, Outcome] = {}
        self.positions: dict[int, Position] = {}
        self._chains: dict[int, int] = {}
        self._leaves: dict[str, tuple[DocumentLine, Position]] = {}
        # The positions of roots that continue a leaf, and of the lines under them, by themselves.
        self._alone: dict[int, Position] = {}
        # Where the last line of a chain stands that is about the same functions.
        self._reached: dict[tuple[int, tuple[int, ...]], Location] = {}
        self._definers: dict[str, bool] = {}  # names that lines have: macros that define functions
        self._own = find_own_functions(pins.get_context(0, 0), layout)  # and the lines in them
        tables = TableJudge(pins.refused_tables)
        self._judges = {  # every form of claim
            LineKind.FUNCTION: self._judge_named,
            LineKind.CALL: self._judge_named,
            LineKind.INDIRECT: lambda placed: note_result(placed, judge_pointer_call(placed)),
            LineKind.STATEMENT: judge_statement,
            LineKind.CONDITION: lambda placed: judge_condition(placed, self._judge_form),
            LineKind.TABLE: tables.judge_table,
            LineKind.ROW: tables.judge_row,
            LineKind.RECORD: judge_record,
            LineKind.FIELD: judge_field,
        }

    def step(self, line: DocumentLine) -> None:
        """Judge a line, given those above it."""
        self._chains[line.number] = self._chains.get(line.parent, line.number)
        if line.kind is LineKind.PROSE or self._claims_nothing(line):
            self.outcomes[line.number] = Outcome(Verdict.PROSE)
            return  # what stands under it stands under nothing
        outcome = self.outcomes[line.number] = self._choose_place(line, self._judge(line))
        position = outcome.position or self._position_above(line)
        self.positions[line.number] = position
        if outcome.position is None and line.parent in self._alone:
            self._alone[line.number] = self._alone[line.parent]
        self._keep_leaves(line, position)
        if line.kind not in _SILENT:
            _LOG.debug("line %d, a %s: %s, %s; below it %d functions", line.file_line, line.kind,
                       outcome.verdict, outcome.note or "no note", len(position.states))
        if outcome.verdict is Verdict.ONE_OF and outcome.hop and outcome.hop.site.holder:
            self._pins.add_claimed_target(self._chains[line.number], outcome.hop)

    def _choose_place(self, line: DocumentLine, outcome: Outcome) -> Outcome:
        """The outcome of what a function has in several places with that which the line cites, else
        the first one behind the place of the line before.
        """
        caller = tuple(state.function for state in self._position_above(line).states)
        chain = self._chains[line.number], caller
        before = self._reached.get(chain)
        if outcome.found is not None and line.kind in QUOTING_KINDS:
            starts = sorted({place.start for place in outcome.places})
            cited = [start for start in starts if line.citation is not None
                     and start.line == line.citation.line]
            behind = [start for start in starts if before is not None and before.path == start.path
                      and before.line <= start.line]
            if len(starts) > 1 and (cited or behind):
                outcome = replace(outcome, found=(cited or behind)[0])
        only = {place.start for place in outcome.places}
        found = outcome.found or (next(iter(only)) if len(only) == 1 else None)
        if found is not None and caller:
            self._reached[chain] = found
        return outcome

    def _keep_leaves(self, line: DocumentLine, position: Position) -> None:
        """Keep where a line leads, for a root that continues there."""
        claim = line.claim
        if line.kind in NAMING_KINDS and claim.name:
            name = claim.onward[-1] if claim.onward else self._get_leaf_name(line)
            self._leaves.setdefault(name, (line, position))
        if claim.target and position.targets:
            self._leaves.setdefault(claim.target, (line, Position(position.targets)))

    def _get_leaf_name(self, line: DocumentLine) -> str:
        """What a root must be called to continue from a line: of a macro that defines functions,
        `SYSCALL_DEFINE3(bind)`, its first argument is a part of the name.
        """
        claim = line.claim
        if claim.arguments and self._defines_functions(claim.name):
            return f"{claim.name}({claim.arguments[0]})"
        return claim.name

    def _defines_functions(self, name: str) -> bool:
        """Whether a name is that of a macro that defines functions. Asking the index takes long."""
        if name not in self._definers:
            graph = self._pins.get_context(0, 0).graph
            self._definers[name] = not graph.find_functions(name) and bool(
                graph.find_functions_of_macro(name))
        return self._definers[name]

    def _position_above(self, line: DocumentLine) -> Position:
        return self.positions.get(line.parent, Position())

    def _place(self, line: DocumentLine, context: CheckContext) -> PlacedLine:
        return PlacedLine(
            context, line, self._position_above(line), self._layout.lines.get(line.parent),
            self._layout.children.get(line.number, ()),
        )

    def _judge(self, line: DocumentLine) -> Outcome:
        if line.kind in _SILENT:
            return Outcome(Verdict.PROSE)
        if line.kind is LineKind.UNREAD:
            return Outcome(
                Verdict.UNREAD, line.unread or "looks like a claim, and cannot be read")
        context = self._pins.get_context(line.number, self._chains[line.number])
        placed = self._place(line, context)
        outcome = self._judge_in_loop(placed, self._judge_line(placed))
        if self._is_root(line, outcome):
            outcome = replace(outcome, verdict=Verdict.STANDS)
        position = self._alone.get(line.parent)
        is_wrong = outcome.verdict is Verdict.REFUTED
        if position is None or not (is_wrong or outcome.verdict in _DOUBTFUL):
            return outcome
        # The root above continues a leaf, and may be meant by itself: what it calls itself counts
        # more than a gap.
        alone = self._judge_line(placed.move_to(position))
        if alone.verdict is Verdict.REFUTED or not (is_wrong or alone.verdict in _CALLED_THERE):
            return outcome
        return alone.with_note(f"not if the chain above continues here ({outcome.note})")

    def _claims_nothing(self, line: DocumentLine) -> bool:
        """Whether a line says nothing of the kernel: it belongs to a function that the document
        defines itself, or stands alone and only mentions a name, or is a statement of no function.
        """
        if line.number in self._own or line.parent in self._own:
            self._own.add(line.number)
            return True
        if line.parent in self.positions or line.is_frame:
            return False
        claim = line.claim
        if line.kind is LineKind.STATEMENT or (line.kind is LineKind.CONDITION and not claim.name):
            return True
        is_bare = line.kind in NAMING_KINDS and not (
            claim.arguments or line.citation or claim.onward or claim.target or claim.result)
        is_mention = claim.arguments is None or _LIST_MARKER.match(line.text) is not None
        return is_bare and is_mention and not self._layout.children.get(line.number)

    def _judge_in_loop(self, placed: PlacedLine, outcome: Outcome) -> Outcome:
        """The outcome of a condition or a statement that a document draws under a call of a loop,
        while it stands beside the call, in the loop.
        """
        above = placed.above
        loop = None if above is None else self._layout.lines.get(above.parent)
        if outcome.verdict is not Verdict.REFUTED or loop is None or (
                loop.claim.branch not in _LOOPS or placed.line.kind not in QUOTING_KINDS):
            return outcome
        position = self.positions.get(loop.number, Position())
        beside = self._judge_line(replace(placed, position=position, above=loop))
        if beside.verdict is not Verdict.HOLDS:
            return outcome
        beside = replace(beside, position=beside.position or position)
        return beside.with_note("it stands in the loop, beside the call above")

    def _is_root(self, line: DocumentLine, outcome: Outcome) -> bool:
        """Whether a line only names a function, of which no call is claimed."""
        is_alone = line.parent not in self.positions and line.number not in self._alone
        is_named = line.kind in NAMING_KINDS and not line.claim.onward
        return (is_alone and is_named and outcome.verdict is Verdict.HOLDS
                and outcome.hop is None and outcome.found is None)

    def _judge_line(self, placed: PlacedLine) -> Outcome:
        """All claims of a line, under the conditions and labels around it."""
        first = judge_behind_label(placed, self._judge_form(placed))
        first = self._judge_under_conditions(placed, first)
        if placed.line.kind in (LineKind.TABLE, LineKind.ROW):
            return first
        return judge_unless_stub(placed, self._judge_others(placed, first))

    def _judge_form(self, placed: PlacedLine) -> Outcome:
        """The first claim of a line, judged by its form."""
        return self._judges[placed.line.kind](placed)

    def _judge_named(self, placed: PlacedLine) -> Outcome:
        outcome = note_alias(placed, self._judge_function(placed))
        return note_missing_body(placed, note_result(placed, outcome))

    def _judge_function(self, placed: PlacedLine) -> Outcome:
        line = placed.line
        if line.parent in self.positions:
            return judge_call(placed)
        outcome = judge_root(placed)
        leaf = self._leaves.get(self._get_leaf_name(line))
        if leaf is None or outcome.verdict is not Verdict.HOLDS:
            return outcome
        before, position = leaf
        self._chains[line.number] = self._chains[before.number]
        if outcome.position is not None:
            self._alone[line.number] = outcome.position
        note = join_notes(f"continues from line {before.file_line}", outcome.note)
        return replace(outcome, note=note, position=position)

    def _judge_under_conditions(self, placed: PlacedLine, outcome: Outcome) -> Outcome:
        """The outcome of a claim: refuted if a condition above it does not lead to it."""
        above, left = placed.above, _MAX_CONDITIONS
        position = placed.position
        here = {state.function for state in (*position.states, *position.targets)}
        while above is not None and above.kind is LineKind.CONDITION and left:
            condition = self._place(above, placed.context)
            if here.isdisjoint(state.function for state in condition.position.states):
                break  # it stands in what the condition leads to, `if (x) f()`
            places = ClaimPlaces(placed.move_to(condition.position), outcome)
            outcome = judge_under_condition(condition.claim, places, condition.switch)
            above, left = condition.above, left - 1
        return outcome

    def _judge_others(self, placed: PlacedLine, first: Outcome) -> Outcome:
        """All claims of a line that holds a chain, or several claims of one caller. What stands
        under the line is called by the last one of a chain, by any of several.
        """
        line = placed.line
        labelled = [(label_claim(line.kind, line.claim), first)]
        for name in line.claim.onward:
            part = replace(line, claim=Claim(name=name), citation=None)
            position = labelled[-1][1].position or placed.position
            labelled.append((name, judge_call(replace(placed, line=part, position=position))))
        for kind, claim in line.claim.also:
            other = replace(placed, line=replace(line, kind=kind, claim=claim, citation=None))
            outcome = self._judge_under_conditions(other, self._judge_form(other))
            if line.claim.branch == "case":
                outcome = judge_under_condition(
                    line.claim, ClaimPlaces(other, outcome), placed.switch)
            labelled.append((label_claim(kind, claim), outcome))
        if len(labelled) == 1:
            return first
        return merge_parts(labelled, chain=bool(line.claim.onward))
