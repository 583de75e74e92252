"""What judging one line came to, before its citation is judged."""

from dataclasses import dataclass

from kgraph.model.answers import Hop
from kgraph.model.documents import Verdict
from kgraph.model.location import Extent, Location
from kgraph.query.checking.ground import Standing


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict of a line. `places` are the stretches of the caller's code that bear it out,
    which the citation of the line above may name; `standing` is what the lines under it are called
    from, None where that is what it was before; `found` the place of what is no call (a table, a
    row, a statement).
    """

    verdict: Verdict
    note: str = ""
    hop: Hop | None = None
    via: tuple[Hop, ...] = ()
    places: tuple[Extent, ...] = ()
    standing: Standing | None = None
    found: Location | None = None
