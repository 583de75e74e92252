"""On real linux-4.6.2: what assembler calls, from C and from sources of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph.api import open_graph
from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.query import PathQuestion, find_callees, find_callers, find_function, find_paths

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
PARTS = ("arch/x86/entry", "arch/x86/lib", "arch/x86/mm/fault.c", "kernel/softirq.c",
         "net/socket.c", "kernel/sys_ni.c")


@pytest.fixture(scope="module")
def graph(linux: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallGraph]:
    folder = tmp_path_factory.mktemp("assembler")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        summary = index_tree(IndexRequest(linux, only=PARTS, jobs=os.cpu_count() or 1))
    assert not summary.failed_units
    assert not summary.units_with_errors
    graph = open_graph(summary.index)
    yield graph
    graph.close()


def asm_callers(graph: CallGraph, name: str) -> set[tuple[str, str]]:
    return {(str(hop.caller), hop.site.location.path)
            for hop in find_callers(graph, find_function(graph, name)) if hop.kind.value == "asm"}


@pytest.mark.parametrize(("callee", "caller", "path"), [
    ("do_syscall_64", "entry_SYSCALL64_slow_path", "arch/x86/entry/entry_64.S"),
    ("ret_from_intr", "apic_timer_interrupt", "arch/x86/entry/entry_64.S"),
    ("retint_user", "ret_from_intr", "arch/x86/entry/entry_64.S"),
    ("prepare_exit_to_usermode", "retint_user", "arch/x86/entry/entry_64.S"),
    ("do_page_fault", "page_fault", "arch/x86/entry/entry_64.S"),
    ("__do_softirq", "do_softirq_own_stack", "arch/x86/entry/entry_64.S"),
    ("__put_user_4", "sock_ioctl", "net/socket.c"),
    ("copy_user_enhanced_fast_string", "copy_user_generic", "arch/x86/include/asm/uaccess_64.h"),
    ("stub_ptregs_64", "ptregs_sys_clone", "arch/x86/include/generated/asm/syscalls_64.h"),
])
def test_what_assembler_calls(graph: CallGraph, callee: str, caller: str, path: str) -> None:
    assert (caller, path) in asm_callers(graph, callee)


def test_a_function_of_assembler_is_defined_where_its_label_is(graph: CallGraph) -> None:
    for name, path in (("__put_user_4", "putuser.S"), ("copy_user_generic_string",
                                                       "copy_user_64.S")):
        location = find_function(graph, name).location
        assert location is not None
        assert location.path == f"arch/x86/lib/{path}"


def test_a_system_call_begins_in_assembler(graph: CallGraph) -> None:
    answer = find_paths(graph, PathQuestion("entry_SYSCALL_64", "SYSC_sendto"))
    assert answer.paths
    assert [str(hop.callee) for hop in answer.paths[0].hops][-2:] == ["SyS_sendto", "SYSC_sendto"]


def test_a_system_call_that_is_not_configured_is_the_one_that_says_so(graph: CallGraph) -> None:
    called = {str(hop.callee) for hop in find_callees(graph, find_function(graph, "do_syscall_64"))}
    assert {"SyS_sendto", "sys_ni_syscall"} <= called
