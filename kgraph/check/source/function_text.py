"""The text of functions: their tokens, the conditions in it, and where a run of tokens stands.

Owns a cache of what was read; nothing is read before it is first asked for.
"""

import re

from kgraph.check.source.condition_forms import ConditionForm, normalise_condition
from kgraph.check.source.control_flow import ControlFlow
from kgraph.check.source.name_expansion import NameExpander
from kgraph.check.source.tokens import strip_directives, tokenise
from kgraph.graph import CallGraph, SourceText
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction, KnownSite

# The extent of a label in the index reaches to the last of those that lead to a call.
_LABELS = re.compile(r"\b(?:case\s[^:;{}]+|default)(?=\s*(?::|$))")

# Each token with its line, counted from 0 at that of the function's name.
TokensFromName = list[tuple[str, int]]


class FunctionTexts:
    """Reads the functions of an indexed tree. `sources` has its lines, `expander` takes macros for
    names out of tokens.
    """

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self.sources = SourceText(graph)
        self.expander = NameExpander(graph, self.sources)
        self._sites: dict[int, list[KnownSite]] = {}
        self._tokens: dict[int, TokensFromName] = {}
        self._expanded: dict[int, tuple[TokensFromName, dict[int, int]]] = {}
        self._flows: dict[int, ControlFlow] = {}
        self._guards: dict[int, list[tuple[ConditionForm, Extent, str]]] = {}
        self._conditions: dict[Extent, tuple[ConditionForm, str]] = {}

    def sites_of(self, function: int) -> list[KnownSite]:
        """The call sites of a function."""
        if function not in self._sites:
            self._sites[function] = self._graph.find_sites_of(function)
        return self._sites[function]

    def guards_of(self, function: int) -> list[tuple[ConditionForm, Extent, str]]:
        """The conditions that the index knows around the calls of a function, each once: form,
        place and text.
        """
        if function not in self._guards:
            extents = dict.fromkeys(
                guard.extent for site in self.sites_of(function) for guard in site.guards)
            known = [(extent, *self.read_guard(extent)) for extent in extents]
            self._guards[function] = [(form, extent, text) for extent, form, text in known if text]
        return self._guards[function]

    def read_guard(self, guard: Extent) -> tuple[ConditionForm, str]:
        """The form of a condition that the index knows, and its text on one line; of `case` and
        `default` only the labels. The text is "" if it cannot be read.
        """
        if guard not in self._conditions:
            text = " ".join(self.sources.read_extent(guard).split())
            text = ": ".join(_LABELS.findall(text)) if _LABELS.match(text) else text
            self._conditions[guard] = self.normalise(text, guard.start.path), text
        return self._conditions[guard]

    def normalise(self, condition: str, path: str, *, holds: bool = True) -> ConditionForm:
        """The form of a condition of code in the file `path`, or of its negation."""
        return normalise_condition(self.expander.expand_text(condition, path), holds=holds)

    def tokens_of(self, function: KnownFunction) -> TokensFromName:
        """The tokens of a function's definition."""
        if function.number not in self._tokens:
            place = function.location
            lines = self.sources.read_lines(place.path) if place else []
            first = place.line - 1 if place else 0
            self._tokens[function.number] = tokenise("\n".join(lines[first:function.end_line]))
        return self._tokens[function.number]

    def expanded_tokens_of(self, function: KnownFunction) -> TokensFromName:
        """The same without lines of the preprocessor and macros for names and members."""
        return self._expand(function)[0]

    def _expand(self, function: KnownFunction) -> tuple[TokensFromName, dict[int, int]]:
        if function.number not in self._expanded:
            path = function.location.path if function.location else ""
            plain = self.expander.expand(self.tokens_of(function), path)
            self._expanded[function.number] = strip_directives(plain)
        return self._expanded[function.number]

    def control_flow_of(self, function: KnownFunction) -> ControlFlow:
        """The conditions and labels among the expanded tokens."""
        if function.number not in self._flows:
            tokens, ends = self._expand(function)
            written, _ = strip_directives(self.tokens_of(function))
            self._flows[function.number] = ControlFlow(
                [word for word, _ in tokens], ends, [word for word, _ in written])
        return self._flows[function.number]

    def find_tokens(self, function: KnownFunction, words: list[str]) -> list[Extent]:
        """Where a run of tokens stands in a function's definition: as written, else with macros
        for members expanded on both sides. Semicolons make no difference.
        """
        place = function.location
        if place is None or not words:
            return []
        found = _find_runs(place, self.tokens_of(function), words)
        if found:
            return found
        expanded = self.expander.expand(((word, 0) for word in words), place.path)
        return _find_runs(
            place, self.expanded_tokens_of(function), [word for word, _ in expanded])


def _find_runs(start: Location, tokens: TokensFromName, words: list[str]) -> list[Extent]:
    kept = [(word, line) for word, line in tokens if word != ";"]
    return [
        Extent(Location(start.path, start.line + kept[first][1]),
               start.line + kept[first + len(words) - 1][1])
        for first in range(len(kept) - len(words) + 1)
        if all(kept[first + step][0] == word for step, word in enumerate(words))
    ]
