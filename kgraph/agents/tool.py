"""What tools have in common: each is a record of its arguments, whose docstring tells the agent
what it answers, and whose `answer` asks the index.
"""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from kgraph import api
from kgraph.agents.answers import Draft, Item, Limit, Page, describe_hop
from kgraph.agents.open_index import AnsweringIndex
from kgraph.model.results import Hop

Name = Annotated[str, Meta(min_length=1, max_length=300, description=(
    "A function by its name, or PATH:NAME."))]
File = Annotated[str, Meta(max_length=1000, description=(
    "The file that defines it, or the end of its path: tells static functions of one name apart."))]
Text = Annotated[str, Meta(min_length=1, max_length=200_000)]


class Asked(Struct, frozen=True):
    """What a tool asks: an open index, the text of its tree, and whether it is up to date."""

    index: api.Index
    text: api.SourceText
    keeper: AnsweringIndex

    def hop(self, hop: Hop) -> Item:
        """The record of a call."""
        return describe_hop(hop, self.text.read_line)


class Tool(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments that every tool has. `answer` raises KgraphError."""

    name_of_tool: ClassVar[str] = ""
    page: Page = 0
    limit: Limit = 50

    def answer(self, asked: Asked) -> Draft:
        """The answer, all of its items."""
        raise NotImplementedError


def qualify(name: str, file: str) -> str:
    """A name with the file that tells it from others."""
    return f"{file}:{name}" if file and ":" not in name else name
