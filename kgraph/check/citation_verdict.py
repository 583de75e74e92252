"""Is the cited line where the claim is borne out?

A debugger's stack, from which many chains are copied, cites the line on which a function calls
the next one, or the line after it (a return address). Other writers cite the definition, or the
line on which the function is called. CitationVerdict has the words for these.
"""

from collections.abc import Iterable, Sequence

from kgraph.check.context import CheckContext
from kgraph.model.document import Citation
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import CitationVerdict

_NEAR = 3
CitationJudgement = tuple[CitationVerdict, Location | None, int]


def judge_function_citation(
    ground: CheckContext,
    citation: Citation,
    functions: Sequence[KnownFunction],
    places: Sequence[Extent],
    incoming: Sequence[Extent],
) -> CitationJudgement:
    """(verdict, the right line, distance) of the citation of a function.

    `places` are the stretches of its code that bear out the lines under it, empty for a leaf;
    `incoming` where it is called from.
    """
    path = ground.tree_path(citation.path, _files(functions, [*places, *incoming]))
    right = min((place.start for place in places), default=None)
    if path is None or citation.line > _length(ground, path) or citation.line < 1:
        return CitationVerdict.MISSING, right or _defined(functions), 0
    judged = [
        _in_function(ground, function, path, citation.line, places) for function in functions
    ]
    best = min(judged, key=_rank, default=(CitationVerdict.OUTSIDE, right, 0))
    if best[0] is CitationVerdict.OUTSIDE:
        for place in incoming:
            if _covers(place, path, citation.line):
                exact = place.start.line == citation.line
                verdict = CitationVerdict.EXACT if exact else CitationVerdict.STATEMENT
                return verdict, place.start, 0
    return best


def choose_cited_place(
    functions: Sequence[KnownFunction], places: Sequence[Extent]
) -> Location | None:
    """What to cite for functions: where they bear out the lines under them, None for a leaf."""
    return min(
        (place.start for place in places if any(_within(place, each) for each in functions)),
        default=None,
    )


def judge_place_citation(
    ground: CheckContext, citation: Citation, found: Location | None
) -> CitationJudgement:
    """The citation of what is no function: a table, a row, a statement."""
    path = ground.tree_path(citation.path, [] if found is None else [found.path])
    if path is None or citation.line > _length(ground, path):
        return CitationVerdict.MISSING, found, 0
    if found is not None and (path, citation.line) == (found.path, found.line):
        return CitationVerdict.EXACT, found, 0
    after = citation.line - found.line if found is not None and found.path == path else 0
    if 0 < after <= _NEAR:
        return CitationVerdict.NEAR, found, after
    return CitationVerdict.OUTSIDE, found, 0


def _files(functions: Sequence[KnownFunction], places: Sequence[Extent]) -> list[str]:
    """The files that a citation may mean."""
    defined = [function.location.path for function in functions if function.location is not None]
    return [*defined, *(place.start.path for place in places)]


_ORDER = list(CitationVerdict)


def _rank(judged: CitationJudgement) -> int:
    return _ORDER.index(judged[0])


def _defined(functions: Sequence[KnownFunction]) -> Location | None:
    return next((function.location for function in functions if function.location), None)


def _length(ground: CheckContext, path: str) -> int:
    return len(ground.absence.read_lines(path)) or len(ground.sources.read_lines(path))


def _in_function(
    ground: CheckContext, function: KnownFunction, path: str, line: int, places: Sequence[Extent]
) -> CitationJudgement:
    sites = [site.extent for site in ground.sites_of(function.number)]
    own = [place for place in places if _within(place, function)] or list(places)
    wanted = own or sites
    right = _nearest(wanted, path, line) or function.location
    if any((place.start.path, place.start.line) == (path, line) for place in wanted):
        return CitationVerdict.EXACT, Location(path, line), 0
    for place in wanted:
        if _covers(_statement(ground, place), path, line):
            return CitationVerdict.STATEMENT, place.start, 0
    near = _distance(ground, own, path, line) or _distance(ground, sites, path, line)
    where = function.location
    if near and where is not None and where.line <= line:
        return CitationVerdict.NEAR, right, near
    if where is None or where.path != path or not where.line <= line <= function.end_line:
        return CitationVerdict.OUTSIDE, right, 0
    if line <= _body_start(ground, function):
        return CitationVerdict.DEFINITION, right, 0
    return CitationVerdict.INSIDE, right, 0


def _within(place: Extent, function: KnownFunction) -> bool:
    where = function.location
    return (
        where is not None and place.start.path == where.path
        and where.line <= place.start.line <= function.end_line
    )


def _covers(place: Extent, path: str, line: int) -> bool:
    return place.start.path == path and place.start.line <= line <= place.end_line


def _statement(ground: CheckContext, place: Extent) -> Extent:
    """The statement that holds a place, by its text."""
    lines = ground.sources.read_lines(place.start.path)
    if not lines:
        return place
    first, last = place.start.line, place.end_line
    while first > 1 and not _ends(lines[first - 2]):
        first -= 1
    while last < len(lines) and not _ends(lines[last - 1]):
        last += 1
    return Extent(Location(place.start.path, first), last)


def _ends(line: str) -> bool:
    """Whether a statement cannot go on after this line."""
    text = line.partition("//")[0].rstrip()
    if text.endswith("*/"):
        text = text.rpartition("/*")[0].rstrip()
    return not text or text.endswith((";", "{", "}", ":")) or text.lstrip().startswith("#")


def _distance(ground: CheckContext, places: Iterable[Extent], path: str, line: int) -> int:
    """How many lines after the statement of the nearest place before it `line` is, if that is near;
    0 otherwise.
    """
    ends = [
        _statement(ground, place).end_line for place in places
        if place.start.path == path and place.start.line < line <= place.end_line + _NEAR + 20
    ]
    far = min((line - end for end in ends if end < line), default=0)
    return far if far <= _NEAR else 0


def _nearest(places: Sequence[Extent], path: str, line: int) -> Location | None:
    """The place nearest to a line, those before it first."""
    here = [place.start for place in places if place.start.path == path]
    before = [start for start in here if start.line <= line]
    if before:
        return max(before)
    return min(here, default=min((place.start for place in places), default=None))


def _body_start(ground: CheckContext, function: KnownFunction) -> int:
    """The line of the brace that opens the body."""
    assert function.location is not None
    first = function.location.line
    lines = ground.sources.read_lines(function.location.path)[first - 1:function.end_line]
    return next((first + step for step, text in enumerate(lines) if "{" in text), first)
