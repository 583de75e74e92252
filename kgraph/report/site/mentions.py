"""What a site mentions: each such function, slot, table and place of the source gets its page."""

from kgraph.model.answers import Hop, KnownFunction, KnownObject, OpsRow
from kgraph.model.location import Location

CONTEXT = 3


class Mentions:
    """Collects. `places`: by path, cited lines with how many lines around them to show."""

    def __init__(self) -> None:
        self.functions: dict[int, KnownFunction] = {}
        self.slots: set[str] = set()
        self.tables: dict[int, KnownObject] = {}
        self.places: dict[str, dict[int, int]] = {}

    def place(self, place: Location | None, context: int = 0) -> None:
        """A place is cited."""
        if place is not None:
            lines = self.places.setdefault(place.path, {})
            lines[place.line] = max(context, lines.get(place.line, 0))

    def function(self, function: KnownFunction) -> None:
        """A function is part of an answer."""
        self.functions[function.number] = function
        self.place(function.location)

    def hop(self, hop: Hop) -> None:
        """A hop is part of an answer."""
        self.function(hop.caller)
        self.function(hop.callee)
        self.cited(hop, CONTEXT)
        if hop.site.holder:
            self.slots.add(hop.site.holder)

    def cited(self, hop: Hop, context: int = 0) -> None:
        """The places of a hop are cited."""
        self.place(hop.site.location, context)
        for place in (*(item.location for item in hop.evidence), *hop.sites[:1]):
            self.place(place)
        for guard in hop.site.guards if context else ():
            self.place(guard.extent.start)

    def row(self, row: OpsRow) -> None:
        """A binding is shown."""
        self.place(row.location)
        self.place(row.bound.location)
        for install in row.installs:
            self.place(install.location)
        for item in row.evidence:
            self.place(item.location)
