"""Deferred calls as users see them: labelled, left out, counted; unknown ones are reported."""

import json
from pathlib import Path

import pytest

from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest

SOURCE = """
#define INIT(w, f) ((w)->func = (f))
typedef int (*initcall_t)(void);
struct work_struct { void (*func)(struct work_struct *w); };
struct disk { struct work_struct scan, spare, lost; };
extern initcall_t __initcall6_start[], __initcall_end[];
int counter;
struct work_struct *next_work(int n)
{
	struct work_struct *w;
	asm("" : "=r"(w) : "r"(n));
	return w;
}
int request_irq(int irq, int (*handler)(int irq), void *data) { return counter++; }
_Bool schedule_work(struct work_struct *w) { counter++; return 0; }
static void found(void) { counter++; }
static void scan(struct work_struct *w) { found(); }
static void other(void) { counter--; }
static int probe(int irq) { other(); return irq; }
static int disk_init(void) { return 3; }
static initcall_t disk_initcall __attribute__((used, section(".initcall6.init"))) = disk_init;
void setup(struct disk *d) { INIT(&d->scan, scan); }
void known(struct disk *d) { schedule_work(&d->scan); }
void unknown(int n) { schedule_work(next_work(n)); }
void nothing(struct disk *d) { schedule_work(&d->spare); }
void start(int (*handlers[2])(int irq)) { request_irq(1, handlers[1], 0); }
void handle(void) { request_irq(2, probe, 0); }
int do_initcalls(void)
{
	initcall_t *fn;
	for (fn = __initcall6_start; fn < __initcall_end; fn++)
		(*fn)();
	return 0;
}
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disk")
    (folder / "tree").mkdir()
    (folder / "tree" / "disk.c").write_text(SOURCE)
    commands = folder / "tree" / "compile_commands.json"
    commands.write_text(json.dumps([{
        "directory": ".", "file": "disk.c",
        "arguments": ["clang", "-D__KERNEL__", "-c", "-o", "disk.o", "disk.c"]}]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        return index_tree(IndexRequest(
            folder / "tree", compile_commands=commands, index=folder / "disk.kgraph", jobs=0,
        )).index


@pytest.mark.parametrize(("caller", "callee", "status"), [
    ("known", "found", 0),
    ("unknown", "found", 3),  # whose work it is cannot be told: it may be the scan
    ("unknown", "scan", 3),
    ("unknown", "other", 1),  # but no work item leads there
    ("nothing", "found", 1),  # whose work it is is known, and nobody registers it
    ("start", "other", 3),
    ("handle", "other", 0),
])
def test_an_unknown_request_is_not_reported_as_no_path(
    kgraph, index: Path, caller: str, callee: str, status: int
) -> None:
    answer = kgraph("path", caller, callee, "--index", index)
    assert answer.returncode == status, answer.stdout
    assert ("a deferred request without a known callee might make a path" in answer.stdout) is (
        status == 3)
    record = json.loads(kgraph("path", caller, callee, "--json", "--index", index).stdout)
    assert record.get("frontier", {"by_request": False})["by_request"] is (status == 3)
    without = kgraph("path", caller, callee, "--no-deferred", "--index", index)
    assert without.returncode == 1


def test_status_counts_requests_by_kind_with_reasons(kgraph, index: Path) -> None:
    record = json.loads(kgraph("status", "--json", "--index", index).stdout)
    assert record["deferred"] == {
        "irq": {"requests": 2, "resolved": 1, "without": {"its callback cannot be told": 1},
                "untold": 0},
        "work": {"requests": 3, "resolved": 1, "untold": 0, "without": {
            "its key cannot be told": 1, "nothing is registered under its key": 1}},
    }
    text = kgraph("status", "--index", index).stdout
    assert "deferred       2 of 5 requests have a callee\n" in text
    assert "  work         1 of 3\n" in text
    assert "       1  its key cannot be told\n" in text


def test_site_shows_a_request_and_why_it_has_no_callee(kgraph, index: Path) -> None:
    line = SOURCE.split("\n").index(
        "void nothing(struct disk *d) { schedule_work(&d->spare); }") + 1
    text = kgraph("site", f"disk.c:{line}", "--index", index).stdout
    assert ("requests work disk.spare without a known callee: nothing is registered under its key"
            in text)
    record = json.loads(kgraph("site", f"disk.c:{line}", "--json", "--index", index).stdout)
    assert record["sites"][0]["requests"] == [
        {"kind": "work", "asked": "disk.spare", "reason": "nothing is registered under its key"}]


@pytest.mark.parametrize("arguments", [
    ("callees", "do_initcalls"), ("callers", "disk_init"), ("path", "do_initcalls", "disk_init"),
])
def test_initcalls_are_deferred_calls(kgraph, index: Path, arguments: tuple[str, ...]) -> None:
    answer = json.loads(kgraph(*arguments, "--json", "--index", index).stdout)
    [hop] = answer["edges"] if "edges" in answer else answer["paths"][0]["hops"]
    line = next(n for n, text in enumerate(SOURCE.split("\n"), start=1) if ".initcall6" in text)
    assert hop["kind"] == "deferred"
    assert hop["deferred"] == {
        "api": "initcall", "key": "initcall 6", "registered": f"disk.c:{line}"}
    text = kgraph(*arguments, "--index", index).stdout
    assert f"deferred, initcall 6, the only candidate, registered at disk.c:{line}" in text
    without = kgraph(*arguments, "--no-deferred", "--index", index)
    assert "disk_init()" not in without.stdout
    if arguments[0] == "path":
        assert without.returncode == 1


def test_site_and_export_label_initcalls(kgraph, index: Path) -> None:
    line = SOURCE.split("\n").index("\t\t(*fn)();") + 1
    text = kgraph("site", f"disk.c:{line}", "--index", index).stdout
    assert "deferred, initcall 6, registered at disk.c:" in text
    hops = [json.loads(row) for row in
            kgraph("export", "--format", "jsonl", "--index", index).stdout.splitlines()]
    [hop] = [hop for hop in hops if hop["callee"]["name"] == "disk_init"]
    assert hop["deferred"]["key"] == "initcall 6"


@pytest.mark.parametrize(("caller", "verdict"), [
    ("known", "deferred"), ("unknown", "undecided"), ("nothing", "refuted"),
])
def test_a_claim_that_a_request_might_make_true_is_undecided(
    kgraph, index: Path, tmp_path: Path, caller: str, verdict: str
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text(f"{caller}()\n|-scan()\n")
    record = json.loads(kgraph("check", notes, "--json", "--index", index).stdout)
    assert [line["verdict"] for line in record["documents"][0]["lines"]
            if line["text"].endswith("scan()")] == [verdict]
