"""Call graphs made by hand, so that questions are tested without a compiler.

    tiny = Tiny()
    tiny.calls("a", "b")                                   # a direct call
    tiny.calls("a", "x", "y", slot=("ops", "run"))         # an indirect one with two candidates
    tiny.calls("a", "hook", hands={0: "done"})             # hands done on to hook's parameter 0
    tiny.calls("hook", "done", "other", parameter=0)       # calls its parameter 0
    graph = tiny.graph(folder)

Every function stands in a file of the tree that `graph` makes, each call on a line of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.graph import CallGraph
from kgraph.model.facts import CallSite, Definition, Function
from kgraph.model.ids import FunctionId
from kgraph.model.location import Extent, Location
from kgraph.model.resolution import (
    CallbackForward,
    Candidate,
    EdgeKind,
    Evidence,
    Resolution,
    ResolvedSite,
    Role,
    SiteStatus,
)
from kgraph.model.results import IndexDescription
from kgraph.model.values import Holder, Load, Parameter, Place, Slot
from kgraph.store import IndexReader, create_index, write_description
from kgraph.store.call_rows import make_call_row
from kgraph.store.facts_writer import CitedFiles
from kgraph.store.graph_writer import GraphWriter, write_name_tables

LINES = 1000


@dataclass
class Tiny:
    calls_of: dict[str, list[CallSite]] = field(default_factory=dict)
    sites: list[ResolvedSite] = field(default_factory=list)
    signatures: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def file(self, name: str) -> str:
        return self.files.get(name, "a.c")

    def calls(
        self,
        caller: str,
        *callees: str,
        slot: tuple[str, str] | None = None,
        parameter: int | None = None,
        hands: dict[int, str | int] | None = None,
        kind: EdgeKind | None = None,
        signature: str = "",
        expression: str = "",
    ) -> None:
        """One call site. `hands` values: a function, or the number of the caller's parameter."""
        name = FunctionId(caller)
        holder: Holder | None = Slot(*slot) if slot else None
        if parameter is not None:
            holder = Parameter(name, parameter)
        calls = self.calls_of.setdefault(caller, [])
        line = len(calls) + 2
        place = Location(self.file(caller), line, 2)
        calls.append(
            CallSite(
                name, place, Extent(place, line, 20), 0,
                Load(Place(holder)) if holder else FunctionId(callees[0] if callees else "?"),
                expression or str(holder or callees[0]), signature=signature,
            )
        )
        default = EdgeKind.DIRECT
        if holder is not None:
            default = EdgeKind.OPS if parameter is None else EdgeKind.CALLBACK
        evidence = (Evidence(Role.BINDING, Location("a.c", 1, 1), "x"),) if holder else ()
        status = SiteStatus.RESOLVED if callees else SiteStatus.UNRESOLVED
        self.sites.append(
            ResolvedSite(
                key=caller, position=len(calls) - 1, caller=name,
                status=status if holder else SiteStatus.DIRECT,
                candidates=tuple(
                    Candidate(FunctionId(callee), kind or default, evidence) for callee in callees
                ),
                holder=holder, rule="slot" if holder and callees else "",
                reason="" if callees else "lost",
                forwards=tuple(
                    CallbackForward(number, value if isinstance(value, int) else FunctionId(value))
                    for number, value in (hands or {}).items()
                ),
            )
        )

    def definitions(self) -> dict[str, Definition]:
        names = {site.caller.name for site in self.sites} | set(self.signatures)
        for site in self.sites:
            names.update(candidate.callee.name for candidate in site.candidates)
        found = {}
        for name in sorted(names):
            place = Location(self.file(name), 1, 1)
            function = Function(
                FunctionId(name), place, Extent(place, LINES, 1), self.signatures.get(name, "")
            )
            found[name] = Definition(name, function, tuple(self.calls_of.get(name, ())))
        return found

    def resolution(self) -> Resolution:
        subjects = [definition.subject for definition in self.definitions().values()]
        functions = tuple(subject for subject in subjects if isinstance(subject, Function))
        return Resolution(functions, (), tuple(self.sites), ())

    def graph(self, folder: Path, heads: Mapping[str, str] | None = None) -> CallGraph:
        """`heads`: text that files begin with, which may be files of their own; units read them."""
        tree = folder / "tree"
        heads = heads or {}
        for name in {"a.c", *self.files.values(), *heads}:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(heads.get(name, "") + "line\n" * LINES)
        index = folder / "tiny.kgraph"
        with create_index(index) as connection:
            files = CitedFiles(tree, None)
            taken = {FunctionId(name) for name in self.taken}
            definitions = self.definitions()
            GraphWriter(connection, files, taken).write(
                self.resolution(), lambda key: [*map(make_call_row, definitions[key].calls)])
            write_description(connection, IndexDescription(str(tree), "1.0", "tiny", built=1.0))
            connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", files.rows)
            connection.executemany("INSERT INTO unit_file VALUES (?, ?, '', x'')", enumerate(heads))
            write_name_tables(connection, tree, None)
        return CallGraph(IndexReader(index))
