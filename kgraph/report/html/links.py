"""File names of pages, and links to pages and to cited source."""

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar
from urllib.parse import quote

from kgraph.model.location import Location
from kgraph.model.results import IndexDescription, KnownFunction
from kgraph.report.code_links import LinkStyle, link_to_code

_LONGEST = 80
Key = TypeVar("Key", bound=Hashable)


def make_file_names(texts: Mapping[Key, str]) -> dict[Key, str]:
    """A file name for each key, made from its text.

    Different keys get different names, also on file systems that ignore case. The name of a key
    depends on which keys there are, not on their order.
    """
    plain = {
        key: re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:_LONGEST] or "x"
        for key, text in texts.items()
    }
    often: dict[str, int] = {}
    for slug in plain.values():
        often[slug.lower()] = often.get(slug.lower(), 0) + 1
    return {
        key: slug if often[slug.lower()] == 1 and slug == texts[key][: len(slug)]
        else f"{slug}-{_digest(repr(key))}"
        for key, slug in plain.items()
    }


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


@dataclass(frozen=True, slots=True)
class PageNames:
    """The pages of a site: file names without their suffix, by the number of a function, the name
    of a slot, the number of a table, the path of a source file.
    """

    functions: dict[int, str] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)
    tables: dict[int, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of a page.

    `root` leads from the page's folder to that of the site ("" or "../"). `anchors` are the anchors
    of locations that the page itself shows.
    """

    page_names: PageNames
    index: IndexDescription
    style: LinkStyle | None = None
    root: str = ""
    anchors: Mapping[Location, str] = field(default_factory=dict)

    def to_function(self, function: KnownFunction) -> str:
        """The page of a function; "" if it has none."""
        return self._page("function", self.page_names.functions.get(function.number))

    def to_slot(self, name: str) -> str:
        """The page of a slot; "" if it has none."""
        return self._page("slot", self.page_names.slots.get(name))

    def to_table(self, number: int) -> str:
        """The page of a table; "" if it has none."""
        return self._page("table", self.page_names.tables.get(number))

    def to_source(self, location: Location) -> str:
        """The excerpt on the site that shows a location; "" if none does."""
        if location in self.anchors:
            return f"#{quote(self.anchors[location])}"
        page = self._page("source", self.page_names.sources.get(location.path))
        return f"{page}#L{location.line}" if page else ""

    def _page(self, folder: str, name: str | None) -> str:
        return f"{self.root}{folder}/{quote(name)}.html" if name else ""

    def to_outside(self, location: Location) -> str:
        """The location in the code browser or tree that the user chose; "" for none."""
        return "" if self.style is None else link_to_code(self.style, self.index, location)


def make_own_names(names: Iterable[str]) -> dict[str, str]:
    """A file name for each name."""
    return make_file_names({name: name for name in names})
