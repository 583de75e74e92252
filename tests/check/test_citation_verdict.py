"""Citations: how far the cited line is from the call that bears the claim out."""


import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import CitationVerdict, LineVerdict
from kgraph.query import PathQuestion, find_paths
from kgraph.report.check_text import describe_citation
from tests.support.judging import check_text


def cited(graph: CallGraph, shift: int) -> LineVerdict:
    """sock_sendmsg, cited `shift` lines after its call of sock_sendmsg_nosec."""
    line = find_paths(graph, PathQuestion("sock_sendmsg", "sock_sendmsg_nosec"))
    place = line.paths[0].hops[0].site.location
    text = f"sock_sendmsg() (k\\{place.path.replace('/', chr(92))}:{place.line + shift})\n"
    return check_text(graph, f"```\n{text}|-sock_sendmsg_nosec()\n```\n").lines[1]


@pytest.mark.parametrize(("shift", "verdict"), [
    (0, CitationVerdict.EXACT), (1, CitationVerdict.NEAR), (2, CitationVerdict.NEAR),
    (-6, CitationVerdict.OUTSIDE), (-3, CitationVerdict.DEFINITION),
    (10**5, CitationVerdict.MISSING),
])
def test_citations(mini: CallGraph, shift: int, verdict: CitationVerdict) -> None:
    found = cited(mini, shift)
    assert found.citation is verdict
    right = cited(mini, 0).found
    assert (found.found and str(found.found)) == str(right)
    assert found.distance == (shift if verdict is CitationVerdict.NEAR else 0)


def test_a_citation_past_another_call_says_so(mini: CallGraph) -> None:
    """Of copy_net_ns, behind what it calls before the call that stands under it."""
    function, = mini.find_functions("copy_net_ns")
    first, *_, last_call = mini.find_sites_of(function.number)
    place = first.location
    assert place.line + 1 < last_call.location.line
    text = f"copy_net_ns() ({place.path}:{place.line + 1})\n|-{last_call.expression}()"
    line = check_text(mini, f"```\n{text}\n```\n").lines[1]
    assert line.citation is CitationVerdict.NEAR
    assert describe_citation(line) == (
        f"citation near, 1 line after another call: the one below is at {last_call.location}")


def judged(graph: CallGraph, text: str) -> list[CitationVerdict]:
    return [line.citation for line in check_text(graph, f"```\n{text}\n```\n").lines[1:-1]]


def find_call(graph: CallGraph, caller: str, callee: str) -> str:
    path = find_paths(graph, PathQuestion(caller, callee)).paths[0]
    return str(path.hops[-1].site.location)


def test_a_call_site_is_a_right_citation_of_what_it_calls(mini: CallGraph) -> None:
    """At the head of a chain, alone, and below steps that are left out: nothing is to be moved."""
    exact, outside = CitationVerdict.EXACT, CitationVerdict.OUTSIDE
    place = find_call(mini, "SYSC_sendto", "sock_sendmsg")
    below = find_call(mini, "sock_sendmsg", "sock_sendmsg_nosec")
    assert judged(mini, f"sock_sendmsg ({place})") == [exact]
    assert judged(mini, f"sock_sendmsg ({place})\n|-sock_sendmsg_nosec ({below})") == [
        exact, exact]
    assert judged(mini, f"SyS_sendto\n|-sock_sendmsg ({place})") == [CitationVerdict.NONE, exact]
    other = find_call(mini, "inet_sendmsg", "raw_sendmsg")
    assert judged(mini, f"SyS_sendto\n|-sock_sendmsg ({other})")[1] is outside


def test_the_innermost_frame_of_a_stack_stands_anywhere_in_its_function(mini: CallGraph) -> None:
    place = find_call(mini, "SYSC_sendto", "sock_sendmsg")
    function, = mini.find_functions("sock_sendmsg")
    assert function.location is not None
    for line in range(function.location.line, function.end_line + 1):
        text = (f"#0  sock_sendmsg (a=0x1) at {function.location.path}:{line}\n"
                f"#1  0xffff0001 in SYSC_sendto (fd=1) at {place}")
        assert judged(mini, text) == [CitationVerdict.EXACT] * 2
    text = text.replace(f":{line}", f":{function.end_line + 1}")
    assert not judged(mini, text)[0].is_right
