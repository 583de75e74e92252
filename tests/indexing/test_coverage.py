"""Coverage counts each holder once, and compares with signature matching."""

import json
from pathlib import Path

from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest

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
