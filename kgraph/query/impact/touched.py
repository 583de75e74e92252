"""What of a graph a patch touches: functions, tables, macros, slots, and what depends on them."""

from collections.abc import Iterable, Iterator, Sequence
from posixpath import normpath

from msgspec import Struct

from kgraph.graph import CallGraph
from kgraph.graph.lookups import KnownBinding
from kgraph.graph.text import SourceText
from kgraph.model.location import Location
from kgraph.model.results import KnownFunction, KnownMacro, KnownObject
from kgraph.query.call_tree import ReachingCall, find_syscalls_reaching
from kgraph.query.impact.patch import FilePatch, Side, TextPatch


class TouchedFile(Struct, frozen=True):
    """A file of the patch. `is_known`: the index cites it; `fits`: the lines of the patch are those
    that were indexed (None: this cannot be told, since the file has changed, or nothing of it is
    cited)."""

    path: str
    lines: int
    is_known: bool
    fits: bool | None
    other_lines: int = 0  # in no function, table or macro that the index knows


class Impact(Struct, frozen=True):
    """What a patch touches. `side`: whether the index is of the text before or after it.

    `functions` have changed lines; `tables` are initialisers that have; `macros` definitions.
    `bindings` stand in touched lines; `slots` are theirs, and all of a table with a touched line
    that is no row of it: a row may be missing. `callers` call through such a slot, or by a touched
    macro, and may reach something else.
    `syscalls` lead to a touched function or a caller.
    """

    side: Side
    files: tuple[TouchedFile, ...]
    functions: tuple[KnownFunction, ...]
    tables: tuple[KnownObject, ...]
    macros: tuple[KnownMacro, ...]
    bindings: tuple[KnownBinding, ...]
    slots: tuple[str, ...]
    callers: tuple[KnownFunction, ...]
    syscalls: tuple[ReachingCall, ...]


def find_impact(
    graph: CallGraph, text: SourceText, patch: Sequence[FilePatch], side: Side | None = None
) -> Impact:
    """What a patch touches. Without `side` the one whose lines fit the indexed text is taken."""
    return _Survey(graph, text, patch, side).survey()


class _Survey:
    def __init__(
        self, graph: CallGraph, text: SourceText, patch: Sequence[FilePatch], side: Side | None
    ) -> None:
        self._graph, self._text, self._patch = graph, text, patch
        self._side = side or self._choose_side()
        self._functions: dict[int, KnownFunction] = {}
        self._tables: dict[int, KnownObject] = {}
        self._macros: list[KnownMacro] = []
        self._bindings: dict[tuple[str, Location], KnownBinding] = {}
        self._slots: set[str] = set()

    def _choose_side(self) -> Side:
        before, after = (
            sum(self._fits(part) is True for file in self._patch
                if (part := file.get_side(side)) is not None) for side in Side)
        return Side.AFTER if after > before else Side.BEFORE

    def _fits(self, part: TextPatch) -> bool | None:
        lines = self._text.read_lines(part.path)
        if not lines or not part.text:
            return None
        return all(number <= len(lines) and lines[number - 1] == text
                   for number, text in part.text.items())

    def survey(self) -> Impact:
        """Look at each file, then at what depends on what it has."""
        files = tuple(map(self._survey_file, self._patch))
        callers = {number: self._graph.function(number) for number in self._find_callers()
                   if number not in self._functions}
        syscalls = find_syscalls_reaching(self._graph, [*self._functions, *callers])
        return Impact(
            self._side, files, _sort(self._functions.values()),
            tuple(sorted(self._tables.values(), key=lambda each: each.id)), tuple(self._macros),
            tuple(self._bindings.values()), tuple(sorted(self._slots)), _sort(callers.values()),
            tuple(syscalls))

    def _survey_file(self, file: FilePatch) -> TouchedFile:
        part = file.get_side(self._side)
        if part is None:
            other = file.before or file.after
            assert other is not None
            return TouchedFile(other.path, len(other.lines), is_known=False, fits=None)
        path = normpath(part.path)
        touched = set(part.lines)
        for first, last in self._iter_extents(part):
            touched.difference_update(range(first, last + 1))
        return TouchedFile(
            path, len(part.lines) + len(part.gaps), self._graph.is_read(path), self._fits(part),
            sum(bool(part.text[line].strip()) for line in touched))

    def _iter_extents(self, part: TextPatch) -> Iterator[tuple[int, int]]:
        """Note what is touched, and give the lines of it."""
        graph = self._graph
        for function in graph.find_functions_in(part.path):
            place = function.location
            if place is not None and place.path == part.path and part.touches(
                    place.line, function.end_line):
                self._functions[function.number] = function
                yield place.line, function.end_line
        for thing, last in graph.find_objects_in(part.path):
            assert thing.location is not None
            if part.touches(thing.location.line, last):
                self._tables[thing.number] = thing
                self._note_rows(part, thing, last)
                yield thing.location.line, last
        for name, place in graph.find_macros_in(part.path):
            last = self._find_macro_end(place)
            if part.touches(place.line, last):
                self._macros.append(KnownMacro(name, place))
                yield place.line, last
        for binding in graph.find_bindings_in(part.path):
            if binding.location.line in part.lines:
                self._note_bindings([binding])

    def _note_rows(self, part: TextPatch, table: KnownObject, last: int) -> None:
        """Note the touched rows of a table, or all slots of its record where something else of it
        is touched, such as a row that only the other side has."""
        assert table.location is not None
        rows = self._graph.find_bindings_in_table(table.number)
        lines = {each.location.line for each in rows}
        inside = range(table.location.line, last + 1)
        if any(gap in inside for gap in part.gaps) or any(
                line in inside and line not in lines for line in part.lines):
            records = {each.holder.partition(".")[0] for each in rows} or {
                table.type.removeprefix("const ").removeprefix("struct ")}
            for record in records:
                self._slots.update(self._graph.find_called_slots(record))
        self._note_bindings(each for each in rows if each.location.line in part.lines)

    def _find_macro_end(self, place: Location) -> int:
        """The last line of the definition of a macro."""
        lines, last = self._text.read_lines(place.path), place.line
        while last < len(lines) and lines[last - 1].endswith("\\"):
            last += 1
        return last

    def _note_bindings(self, bindings: Iterable[KnownBinding]) -> None:
        for each in bindings:
            self._bindings.setdefault((each.holder, each.location), each)
            self._slots.add(each.holder)

    def _find_callers(self) -> set[int]:
        """The functions with calls through touched slots, or with calls that touched macros make"""
        graph = self._graph
        sites = {site for slot in self._slots for site in graph.find_sites_through(slot)}
        callers = {graph.caller_of(site) for site in sites}
        names = self._follow_macros({each.name for each in self._macros})
        callers |= {each.caller for each in graph.find_sites_of_macros(names)}
        return callers

    def _follow_macros(self, names: set[str]) -> set[str]:
        """Macros, and those whose definitions use one of them."""
        found, waiting = set(names), list(names)
        while waiting:
            new = set(self._graph.find_macros_mentioning(waiting.pop())) - found
            found |= new
            waiting += new
        return found


def _sort(functions: Iterable[KnownFunction]) -> tuple[KnownFunction, ...]:
    return tuple(sorted(functions, key=lambda each: each.id))
