"""The direct edges of an index beside the call instructions of the compiler's objects.

    python -m tests.bench.objects TREE [--index FILE] [--units N] [--seed N] [--jobs N] [--list N]

Units drawn by the seed from the whole configuration are compiled by gcc with their own commands and
`-fno-inline -fno-optimize-sibling-calls -g`. Each call instruction has to be an edge from the
function that it was written in (which the debugging information tells, also of functions that are
always inlined) to the function that it calls. The other way round, each direct edge from a function
that the object holds should be a call in it, but for what the compiler leaves out: this is listed
by callee, for a reader to judge. It writes into the user's cache, where the build folder of the
index is, and asks Kbuild if that is not there.
"""

import argparse
import os
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

from kgraph.api import open_graph
from kgraph.build import UnitRequest, find_configuration, list_translation_units, open_tree
from kgraph.graph import CallGraph
from kgraph.model.ids import FunctionId
from kgraph.model.resolution import EdgeKind
from kgraph.store import cache_folder, index_path
from tests.bench.compiled_units import Compiled, commands_by_object, compile_unit
from tests.bench.machine_calls import MachineCall, plain_name

# Calls that the compiler makes of copies, comparisons and calls of builtins: what was written there
# is another name, or none.
COMPILER_MADE = frozenset({
    "memcpy", "memset", "memmove", "memcmp", "strlen", "strcmp", "strcpy", "strchr", "strncmp",
    "strcat", "strncat", "__fentry__", "mcount", "__stack_chk_fail",
})
LEFT_OUT = "left out"
_ASSERTION = re.compile(r"__compiletime_assert_\d+")


class Edges:
    """The edges of an index by the names of their ends."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        functions = graph.load_functions(range(len(graph)))
        self.functions = {function.number: function for function in functions}
        self.by_name: dict[str, list[int]] = defaultdict(list)
        self.by_path: dict[str, list[int]] = defaultdict(list)
        self._names: dict[str, set[str]] = defaultdict(set)  # of what an alias stands for
        for number, function in self.functions.items():
            self.by_name[function.id.name].append(number)
            if function.location is not None:
                self.by_path[function.location.path].append(number)
            if function.alias_of:
                self._names[function.id.name].add(function.alias_of)
        self.callees: dict[int, dict[str, set[EdgeKind]]] = {
            caller: self._callees(caller) for caller in range(len(graph))}

    def _callees(self, caller: int) -> dict[str, set[EdgeKind]]:
        found: dict[str, set[EdgeKind]] = defaultdict(set)
        for edge in self.graph.edges_from(caller):
            callee = self.functions[self.graph.edge_callee[edge]]
            found[callee.id.name].add(self.graph.kind(edge))
        return found

    def find_alias_names(self, name: str) -> set[str]:
        """A name, and those of what it is an alias of."""
        found, waiting = {name}, [name]
        while waiting:
            new = self._names[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    def kinds(self, callers: list[int], callee: str) -> set[EdgeKind]:
        """The kinds of the edges from one of some functions to one of this name."""
        return {kind for caller in callers for name in self.find_alias_names(callee)
                for kind in self.callees[caller].get(name, ())}


def judge(call: MachineCall, edges: Edges, folders: list[str]) -> str:
    """What the index makes of a call instruction."""
    callee = plain_name(call.target)
    named = edges.by_name.get(call.caller, [])
    if call.frames:
        path = relative(call.frames[0][1], folders)
        there = [number for number in named if number in edges.by_path.get(path, ())]
        callers = there or named
    else:  # a replacement that is patched in has no function of its own
        there = callers = named or list(edges.callees)
    kinds = edges.kinds(callers, callee)
    if kinds:
        direct = kinds & {EdgeKind.DIRECT, EdgeKind.ASM}
        return f"{min(direct)} edge" if direct else "edge through a pointer, which gcc knows"
    if callee in COMPILER_MADE:
        return "made by the compiler"
    if _ASSERTION.fullmatch(callee):
        return "assertion at compile time"
    return "missed" if there else "missed: another function replaces the caller"


def relative(file: str, folders: list[str]) -> str:
    """A file's path inside one of some folders."""
    path = os.path.normpath(file)
    for folder in folders:
        if path.startswith(folder + os.sep):
            return path[len(folder) + 1:]
    return path


def not_called(unit: Compiled, edges: Edges) -> Iterator[tuple[str, str, str]]:
    """(what is known of it, callee, citation) of each direct edge from a function that the object
    holds which is no call instruction in it."""
    called: dict[str, set[str]] = defaultdict(set)
    for call in unit.calls:
        called[call.caller] |= edges.find_alias_names(plain_name(call.target))
    for number in edges.by_path.get(unit.unit.path, ()):
        caller = edges.functions[number].id
        if caller.name not in unit.functions or not _is_of(caller, unit):
            continue
        for edge in edges.graph.edges_from(number):
            callee = edges.functions[edges.graph.edge_callee[edge]].id
            if edges.graph.kind(edge) is EdgeKind.DIRECT and callee.name not in called[caller.name]:
                site = edges.graph.site(edges.graph.site_of(edge))
                yield _left_out(caller, callee, unit), callee.name, str(site.location)


def _is_of(function: FunctionId, unit: Compiled) -> bool:
    """Whether a function of the unit's file is compiled here, not where the file is included."""
    return function.image == unit.unit.image and "@" not in function.scope


def _left_out(caller: FunctionId, callee: FunctionId, unit: Compiled) -> str:
    if (caller.name, callee.name) in unit.inlined:
        return "always inlined"
    if any(inner == callee.name for _, inner in unit.inlined):
        return "always inlined elsewhere: left out, or into another"
    if callee.scope and callee.name not in unit.functions:
        return "no code of its own: it does nothing, or nothing calls it"
    return LEFT_OUT


def main() -> None:
    """Compile, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--units", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", type=int, default=30, help="how many of each list to print")
    given = parser.parse_args()
    tree = open_tree(given.tree)
    place = index_path(tree.root, str(find_configuration(tree)))
    work = cache_folder() / "build" / place.stem
    listed = list_translation_units(tree, UnitRequest(jobs=given.jobs), work=work)
    units = [unit for unit in listed.units if not unit.is_assembly]
    drawn = Random(given.seed).sample(units, min(given.units, len(units)))
    commands = commands_by_object(work, tree.root)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:
        build = partial(compile_unit, build=work / "build", folder=Path(folder))
        compiled = list(pool.map(lambda unit: build(unit, commands[unit.object]), drawn))
    edges = Edges(open_graph(given.index or place))
    report(compiled, edges, [str(work / "build"), str(tree.root)], given.list)


def report(compiled: list[Compiled], edges: Edges, folders: list[str], most: int) -> None:
    """Print the comparison."""
    for unit in compiled:
        if unit.failed:
            print(f"not compiled: {unit.unit.path}: {unit.failed}")
    print(f"{sum(not unit.failed for unit in compiled)} units")
    report_calls(compiled, edges, folders, most)
    report_edges(compiled, edges, most)


def report_calls(compiled: list[Compiled], edges: Edges, folders: list[str], most: int) -> None:
    """Which call instructions are edges."""
    judged = [(unit, call, judge(call, edges, folders)) for unit in compiled for call in unit.calls]
    verdicts = Counter(verdict for _, _, verdict in judged)
    written = verdicts.total() - verdicts["made by the compiler"]
    found = sum(count for verdict, count in verdicts.items() if "edge" in verdict)
    print(f"{verdicts.total()} call instructions")
    for verdict, count in verdicts.most_common():
        print(f"{count:8} {verdict}")
    print(f"{found} of {written} calls that are written are edges: {found / written:.3%}")
    lost = Counter(
        f"{unit.unit.path}: {call.caller} -> {call.target}: {verdict}"
        for unit, call, verdict in judged if verdict.startswith("missed"))
    for text, count in lost.most_common(most):
        print(f"    {count} {text}")


def report_edges(compiled: list[Compiled], edges: Edges, most: int) -> None:
    """Which direct edges are no call instruction."""
    rows = [row for unit in compiled for row in not_called(unit, edges)]
    print("direct edges that are no call there, by what became of the callee:")
    for what, count in Counter(what for what, _, _ in rows).most_common():
        print(f"{count:8} {what}")
    left: dict[str, list[str]] = defaultdict(list)
    for what, callee, citation in rows:
        if what == LEFT_OUT:
            left[callee].append(citation)
    for callee, places in sorted(left.items(), key=lambda item: -len(item[1]))[:most]:
        print(f"    {len(places)} {callee}: {', '.join(places[:3])}")


if __name__ == "__main__":
    main()
