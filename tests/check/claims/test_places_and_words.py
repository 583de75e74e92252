"""Lines that say which of several places is meant: words of remarks, constants, labels, tables that
are handed on, prototypes; each on a small tree of its own.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import CitationVerdict, LineVerdict, Verdict
from tests.support.judging import check_text
from tests.support.one_file import index_text, index_tree_at

SOURCE = """
enum { C_FOO = 1, C_BAR = 2, KINDS = 3 };
#define SIZE 32
#define ROUND(x, a) (((x) + (a) - 1) & ~((a) - 1))
#define CALL(n) f(C_##n)
#define AGAIN(n) CALL(n)
#define RUN(n) run_##n(1)
#define ASK(n, w) ask_##n##_now(w)
#define PLAIN(n) f(n)
struct ops { int (*open)(int n); int (*close)(int n); };
struct file { const struct ops *ops; };
struct sizes {
	unsigned char address[ROUND(SIZE, sizeof(long))];
	char name[SIZE];
	int list[KINDS][2];
};
static int probe_lock;
void f(int n) {}
void put(int n) {}
static void run_foo(int n) { f(n); }
static void run_bar(int n) { put(n); }
static void ask_red_now(int n) { f(n); }
static void ask_blue_now(int n) { f(n); }
int dev_open(int n) { f(n); return n; }
int dev_close(int n) { return n; }
int other_open(int n) { put(n); return n; }
static const struct ops dev_ops = { .open = dev_open, .close = dev_close };
static const struct ops other_ops = { .open = other_open };
struct file one_file, other_file;
void set_up(struct file *file, int mode, const struct ops *ops) { file->ops = ops; }
void make_files(void)
{
	set_up(&one_file, 1, &dev_ops);
	set_up(&other_file, 1, &other_ops);
}
int use(struct file *file, int n) { return file->ops->open(n) + probe_lock; }
struct counts { int first; int second; };
int count(struct counts *counts)
{
	f(counts->first);
	CALL(FOO);
	return 0;
}
void one(int w)
{
	CALL(FOO);
	AGAIN(FOO);
	RUN(foo);
	ASK(red, w);
	f(C_FOO);
	PLAIN(w);
}
void two(void)
{
	CALL(FOO);
	put(1);
	CALL(BAR);
}
int exits(int a, int b)
{
	if (a)
		put(1);
	else
		put(2);
	if (b == 1)
		goto out;
	if (b) {
		f(1);
	} else {
		f(2);
	}
	if (b == 3)
		goto out;
out:
	return a;
}
"""
_LINES = SOURCE.splitlines()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallGraph]:
    with index_text(tmp_path_factory.mktemp("words"), SOURCE) as found:
        yield found


def _judge(graph: CallGraph, text: str) -> list[LineVerdict]:
    return [line for line in check_text(graph, f"```\n{text}\n```\n").lines
            if line.verdict is not Verdict.PROSE]


def _find_line(text: str, number: int = 1) -> int:
    """The line of the source that is this text, of several the one with this number."""
    return [line for line, each in enumerate(_LINES, 1) if each.strip() == text][number - 1]


@pytest.mark.parametrize(("remark", "verdict"), [
    ("dev_open", Verdict.ONE_OF),
    ("i.e. dev_open", Verdict.ONE_OF),
    ("-> dev_close", Verdict.REFUTED),
    ("in our case dev_close()", Verdict.REFUTED),
    # No pointer holds these.
    ("see the ops.open() hook", Verdict.HOLDS),
    ("set by make_files, through set_up()", Verdict.HOLDS),
    ("from file->ops, dev_ops or other_ops", Verdict.HOLDS),
    ("the device is open, under probe_lock", Verdict.HOLDS),
    ("-> see set_up", Verdict.HOLDS),
    # Nothing is called so: it is written wrongly.
    ("calls dev_opne", Verdict.REFUTED),
])
def test_words_of_a_remark_are_no_target(
    graph: CallGraph, remark: str, verdict: Verdict
) -> None:
    last = _judge(graph, f"use()\n|-file->ops->open(n) // {remark}")[-1]
    assert last.verdict is verdict, last.note


@pytest.mark.parametrize(("text", "verdict"), [
    ("CALL(FOO)", Verdict.HOLDS), ("CALL(BAR)", Verdict.REFUTED),
    ("AGAIN(FOO)", Verdict.HOLDS), ("AGAIN(BAR)", Verdict.REFUTED),
    ("RUN(foo)", Verdict.HOLDS), ("RUN(bar)", Verdict.REFUTED),
    ("ASK(red, w)", Verdict.HOLDS), ("ASK(blue, w)", Verdict.REFUTED),
    ("ASK(red, v)", Verdict.HOLDS),  # a difference that is only noted
    ("f(C_FOO)", Verdict.HOLDS), ("f(C_BAR)", Verdict.REFUTED),
    ("PLAIN(v)", Verdict.HOLDS),  # it pastes nothing
])
def test_constants_and_pasted_words(graph: CallGraph, text: str, verdict: Verdict) -> None:
    last = _judge(graph, f"one()\n|-{text}")[-1]
    assert last.verdict is verdict, last.note


@pytest.mark.parametrize(("text", "verdict"), [
    ("f(counts->first)", Verdict.HOLDS), ("f(counts->second)", Verdict.HOLDS),
    ("f(counts->there_is_none)", Verdict.REFUTED), ("f(n)", Verdict.HOLDS),
])
def test_a_member_in_an_argument_must_be_somewhere(
    graph: CallGraph, text: str, verdict: Verdict
) -> None:
    last = _judge(graph, f"count()\n|-{text}")[-1]
    assert last.verdict is verdict, last.note


def test_the_place_is_that_of_the_use_with_the_word(graph: CallGraph) -> None:
    places = [line.found and line.found.line for line in _judge(
        graph, "two()\n|-CALL(FOO)\n|-CALL(BAR)\none()\n|-f(C_FOO)")]
    assert places[1:3] == [_find_line("CALL(FOO);", 3), _find_line("CALL(BAR);")]
    assert places[4] == _find_line("f(C_FOO);")


@pytest.mark.parametrize(("text", "verdict"), [
    ("char name[32]", Verdict.HOLDS), ("char name[SIZE]", Verdict.HOLDS),
    ("int list[3][2]", Verdict.HOLDS), ("int list[3][4]", Verdict.REFUTED),
    ("int list[6]", Verdict.REFUTED), ("char name[OTHER]", Verdict.REFUTED),
    ("unsigned char address[ROUND(SIZE, sizeof(long))]", Verdict.HOLDS),
    ("unsigned char address[32]", Verdict.UNDECIDED),
    ("long address[32]", Verdict.REFUTED), ("unsigned char address[]", Verdict.REFUTED),
])
def test_sizes_of_arrays(graph: CallGraph, text: str, verdict: Verdict) -> None:
    last = _judge(graph, f"struct sizes {{\n\t{text};\n}}")[-1]
    assert last.verdict is verdict, last.note


def test_a_table_that_is_handed_on_pins(graph: CallGraph) -> None:
    text = ("struct ops dev_ops = {\n\t.open = dev_open,\n}\nuse()\n|-file->ops->open(n)\n"
            "  |-{}()")
    judged = _judge(graph, text.replace("{}", "dev_open"))
    assert [line.verdict for line in judged[-2:]] == [Verdict.HOLDS] * 2
    assert judged[-1].hop is not None
    assert any("file.ops" in str(each) for each in judged[-1].hop.evidence)
    assert _judge(graph, text.replace("{}", "other_open"))[-1].verdict is Verdict.CONTRADICTS


def test_what_stands_in_several_places_stands_behind_the_line_before(graph: CallGraph) -> None:
    judged = _judge(
        graph, "exits()\n  if (a)\n    put(1)\n  else\n    put(2)\n  if (b == 1)\n    goto out\n"
        "  if (b) {\n    f(1)\n  } else {\n    f(2)\n  }\n  if (b == 3)\n    goto out")
    assert all(line.verdict in (Verdict.HOLDS, Verdict.STANDS) for line in judged)
    places = [line.found and line.found.line for line in judged]
    assert places[1:] == sorted(places[1:], key=lambda place: place or 0)
    assert places[9] == _find_line("} else {")
    assert (places[6], places[-1]) == (_find_line("goto out;"), _find_line("goto out;", 2))


def test_a_citation_may_name_any_of_several_places(graph: CallGraph) -> None:
    second = _find_line("goto out;", 2)
    for line, citation in ((second, CitationVerdict.EXACT), (second - 30, CitationVerdict.OUTSIDE)):
        last = _judge(graph, f"exits()\n|-goto out; (a.c:{line})")[-1]
        assert last.citation is citation


@pytest.mark.parametrize("text", [
    ("         int dev_open(int n);\nstruct file *set_up(struct file *file);\n"
     "        void put(int n);\n"),
    "  int dev_open(int n)\n void put(int n)\n  int dev_close(int n)\n",
    "static inline int dev_open(int n);\n              int dev_close(int n);\n",
])
def test_prototypes_below_each_other_stand_beside_each_other(graph: CallGraph, text: str) -> None:
    assert {line.verdict for line in _judge(graph, text)} == {Verdict.STANDS}


def test_heads_that_are_indented_stand_under_each_other(graph: CallGraph) -> None:
    judged = _judge(graph, "int dev_open(int n)\n    void f(int n)\n")
    assert [line.verdict for line in judged] == [Verdict.STANDS, Verdict.HOLDS]


_ENTRY = """
	.text
	.globl entry
	.type entry, @function
entry:
	cmpl $3, %eax
fast_path:
	call first
after_call:
	ret
	.size entry, . - entry
"""


@pytest.mark.parametrize(("text", "verdicts"), [
    (" first+0x1/0x2\n fast_path+0x3/0x4\n", [Verdict.HOLDS, Verdict.STANDS]),
    ("fast_path()\n|-first()\n", [Verdict.STANDS, Verdict.HOLDS]),
    ("entry()\n|-fast_path()\n  |-first()\n|-after_call()\n",
     [Verdict.STANDS, Verdict.HOLDS, Verdict.HOLDS, Verdict.HOLDS]),
    ("fast_path()\n|-second()\n", [Verdict.STANDS, Verdict.REFUTED]),
    ("first()\n|-fast_path()\n", [Verdict.STANDS, Verdict.REFUTED]),
])
def test_plain_labels_of_assembler(
    tmp_path: Path, text: str, verdicts: list[Verdict]
) -> None:
    (tmp_path / "a.c").write_text("void first(void) {}\nvoid second(void) {}\n")
    (tmp_path / "b.S").write_text(_ENTRY)
    (tmp_path / "compile_commands.json").write_text(json.dumps(
        [{"directory": str(tmp_path), "file": file, "arguments": ["cc", "-c", file]}
         for file in ("a.c", "b.S")]))
    with index_tree_at(tmp_path, tmp_path) as graph:
        judged = [line for line in check_text(graph, text).lines
                  if line.verdict is not Verdict.PROSE]
        assert [line.verdict for line in judged] == verdicts, [line.note for line in judged]
        assert all("entry" in line.note for line in judged
                   if "fast_path" in line.line.text and line.verdict is Verdict.STANDS)


def test_a_root_may_be_another_function_of_the_name_of_a_leaf(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(
        "void last(int n) {}\nvoid middle(int n) { last(n); }\n"
        "static void same(int n) { middle(n); }\nvoid start(int n) { same(n); }\n")
    (tmp_path / "b.c").write_text(
        "void last(int n);\nstatic void same(int n) { last(n); }\nvoid other(int n) { same(n); }\n")
    (tmp_path / "compile_commands.json").write_text(json.dumps(
        [{"directory": str(tmp_path), "file": file, "arguments": ["cc", "-c", file]}
         for file in ("a.c", "b.c")]))
    text = "start() (a.c:4)\n|-same() (a.c:3)\n\nsame()\n|-last(n)\n"
    with index_tree_at(tmp_path, tmp_path) as graph:
        judged = [line for line in check_text(graph, text).lines
                  if line.verdict is not Verdict.PROSE]
    assert judged[-1].verdict is Verdict.HOLDS, judged[-1].note
    assert "not if the chain above continues here" in judged[-1].note
