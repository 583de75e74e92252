"""What is called at a line of the source."""

import re

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.resolution import SiteStatus
from kgraph.model.results import KnownSite, SiteAnswer
from kgraph.textfile import escape_if_undecodable


def find_call_sites(graph: CallGraph, place: str) -> list[SiteAnswer]:
    """The call sites at FILE:LINE, each with every candidate. FILE is a path from the top of the
    tree, or the end of one.

    Raises LookupFailed where no call starts there; the hint names the nearest ones.
    """
    written = re.fullmatch(r"(.+):(\d{1,9})", place)
    if written is None:
        raise LookupFailed(f"`{place}` is not a place (FILE:LINE)", "write FILE:LINE")
    path, line = _find_file(graph, escape_if_undecodable(written[1])), int(written[2])
    sites = graph.find_sites_at(path, line)
    if not sites:
        around = graph.find_nearest_call_lines(path, line)
        near = ", ".join(f"{path}:{other}" for other in sorted(around))
        raise LookupFailed(
            f"no call starts at {path}:{line}",
            f"the nearest are at {near}" if near else "no function of that file is indexed",
        )
    return [_make_answer(graph, found) for found in sites]


def _find_file(graph: CallGraph, text: str) -> str:
    paths = graph.find_cited_files(text)
    if text in paths:
        return text
    if not paths:
        raise LookupFailed(
            f"the index has no file `{text}`", "give its path from the top of the tree"
        )
    if len(paths) > 1:
        raise LookupFailed(
            f"`{text}` is ambiguous: {', '.join(sorted(paths)[:8])}",
            "give its path from the top of the tree",
        )
    return paths[0]


def _make_answer(graph: CallGraph, found: KnownSite) -> SiteAnswer:
    hops = tuple(graph.hop(edge) for edge in graph.edges_of(found.number))
    by_type = 0
    if found.status is SiteStatus.UNRESOLVED:
        by_type = len(graph.by_type.callees(found.number))
    proof = () if found.proof is None else graph.reader.read_evidence(found.proof)
    requests = graph.open_requests.find_at_site(found.number)
    return SiteAnswer(graph.function(found.caller), found, hops, by_type, proof, requests)
