"""Which tokens of a function run under which of its conditions and labels, found in its text."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise, takewhile
from typing import NamedTuple

from kgraph.check.source.condition_forms import (
    ConditionForm,
    join_alternatives,
    negate,
    normalise_condition,
    split_conjuncts,
)
from kgraph.check.source.tokens import CLOSE, find_end, join_tokens

_KEYWORDS = ("if", "while", "case", "default")
_LEAVING = ("return", "goto", "break", "continue")


@dataclass(frozen=True, slots=True)
class Branch:
    """A condition in a body: its form, the token at which it starts, the tokens that run if it
    holds and if it does not, and those `beyond` a label behind `other`, which may also be reached
    from elsewhere.
    """

    form: ConditionForm
    place: int
    then: range
    other: range
    beyond: range

    def forms_at(self, place: int) -> frozenset[ConditionForm]:
        """What holds at a token because of this condition."""
        if place in self.then:
            return split_conjuncts(self.form)
        return split_conjuncts(negate(self.form)) if place in self.other else frozenset()


@dataclass(frozen=True, slots=True)
class SwitchLabel:
    """A `case` or `default` label of a body: its text and token, the tokens that run from it until
    they leave the switch, and what that switch asks for.
    """

    text: str
    place: int
    then: range
    switch: str

    @property
    def form(self) -> ConditionForm:
        """What the switch asks for, as a condition: its value is the label's."""
        return normalise_condition(
            [*self.switch.split(" "), "==", *(self.text.split(" ")[1:] or ["default"])]
        )


class EnclosingConditions(NamedTuple):
    """The conditions and labels that any of some tokens, `here`, stands under."""

    here: list[int]
    branches: list[Branch]
    labels: list[SwitchLabel]

    @property
    def holds(self) -> frozenset[ConditionForm]:
        """What holds there because of them."""
        found = frozenset[ConditionForm]().union(
            *(branch.forms_at(at) for branch in self.branches for at in self.here))
        asked: dict[str, list[ConditionForm]] = {}
        for label in self.labels:
            if label.switch:
                asked.setdefault(label.switch, []).append(label.form)
        return found.union(map(join_alternatives, asked.values()))


class ControlFlow:
    """The conditions and labels of a body, found on first use.

    `words` are its tokens without macros for names; `ends` says of each bracket among them, by its
    place, where it closes; `written` are the tokens as they are written.
    """

    def __init__(self, words: list[str], ends: dict[int, int], written: list[str]) -> None:
        self.words = words
        self._ends = ends
        self._written = written
        self._statements: dict[int, range] = {}

    @cached_property
    def branches(self) -> list[Branch]:
        """The `if` and `while` conditions."""
        words, found = self.words, []
        heads = [place for place, (word, following) in enumerate(pairwise(words))
                 if word in ("if", "while") and following == "("]
        for place in reversed(heads):  # inner statements are read before those around them
            end = self.end_of(place + 1)
            then = self._read_statement_at(end + 1)
            after = then.stop
            other = beyond = range(after, after)
            if words[after:after + 1] == ["else"]:
                other = self._read_statement_at(after + 1)
            elif words[place] == "if" and self._leaves_block(then):
                stop = self._block_ends[after]
                reached, jumped = self._find_labels_between(after, stop)
                other, beyond = range(after, reached), range(jumped, stop)
            form = normalise_condition(words[place + 2:end])
            found.append(Branch(form, place, then, other, beyond))
        return found[::-1]

    @cached_property
    def labels(self) -> list[SwitchLabel]:
        """The labels of its switches."""
        words, found = self.words, list[SwitchLabel]()
        switches = dict(self._find_switches()) if self.branches or "switch" in words else {}
        for place, word in enumerate(words):
            if word not in ("case", "default"):
                continue
            colon = self._find_colon(place)
            if words[colon:colon + 1] == [":"]:
                then = range(colon + 1, self._find_exit(colon + 1))
                switch = switches.get(self._block_ends[place], "")
                found.append(SwitchLabel(" ".join(words[place:colon]), place, then, switch))
        return found

    def text_at(self, place: int) -> str:
        """The condition or label of the `if`, `while`, `case` or `default` at a token, as it is
        written.
        """
        at, words = self._written_keywords[place], self._written
        if words[at] in ("case", "default"):
            return join_tokens(takewhile(lambda word: word != ":", islice(words, at, None)))
        return join_tokens(words[at + 2:find_end(words, at + 1)])

    @cached_property
    def _written_keywords(self) -> dict[int, int]:
        """The places of keywords -> their places in the written tokens."""
        here, there = ([place for place, word in enumerate(words) if word in _KEYWORDS]
                       for words in (self.words, self._written))
        if len(here) != len(there):  # a macro stands for one
            self._written, there = self.words, here
        return dict(zip(here, there, strict=True))

    def find_enclosing(self, here: list[int]) -> EnclosingConditions:
        """The conditions and labels that any of the tokens `here` stands under."""
        first, last = (here[0], here[-1]) if here else (0, -1)
        near = [label for label in self.labels
                if label.then.start <= last and label.then.stop > first]
        return EnclosingConditions(
            here,
            [branch for branch in self.branches if any(map(branch.forms_at, here))],
            [label for label in near if any(at in label.then for at in here)],
        )

    def find_runs_behind(self, label: str) -> list[range]:
        """The tokens that run from each label of this name until they leave the block."""
        return [range(at, self._find_exit(at)) for at in self._label_places.get(label, ())]

    @property
    def goto_labels(self) -> list[str]:
        """The labels that a `goto` may name."""
        return list(self._label_places)

    def follow_jumps(self, start: range) -> list[range]:
        """These tokens, and those that run behind each label that they jump to, until they leave
        the block.
        """
        found, names, words = [start], set[str](), self.words
        for part in found:
            for place in part:
                name = words[place + 1] if words[place] == "goto" else ""
                if name and name not in names:
                    names.add(name)
                    found += self.find_runs_behind(name)
        return found

    def end_of(self, start: int) -> int:
        """The place where the bracket at `start` closes; the last place if it does not."""
        return self._ends.get(start, len(self.words) - 1)

    @cached_property
    def _label_places(self) -> dict[str, list[int]]:
        """Where the labels that a `goto` names stand."""
        found: dict[str, list[int]] = {}
        for place, (word, following) in enumerate(pairwise(self.words)):
            if following == ":" and word != "default" and place and (
                    self.words[place - 1] in (";", "{", "}", ":")):
                found.setdefault(word, []).append(place)
        return found

    @cached_property
    def _block_ends(self) -> list[int]:
        """For each token, and for the end, where the innermost brackets around it close."""
        around, found = [len(self.words)], []
        for place, word in enumerate(self.words):
            while len(around) > 1 and around[-1] <= place:
                around.pop()
            found.append(around[-1] if word not in CLOSE else place)
            if place in self._ends:
                around.append(self._ends[place])
        return [*found, len(self.words)]

    def _find_labels_between(self, start: int, stop: int) -> tuple[int, int]:
        """(first label between two tokens, first of them that a `goto` may lead to), `stop` if
        there is none. Besides labels of a `goto` only those of the switch that ends at `stop`
        count.
        """
        jumped = min((place for name, found in self._label_places.items()
                      if name in self._goto_names
                      for place in found if start <= place < stop), default=stop)
        cases = (place for place in self._labels_by_end.get(stop, ()) if place >= start)
        return min(jumped, next(cases, stop)), jumped

    @cached_property
    def _labels_by_end(self) -> dict[int, list[int]]:
        """The places of the labels of each switch, by the place where it ends."""
        found: dict[int, list[int]] = {}
        for place, word in enumerate(self.words):
            if word in ("case", "default"):
                found.setdefault(self._block_ends[place], []).append(place)
        return found

    @cached_property
    def _goto_names(self) -> set[str]:
        return {following for word, following in pairwise(self.words) if word == "goto"}

    def _find_switches(self) -> list[tuple[int, str]]:
        """(where the block closes, what the switch asks for) of each switch."""
        found = []
        for place, pair in enumerate(pairwise(self.words)):
            if pair == ("switch", "("):
                end = self.end_of(place + 1)
                found.append((self.end_of(end + 1), " ".join(self.words[place + 2:end])))
        return found

    def _find_exit(self, start: int) -> int:
        """The place behind the first statement from `start` on that leaves the block around it."""
        place, last = start, self._block_ends[min(start, len(self.words))]
        while (place := self._skip_labels(place)) < last:
            part = range(place, max(place + 1, self._read_statement_at(place).stop))
            if self._leaves_block(part):
                return part.stop
            place = part.stop
        return last

    def _read_statement_at(self, start: int) -> range:
        """The tokens of the statement at `start`, with its `else`."""
        if start not in self._statements:
            self._statements[start] = self._read_statement(start)
        return self._statements[start]

    def _read_statement(self, start: int) -> range:
        words, place = self.words, start
        while words[place:place + 1] and words[place] in ("if", "while", "for", "switch"):
            is_if = words[place] == "if"
            place = self.end_of(place + 1) + 1
            if not is_if:
                continue
            inner = place
            if words[place:place + 1] != ["if"]:
                inner = self._read_statement_at(place).stop
            if words[inner:inner + 1] == ["else"]:
                place = inner + 1
            elif inner > place:
                return range(start, inner)
        return range(start, self._find_simple_end(place))

    def _find_simple_end(self, start: int) -> int:
        """The place behind the block that starts at `start`, or behind the next semicolon."""
        place = start
        while place < len(self.words):
            word = self.words[place]
            if word in CLOSE:
                return place
            if word == ";":
                return place + 1
            if place in self._ends:
                place = self._ends[place]
                if word == "{":
                    return place + 1
            place += 1
        return len(self.words)

    def _leaves_block(self, part: range) -> bool:
        """Whether a statement ends by leaving the block around it."""
        words, place = self.words, self._skip_labels(part.start)
        while words[place:place + 1] == ["if"]:
            then = self._read_statement_at(self.end_of(place + 1) + 1)
            if words[then.stop:then.stop + 1] != ["else"] or not self._leaves_block(then):
                return False
            place = then.stop + 1
        if words[place:place + 1] != ["{"]:
            return place < part.stop and words[place] in _LEAVING
        last, place, stop = range(0), place + 1, self.end_of(place)
        while (place := self._skip_labels(place)) < stop:
            last = range(place, max(place + 1, self._read_statement_at(place).stop))
            place = last.stop
        return bool(last) and self._leaves_block(last)

    def _find_colon(self, label: int) -> int:
        """The place where the `case` or `default` at `label` ends."""
        words = self.words
        return next((at for at in range(label, len(words)) if words[at] in ":;{"), len(words))

    def _skip_labels(self, place: int) -> int:
        """The place behind the labels that a statement begins with."""
        words = self.words
        while place + 1 < len(words):
            if words[place] in ("case", "default"):
                place = self._find_colon(place) + 1
            elif words[place + 1] == ":" and words[place].isidentifier():
                place += 2
            else:
                break
        return place
