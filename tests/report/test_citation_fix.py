"""`check --fix` and `--cite`: citations become right, and every other byte stays."""

from collections import Counter

import pytest

from kgraph.check.document.parser import parse_document
from kgraph.check.document.query_files import find_query
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.model.verdicts import CitationVerdict, Verdict
from kgraph.query import PathQuestion, find_paths
from kgraph.report.citation_fix import fix_citations


def test_a_mark_before_the_document_is_no_part_of_its_first_line(mini: CallGraph) -> None:
    data = b"\xef\xbb\xbfsock_sendmsg()\r\n|-sock_sendmsg_nosec() (net/socket.c:13)"
    check = check_document(mini, parse_document("x", data))
    assert [line.verdict for line in check.lines] == [Verdict.STANDS, Verdict.HOLDS]
    assert fix_citations(data, check) == data.replace(b":13", b":12")


def test_bytes_that_are_no_text_count_as_one(mini: CallGraph) -> None:
    lines = [b"```", b"sock_sendmsg()", b"|-sock_sendmsg_nosec(\xe9\xff)", b"|-behind()", b"```"]
    data = b"\n".join(lines)
    check = check_document(mini, parse_document("x", data))
    cited = fix_citations(data, check, cite=True).split(b"\n")
    assert cited[2].startswith(lines[2] + b" (net/socket.c:")
    assert cited[3] == lines[3]


def test_a_citation_without_folders(mini: CallGraph) -> None:
    text = "```\nxmit_one() (dev.c:84)\n|-netdev_start_xmit() (dev.c#L1)\n"
    check = check_document(mini, parse_document("x", text.encode()))
    assert check.lines[1].citation is CitationVerdict.EXACT
    wrong = text.replace("dev.c:84", "dev.c:85")
    assert fix_citations(wrong.encode(), check_document(mini, parse_document("x", wrong.encode()))
                     ).decode().split("\n")[1] == text.split("\n")[1]


def test_fix_changes_the_numbers_and_nothing_else(mini: CallGraph) -> None:
    [path] = find_paths(mini, PathQuestion("sock_sendmsg", "sock_sendmsg_nosec")).paths
    place = path.hops[0].site.location
    cited_line = f"sock_sendmsg() (k\\net\\socket.c:{place.line})"
    good = f"注 ```\r\n```\r\n{cited_line}\r\n|-sock_sendmsg_nosec()\r\n"
    bad = good.replace(f":{place.line})", f":{place.line + 2})").encode()
    fixed = fix_citations(bad, check_document(mini, parse_document("x", bad)))
    assert fixed == good.encode()
    again = fix_citations(fixed, check_document(mini, parse_document("x", fixed)), cite=True)
    assert again.count(b"\r\n") == good.count("\r\n")
    assert b"sock_sendmsg_nosec() (k\\net\\socket.c:" in again


@pytest.mark.parametrize("name", ["veth", "bridge", "outward"])
def test_what_is_cited_is_exact(mini: CallGraph, name: str) -> None:
    """Roots too; and as the functions of a debugger's stack are: where they call the next."""
    query = find_query(name)
    bare = f"```\n{query.chain}```\n".encode()
    cited = fix_citations(bare, check_document(mini, parse_document("x", bare)), cite=True)
    check = check_document(mini, parse_document("x", cited))
    judged = Counter(line.citation for line in check.lines)
    assert set(judged) <= {CitationVerdict.EXACT, CitationVerdict.NONE}
    assert judged[CitationVerdict.EXACT] > 15
    roots = [line for line in check.lines if line.line.claim.name and not line.line.parent]
    assert roots
    assert all(line.citation is CitationVerdict.EXACT for line in roots)
