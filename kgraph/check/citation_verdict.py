"""Is the cited line where the claim is borne out?

A debugger's stack, from which many chains are copied, cites the line on which a function calls the
next one, or the line after it (a return address). Other writers cite the definition, or the line on
which the function is called. CitationVerdict has the words for these.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kgraph.check.context import CheckContext, is_path_suffix
from kgraph.check.layout import NAMING_KINDS, QUOTING_KINDS, Layout
from kgraph.check.outcome import Outcome, Position
from kgraph.model.document import Citation, DocumentLine
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import CitationVerdict, LineVerdict, Verdict

_NEAR = 3
_ORDER = list(CitationVerdict)

# (verdict, the right place, how many lines a near citation is off)
_Judgement = tuple[CitationVerdict, Location | None, int]


@dataclass(frozen=True)
class CitationJudge:
    """Makes the verdicts of lines with those of their citations, once all claims are judged.
    `outcomes` and `positions` are by the numbers of the lines.
    """

    context: CheckContext
    layout: Layout
    outcomes: Mapping[int, Outcome]
    positions: Mapping[int, Position]

    def judge(self, line: DocumentLine) -> LineVerdict:
        """The verdict of a line."""
        outcome = self.outcomes[line.number]
        citation, found, distance = CitationVerdict.NONE, outcome.found, 0
        if outcome.verdict is not Verdict.PROSE:
            if line.citation is not None:
                citation, found, distance = self._judge_citation(line, line.citation, outcome)
            elif found is None:
                found = self._choose_place(line) or _first(outcome.places)
        return LineVerdict(
            line, outcome.verdict, citation, found, distance, outcome.hop, outcome.via,
            outcome.note,
        )

    def _choose_place(self, line: DocumentLine) -> Location | None:
        """What to cite for a function: where it bears out the lines under it, None for a leaf."""
        if line.kind not in NAMING_KINDS:
            return None
        functions = self.context.find_functions(line.claim.name)
        return _first(place for place in self._places_below(line)
                      if any(_is_within(place, each) for each in functions))

    def _judge_citation(
        self, line: DocumentLine, citation: Citation, outcome: Outcome
    ) -> _Judgement:
        functions = self._functions_of(line) if line.kind in NAMING_KINDS else []
        here = _judge_place(self.context, citation, outcome.found or _first(outcome.places))
        is_named = functions and self.context.find_functions(line.claim.name, citation)
        if not functions or (not is_named and here[0] is CitationVerdict.EXACT):
            return here  # of a macro, or of a pointer, where it is used
        places = self._places_below(line)
        cited = _CitedFunctions(
            self.context, citation, functions, places, line.is_frame and not places)
        return cited.judge(self._find_incoming(line, outcome))

    def _find_incoming(self, line: DocumentLine, outcome: Outcome) -> list[Extent]:
        """Where the function of a line is called from: by the function above, also over steps that
        are left out. At the head of a chain, any call of it that the citation means.
        """
        if outcome.position is None:
            return []
        last = outcome.via[-1:] or ((outcome.hop,) if outcome.hop is not None else ())
        incoming = [*outcome.places, *(hop.site.extent for hop in last)]
        return incoming if incoming or line.parent else self._find_cited_calls(line)

    def _find_cited_calls(self, line: DocumentLine) -> list[Extent]:
        """The calls of a line's function that its citation names."""
        graph, citation = self.context.graph, line.citation
        numbers = {each.number for each in self.context.find_functions(line.claim.name)}
        path = None if citation is None else _find_cited_file(self.context, citation, [])
        if citation is None or path is None:
            return []
        sites = [*graph.find_sites_at(path, citation.line),
                 *graph.find_sites_over(path, citation.line)]
        return [site.extent for site in sites
                if numbers.intersection(self.context.callees_of(site.number))]

    def _functions_of(self, line: DocumentLine) -> list[KnownFunction]:
        """The functions that a line was understood to mean."""
        found = self.context.find_functions(line.claim.name, line.citation)
        return found or self.context.functions_at(self.positions[line.number])

    def _places_below(self, line: DocumentLine) -> list[Extent]:
        """What bears out the lines under a line: calls if there are any, else what is quoted."""
        below = self.layout.children.get(line.number, [])
        calls = [child for child in below if child.kind not in QUOTING_KINDS]
        for lines in (calls, below):
            places = [place for child in lines for place in self.outcomes[child.number].places]
            if places:
                return places
        return []


@dataclass(frozen=True)
class _CitedFunctions:
    """The functions that a line means, with its citation. `places` are the extents of their code
    that bear out the lines under it, empty for a leaf. `is_innermost`: the line is the innermost
    frame of a stack, which may stand anywhere in its function.
    """

    context: CheckContext
    citation: Citation
    functions: Sequence[KnownFunction]
    places: Sequence[Extent]
    is_innermost: bool = False

    def judge(self, incoming: Sequence[Extent]) -> _Judgement:
        """The verdict on the citation. `incoming` is where the functions are called from."""
        line, right = self.citation.line, _first(self.places)
        path = _find_cited_file(self.context, self.citation, self._iter_files(incoming))
        if path is None or not 1 <= line <= _count_lines(self.context, path):
            defined = (each.location for each in self.functions if each.location)
            return CitationVerdict.MISSING, right or next(defined, None), 0
        judged = [self._judge_in(function, path) for function in self.functions]
        best = min(judged, key=lambda each: _ORDER.index(each[0]),
                   default=(CitationVerdict.OUTSIDE, right, 0))
        if best[0] is CitationVerdict.OUTSIDE:
            for place in incoming:
                if _covers(place, path, line):
                    is_exact = place.start.line == line
                    verdict = CitationVerdict.EXACT if is_exact else CitationVerdict.STATEMENT
                    return verdict, place.start, 0
        return best

    def _iter_files(self, incoming: Sequence[Extent]) -> Iterable[str]:
        """The files that the citation may mean."""
        yield from (each.location.path for each in self.functions if each.location is not None)
        yield from (place.start.path for place in (*self.places, *incoming))

    def _judge_in(self, function: KnownFunction, path: str) -> _Judgement:
        """The verdict on the citation as one of a line in the file `path`, of one function."""
        line, where = self.citation.line, function.location
        sites = [site.extent for site in self.context.texts.sites_of(function.number)]
        own = [place for place in self.places if _is_within(place, function)] or list(self.places)
        wanted = own or sites
        right = _find_nearest(wanted, path, line) or where
        if any((place.start.path, place.start.line) == (path, line) for place in wanted):
            return CitationVerdict.EXACT, Location(path, line), 0
        is_in = where is not None and where.path == path and where.line <= line <= function.end_line
        if is_in and self.is_innermost:
            return CitationVerdict.EXACT, Location(path, line), 0
        for place in wanted:
            if _covers(self._expand_to_statement(place), path, line):
                return CitationVerdict.STATEMENT, place.start, 0
        near = self._measure_distance(own, path) or self._measure_distance(sites, path)
        if near and where is not None and where.line <= line:
            return CitationVerdict.NEAR, right, near
        if where is None or not is_in:
            return CitationVerdict.OUTSIDE, right, 0
        if line <= self._find_brace(function, where):
            return CitationVerdict.DEFINITION, right, 0
        return CitationVerdict.INSIDE, right, 0

    def _measure_distance(self, places: Iterable[Extent], path: str) -> int:
        """How many lines the citation is behind the statement of the nearest place before it, if
        that is near; 0 otherwise.
        """
        line = self.citation.line
        ends = [
            self._expand_to_statement(place).end_line for place in places
            if place.start.path == path and place.start.line < line <= place.end_line + _NEAR + 20
        ]
        distance = min((line - end for end in ends if end < line), default=0)
        return distance if distance <= _NEAR else 0

    def _expand_to_statement(self, place: Extent) -> Extent:
        """The statement that holds a place, by its text."""
        lines = self.context.texts.sources.read_lines(place.start.path)
        if not lines:
            return place
        first, last = place.start.line, place.end_line
        while first > 1 and not _ends_statement(lines[first - 2]):
            first -= 1
        while last < len(lines) and not _ends_statement(lines[last - 1]):
            last += 1
        return Extent(Location(place.start.path, first), last)

    def _find_brace(self, function: KnownFunction, where: Location) -> int:
        """The line of the brace that opens the body."""
        lines = self.context.texts.sources.read_lines(where.path)[where.line - 1:function.end_line]
        return next(
            (where.line + step for step, text in enumerate(lines) if "{" in text), where.line)


def _judge_place(context: CheckContext, citation: Citation, found: Location | None) -> _Judgement:
    """The citation of what is not a function: a table, a row, a statement."""
    path = _find_cited_file(context, citation, [] if found is None else [found.path])
    if path is None or citation.line > _count_lines(context, path):
        return CitationVerdict.MISSING, found, 0
    if found is not None and (path, citation.line) == (found.path, found.line):
        return CitationVerdict.EXACT, found, 0
    after = citation.line - found.line if found is not None and found.path == path else 0
    if 0 < after <= _NEAR:
        return CitationVerdict.NEAR, found, after
    return CitationVerdict.OUTSIDE, found, 0


def _find_cited_file(
    context: CheckContext, citation: Citation, likely: Iterable[str]
) -> str | None:
    """The file of the tree that a citation means: folders before the tree's own are left out, and
    folders that the writer left out are those of one of the `likely` files, or of the only file
    that ends so. None if the tree has no such file.
    """
    parts = [part for part in citation.path.split("/") if part not in ("", ".")]
    if ".." in parts:
        return None
    tails = ["/".join(parts[start:]) for start in range(len(parts))]
    for tail in tails:
        if context.graph.reader.find_file(tail) is not None:
            return tail
    short = tails[0] if tails else ""
    ending = next((path for path in likely if is_path_suffix(short, path)), None)
    if ending is not None:
        return ending
    root = Path(context.graph.description.tree)
    found = next((tail for tail in tails if (root / tail).is_file()), None)
    if found is not None or not short:
        return found
    paths = context.graph.find_cited_files(short)
    return paths[0] if len(paths) == 1 else None


def _count_lines(context: CheckContext, path: str) -> int:
    return len(context.tree.read_lines(path)) or len(context.texts.sources.read_lines(path))


def _first(places: Iterable[Extent]) -> Location | None:
    return min((place.start for place in places), default=None)


def _is_within(place: Extent, function: KnownFunction) -> bool:
    where = function.location
    return (
        where is not None and place.start.path == where.path
        and where.line <= place.start.line <= function.end_line
    )


def _covers(place: Extent, path: str, line: int) -> bool:
    return place.start.path == path and place.start.line <= line <= place.end_line


def _find_nearest(places: Sequence[Extent], path: str, line: int) -> Location | None:
    """The place nearest to a line, those before it first."""
    here = [place.start for place in places if place.start.path == path]
    before = [start for start in here if start.line <= line]
    return max(before) if before else min(here, default=_first(places))


def _ends_statement(line: str) -> bool:
    """Whether a statement cannot go on after this line."""
    text = line.partition("//")[0].rstrip()
    if text.endswith("*/"):
        text = text.rpartition("/*")[0].rstrip()
    return not text or text.endswith((";", "{", "}", ":")) or text.lstrip().startswith("#")
