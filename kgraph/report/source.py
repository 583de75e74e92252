"""Source lines at display time, as what makes records asks for them."""

from kgraph.graph.source import Sources
from kgraph.model.location import Location


class SourceText(Sources):
    """Sources as a function of a location."""

    def __call__(self, location: Location) -> str:
        """The source line, without the blanks around it; "" where it cannot be vouched for."""
        return self.line(location)
