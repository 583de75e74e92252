"""Conditions that a document claims, what they lead to, and blocks that stand on one line."""

from collections.abc import Iterator

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import last
from tests.support.one_file import index_text

BRANCHES = """
#define BITS(name, count) unsigned long name[(count) / 64]
enum { LAST = 3 };
int first(int a) { return a; }
int second(int a) { return a; }
int third(int a) { return a; }
int one(int a, int b)
{
	if (a || b)
		first(a);
	if (a)
		second(1);
	else
		third(2);
	second(3);
	if (!b)
		return second(4);
	return third(5);
}
int two(int a, int b)
{
	int c;
	if (!a)
		goto out;
	first(a);
	if (b)
		second(b);
	else
		c = third(b);
	if (a && b) {
		a = 5;
	}
out:
	third(a);
	return a;
}
int four(int a, int b)
{
	switch (a) {
	case 1:
	case 2:
		first(a);
		if (b)
			break;
		second(b);
		break;
	case LAST: {
		third(a);
		return 3;
	}
	default:
		b = 7;
	}
	if (b)
		second(8);
	else if (a)
		third(9);
	else
		first(10);
	return third(11);
}
int five(int a)
{
	switch (a) {
	case 1:
		goto out;
	case 2:
		first(a);
	}
	return a ? third(a) : 0;
out:
	return second(a);
}
int eight(int a, int b)
{
	switch (a) {
	case 1:
		return first(a);
	case 2:
	case 3:
		return second(a);
	case 4:
		if (b)
			return 1;
		else
			return 2;
	case 5:
		if (b == 7)
			goto out;
		third(a);
		break;
	case 6:
		if (b != 8)
			third(b);
	}
	if (b)
		first(6);
	second(6);
	if (unlikely(!b))
		second(7);
	if (b)
		third(7);
out:
	return 0;
}
static int (*through)(int a) = second;
#define ADDED(x) ((x) + 1)
static inline int stub(int a) { return 0; }
int six(int a, int b)
{
	if (a)
		second(a);
	through(b);
	switch (a) {
	case 1:
	case 2: b = first(a);
		second(b);
		break;
	default:
		third(a);
	}
	switch (b) {
	case 3:
		second(3);
	}
	stub(a);
	return ADDED(b);
}
int nine(int a, int b)
{
	if (b)
		return one(a, b);
	return 0;
}
int left_out(int a);
int left_out(int a) { return a; }
int seven(int a)
{
#ifdef NOT_HERE
	left_out(a);
#endif
	return a;
}
struct flags {
	int count;
	BITS(bits, 64);
	struct {
		int depth;
	} within;
};
#define NAMED LAST
int ten(int a, int b, int c)
{
	if (a) {
		if (b)
			first(a);
	}
	if (!c)
		return 0;
	if (a != 2)
		return 1;
	if (b > 3)
		second(a);
	switch (c) {
	case 4:
		third(4);
		break;
	case NAMED:
	case 6:
		third(5);
	}
	if (b < c && c)
		if (b == 1)
			second(b);
	return 0;
drop:
	return third(6);
}
int thirteen(int a, int b)
{
	if (a) {
		if (b)
			first(1);
	} else {
		second(2);
	}
	return third(3);
}
int twelve(int a, int b, int c)
{
	if (a) {
		first(a);
	} else if (second(b)) {
		return 1;
	}
	if (b) first(b); else third(b);
	if (c)
		goto inside;
	if (b == 5) {
		first(5);
	} else {
inside:
		first(3);
	}
	if (c == 0)
		return 7;
	c = first(7);
	if (!c)
		third(3);
	goto last;
last:
	return second(9);
}
int eleven(int a, int b)
{
#ifdef NOT_HERE
	if (a) {
		first(2);
#else
	if (b) {
#endif
		second(b);
	}
	if (!a)
		goto out;
	third(b);
out:
	if (a)
		return 4;
	return third(7);
}
"""


@pytest.fixture(scope="module")
def branching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallGraph]:
    folder = tmp_path_factory.mktemp("branching")
    with index_text(folder, BRANCHES) as graph:
        (folder / "b.c").write_text("int first(int);\nint stub(int a)\n{\n\treturn first(a);\n}\n")
        yield graph


@pytest.mark.parametrize(("text", "verdict", "note"), [
    ("one()\n|-if (a) first(a)", Verdict.HOLDS, "one of the alternatives there: a || b"),
    ("one()\n|-if (a || b) first(a)", Verdict.HOLDS, ""),
    ("one()\n|-if (!a) first(a)", Verdict.REFUTED, "its conditions are a || b"),
    ("one()\n|-else third(2)", Verdict.HOLDS, ""),
    ("one()\n|-else\n  |-third(2)", Verdict.HOLDS, ""),
    ("one()\n|-else second(1)", Verdict.REFUTED, "it stands behind no else: its conditions are a"),
    ("one()\n|-else first(a)", Verdict.REFUTED, "behind no else"),
    ("one()\n|-if (a) second(1)", Verdict.HOLDS, ""),
    ("one()\n|-if (a) second(4)", Verdict.REFUTED, "its conditions are !b"),
    ("one()\n|-if (!b) return second(1)", Verdict.REFUTED, "its conditions are a"),
    ("two()\n|-else c = third(b)", Verdict.HOLDS, ""),
    # what a value goes to, and whose arguments are the names of the callee's parameters
    ("two()\n|-else d = third(b)", Verdict.HOLDS, "its value does not go to d there: `"),
    ("two()\n|-c = third(b)", Verdict.HOLDS, ""),
    ("two()\n|-x->y = third(b)", Verdict.REFUTED, "`else c =` stands before the call"),
    ("two()\n|-first(a)", Verdict.HOLDS, ""),
    ("two()\n|-c = first(a)", Verdict.HOLDS, "nothing` stands before the call"),
    ("one()\n|-return third(5)", Verdict.HOLDS, ""),
    ("one()\n|-third(a)", Verdict.HOLDS, ""),
    ("one()\n|-return third(a)", Verdict.HOLDS, "its arguments are (2) there"),
    ("two()\n|-if (a) third(a)", Verdict.UNDECIDED, "the source asks for the contrary"),
    ("two()\n|-if (b) a = 5", Verdict.HOLDS, ""),
    ("two()\n|-if (!a) a = 5", Verdict.REFUTED,
     "it runs only if the contrary holds: not !a, a && b (a.c:31)"),
    # of which condition an else is
    ("one()\n|-if (a) second(1)\n|-else third(2)", Verdict.HOLDS, ""),
    ("one()\n|-if (!b)\n| |-return second(4)\n|-else\n  |-third(2)", Verdict.REFUTED,
     "it stands behind the else of another condition: not a"),
    ("one()\n|-if (a)\n| |-second(1)\n|-else\n  |-return third(5)", Verdict.REFUTED,
     "the else of another condition: not !b"),
    ("four()\n|-if (b) second(8)\n|-else if (a) third(9)\n|-else first(10)", Verdict.HOLDS, ""),
    ("four()\n|-if (b) { second(8); } else { first(10); }", Verdict.HOLDS, ""),
    ("four()\n|-if (a) { third(9); } else { second(8); }", Verdict.REFUTED,
     "second: refuted, it stands behind no else"),
    ("two()\n|-if (a && b) a = 5\n|-else c = third(b)", Verdict.REFUTED,
     "it stands behind the else of another condition"),
    # what labels lead to
    ("four()\n|-case 1: first(a)", Verdict.HOLDS, ""),
    ("four()\n|-case 2:\n  |-second(b)", Verdict.HOLDS, ""),
    ("four()\n|-case LAST: third(a)", Verdict.HOLDS, ""),
    ("four()\n|-default: b = 7", Verdict.HOLDS, ""),
    ("four()\n|-case 1: third(a)", Verdict.REFUTED,
     "case 1 does not lead to it: it stands under case LAST"),
    ("four()\n|-case LAST:\n  |-first(a)", Verdict.REFUTED, "it stands under case 1, case 2"),
    ("four()\n|-case LAST: b = 7", Verdict.REFUTED, "it stands under default"),
    ("four()\n|-default:\n  |-third(11)", Verdict.REFUTED, "it stands under no label"),
    ("five()\n|-case 1: second(a)", Verdict.HOLDS, ""),
    ("five()\n|-case 1: third(a)", Verdict.REFUTED, "it stands under no label"),
    ("five()\n|-case 1: first(a)", Verdict.REFUTED, "it stands under case 2"),
    ("six()\n|-case 1, 2: b = first(a)", Verdict.HOLDS, ""),
    ("six()\n|-case 1: case 2: first(a)", Verdict.HOLDS, ""),
    ("six()\n|-case 1 | 3: first(a)", Verdict.REFUTED, "case 1 | 3 does not lead to it"),
    ("six()\n|-case 2: b = first(a);\n  |-second(b)", Verdict.HOLDS, ""),
    ("six()\n|-case 2: b = first(a)\n  |-third(a)", Verdict.REFUTED, "it stands under default"),
    ("six()\n|-case 2:\n| |-second(b)", Verdict.HOLDS, ""),
    ("six()\n|-case 1: first(a); third(a)", Verdict.REFUTED, "third: refuted, case 1 does not"),
    ("six()\n|-switch (a)\n  |-case 3: second(3)", Verdict.REFUTED,
     "switch (a) has no case 3: its labels are case 1, case 2, default"),
    ("six()\n|-switch (b)\n  |-case 3: second(3)", Verdict.HOLDS, ""),
    # labels one behind another, and exits under one
    ("eight()\n|-case 1: second(a)", Verdict.REFUTED, "it stands under case 2, case 3"),
    ("eight()\n|-case 3: second(a)", Verdict.HOLDS, ""),
    ("eight()\n|-case 4: third(a)", Verdict.REFUTED, "it stands under case 5"),
    ("eight()\n|-case 6:\n  |-if (b != 7) third(b)",
     Verdict.REFUTED, "its conditions are case 6, b != 8"),
    ("eight()\n|-if (b)\n  |-third(7)", Verdict.HOLDS, ""),
    ("eight()\n|-if (!b)\n  |-second(7)", Verdict.HOLDS, ""),
    # between a condition and what it leads to; what stands in that
    ("one()\n|-if (a) → second(1)", Verdict.HOLDS, ""),
    ("one()\n|-if (!a): second(1)", Verdict.REFUTED, "the contrary holds"),
    ("one()\n|-else -> third(2)", Verdict.HOLDS, ""),
    ("four()\n|-case LAST (the last) => third(a)", Verdict.HOLDS, ""),
    ("four()\n|-case LAST (the last): first(a)", Verdict.REFUTED, "it stands under case 1"),
    ("four()\n|-case LAST\n  |-first(a)", Verdict.REFUTED, "it stands under case 1"),
    ("nine()\n|-if (b) one(a, b)\n  |-second(3)", Verdict.HOLDS, ""),
    ("nine()\n|-if (b) one(a, b)\n  |-nine(3)", Verdict.REFUTED, "it is the other way round"),
    ("one()\n|-if (!a) third(2)\n|-else second(1)", Verdict.HOLDS, ""),
    # by its name and through a pointer
    ("six()\n|-if (!a) second(a)", Verdict.REFUTED, "it runs only if the contrary holds: a"),
    # an else behind an early exit; what a configuration leaves out
    ("one()\n|-if (!b)\n| |-return second(4)\n|-else\n  |-return third(5)", Verdict.HOLDS, ""),
    ("six()\n|-stub(a)\n  |-first(a)", Verdict.UNDECIDED,
     "stub is an empty stub here (a.c:108); the one at b.c:2 is not in this configuration"),
    ("six()\n|-stub(a)\n  |-nobody_has_this(a)", Verdict.REFUTED, "no nobody_has_this in this"),
    ("seven()\n|-left_out(a)", Verdict.UNDECIDED, "left_out at a.c:"),
    # conditions summed up from several, and from labels
    ("ten()\n|-if (a && b) first(a)", Verdict.HOLDS, "several conditions around it ask for this"),
    ("ten()\n|-if (a && b)\n  |-first(a)", Verdict.HOLDS, ""),
    ("ten()\n|-if (a && c) first(a)", Verdict.REFUTED, "no such condition in ten"),
    ("ten()\n|-if (c && b > 3) second(a)", Verdict.HOLDS, "several conditions around it"),
    ("ten()\n|-if (a && b) second(a)", Verdict.REFUTED,
     "its conditions are not !c, not a != 2, b > 3"),
    ("ten()\n|-if (c == 4) third(4)", Verdict.HOLDS, "several conditions around it"),
    ("ten()\n|-if (c == 4) third(5)", Verdict.REFUTED, "case NAMED: case 6"),
    ("ten()\n|-if (c == 6) third(5)", Verdict.HOLDS, "one of the alternatives"),
    ("ten()\n|-if (c == 6 || c == NAMED) third(5)", Verdict.HOLDS, "several conditions around it"),
    ("ten()\n|-if (c == 5) third(5)", Verdict.REFUTED, "no such condition in ten"),
    ("ten()\n|-case 4: third(5)", Verdict.REFUTED, "it stands under case NAMED, case 6"),
    ("ten()\n|-if (a) second(b)", Verdict.REFUTED, "b < c && c, b == 1 and 1 around them"),
    # labels before a statement
    ("ten()\n|-drop: return third(6)", Verdict.HOLDS, ""),
    ("ten() {\ndrop: third(6);", Verdict.HOLDS, ""),
    ("ten()\n|-drop: third(5)", Verdict.REFUTED, "it does not stand behind the label drop"),
    ("ten()\n|-NAMED: third(5)", Verdict.HOLDS, ""),
    ("ten()\n|-NAMED: third(4)", Verdict.REFUTED, "it stands under case 4"),
    ("ten()\n|-out: third(6)", Verdict.UNDECIDED,
     "out is not a label of ten, which has drop, case 4, case NAMED, case 6"),
    ("eleven()\n|-out: return third(7)", Verdict.HOLDS, ""),
    ("eleven()\n|-out: second(b)", Verdict.REFUTED, "behind the label out"),
    ("one()\n|-again: first(a)", Verdict.HOLDS, "again is not a label of one"),
    ("one()\n|-again: first(a)\n  |-third(1)", Verdict.REFUTED, "does not call third"),
    # what either side of an #else opens
    ("eleven()\n{\n#if NOT\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\tsecond(b);\n\t}\n\tthird(b);",
     Verdict.HOLDS, ""),
    ("eleven()\n|-if (b) third(b)", Verdict.REFUTED, "its conditions are not !a"),
    ("thirteen()\n|-if (a && b) first(1)\n|-else second(2)", Verdict.HOLDS, ""),
    ("thirteen()\n|-if (a && b) first(1)\n|-else third(3)", Verdict.REFUTED, "behind no else"),
    # on one line with the end of what stands above; a goto into an else; set again
    ("twelve()\n|-if (a) second(b)", Verdict.REFUTED, "the contrary holds: not a"),
    ("twelve()\n|-if (!a) second(b)", Verdict.HOLDS, "the source asks for the contrary"),
    ("twelve()\n|-if (b) third(b)", Verdict.REFUTED, "the contrary holds"),
    ("twelve()\n|-if (c) first(3)", Verdict.HOLDS, "cannot tell whether the condition leads"),
    ("twelve()\n|-if (!c) third(3)", Verdict.HOLDS, "the source asks for the contrary, too"),
    ("twelve()\n|-last: first(3)", Verdict.REFUTED, "behind the label last"),
    # labels on lines of their own
    ("twelve() {\nlast:\n\treturn second(9);", Verdict.HOLDS, ""),
    ("twelve() {\nlast:\n\tfirst(3);", Verdict.REFUTED, "behind the label last"),
    ("twelve() {\nnone:\n\tfirst(3);", Verdict.UNDECIDED, "none is not a label of twelve"),
    ("twelve() {\nlast:\n}\none() {\n\tsecond(1);", Verdict.HOLDS, ""),
    # a root that nothing marks, and one that cannot be read
    ("first\n    second(1)", Verdict.REFUTED, "first does not call second"),
    ("first() in a.c\n |- second(1)", Verdict.UNDECIDED, "its caller is not known"),
    ("one(int a, int b) (a.c)\n |- first(a)", Verdict.HOLDS, ""),
    # behind a chain in one line
    ("nine() -> one() -> second()\n\nnine()\n|-one(a, b)", Verdict.HOLDS, ""),
    # blocks on one line
    ("four() { first(a); if (b) { second(8); } else { third(9); } }", Verdict.HOLDS, ""),
    ("four() { first(a); fifth(); }", Verdict.REFUTED, "fifth: refuted"),
    ("one() { if (!b) { return second(1); } }", Verdict.REFUTED, "second: refuted, the condition"),
    ("one() { second() { third(5); } }", Verdict.REFUTED, "third: refuted"),
    ("four() { switch (a) { case 1: first(a); break; default: third(a); } }", Verdict.REFUTED,
     "default: refuted, default does not lead to it"),
    ("struct flags { int count; struct { int depth; } within; };", Verdict.HOLDS, ""),
    ("struct flags { int count; int width; }", Verdict.REFUTED, "width: refuted, flags has no"),
    ("struct flags {\n\tBITS(bits, 64);", Verdict.HOLDS, ""),
    ("struct flags {\n\tBITS(bits, 32);", Verdict.REFUTED, "there is `BITS(bits, 64);` (a.c:"),
    ("struct flags {\n\tunsigned long bits[1];", Verdict.UNDECIDED,
     "a macro declares it: `BITS(bits, 64);` (a.c:"),
])
def test_branches(branching: CallGraph, text: str, verdict: Verdict, note: str) -> None:
    judged = last(branching, text)
    assert (judged.verdict, judged.note) == (verdict, judged.note)
    assert note in judged.note
    assert note or not judged.note


@pytest.mark.parametrize(("text", "verdict"), [
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) return get_net(old_net)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWPID) return get_net(old_net)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) return put_net(old_net)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (flags & CLONE_NEWNET) setup_net(net, user_ns)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) setup_net(net, user_ns)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (((flags & CLONE_NEWNET)) == 0) return get_net(old_net)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if (NULL != net)\n  |-setup_net(net, user_ns)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if (!net)\n  |-setup_net(net, user_ns)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (failed >= 0)\n  |-setup_net(net, user_ns)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (0 > failed) return net", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (0 <= failed) return net", Verdict.HOLDS),
    ("process_backlog()\n|-while (work < quota) __netif_receive_skb(skb)", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-else kfree_skb(skb)", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-switch (rx_handler(&skb))", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-case RX_HANDLER_EXACT: exact = true;", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-case RX_HANDLER_NONE:", Verdict.REFUTED),
    ("__netif_receive_skb_core()\n|-if (pt_prev) pt_prev->func(skb)  // i.e. ip_rcv",
     Verdict.ONE_OF),
    ("__netif_receive_skb_core()\n|-if (pt_prev) pt_prev->func(skb)  // i.e. veth_xmit",
     Verdict.REFUTED),
    ("__netif_receive_skb_core()\n|-if (!pt_prev)\n  |-pt_prev->func(skb)", Verdict.REFUTED),
    ("inet_create()\n|-if (sk->__sk_common.skc_prot->hash) sk->sk_prot->hash(sk)",
     Verdict.HOLDS),
    ("inet_create()\n|-if (sk->__sk_common.skc_net->hash) sk->sk_prot->hash(sk)",
     Verdict.REFUTED),
])
def test_conditions_on_mini_linux(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)


def test_conditions_that_the_index_did_not_keep(
    mini: CallGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more than it keeps nobody can tell, but for what is contrary to one of those it has."""
    text = "copy_net_ns()\n|-if (failed >= 0)\n  |-setup_net(net, user_ns)"
    assert last(mini, text).verdict is Verdict.REFUTED
    monkeypatch.setattr("kgraph.model.results.MAX_GUARDS", 1)
    judged = last(mini, text)
    assert judged.verdict is Verdict.UNDECIDED
    assert "the index has only the innermost" in judged.note
    assert last(mini, text.replace("failed >= 0", "!net")).verdict is Verdict.REFUTED
    assert last(mini, text.replace("failed >= 0", "net")).verdict is Verdict.HOLDS
