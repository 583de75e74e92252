"""What a claim is judged in: the graph, the source text, the tree, and the functions that a
claimed name may mean.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.check.outcome import Position
from kgraph.check.source.condition_forms import ConditionForm, normalise_condition
from kgraph.check.source.control_flow import ControlFlow
from kgraph.check.source.definitions import IndexedDefinitions, TreeSearch
from kgraph.check.source.name_expansion import NameExpander
from kgraph.check.source.tokens import strip_directives, tokenise
from kgraph.graph import CallGraph, SourceText
from kgraph.model.document import Citation
from kgraph.model.location import Extent
from kgraph.model.results import KnownFunction, KnownSite
from kgraph.query.lookup import resolve_alias
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.state_space import State, StateSpace
from kgraph.query.scenarios import SitePins

# The extent of a label in the index reaches to the last of those that lead to a call.
_LABELS = re.compile(r"\b(?:case\s[^:;{}]+|default)(?=\s*(?::|$))")


@dataclass
class CheckContext:
    """The graph with what was looked up in it for one document. `rules` are those of the scenario;
    `pinned` are the steps that they leave, `free` those that the graph knows without a scenario,
    `likely` those that are left where the chain's claimed targets are believed, too.
    """

    graph: CallGraph
    rules: PathConstraints = field(default_factory=PathConstraints)

    def __post_init__(self) -> None:
        self.sources = SourceText(self.graph)
        self.absence = TreeSearch(self.graph.description)
        self.defined = IndexedDefinitions(self.graph)
        self.spelling = NameExpander(self.graph, self.sources)
        self.free = StateSpace(self.graph, PathConstraints())
        self.pinned = self.likely = StateSpace(self.graph, self.rules)
        self._sites: dict[int, list[KnownSite]] = {}
        self._bodies: dict[int, list[tuple[str, int]]] = {}
        self._plain_bodies: dict[int, tuple[list[tuple[str, int]], dict[int, int]]] = {}
        self._flows: dict[int, ControlFlow] = {}
        self._guards: dict[int, list[tuple[ConditionForm, Extent, str]]] = {}
        self._conditions: dict[Extent, tuple[ConditionForm, str]] = {}

    def under(self, rules: PathConstraints) -> "CheckContext":
        """The same ground with the pins of a scenario."""
        steps = StateSpace(self.graph, rules)
        other = object.__new__(CheckContext)
        other.__dict__.update(self.__dict__, rules=rules, pinned=steps, likely=steps)
        return other

    def believing(self, claimed: SitePins) -> "CheckContext":
        """The same ground with the pins of claimed targets; those of the scenario come first."""
        other = object.__new__(CheckContext)
        rules = PathConstraints(pins={**claimed, **self.rules.pins})
        other.__dict__.update(self.__dict__, likely=StateSpace(self.graph, rules))
        return other

    def functions(self, name: str, citation: Citation | None) -> list[KnownFunction]:
        """The functions that a line may mean: those that are defined, if any is; those in the cited
        file, if any is. An alias means what it stands for.
        """
        named = self.graph.find_functions(name) if name else []
        found = [function for function in named if function.location is not None] or named
        if citation is not None:
            there = [
                function for function in found
                if function.location is not None
                and (is_path_suffix(function.location.path, citation.path)
                     or is_path_suffix(citation.path, function.location.path))
            ]
            found = there or found
        known = {each.number: each for each in (resolve_alias(self.graph, each) for each in found)}
        return list(known.values())

    def functions_of(self, standing: Position) -> list[KnownFunction]:
        """The functions where a document stands."""
        return [self.graph.function(state.function) for state in standing.states]

    def has_body(self, function: int) -> bool:
        """Whether anything is known of what a function does: of a mere declaration nothing is."""
        known = self.graph.function(function)
        return known.location is not None or bool(self.sites_of(function))

    def states(self, functions: Iterable[KnownFunction]) -> tuple[State, ...]:
        """The states that searches from the functions start in."""
        return tuple(self.free.make_start_state(function.number) for function in functions)

    def sites_of(self, function: int) -> list[KnownSite]:
        """The call sites of a function."""
        if function not in self._sites:
            self._sites[function] = self.graph.find_sites_of(function)
        return self._sites[function]

    def guards_of(self, function: int) -> list[tuple[ConditionForm, Extent, str]]:
        """The conditions that the index knows around the calls of a function, each once: form,
        place and text.
        """
        if function not in self._guards:
            extents = dict.fromkeys(
                guard.extent for site in self.sites_of(function) for guard in site.guards)
            known = [(extent, *self.condition(extent)) for extent in extents]
            self._guards[function] = [(form, extent, text) for extent, form, text in known if text]
        return self._guards[function]

    def condition(self, guard: Extent) -> tuple[ConditionForm, str]:
        """A condition that the index knows, and its text, on one line; of labels only themselves.
        The text is "" where it cannot be read.
        """
        if guard not in self._conditions:
            text = " ".join(self.sources.read_extent(guard).split())
            text = ": ".join(_LABELS.findall(text)) if _LABELS.match(text) else text
            form = normalise_condition(self.spelling.expand_text(text, guard.start.path))
            self._conditions[guard] = form, text
        return self._conditions[guard]

    def body(self, function: KnownFunction) -> list[tuple[str, int]]:
        """The tokens of a function's definition, with lines from 0 at that of its name."""
        if function.number not in self._bodies:
            place = function.location
            lines = self.sources.read_lines(place.path) if place else []
            first = place.line - 1 if place else 0
            self._bodies[function.number] = tokenise("\n".join(lines[first:function.end_line]))
        return self._bodies[function.number]

    def plain_body(self, function: KnownFunction) -> list[tuple[str, int]]:
        """The same without lines of the preprocessor and macros for names and members."""
        return self._configured(function)[0]

    def _configured(
        self, function: KnownFunction
    ) -> tuple[list[tuple[str, int]], dict[int, int]]:
        if function.number not in self._plain_bodies:
            plain = self.spelling.expand(self.body(function), get_path(function))
            self._plain_bodies[function.number] = strip_directives(plain)
        return self._plain_bodies[function.number]

    def flow(self, function: KnownFunction) -> ControlFlow:
        """The conditions and labels of the same."""
        if function.number not in self._flows:
            body, ends = self._configured(function)
            written, _ = strip_directives(self.body(function))
            self._flows[function.number] = ControlFlow(
                [word for word, _ in body], ends, [word for word, _ in written])
        return self._flows[function.number]

    def said_by_pins(self, site: int) -> str:
        """The callees that the scenario leaves to a call site, in a sentence."""
        return self.names(self.rules.get_allowed_callees(site, 0) or ()) or "none"

    def callees(self, site: int) -> list[int]:
        """The functions that a call site may call."""
        return [self.graph.edge_callee[edge] for edge in self.graph.edges_of(site)]

    def names(self, functions: Iterable[int], most: int = 6) -> str:
        """Names of functions in a sentence."""
        names = sorted({self.graph.function(number).id.name for number in functions})
        more = len(names) - most
        return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")

    @property
    def here(self) -> str:
        """What the index is of, behind "not": an index of a part cannot tell it from the whole."""
        part = ", or not in the part that was indexed" if self.graph.description.only else ""
        return f"in this configuration{part}"

    def elsewhere(self, name: str) -> str:
        """That a name which the index does not have stands in the tree nevertheless, and where;
        "" where the tree has it nowhere. A macro that calls nothing leaves no trace in the index.
        """
        macro = self.defined.find_macro(name)
        if macro is not None:
            return f"{name} ({macro}) is a macro whose uses the index does not keep"
        place = self.absence.find_name(name)
        return f"{name} ({place}) is not {self.here}" if place is not None else ""

    def tree_path(self, cited: str, likely: Iterable[str] = ()) -> str | None:
        """The file of the tree that a cited path means: folders before the tree's own are left
        out, and folders that the writer left out are those of one of the `likely` files, or of the
        only file that ends so. None where the tree has no such file.
        """
        parts = [part for part in cited.split("/") if part not in ("", ".")]
        if ".." in parts:
            return None
        tails = ["/".join(parts[start:]) for start in range(len(parts))]
        for tail in tails:
            if self.graph.reader.find_file(tail) is not None:
                return tail
        short = tails[0] if tails else ""
        ending = next((path for path in likely if is_path_suffix(short, path)), None)
        if ending is not None:
            return ending
        root = Path(self.graph.description.tree)
        found = next((tail for tail in tails if (root / tail).is_file()), None)
        if found is not None or not short:
            return found
        paths = self.graph.find_cited_files(short)
        return paths[0] if len(paths) == 1 else None


def get_path(function: KnownFunction) -> str:
    """The file that a function is defined in; "" where it is not."""
    return function.location.path if function.location else ""


def is_path_suffix(short: str, path: str) -> bool:
    """Whether a path ends with another one, from a folder on."""
    return ("/" + path).endswith("/" + short)
