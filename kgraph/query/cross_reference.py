"""Where a name stands: definitions, calls and assignments of functions, slots, tables and macros.

Unlike the other questions these are about a name, not about the one thing that it means: all
functions of the name count, and all slots with a field of the name. What no fact cites (a name in
a comment, a local variable, a type) is not here.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph, KnownBinding
from kgraph.graph.tree_search import search_read_files
from kgraph.model.location import Location
from kgraph.model.results import KnownFunction, Reference
from kgraph.query.find import find_matching_functions

_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:[.][\w$.]+)?", re.ASCII)


class NameReferences:
    """The places of one name, which may be a regular expression that a whole name of a function
    fits. Every method gives them in the order of files and lines, each once.
    """

    def __init__(
        self, graph: CallGraph, text: str, *, ignore_case: bool = False,
        among: Sequence[KnownFunction] = (),
    ) -> None:
        """`among`: only these functions of the name count. Raises LookupFailed if the text is no
        name and no regular expression."""
        self._graph = graph
        self._name = text.strip().removesuffix("()").replace("->", ".").replace("::", ".")
        if not self._name:
            raise LookupFailed("the name is empty", "name a function, a slot or a table")
        is_name = _NAME.fullmatch(self._name) is not None
        if ignore_case or not is_name:
            flags = "(?i)" if ignore_case else ""
            self._functions = find_matching_functions(graph, f"{flags}^(?:{self._name})$")
        else:
            self._functions = graph.find_functions(self._name)
        if among:
            self._functions = list(among)
        self._slots = self._find_slots() if is_name and not among else []

    def list_definitions(self) -> list[Reference]:
        """Where functions, objects and macros of the name are defined."""
        found = [Reference(each.location, each.id.name) for each in self._functions
                 if each.location is not None]
        found += [Reference(each.location, self._name)
                  for each in self._graph.find_objects(self._name) if each.location is not None]
        found += [Reference(each.location, self._name)
                  for each in self._graph.find_macro_definitions(self._name)]
        return _sort(set(found))

    def list_callees(self) -> list[Reference]:
        """The calls that functions of the name make: the function that is called, once for each
        candidate."""
        graph = self._graph
        sites: list[tuple[int, int]] = []
        for function in self._functions:
            sites += ((graph.site_of(edge), graph.edge_callee[edge])
                      for edge in graph.edges_from(function.number))
        places = graph.load_site_places({site for site, _ in sites})
        names = self._name_functions({callee for _, callee in sites})
        return _sort({Reference(places[site][0], names[callee]) for site, callee in sites})

    def list_calls(self) -> list[Reference]:
        """The calls that can reach functions of the name, or go through slots of the name: with the
        function that makes the call."""
        return self._locate_sites(self._iter_call_sites())

    def list_assignments(self) -> list[Reference]:
        """Where something is put into slots of the name: with the function that does it."""
        rows = [row for slot in self._slots for row in self._graph.find_bindings_to_slot(slot)]
        return self._locate_bindings(rows)

    def list_all(self) -> list[Reference]:
        """Every place that names it: also where functions and tables of the name are put."""
        graph = self._graph
        rows = [row for each in self._functions
                for row in graph.find_bindings_of_function(each.number)]
        rows += graph.find_installs_of_objects(self._name)
        macro = graph.find_sites_of_macros([self._name])
        return _sort({
            *self.list_definitions(), *self._locate_sites({site.number for site in macro}),
            *self.list_calls(), *self.list_assignments(), *self._locate_bindings(rows)})

    def _find_slots(self) -> list[str]:
        """The slots that the name means: itself, and those with a field of this name."""
        if "." in self._name:
            return [self._name]
        variables = [self._name] if self._graph.is_holder(self._name) else []
        return variables + [slot for slot, _ in self._graph.count_bindings_to_fields(self._name)]

    def _iter_call_sites(self) -> Iterator[int]:
        graph = self._graph
        for function in self._functions:
            for caller in graph.callers_of(function.number):
                yield from (graph.site_of(edge) for edge in graph.edges_from(caller)
                            if graph.edge_callee[edge] == function.number)
        for slot in self._slots:
            yield from graph.find_sites_through(slot)
        if not self._slots and not self._functions and "." not in self._name:
            yield from (call.site for call in graph.find_calls_through((), (self._name,))
                        if call.holder.rpartition(".")[2] == self._name)

    def _locate_sites(self, sites: Iterable[int]) -> list[Reference]:
        graph, numbers = self._graph, set(sites)
        places = graph.load_site_places(numbers)
        callers = {site: graph.caller_of(site) for site in numbers}
        names = self._name_functions(set(callers.values()))
        return _sort({Reference(places[site][0], names[callers[site]]) for site in numbers})

    def _locate_bindings(self, rows: Iterable[KnownBinding]) -> list[Reference]:
        return _sort({Reference(row.location, self._name_around(row)) for row in rows})

    def _name_around(self, row: KnownBinding) -> str:
        """The function around a binding; "" for the initialiser of a table."""
        number = None if row.table is not None else self._graph.find_function_around(row.location)
        return "" if number is None else self._graph.function(number).id.name

    def _name_functions(self, numbers: Iterable[int]) -> dict[int, str]:
        return {each.number: each.id.name for each in self._graph.load_functions(numbers)}


def _sort(places: set[Reference]) -> list[Reference]:
    return sorted(places, key=lambda each: (
        each.location.path, each.location.line, each.location.column, each.function))


def find_files_named(graph: CallGraph, name: str) -> list[str]:
    """The files that units read whose path is, or ends with, this name."""
    wanted = f"/{name.strip().strip('/')}"
    return sorted(path for path in graph.find_read_files() if f"/{path}".endswith(wanted))


def search_text(
    graph: CallGraph, text: str, kind: Literal["text", "pattern", "include"] = "text", *,
    ignore_case: bool = False,
) -> Iterator[tuple[Location, str]]:
    """The lines with a text, that a regular expression finds, or that include a file, in the files
    that units read. The lines are those of today, not those that were indexed.

    Raises LookupFailed for an empty text and a wrong expression.
    """
    if not text:
        raise LookupFailed("the text is empty", "write what a line has in it")
    word = os.fsencode(text)
    if kind == "text":
        word = re.escape(word)
    elif kind == "include":
        word = rb'^[ \t]*#[ \t]*include[ \t]*[<"](?:[^>"]*/)?' + re.escape(word) + rb'[>"]'
    try:
        pattern = re.compile(word, re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
    except (re.error, OverflowError, RecursionError) as error:
        raise LookupFailed(f"`{text}` is no regular expression: {error}",
                           "put a backslash before brackets that are meant") from error
    return search_read_files(graph, pattern)
