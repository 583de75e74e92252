"""What is called at a place of the source: a line, a statement, a function, a file."""

import os
import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from msgspec import Struct

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import Hop, KnownSite, SiteAnswer
from kgraph.query.lookup import find_function
from kgraph.textfile import escape_if_undecodable, escape_name

_PLACE = re.compile(r"(.+?):(\d{1,9})(?::(\d{1,9}))?:?", re.DOTALL)
_NUMBERED = re.compile(r":\d*$")
_SOURCE = re.compile(r"[^:]*(?:/[^:]*|\.[chsS])", re.DOTALL)
_MAX_LISTED = 8


class Place(Struct, frozen=True):
    """A place as it is written: FILE:LINE:COLUMN, FILE:LINE, or FILE or the name of a function."""

    text: str
    line: int | None = None
    column: int = 0

    @classmethod
    def parse(cls, written: str) -> "Place":
        """The place in a text, which may stand in brackets as kgraph writes it. Raises
        LookupFailed.
        """
        bare = written.strip()
        bare = bare[1:-1] if bare.startswith("(") and bare.endswith(")") else bare
        found = _PLACE.fullmatch(bare)
        if found is None:
            if _NUMBERED.search(bare):
                raise LookupFailed(f"`{written}` is not a place (FILE:LINE)", "write FILE:LINE")
            return cls(bare)
        return cls(found[1], int(found[2]), int(found[3] or 0))

    @property
    def is_file(self) -> bool:
        """Whether the text is a file, by its form."""
        return self.line is not None or _SOURCE.fullmatch(self.text) is not None


def find_call_sites(graph: CallGraph, place: str) -> list[SiteAnswer]:
    """The call sites at FILE:LINE or FILE:LINE:COLUMN, in FILE or in a function, each with every
    candidate. FILE is as find_file takes it.

    Raises LookupFailed where there is no call; for a line the hint names the nearest ones.
    """
    written = Place.parse(place)
    if not written.is_file:
        function = find_function(graph, written.text)
        return _answer(graph, graph.find_sites_of(function.number), f"{function} makes no calls")
    path = find_file(graph, written.text)
    if written.line is None:
        return _answer(graph, graph.find_sites_in(path), f"no call starts in {path}")
    sites = (graph.find_sites_at(path, written.line)
             or graph.find_sites_over(path, written.line))
    if not sites:
        around = graph.find_nearest_call_lines(path, written.line)
        near = ", ".join(f"{path}:{other}" for other in sorted(around))
        raise LookupFailed(
            f"no call starts at {path}:{written.line}",
            f"the nearest are at {near}" if near else "no function of that file is indexed",
        )
    return _answer(graph, _select_column(sites, written))


def find_file(graph: CallGraph, text: str) -> str:
    """The path in the tree of a file: absolute, relative to the current folder, or to the top of
    the tree, or the end of such a path. Raises LookupFailed.
    """
    name = escape_if_undecodable(text)
    own = _strip_root(graph, text)
    for path in filter(None, (own, name)):
        if path in graph.find_cited_files(path):
            return path
    paths = graph.find_cited_files(name.removeprefix("./")) if own != name else []
    if not paths:
        raise _explain_no_file(graph, own or name)
    if len(paths) > 1:
        raise LookupFailed(
            f"`{name}` is ambiguous: {', '.join(sorted(paths)[:_MAX_LISTED])}",
            "give its path from the top of the tree",
        )
    return paths[0]


def find_folder(graph: CallGraph, text: str) -> str:
    """The path in the tree of a folder or file: absolute, relative to the current folder, or to the
    top of the tree. "" for the top itself. Raises LookupFailed where units read no file of it.
    """
    name = escape_if_undecodable(text).rstrip("/").removeprefix("./")
    if not name:
        return ""
    own = _strip_root(graph, text)
    if not own and os.path.realpath(text) == os.path.realpath(graph.description.tree):
        return ""
    for path in filter(None, (own, name)):
        if graph.has_files_in(path):
            return path
    raise LookupFailed(f"the index has nothing in `{name}`",
                       "give a folder or file of the tree, as citations write it")


def _strip_root(graph: CallGraph, text: str) -> str:
    """The path in the tree, or in the build folder, of a file as the current folder has it; "" if
    it is outside both.
    """
    try:
        absolute = os.path.normpath(Path.cwd() / text)
    except OSError:  # the current folder was removed
        absolute = os.path.normpath(text)
    for root, name in graph.description.iter_folders():
        for file in (absolute, os.path.realpath(absolute)):
            if file.startswith(f"{root}/"):
                return escape_name(name + file[len(root) + 1:])
    return ""


def _explain_no_file(graph: CallGraph, path: str) -> LookupFailed:
    if path in graph.find_read_files():
        hint = "units read it, but it has neither a function nor a call"
    elif any(map(os.path.isfile, graph.description.iter_places(path))):  # no error for odd names
        hint = "the tree has it, but no unit that was indexed reads it (see `kgraph status`)"
    else:
        hint = "give its path from the top of the tree, or from the current folder"
    return LookupFailed(f"the index has no file `{path}`", hint)


def _select_column(sites: list[KnownSite], place: Place) -> list[KnownSite]:
    """The call sites at the column of a place, else the innermost that holds it, else all."""
    if not place.column:
        return sites
    at = (place.line, place.column)
    exact = [site for site in sites if (site.location.line, site.location.column) == at]
    around = [site for site in sites
              if (site.location.line, site.location.column) <= at
              < (site.extent.end_line, site.extent.end_column)]
    innermost = max(((site.location.line, site.location.column) for site in around), default=None)
    return exact or [site for site in around
                     if (site.location.line, site.location.column) == innermost] or sites


def _answer(
    graph: CallGraph, sites: Iterable[KnownSite], reason: str = ""
) -> list[SiteAnswer]:
    """The answers on call sites, in the order of their places. Raises LookupFailed for none."""
    ordered = sorted(sites, key=lambda site: (site.location, site.ordinal, site.number))
    if not ordered:
        raise LookupFailed(reason, "`kgraph find` finds names")
    graph.preload(chain.from_iterable(graph.edges_of(site.number) for site in ordered))
    pairs: set[tuple[int, int]] = set()
    return [_make_answer(graph, found, pairs) for found in ordered]


def _make_answer(
    graph: CallGraph, found: KnownSite, pairs: set[tuple[int, int]]
) -> SiteAnswer:
    """The answer on one call site. The other calls of the same function by the same one come with
    the first answer only; `pairs` has the callers and callees of those before, and grows."""
    hops = tuple(
        graph.hop(edge, others=(found.caller, graph.edge_callee[edge]) not in pairs)
        for edge in graph.edges_of(found.number))
    pairs.update((found.caller, hop.callee.number) for hop in hops)
    return make_site_answer(graph, found, hops)


def make_site_answer(graph: CallGraph, found: KnownSite, hops: tuple[Hop, ...]) -> SiteAnswer:
    """The answer on a call site with these candidates."""
    by_type = 0
    if found.status is SiteStatus.UNRESOLVED:
        by_type = len(graph.by_type.callees(found.number))
    proof = () if found.proof is None else graph.reader.read_evidence(found.proof)
    requests = graph.open_requests.find_at_site(found.number)
    return SiteAnswer(graph.function(found.caller), found, hops, by_type, proof, requests)
