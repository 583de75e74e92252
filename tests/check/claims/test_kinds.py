"""Kinds of lines that were judged wrongly, each on a small tree of its own."""

from collections.abc import Iterator

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import CitationVerdict, Verdict
from tests.support.judging import check_text
from tests.support.one_file import index_text

SOURCE = """
typedef int (*initcall_t)(void);
#define module_init(f) initcall_t __init_##f = f
#define SYSCALL_DEFINE1(name, type, arg) \\
	long SYSC_##name(type arg); \\
	long SyS_##name(long arg) { return SYSC_##name((type)arg); } \\
	long SYSC_##name(type arg)
struct item { int first; int second; };
int top(int n);
int leaf(int n) { return n; }
int fill(struct item *it, int value) { it->first = value; it->second = leaf(value); return 0; }
SYSCALL_DEFINE1(read, int, fd) { struct item one; return fill(&one, fd); }
SYSCALL_DEFINE1(readahead, int, fd) { return leaf(fd); }
int start_one(void) { return leaf(1); }
module_init(start_one);
static int inlined(int n) { return leaf(n); }
int outside(int n) { int m = leaf(n); return m + 1; }
#define TWICE(n) ({ leaf((n) + 1); leaf(n); })
#define PAD(x) char x[4];
struct padded {
	int first;
	PAD(_one_) /* why */
	int second;
};
int passes(int a, int b)
{
	leaf(a);
	leaf(b);
	return TWICE(b);
}
int loops(int n)
{
	while (n) {
		leaf(n);
		if (n == 7)
			top(n);
	}
	return 0;
}
int top(int n) { return inlined(n) + 1; }
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallGraph]:
    with index_text(tmp_path_factory.mktemp("kinds"), SOURCE) as found:
        yield found


@pytest.mark.parametrize(("text", "verdicts"), [
    # A line without a caller says only that the function exists.
    ("fill()", [Verdict.STANDS]),
    ("fill()\n|-leaf(value)", [Verdict.STANDS, Verdict.HOLDS]),
    # Two uses of one macro that defines functions are two chains, of functions of that very name.
    ("SYSCALL_DEFINE1(readahead, int, fd)\n|-leaf(fd)\nSYSCALL_DEFINE1(read, int, fd)\n|-leaf(fd)",
     [Verdict.STANDS, Verdict.HOLDS, Verdict.STANDS, Verdict.GAP]),
    ("SYSCALL_DEFINE1(readahead, int, fd)\n|-fill(&one, fd)", [Verdict.STANDS, Verdict.REFUTED]),
    # A call of the C library above the system call that it makes.
    ("read(fd, buffer, 4)\n|-SYSC_read(fd)\n  |-fill(&one, fd)",
     [Verdict.STANDS, Verdict.STANDS, Verdict.HOLDS]),
    # A registration above what it registers.
    ("module_init(start_one)\n|-start_one()\n  |-leaf(1)",
     [Verdict.HOLDS, Verdict.STANDS, Verdict.HOLDS]),
    # A member that no record has.
    ("fill()\n|-it->second = leaf(value)\n|-it->no_such = leaf(value)",
     [Verdict.STANDS, Verdict.HOLDS, Verdict.REFUTED]),
    # A statement in the names of the caller.
    ("SYSC_read()\n|-fill(&one, fd)\n  |-it->first = fd\n  |-it->first = one",
     [Verdict.STANDS, Verdict.HOLDS, Verdict.HOLDS, Verdict.REFUTED]),
    # What is not in the tree is wrong under a line that is not in it, too.
    ("there_is_none()\n|-nor_is_this()\n|-leaf(1)",
     [Verdict.REFUTED, Verdict.REFUTED, Verdict.UNDECIDED]),
    # A condition of a loop under a call of the loop.
    ("loops()\n|-while (n)\n  |-leaf(n)\n    |-if (n == 7)\n      |-top(n)",
     [Verdict.STANDS, Verdict.HOLDS, Verdict.HOLDS, Verdict.HOLDS, Verdict.HOLDS]),
    ("loops()\n|-while (n)\n  |-leaf(n)\n    |-if (n == 8)",
     [Verdict.STANDS, Verdict.HOLDS, Verdict.HOLDS, Verdict.REFUTED]),
    # A fragment whose first line lost its indentation.
    ("if (n == 7) {\n\t\ttop(n);\n\t} else {\n\t\tleaf(n);\n\t}", [Verdict.STANDS] * 2),
    # A member behind a macro without a semicolon.
    ("struct padded { int second; }", [Verdict.HOLDS]),
    ("struct padded { long second; }", [Verdict.REFUTED]),
])
def test_kinds(graph: CallGraph, text: str, verdicts: list[Verdict]) -> None:
    judged = [(line.verdict, line.note) for line in check_text(graph, f"```\n{text}\n").lines]
    assert [verdict for verdict, _ in judged if verdict is not Verdict.PROSE] == verdicts, judged


def test_of_several_calls_that_with_the_arguments_is_meant(graph: CallGraph) -> None:
    line = next(number for number, text in enumerate(SOURCE.splitlines(), 1) if "leaf(b)" in text)
    text = f"passes() (a.c:{line - 1})\n|-leaf(b)\npasses() (a.c:{line})\n|-leaf(b)\n"
    judged = [each for each in check_text(graph, text).lines if each.line.citation]
    assert [(each.citation, each.found and each.found.line) for each in judged] == [
        (CitationVerdict.INSIDE, line), (CitationVerdict.EXACT, line)]


def test_the_arguments_of_a_macro_are_not_those_of_the_call_in_it(graph: CallGraph) -> None:
    lines = check_text(graph, "passes()\n|-TWICE(b)\n  |-leaf(n)\n").lines
    assert not lines[2].note


@pytest.mark.parametrize(("stack", "verdict"), [
    (" leaf+0x1/0x2\n top+0x1/0x2\n", Verdict.GAP),  # inlined() stands in no frame of its own
    (" fill+0x1/0x2\n SyS_read+0x1/0x2\n", Verdict.GAP),  # SYSC_read() is beside it
    (" leaf+0x1/0x2\n SyS_read+0x1/0x2\n", Verdict.GAP),
])
def test_frames_that_a_stack_may_leave_out(
    graph: CallGraph, stack: str, verdict: Verdict
) -> None:
    assert check_text(graph, stack).lines[0].verdict is verdict


def test_a_function_of_another_file_has_a_frame_of_its_own(mini: CallGraph) -> None:
    """sock_sendmsg() comes to veth_xmit() through functions of several files."""
    text = "veth_xmit+0x1/0x2\nsock_sendmsg+0x1/0x2\n"
    assert check_text(mini, text).lines[0].verdict is not Verdict.GAP
    drawn = "sock_sendmsg()\n|-veth_xmit()\n"
    assert check_text(mini, drawn).lines[1].verdict is not Verdict.REFUTED


@pytest.mark.parametrize("text", [
    "- fill()\n- leaf()\n- top()\n",  # a list of functions
    "The options are\n\n    no_such_option\n    some_other_option\n",
    "- direct node (2)\n* Timers (watchdog, OS)\nExample (board):\n",
    "This space is reclaimed once checkpoint=enable.\n  tsx=off    tsx_async_abort=off   ditto\n",
    "int main(void)\n{\n\tint fd = open(name, O_RDONLY);\n\tif (fd < 0)\n\t\tno_such(fd);\n}\n",
    "static int my_helper(int n) {\n\treturn my_other(n);\n}\n",
    'parse_options () {\n\tOPT="$1"\n\tno_such_program $OPT\n}\n',
    '\tcompatible = "ti,i2c";\n\tclock-frequency = <100000>;\n\tbus-range = <0x0 0x0>;\n',
    "+------+    +------+\n| page |--->| page |\n+------+    +------+\n",
])
def test_what_is_no_claim_of_the_kernel(graph: CallGraph, text: str) -> None:
    for document in (text, f"```\n{text}```\n"):
        judged = [(line.line.text, line.note) for line in check_text(graph, document).lines
                  if line.verdict is not Verdict.PROSE]
        assert not judged


def test_a_record_ends_where_its_lines_end(graph: CallGraph) -> None:
    text = "struct item {\n\tint first;\n} __attribute__((packed));\n\nfill()\n|-leaf(value)\n"
    assert [line.verdict for line in check_text(graph, text).lines] == [
        Verdict.HOLDS, Verdict.HOLDS, Verdict.PROSE, Verdict.PROSE, Verdict.STANDS, Verdict.HOLDS]
