"""What a claim is judged in: the graph and the text of its tree under the pins that hold there, and
the line with its position in the code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from kgraph.check.outcome import Position
from kgraph.check.source.condition_forms import ConditionForm
from kgraph.check.source.function_text import FunctionTexts
from kgraph.graph import CallGraph
from kgraph.graph.tree_search import IndexedDefinitions, TreeSearch
from kgraph.model.document import Citation, Claim, DocumentLine
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.query.lookup import resolve_alias
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.question import make_rules
from kgraph.query.paths.state_space import State, StateSpace
from kgraph.query.scenarios import SitePins
from kgraph.query.spellings import iter_syscall_names


@dataclass(frozen=True)
class CheckContext:
    """The graph, and what is looked up in its tree for one document.

    `pinned` are the states that the pins of the scenario leave, `free` those of the graph without
    a scenario, `likely` those that are left if the chain's claimed targets are believed as well.
    """

    graph: CallGraph
    texts: FunctionTexts
    tree: TreeSearch
    definitions: IndexedDefinitions
    free: StateSpace
    pinned: StateSpace
    likely: StateSpace
    _pruned: dict[StateSpace, StateSpace] = field(default_factory=dict)

    @classmethod
    def make(cls, graph: CallGraph) -> "CheckContext":
        """The context without any pins."""
        free = StateSpace(graph, PathConstraints())
        return cls(
            graph, FunctionTexts(graph), TreeSearch(graph.description), IndexedDefinitions(graph),
            free, free, free,
        )

    def with_pins(self, pins: SitePins) -> "CheckContext":
        """The same context under the pins of a scenario."""
        space = StateSpace(self.graph, PathConstraints(pins=pins))
        return replace(self, pinned=space, likely=space)

    def with_claimed_targets(self, pins: SitePins) -> "CheckContext":
        """The same context under the pins of claimed targets; those of the scenario come first."""
        together = PathConstraints(pins={**pins, **self.pinned.constraints.pins})
        return replace(self, likely=StateSpace(self.graph, together))

    def prune(self, space: StateSpace) -> StateSpace:
        """A space without the paths that contradict themselves."""
        if space not in self._pruned:
            rules = make_rules(self.graph)
            self._pruned[space] = StateSpace(self.graph, space.constraints, rules)
        return self._pruned[space]

    def find_functions(self, name: str, citation: Citation | None = None) -> list[KnownFunction]:
        """The functions that a line may mean: those that are defined, if any is; those in the cited
        file, if any is. An alias means what it stands for, a label in assembler the function around
        it.
        """
        named = self.graph.find_functions(name) if name else []
        named = named or [function for function, _ in self.find_label(name)]
        found = [function for function in named if function.location is not None] or named
        if citation is not None:
            found = [each for each in found if is_cited(get_path(each), citation)] or found
        known = {each.number: each
                 for each in (resolve_alias(self.graph, each) for each in found)}
        return list(known.values())

    def find_label(self, name: str) -> list[tuple[KnownFunction, Location]]:
        """The functions in assembler that have a plain label of a name, with its place; none for
        the name of a function.
        """
        if not name or self.graph.find_functions(name):
            return []
        around = ((self.graph.find_function_around(place), place)
                  for place in self.definitions.find_labels(name))
        return [(self.graph.function(number), place)
                for number, place in around if number is not None]

    def find_system_call(self, name: str) -> list[KnownFunction]:
        """The entries and the body of a system call, as user space names it; none of other names,
        and of those that are functions themselves.
        """
        if not name or self.graph.find_functions(name):
            return []
        named = (each for spelled in iter_syscall_names(name)
                 for each in self.graph.find_functions(spelled) if each.location is not None)
        return list({each.number: each for each in named}.values())

    def functions_at(self, position: Position) -> list[KnownFunction]:
        """The functions where a document stands."""
        return [self.graph.function(state.function) for state in position.states]

    def make_states(self, functions: Iterable[KnownFunction]) -> tuple[State, ...]:
        """The states in which searches from the functions start."""
        return tuple(self.free.make_start_state(function.number) for function in functions)

    def has_body(self, function: int) -> bool:
        """Whether the index knows what a function does: of a mere declaration it knows nothing."""
        known = self.graph.function(function)
        return known.location is not None or bool(self.texts.sites_of(function))

    def callees_of(self, site: int) -> list[int]:
        """The functions that a call site may call."""
        return [self.graph.edge_callee[edge] for edge in self.graph.edges_of(site)]

    def normalise(self, claim: Claim, path: str) -> ConditionForm:
        """The form of a claimed condition, of code in the file `path`."""
        return self.texts.normalise(claim.condition, path, holds=not claim.negated)

    def list_names(self, functions: Iterable[int], most: int = 6) -> str:
        """The names of functions, for a note."""
        names = sorted({self.graph.function(number).id.name for number in functions})
        more = len(names) - most
        return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")

    def list_pinned(self, site: int) -> str:
        """The callees that the scenario leaves to a call site, for a note."""
        allowed = self.pinned.constraints.get_allowed_callees(site, 0)
        return self.list_names(allowed or ()) or "none"

    @property
    def configuration(self) -> str:
        """What a negation is about, for a note: an index of a part cannot tell it from the tree."""
        part = ", or not in the part that was indexed" if self.graph.description.only else ""
        return f"in this configuration{part}"

    def describe_elsewhere(self, name: str) -> str:
        """Where the tree has a name that the index does not have, for a note; "" if nowhere. A
        macro that calls nothing leaves no trace in the index.
        """
        macro = self.definitions.find_macro(name)
        if macro is not None:
            return f"{name} ({macro}) is a macro, and the index does not record its uses"
        place = self.tree.find_name(name)
        return f"{name} ({place}) is not {self.configuration}" if place is not None else ""


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line of a document in its place.

    `position` is where the lines above left off, `above` the line that it stands under, `below`
    are the lines directly under it.
    """

    context: CheckContext
    line: DocumentLine
    position: Position
    above: DocumentLine | None = None
    below: Sequence[DocumentLine] = ()

    @property
    def claim(self) -> Claim:
        """What the line claims."""
        return self.line.claim

    @property
    def functions(self) -> list[KnownFunction]:
        """The functions where the document stands."""
        return self.context.functions_at(self.position)

    @property
    def switch(self) -> str:
        """What the `switch` asks for that the line stands directly under; "" for none."""
        above = self.above
        return above.claim.condition if above is not None and above.claim.branch == "switch" else ""

    def move_to(self, position: Position) -> "PlacedLine":
        """The same line at another position."""
        return replace(self, position=position)

    def find_functions(self) -> list[KnownFunction]:
        """The functions that the line's name may mean."""
        return self.context.find_functions(self.claim.name, self.line.citation)

    def find_tokens(self, words: list[str]) -> list[Extent]:
        """Where a run of tokens stands in the functions where the document stands."""
        texts = self.context.texts
        return [place for function in self.functions
                for place in texts.find_tokens(function, words)]


def get_path(function: KnownFunction) -> str:
    """The file that a function is defined in; "" if it is not defined."""
    return function.location.path if function.location else ""


def is_path_suffix(short: str, path: str) -> bool:
    """Whether a path ends with another one, from a folder on."""
    return ("/" + path).endswith("/" + short)


def is_cited(path: str, citation: Citation) -> bool:
    """Whether a citation may mean a file: one of the two paths ends with the other."""
    return bool(path) and (
        is_path_suffix(path, citation.path) or is_path_suffix(citation.path, path))
