"""Arm64 on a machine that is none: a few units of a modern tree, in a configuration that says so.

The tree is that of test_modern_tree. Kbuild runs a cross compiler or clang, whichever there is. The
configuration leaves out the hypervisor, which would have to be compiled for a generated source.
"""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.query import PathQuestion, find_paths
from kgraph.store import IndexReader

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
CONFIGURATION = "# Linux/arm64 6.1.0 Kernel Configuration\nCONFIG_NET=y\nCONFIG_INET=y\n"
UNITS = (
    "arch/arm64/kernel/entry.S", "arch/arm64/kernel/entry-common.c", "arch/arm64/kernel/syscall.c",
    "arch/arm64/kernel/sys.c", "arch/arm64/kernel/irq.c", "arch/arm64/mm/fault.c", "net/socket.c",
    "drivers/irqchip/irq-gic-v3.c", "kernel/softirq.c",
)


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> IndexSummary:
    given = os.environ.get("KGRAPH_LINUX_MODERN")
    tree = Path(given) if given else Path.home() / ".cache/kgraph/trees/linux-6.1"
    if not (tree / "Kbuild").is_file():
        pytest.skip(f"no modern kernel tree at {tree} (KGRAPH_LINUX_MODERN names one)")
    compilers = ("aarch64-linux-gnu-gcc", "ld.lld")
    if platform.machine() != "aarch64" and not any(map(shutil.which, compilers)):
        pytest.skip("no compiler for arm64")
    folder = tmp_path_factory.mktemp("arm64")
    config = folder / "config"
    config.write_text(CONFIGURATION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        return index_tree(IndexRequest(
            tree, config=config, only=UNITS, jobs=os.cpu_count() or 1, precompiled=False))


@pytest.fixture(scope="module")
def graph(summary: IndexSummary) -> Iterator[CallGraph]:
    graph = CallGraph(IndexReader(summary.index))
    yield graph
    graph.close()


def test_no_unit_has_errors(summary: IndexSummary) -> None:
    assert summary.failed_units == summary.units_with_errors == ()
    assert summary.coverage.units == len(UNITS)


@pytest.mark.parametrize(("caller", "callee", "way"), [
    ("vectors", "__arm64_sys_sendto", ("el0t_64_sync", "el0_svc", "invoke_syscall")),
    ("__arm64_sys_sendto", "__sys_sendto", ("__do_sys_sendto",)),
    ("vectors", "gic_handle_irq", ("el1h_64_irq", "do_interrupt_handler")),
    ("el1h_64_irq_handler", "__do_softirq", ("do_softirq_own_stack", "call_on_irq_stack")),
    ("vectors", "do_page_fault", ("el1h_64_sync", "do_mem_abort")),
])
def test_ways_from_the_exception_vectors(
    graph: CallGraph, caller: str, callee: str, way: tuple[str, ...]
) -> None:
    [path] = find_paths(graph, PathQuestion(caller, callee, via=way)).paths
    assert set(way) <= {hop.caller.id.name for hop in path.hops}
