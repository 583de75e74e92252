"""Where a place of the source leads: to a code browser, or to the tree on this machine."""

import os
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import quote

from kgraph.errors import KgraphError
from kgraph.model.location import Location
from kgraph.model.results import IndexDescription
from kgraph.textfile import unescape_name


class LinkStyle(StrEnum):
    """Where a citation leads besides the site itself."""

    ELIXIR = "elixir"
    GIT = "git"
    FILE = "file"
    VSCODE = "vscode"


def link_to_code(style: LinkStyle, index: IndexDescription, location: Location) -> str:
    """The address of a location; "" if the release has none in the code browser."""
    name, tag = unescape_name(location.path), _find_git_tag(index.release)
    path = quote(os.fsencode(name))
    if style in (LinkStyle.ELIXIR, LinkStyle.GIT) and not tag:
        return ""
    if style is LinkStyle.ELIXIR:
        return f"https://elixir.bootlin.com/linux/{tag}/source/{path}#L{location.line}"
    if style is LinkStyle.GIT:
        return ("https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/"
                f"{path}?h={tag}#n{location.line}")
    file = quote(os.fsencode(Path(index.tree) / name))
    if style is LinkStyle.FILE:
        return f"file://{file}#L{location.line}"
    return f"vscode://file{file}:{location.line}"


def _find_git_tag(release: str) -> str:
    """The git tag of a release: v4.6.2; v5.10 for 5.10.0; v5.10-rc1; "" if it has none."""
    found = re.fullmatch(r"(\d+\.\d+)(?:\.(\d+))?(-rc\d+)?", release)
    if found is None:
        return ""
    sub = f".{found[2]}" if found[2] not in (None, "0") else ""
    return f"v{found[1]}{sub}{found[3] or ''}"


def make_terminal_links(index: IndexDescription, host: str) -> Callable[[str, int], str]:
    """For links on a terminal: a function that gives the address of a line of a file that is in
    the tree, in the build folder or in the current one; "" for one that is not.

    KGRAPH_LINKS says where they lead: `file` (the default), `vscode`, `elixir`, `git`, or `none`.
    Raises KgraphError for another value.
    """
    choice = os.environ.get("KGRAPH_LINKS") or LinkStyle.FILE
    if choice not in ("none", *LinkStyle):
        raise KgraphError(f"KGRAPH_LINKS={choice} is unknown",
                          f"it is one of {', '.join((*LinkStyle, 'none'))}")
    style = None if choice == "none" else LinkStyle(choice)

    @cache
    def find_file(path: str) -> str:
        name = unescape_name(path)
        for file in (*index.iter_places(name), f"{Path.cwd()}/{name}"):
            if os.path.exists(file):  # noqa: PTH110
                return file
        return ""

    def make_link(path: str, line: int) -> str:
        file = "" if style is None else find_file(path)
        if not file or style is None:
            return ""
        if style is LinkStyle.FILE:
            return f"file://{host}{quote(os.fsencode(file))}#{line}"
        if style is LinkStyle.VSCODE:
            return f"vscode://file{quote(os.fsencode(file))}:{line}"
        return link_to_code(style, index, Location(path, line, 0))

    return make_link
