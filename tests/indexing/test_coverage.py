"""Coverage counts each holder once, and compares with signature matching."""

import json
from pathlib import Path

import pytest

from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.model.results import IndexDescription, SharedCandidates
from kgraph.report.json import encode_status
from kgraph.report.status_text import format_coverage

ABOUT = IndexDescription("/tree", "1.0", "/tree/.config")

SOURCE = """
struct ops { int (*open)(int); int (*close)(int); int (*sync)(long); int (*seek)(int); };
static int f(int x) { return x; }
static int g(int x) { return x + 1; }
static int h(int x) { return x + 2; }
static int s(long x) { return x; }
static int unused(int x) { return x; }
static struct ops one = { .open = f, .close = g, .sync = s };
static struct ops two = { .open = h, .seek = h };
struct ops *chosen(int x) { return x ? &one : &two; }
int run(struct ops *ops, int x)
{
	return ops->open(x) + ops->open(x + 1) + ops->open(x + 2) + ops->close(x) + ops->sync(x)
		+ ops->seek(x) + unused(x);
}
"""


def test_each_holder_counts_once(tmp_path: Path) -> None:
    (tmp_path / "ops.c").write_text(SOURCE)
    (tmp_path / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "ops.c", "arguments": ["clang", "-c", "ops.c"]}]))
    account = index_tree(IndexRequest(
        tmp_path, compile_commands=tmp_path / "compile_commands.json", jobs=0,
        index=tmp_path / "ops.kgraph")).coverage
    # open: f and h of f, g, h; close: g of these; seek: h of these; sync: s of s alone
    assert account.candidates["mean"] == 1.5
    assert account.holders["all"] == {
        "holders": 4, "mean": 1.25, "p50": 1, "p90": 2, "p99": 2, "by_type_mean": 2.5,
        "ratio": 0.5}
    assert account.holders["without"] == {
        "holders": 1, "mean": 1.0, "p50": 1, "p90": 1, "p99": 1, "by_type_mean": 1.0, "ratio": 1.0,
        "left_out": ["ops.open", "ops.seek", "ops.close"]}


LEAK = """
typedef int (*on_ready)(int x);
typedef void (*on_close)(void *p);
struct sock { on_ready ready; on_close close; };
struct saved { on_ready ready; };
static int a(int x) { return x; }
static int b(int x) { return x; }
static int c(int x) { return x; }
static int d(int x) { return x; }
static void e(void *p) { }
void *any;
void fill(struct sock *s, int n)
{
	s->ready = n ? n > 1 ? a : b : n < 9 ? c : d;
	s->close = e;
	LEAKS
}
void keep(struct sock *s, struct saved *k)
{
	k->ready = s->ready;
}
int run(struct sock *s, struct saved *k)
{
	s->close(0);
	return s->ready(1) + k->ready(2);
}
"""


@pytest.mark.parametrize(("leaks", "shared"), [
    ("", ()),  # a copy shares a set as well, but of one type
    ("any = s->ready; s->close = any; any = s->close; s->ready = any;",
     (SharedCandidates(5, 2, 3, ("saved.ready", "sock.close", "sock.ready")),)),
])
def test_holders_that_share_candidates_of_several_types_are_named(
    tmp_path: Path, leaks: str, shared: tuple[SharedCandidates, ...]
) -> None:
    (tmp_path / "leak.c").write_text(LEAK.replace("LEAKS", leaks))
    (tmp_path / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "leak.c", "arguments": ["clang", "-c", "leak.c"]}]))
    account = index_tree(IndexRequest(
        tmp_path, compile_commands=tmp_path / "compile_commands.json", jobs=0,
        index=tmp_path / "leak.kgraph")).coverage
    assert account.shared == shared
    text = [line.strip() for line in format_coverage(account) if "share one set" in line]
    line = "shared       3 holders share one set of 5 candidates of 2 types: "
    assert text == [line + "saved.ready, sock.close, sock.ready"] * len(shared)
    assert len(encode_status(ABOUT, account)["candidates"]["shared"]) == len(shared)


def test_a_call_that_a_model_makes_a_pointer_call_has_the_type_of_its_callee(
        tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "call.h").write_text("struct static_call_key { void *func; };\n")
    (tmp_path / "call.c").write_text(
        '#include "include/call.h"\n'
        "long tick(int cpu) { return cpu; }\n"
        "struct static_call_key __SCK__clock = { tick };\n"
        "long __SCT__clock(int cpu);\n"
        "long run(int cpu) { return __SCT__clock(cpu); }\n")
    (tmp_path / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "call.c", "arguments": ["clang", "-c", "call.c"]}]))
    account = index_tree(IndexRequest(
        tmp_path, compile_commands=tmp_path / "compile_commands.json", jobs=0,
        index=tmp_path / "call.kgraph")).coverage
    assert (account.indirect, sum(account.resolved.values())) == (1, 1)
    assert account.candidates["by_type_mean"] == 1
