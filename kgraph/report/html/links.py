"""File names of pages, and links to pages, to cited source, and to code browsers."""

import os
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from kgraph.model.location import Location
from kgraph.model.results import IndexDescription, KnownFunction
from kgraph.textfile import unescape_name

_LONGEST = 80
Key = TypeVar("Key", bound=Hashable)


class LinkStyle(StrEnum):
    """Where a citation leads besides the site itself."""

    ELIXIR = "elixir"
    GIT = "git"
    FILE = "file"
    VSCODE = "vscode"


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
        if self.style is None:
            return ""
        name, tag = unescape_name(location.path), _find_git_tag(self.index.release)
        path = quote(os.fsencode(name))
        if self.style in (LinkStyle.ELIXIR, LinkStyle.GIT) and not tag:
            return ""
        if self.style is LinkStyle.ELIXIR:
            return f"https://elixir.bootlin.com/linux/{tag}/source/{path}#L{location.line}"
        if self.style is LinkStyle.GIT:
            return ("https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/"
                    f"{path}?h={tag}#n{location.line}")
        file = quote(os.fsencode(Path(self.index.tree) / name))
        if self.style is LinkStyle.FILE:
            return f"file://{file}#L{location.line}"
        return f"vscode://file{file}:{location.line}"


def _find_git_tag(release: str) -> str:
    """The git tag of a release: v4.6.2; v5.10 for 5.10.0; v5.10-rc1; "" if it has none."""
    found = re.fullmatch(r"(\d+\.\d+)(?:\.(\d+))?(-rc\d+)?", release)
    if found is None:
        return ""
    sub = f".{found[2]}" if found[2] not in (None, "0") else ""
    return f"v{found[1]}{sub}{found[3] or ''}"


def make_own_names(names: Iterable[str]) -> dict[str, str]:
    """A file name for each name."""
    return make_file_names({name: name for name in names})
