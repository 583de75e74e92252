"""What the hops of a path fix for the hops after them, and what contradicts it.

A fact is small and holds from a hop on: the path runs in an interrupt; a parameter is this
constant; a notifier chain was asked for by this key. Each rule says which facts hold after a hop,
and may refuse the hop: it cannot happen after what the path has passed. A rule is asked only where
a hop concerns it or where facts hold, so a path without any costs nothing.
"""

from collections.abc import Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

from kgraph.store.arrays import FLAG_DEFERRED, FLAG_INDIRECT

_Value = TypeVar("_Value")


class Fact(NamedTuple):
    """A fact of the rule of this name: what it is about (`key`), and what holds (`value`)."""

    rule: str
    key: int
    value: int


Facts = tuple[Fact, ...]  # sorted


class ValueNumbers(Generic[_Value]):
    """Numbers for what facts say, where that is no number itself: a set of functions."""

    def __init__(self) -> None:
        self._values: list[_Value] = []
        self._numbers: dict[_Value, int] = {}

    def assign(self, value: _Value) -> int:
        """The number of a value, a new one for a new value."""
        if value not in self._numbers:
            self._numbers[value] = len(self._values)
            self._values.append(value)
        return self._numbers[value]

    def __getitem__(self, number: int) -> _Value:
        return self._values[number]


class OutgoingHop(NamedTuple):
    """The part of a hop that does not depend on how its caller was reached. `site` is its call site
    if bindings, pins or callbacks decide there, else None. `rules` are the places of the rules that
    are to be asked even where no facts hold.
    """

    caller: int
    callee: int
    cost: int
    edge: int
    width: int
    flags: int
    site: int | None
    rules: tuple[int, ...] = ()

    @property
    def is_deferred(self) -> bool:
        """Whether the callee runs later, or was registered for that."""
        return bool(self.flags & FLAG_DEFERRED)

    @property
    def is_direct(self) -> bool:
        """Whether the call names its callee."""
        return not self.flags & FLAG_INDIRECT


class Verdict(NamedTuple):
    """What a rule says of a hop: the facts of its own that hold after it; how many candidates its
    call site has here, None if the rule does not know; what is added to its cost. `refused` is why
    the hop cannot happen; unless `is_certain` another object might be meant.
    """

    facts: Facts = ()
    width: int | None = None
    cost: int = 0
    refused: str = ""
    is_certain: bool = True


class PathRule(Protocol):
    """One kind of facts. `is_of_parameters`: they are about what a function got from its caller."""

    name: str
    is_of_parameters: bool

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop may add or refuse facts where none hold."""

    def judge(self, hop: OutgoingHop, own: Facts, bindings: tuple[tuple[int, int], ...]) -> Verdict:
        """What holds after a hop. `own` are the facts of this rule that hold before it."""

    def facts_at_start(self, function: int) -> Facts:
        """What holds where a path starts."""


class PathFacts:
    """The rules that a search goes by; without rules it refuses nothing."""

    def __init__(self, rules: Iterable[PathRule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.name))
        self._of_parameters = {rule.name for rule in self.rules if rule.is_of_parameters}
        self._shares: dict[Facts, dict[int, Facts]] = {}

    def find_rules(self, hop: OutgoingHop) -> tuple[int, ...]:
        """The places of the rules that are to be asked about a hop even where no facts hold."""
        return tuple([place for place, rule in enumerate(self.rules) if rule.concerns(hop)])

    def facts_at_start(self, function: int) -> Facts:
        """What holds where a path starts."""
        return tuple(sorted(
            fact for rule in self.rules for fact in rule.facts_at_start(function)))

    def keep_by_type(self, facts: Facts) -> Facts:
        """What holds after a call by type, of which no rule knows what it hands on."""
        return tuple(fact for fact in facts if fact.rule not in self._of_parameters)

    def judge(
        self, hop: OutgoingHop, facts: Facts, bindings: tuple[tuple[int, int], ...]
    ) -> Verdict:
        """What holds after a hop, and how many candidates its call site has here."""
        shares = self._shares.get(facts)
        if shares is None:
            shares = self._shares[facts] = self._share_out(facts)
        found: Facts = ()
        width: int | None = None
        cost = 0
        for place in sorted({*shares, *hop.rules}) if hop.rules else shares:
            verdict = self.rules[place].judge(hop, shares.get(place, ()), bindings)
            if verdict.refused:
                return verdict
            if verdict.facts:
                found += verdict.facts if len(verdict.facts) == 1 else tuple(sorted(verdict.facts))
            cost += verdict.cost
            if verdict.width is not None:
                width = verdict.width if width is None else min(width, verdict.width)
        return Verdict(found, width, cost)

    def _share_out(self, facts: Facts) -> dict[int, Facts]:
        """The facts of each rule that has any, by its place."""
        shares: dict[int, Facts] = {}
        for place, rule in enumerate(self.rules):
            own = tuple([fact for fact in facts if fact.rule == rule.name])
            if own:
                shares[place] = own
        return shares
