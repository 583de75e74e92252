"""Which kinds of entry points reach a function, and what turns a verdict."""

from pathlib import Path

import pytest

from kgraph.errors import LookupFailed
from kgraph.model.results import EntryVerdict
from kgraph.query.reach.entries import find_entries, list_kinds, load_entry_rows
from kgraph.query.reach.verdicts import find_reach, list_reached
from tests.support.one_file import index_text

TREE = """
struct file { const struct file_operations *f_op; };
struct file_operations {
	long (*unlocked_ioctl)(struct file *, unsigned); int (*mmap)(struct file *);
};
int capable(int cap) { return cap; }
int guarded(void) { return 1; }
int target(void) { return 2; }
int lonely(void) { return 3; }
static long dev_ioctl(struct file *file, unsigned cmd)
{
	if (!capable(21))
		return -1;
	guarded();
	return target();
}
static const struct file_operations dev_fops = { BINDING };
void dev_open(struct file *file) { file->f_op = &dev_fops; }
long sys_ioctl(struct file *file, unsigned cmd) { dev_open(file); return CALL; }
void *sys_call_table[] = { sys_ioctl };
struct device; struct attr { int x; };
struct device_attribute { struct attr attr; int (*show)(struct device *); };
static int name_show(struct device *dev) { return lonely(); }
struct device_attribute dev_attr_name = { .show = name_show };
"""
BOUND, CALL = ".unlocked_ioctl = dev_ioctl", "file->f_op->unlocked_ioctl(file, cmd)"
UNKNOWN = "((long (*)(struct file *, unsigned))find(cmd))(file, cmd)"


def judge(
    folder: Path, place: str, binding: str = BOUND, call: str = CALL
) -> dict[str, EntryVerdict]:
    text = TREE.replace("BINDING", binding).replace("CALL", call)
    with index_text(folder, "extern void *find(int);\n" + text) as graph:
        return {each.kind: each for each in find_reach(graph, place).verdicts}


def test_each_kind_is_judged_with_its_way_and_the_checks_on_it(tmp_path: Path) -> None:
    found = judge(tmp_path, "target")
    syscall = found["syscall"]
    assert (syscall.verdict, syscall.entries, syscall.connected) == ("reached", 1, 1)
    assert syscall.path is not None
    assert [str(hop.callee) for hop in syscall.path.hops] == ["dev_ioctl", "target"]
    [check] = syscall.checks
    assert (check.function, check.is_guard) == ("capable", True)
    assert found["ioctl"].verdict == found["file"].verdict == "reached"
    assert str(found["ioctl"].entry) == "dev_ioctl"
    assert found["sysfs"].verdict == "proved not"
    assert found["sysfs"].entries == 1


def test_without_the_binding_the_verdict_turns(tmp_path: Path) -> None:
    found = judge(tmp_path, "target", binding=".mmap = 0")
    assert (found["syscall"].verdict, found["syscall"].connected) == ("proved not", 0)
    assert found["ioctl"].entries == 0


def test_an_open_call_keeps_it_undecided_and_is_named(tmp_path: Path) -> None:
    found = judge(tmp_path, "target", call=UNKNOWN)
    assert found["syscall"].verdict == "undecided"
    assert found["syscall"].connected == 0
    [site] = found["syscall"].open_sites
    assert "find(cmd)" in site.expression
    assert found["sysfs"].verdict == "proved not"


def test_a_part_of_a_kernel_without_entries_of_a_kind_proves_nothing(tmp_path: Path) -> None:
    assert judge(tmp_path, "target")["initcall"].verdict == "undecided"


def test_an_entry_reaches_itself_and_a_line_means_its_function(tmp_path: Path) -> None:
    found = judge(tmp_path, "name_show")
    assert found["sysfs"].verdict == "reached"
    assert found["sysfs"].path is not None
    assert found["sysfs"].path.hops == ()
    line = 1 + TREE.splitlines().index("\tguarded();") + 1
    assert judge(tmp_path, f"a.c:{line}")["ioctl"].verdict == "reached"
    assert judge(tmp_path, "file_operations.unlocked_ioctl")["syscall"].verdict == "reached"


def test_the_list_has_what_calls_lead_to(tmp_path: Path) -> None:
    text = TREE.replace("BINDING", BOUND).replace("CALL", CALL)
    with index_text(tmp_path, text) as graph:
        kinds = {str(function): found for function, found in list_reached(graph)}
        assert kinds["target"] == ("syscall", "ioctl", "file")
        assert kinds["lonely"] == ("sysfs",)
        only = {str(function) for function, _ in list_reached(graph, ["sysfs"])}
        assert only == {"name_show", "lonely"}
        for place, wanted in (("nosuch", ()), ("target", ("nosuch",)), ("a.x", ())):
            with pytest.raises(LookupFailed):
                find_reach(graph, place, wanted)


def test_tables_of_this_index_are_entries(mini) -> None:
    found = find_entries(mini)
    assert set(found) == set(list_kinds())
    names = {mini.function(number).id.name for number in found["packet"]}
    assert {"arp_rcv", "process_backlog"} <= names
    assert {mini.function(number).id.name for number in found["softirq"]} >= {"net_rx_action"}


def test_every_row_has_a_reason_and_some_functions() -> None:
    for row in load_entry_rows().entry:
        assert row.reason
        assert row.names or row.slots or row.tables or row.deferred or row.called_by
