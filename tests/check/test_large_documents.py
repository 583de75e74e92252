"""Documents of ten megabytes, deep ones, and what they cost: counted in calls, not in seconds."""

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.check.document.query_files import read_shipped_queries
from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.effort import examples, scale_effort
from tests.support.judging import check_text

CHAINS = "".join(f"```\n{query.chain}```\n\nand so on\n\n" for query in read_shipped_queries())
# Words, parentheses and quotes that a careless expression goes over again and again.
HOSTILE = "".join(
    f"|-{(unit * 4000)[:3900]}{end}\n"
    for unit in ("_", "a_", "__a", "a b ", "f(", "f(a, ", "a[", "a->", "(*a)(", "{", '"', "a.b,",
                 "if (", "中", "a = b; ", "// ", "/* ", "f() -> ", "1.c:2 ")
    for end in ("", "!", "(", ")", " =", ";")
)
PROSE = "This is how a packet gets from here to there, and nothing of it is a claim.\n" * 20


@pytest.mark.slow
def test_ten_megabytes(mini: CallGraph) -> None:
    parts = ((CHAINS, 2_000_000), (HOSTILE, 4_000_000), (PROSE, 4_000_000))
    text = "".join(part * (size // len(part.encode()) + 1) for part, size in parts)
    assert len(text.encode()) > 10_000_000
    check = check_text(mini, text)
    assert len(check.lines) == text.count("\n")
    whole = check_text(mini, CHAINS)
    again = check.lines[:len(whole.lines)]
    assert [line.verdict for line in again] == [line.verdict for line in whole.lines]
    assert sum(line.verdict is Verdict.HOLDS for line in check.lines) > 10_000


def calls(graph: CallGraph, text: str) -> int:
    """How many functions are called to read and judge a document."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        check_text(graph, text)
    finally:
        sys.setprofile(before)
    return count


def test_the_index_is_asked_for_all_names_at_once(
    mini: CallGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, asked = CallGraph(mini.reader), list[str]()
    fetch_rows = mini.reader.fetch_rows

    def fetch(statement: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        asked.append(statement)
        return fetch_rows(statement, values)

    monkeypatch.setattr(mini.reader, "fetch_rows", fetch)
    check = check_text(graph, CHAINS)
    by_name = [statement for statement in asked if "f.name" in statement.partition("WHERE")[2]]
    assert sum(line.verdict is Verdict.HOLDS for line in check.lines) > 20
    assert len(by_name) < 10
    assert not any("s.caller = " in statement for statement in asked)  # no index has it


@pytest.mark.parametrize("unit", [
    CHAINS, HOSTILE[:200_000], "br_forward() {\n", "|-sock_sendmsg()\n", "no_such_name\n",
    "#1 br_forward (a=1) at net/x.c:1\n", "__br_forward()\n|-skb->dev = x->dev\n",
    "struct a b = {\n .c = d,\n", "sock_sendmsg_nosec()\n|-sock->ops->sendmsg() // inet_sendmsg\n",
], ids=lambda unit: unit[:12])
def test_the_work_grows_with_the_document(mini: CallGraph, unit: str) -> None:
    size = max(1, scale_effort(400) // unit.count("\n"))
    check_text(mini, unit)  # what is looked up once
    once, twice = (calls(mini, "```\n" + unit * (size * factor)) for factor in (1, 2))
    assert twice < 2.3 * once


def test_deep_documents(mini: CallGraph) -> None:
    """Lines under lines, braces in braces, conditions in conditions."""
    deep = "".join(f"{' ' * depth}sock_sendmsg()\n" for depth in range(1500))
    assert check_text(mini, f"```\n{deep}").lines[-1].line.depth == 1499
    braces = check_text(mini, "```\n" + "sock_sendmsg() {\n" * 3000 + "}\n" * 3000)
    assert braces.lines[3000].line.depth == 2999
    conditions = "".join(f"{' ' * depth}if (flags & CLONE_NEWNET)\n" for depth in range(1, 300))
    last = check_text(mini, f"```\ncopy_net_ns()\n{conditions}{' ' * 300}setup_net(net, user_ns)\n")
    assert last.lines[-1].verdict is Verdict.HOLDS


@pytest.mark.parametrize(("opened", "closed", "count"), [
    ("(", ")", 1900), ("!(", ")", 1200), ("!", "", 3000), ("a&&(", ")", 750), ("(a||", ")", 750),
    ("!(a&&", ")", 600), ("0==(", ")", 750), ("f(", ")", 1200), ("a?(", ")", 900), ("[", "]", 1900),
    ("{", "}", 1900),
])
def test_deep_expressions(mini: CallGraph, opened: str, closed: str, count: int) -> None:
    deep = opened * count + "x" + closed * count
    for line in (f"if ({deep}) setup_net(net, user_ns)", f"setup_net({deep})", f"x = {deep}",
                 f"while ({deep})", deep):
        assert check_text(mini, f"```\ncopy_net_ns()\n|-{line}\n").lines
    assert check_text(mini, f"struct a b = {{ .x = {deep} }}\n").lines
    assert check_text(mini, f"struct sock {{\n int x[{deep}];\n int (*f)({deep});\n").lines


PIECES = st.sampled_from([
    "|-", "  ", "    ", "\n", "\n", "\n", "```\n", "sock_sendmsg", "inet_create",
    "br_handle_frame", "veth_xmit", "NF_HOOK", "rx_handler", "rcu_dereference",
    "sk->sk_prot->hash", "->", ".", "(", ")", "()", "(sk)", "(net/core/dev.c:84)",
    " (dev.c#L1)", "if ", "else ", "case ", "!", "&&", "||", "==", "= ", ";", ",", "{", "}",
    "struct sock {", "struct proto_ops inet_dgram_ops = {", ".sendmsg", "int (*f)(int a);",
    "struct proto *sk_prot;", "// i.e. ", "raw_sendmsg", "module_init", "br_init",
    "Call Trace:\n", "#1 ", "+0x1/0x2", "......", "return ", "goto x;", "9. ", "- ", "[", "]",
    '"', "sk->__sk_common.skc_prot", "unsigned ", "const ", "*", "open_softirq",
    "NET_RX_SOFTIRQ", "中",
])


@examples(300)
@given(st.lists(PIECES, max_size=50))
def test_any_document_is_judged(mini: CallGraph, pieces: list[str]) -> None:
    check = check_text(mini, "".join(pieces))
    assert len(check.lines) == len(check.document.lines)
