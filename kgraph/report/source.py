"""Source lines at display time, as the JSON records ask for them."""

from kgraph.graph.text import SourceText
from kgraph.model.location import Location


class CallableSourceText(SourceText):
    """Sources as a function of a location."""

    def __call__(self, location: Location) -> str:
        """The source line, without the blanks around it; "" where it cannot be vouched for."""
        return self.read_line(location)
