"""Change impact: do changed facts resolve to the same graph, but for the functions that they
belong to?

    analyse_impact(removed, added, previous) -> GraphChange | str

`removed` are the definitions that are gone, `added` those in their place. A str says why the
impact may go beyond the functions that changed; then everything is resolved again.

The argument. Compare the constraints of the old facts and of the new ones. Unchanged facts, and
effects, which are compared and equal, give the same constraints in both. The rest is inert
(effects.py): edges into nodes that were not solved, and mentions of names. Which nodes are
solved follows backwards from calls, stores and copies, so an edge into a node that was not
solved cannot change that. A mention has an effect only if it is the first or the last one: of
an address that is taken, an object that is installed, a record told from a pointer, a name that
is linked. The footprint counts the mentions, so the first and the last are noticed; they pass
only if nothing but inert facts of the edited functions mentions the name. So both systems have
the same solution, and cite it in the same order, provided that positions kept theirs
(store/incremental/line_shift.py checks this).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from kgraph.model.facts import CallSite, Definition, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import (
    GraphChange,
    MarkKey,
    RewrittenFunction,
    RewrittenSite,
    hash_key,
)
from kgraph.model.location import Location
from kgraph.model.values import Address, Constant, Load, Parameter, Slot, Symbol
from kgraph.resolve.fact_rows import read_definitions
from kgraph.resolve.incremental.dependencies import (
    DUTY,
    GIVEN,
    INSTALLS,
    NAMED_FUNCTION,
    NAMED_OBJECT,
    NAMED_SLOT,
    OPEN,
    SYMBOL,
    TAKEN,
    TWINS,
    count_mentions,
    identity_key,
    name_key,
    named_keys,
)
from kgraph.resolve.incremental.effects import (
    NO_EFFECTS,
    Effects,
    Fact,
    PreviousResolution,
    iter_parts,
    separate_effects,
    strip_positions,
)

MOST_CHANGED_FUNCTIONS = 64
"""An edit that changes more functions is resolved as a whole."""

_ANY_NUMBER = Constant(0)
_Identity = tuple[type[FunctionId] | type[ObjectId], FunctionId | ObjectId]


def analyse_impact(
    removed: Iterable[Definition], added: Iterable[Definition], previous: PreviousResolution
) -> GraphChange | str:
    """The change of the graph, or why its impact is not bounded."""
    try:
        return _ImpactAnalysis(previous).analyse(removed, added)
    except _UnboundedImpact as unbounded:
        return str(unbounded)


class _UnboundedImpact(Exception):
    """Why a change may reach other functions than those that changed."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """The definition of one identity before and after an edit. One of the two may be missing."""

    before: Definition | None
    after: Definition | None

    @property
    def subject(self) -> Function | Object:
        """The subject of the later definition there is."""
        definition = self.after or self.before
        assert definition is not None
        return definition.subject

    def sides(self) -> list[Definition]:
        """The definitions that there are."""
        return [side for side in (self.before, self.after) if side is not None]


class _ImpactAnalysis:
    """One comparison. Raises _UnboundedImpact."""

    def __init__(self, previous: PreviousResolution) -> None:
        self._previous = previous
        self._moved_definitions: list[tuple[Definition, Definition]] = []
        self._moved_locations: list[tuple[Location, Location]] = []
        self._rewritten: list[RewrittenFunction] = []
        self._removed_objects: list[Object] = []
        self._added_objects: list[Object] = []
        self._effective_names: set[MarkKey] = set()
        self._lost: Counter[MarkKey] = Counter()  # mentions by facts without effect that are gone
        self._gained: Counter[MarkKey] = Counter()  # and by those in their place

    def analyse(
        self, removed: Iterable[Definition], added: Iterable[Definition]
    ) -> GraphChange:
        """The change of the graph."""
        changed: list[_Pair] = []
        for pair in self._iter_pairs(removed, added):
            if pair.before and pair.after and _outline(pair.before) == _outline(pair.after):
                self._moved_definitions.append((pair.before, pair.after))
            else:
                changed.append(pair)
        if len(changed) > MOST_CHANGED_FUNCTIONS:
            raise _UnboundedImpact(f"more than {MOST_CHANGED_FUNCTIONS} functions changed")
        for pair in changed:
            if isinstance(pair.subject, Object):
                self._compare_objects(pair)
            else:
                self._compare_functions(pair)
        self._check_names()
        self._check_marks()
        weights = {hash_key(key): self._gained[key] - self._lost[key]
                   for key in {*self._gained, *self._lost}}
        return GraphChange(
            tuple(self._moved_definitions), tuple(self._moved_locations), tuple(self._rewritten),
            tuple(self._removed_objects), tuple(self._added_objects),
            {key: weight for key, weight in weights.items() if weight})

    def _iter_pairs(
        self, removed: Iterable[Definition], added: Iterable[Definition]
    ) -> Iterator[_Pair]:
        """Pairs of one identity. Those of an identity with several definitions may only move."""
        before, after = _group_by_identity(removed), _group_by_identity(added)
        for identity in sorted(before.keys() | after.keys(), key=repr):
            old, new = before.get(identity, []), after.get(identity, [])
            kind, name = identity
            has_twins = self._previous.find_weight(identity_key(TWINS, name))
            if not has_twins and len(old) <= 1 and len(new) <= 1:
                yield _Pair(next(iter(old), None), next(iter(new), None))
                continue
            places = {definition.subject.location for definition in new}
            is_alike = list(map(_outline, old)) == list(map(_outline, new))
            if not is_alike or len(places) < len(new) or kind is not ObjectId:
                raise _UnboundedImpact(f"{name.name} has several definitions")
            self._moved_definitions += zip(old, new, strict=True)

    def _compare_objects(self, pair: _Pair) -> None:
        """A plain object may be removed or added; none may change."""
        lists = ((pair.before, self._removed_objects), (pair.after, self._added_objects))
        for definition, objects in lists:
            if definition is None:
                continue
            subject = definition.subject
            assert isinstance(subject, Object)
            facts = definition.calls or definition.bindings or definition.flows
            if (pair.before and pair.after) or facts or subject.section or subject.alias_of:
                raise _UnboundedImpact(f"the object {subject.id.name} changed")
            objects.append(subject)

    def _compare_functions(self, pair: _Pair) -> None:
        self._check_comparable(pair)
        if _find_named_values(pair.before) != _find_named_values(pair.after):
            raise _UnboundedImpact(f"{pair.subject.id.name} uses other functions as values")
        before, after = (NO_EFFECTS if side is None else separate_effects(side, self._previous)
                         for side in (pair.before, pair.after))
        if list(map(self._strip, before.effective)) != list(map(self._strip, after.effective)):
            raise _UnboundedImpact(f"the effects of {pair.subject.id.name} changed")
        if self._previous.find_weight(OPEN) and _find_pointers(before) != _find_pointers(after):
            raise _UnboundedImpact("functions without a definition may fill something")
        self._moved_locations += [
            (fact.location, counterpart.location)
            for fact, counterpart in zip(before.effective, after.effective, strict=True)]
        if pair.before and pair.after:
            self._moved_locations.append(
                (pair.before.subject.location, pair.after.subject.location))
        self._check_local_addresses(before, after)
        self._effective_names |= _collect_names((*before.effective, *after.effective))
        if pair.before:
            self._lost.update(_count_other_mentions(pair.before, before))
        if pair.after:
            self._gained.update(_count_other_mentions(pair.after, after))
        sites = self._rewrite_sites(pair, before, after)
        self._rewritten.append(RewrittenFunction(pair.before, pair.after, sites))

    def _check_comparable(self, pair: _Pair) -> None:
        if pair.before and pair.after and _heading(pair.before) != _heading(pair.after):
            raise _UnboundedImpact(f"{pair.subject.id.name} has a different declaration")
        if any(side.subject.alias_of for side in pair.sides()):
            raise _UnboundedImpact("an alias changed")
        if any(isinstance(call.target, Symbol) for side in pair.sides() for call in side.calls):
            raise _UnboundedImpact("assembler stands in a function that changed")

    def _strip(self, fact: Fact) -> object:
        """The effect of a fact.

        To the solver all numbers are the same. Only deferred calls differ by them, in calls
        that models declare or that lead to such. So __LINE__ in an assertion changes nothing.
        """
        if not isinstance(fact, CallSite) or not isinstance(fact.target, FunctionId):
            return strip_positions(fact)
        callee, _ = self._previous.link(fact.target)
        if self._previous.is_declared(fact.target.name) or self._previous.find_weight(
                identity_key(DUTY, callee)):
            return strip_positions(fact)
        return strip_positions(replace(fact, arguments=tuple(
            tuple(_ANY_NUMBER if isinstance(value, Constant) else value for value in choice)
            for choice in fact.arguments)))

    def _check_local_addresses(self, before: Effects, after: Effects) -> None:
        """An address in a local may be taken for the first or last time only if no effective fact
        names the local."""
        for _, root in before.taken_addresses ^ after.taken_addresses:
            if root in before.locals | after.locals or isinstance(root, Parameter):
                raise _UnboundedImpact(
                    f"the address of {root} is taken for the first or the last time")

    def _rewrite_sites(
        self, pair: _Pair, before: Effects, after: Effects
    ) -> tuple[RewrittenSite, ...]:
        """The call sites of a changed function, each with the previous one that it is like."""
        if pair.after is None:
            return ()
        old = [] if pair.before is None else _effect_positions(pair.before, before)
        counterparts = dict(zip(_effect_positions(pair.after, after), old, strict=True))
        sites = []
        for position, call in enumerate(pair.after.calls):
            like = counterparts.get(after.first_positions.get(position, position))
            callee = None
            if like is None:
                assert isinstance(call.target, FunctionId)
                callee, _ = self._previous.link(call.target)
            sites.append(RewrittenSite(call, like, callee))
        return tuple(sites)

    def _check_names(self) -> None:
        """Only facts without effect may name what is now defined, or no longer."""
        for function in self._rewritten:
            if function.before is None or function.after is None:
                others = self._gained if function.after is None else self._lost
                self._check_name(function.function, others)
        for thing in self._removed_objects:
            self._check_name(thing.id, self._gained)
        for thing in self._added_objects:
            self._check_name(thing.id, self._lost)

    def _check_name(self, identity: FunctionId | ObjectId, others: Counter[MarkKey]) -> None:
        key = name_key(identity)
        if (self._is_named_by_others(key) or others[key]
                or self._previous.find_weight((SYMBOL, identity.name))
                or self._previous.is_declared(identity.name)):
            raise _UnboundedImpact(f"{identity.name} is named elsewhere")

    def _is_named_by_others(self, key: MarkKey) -> bool:
        """Whether effective facts, or facts of other functions, mention a name."""
        return self._previous.find_weight(key) > self._lost[key] or key in self._effective_names

    def _check_marks(self) -> None:
        for key in {*self._lost, *self._gained}:
            before = self._previous.find_weight(key)
            after = before - self._lost[key] + self._gained[key]
            if after < 0:
                raise _UnboundedImpact("the footprint does not fit")
            if bool(before) != bool(after) and self._matters(key):
                raise _UnboundedImpact(f"{key[0]} {key[1:]} for the first or the last time")

    def _matters(self, key: MarkKey) -> bool:
        """Whether a first or last mention of this kind may matter to other facts."""
        kind = key[0]
        if kind in (NAMED_FUNCTION, NAMED_OBJECT, NAMED_SLOT):
            return False
        if kind in (INSTALLS, TAKEN, GIVEN):
            return all(map(self._is_named_by_others, named_keys(key)))
        return True


def _group_by_identity(definitions: Iterable[Definition]) -> dict[_Identity, list[Definition]]:
    """Definitions by what they define, those of one thing by place."""
    found: dict[_Identity, list[Definition]] = {}
    for definition in sorted(definitions, key=lambda one: (one.subject.location, one.key)):
        identity = definition.subject.id
        found.setdefault((type(identity), identity), []).append(definition)
    return found


def _find_named_values(definition: Definition | None) -> set[FunctionId]:
    """The functions whose names a definition uses as values."""
    return set() if definition is None else {
        value for value in definition.list_values() if isinstance(value, FunctionId)}


def _effect_positions(definition: Definition, effects: Effects) -> list[int]:
    """The positions of the calls among the effective facts, in the order of these."""
    positions = {id(call): position for position, call in enumerate(definition.calls)}
    return [positions[id(fact)] for fact in effects.effective if id(fact) in positions]


def _outline(definition: Definition) -> object:
    """A definition without lines and columns."""
    calls = tuple(
        (strip_positions(call), call.ordinal, call.extent.start.path,
         tuple((guard.extent.start.path, replace(guard, extent=None)) for guard in call.guards),
         call.handed)
        for call in definition.calls)
    return (strip_positions(definition.subject), calls, strip_positions(definition.bindings),
            strip_positions(definition.flows))


def _heading(definition: Definition) -> object:
    """A function without its position."""
    subject = definition.subject
    return replace(subject, location=None, extent=None)


def _collect_names(facts: Iterable[object]) -> set[MarkKey]:
    """The keys of the functions and objects that facts name."""
    return {name_key(part) for fact in facts for part in iter_parts(fact)
            if isinstance(part, FunctionId | ObjectId)}


def _find_pointers(effects: Effects) -> set[object]:
    """The facts without effect that mention pointers. Where functions without a definition may
    fill something, they follow pointers through all facts: a new one may reach further."""
    return {strip_positions(fact) for fact in effects.inert
            if any(isinstance(part, Load | Address | Slot) for part in iter_parts(fact))}


def _count_other_mentions(definition: Definition, effects: Effects) -> Counter[MarkKey]:
    """What facts that are not effective mention."""
    others = {id(fact) for fact in (*effects.inert, *effects.repeated)}
    return count_mentions(read_definitions([replace(
        definition,
        calls=tuple(call for call in definition.calls if id(call) in others),
        bindings=tuple(binding for binding in definition.bindings if id(binding) in others),
        flows=tuple(flow for flow in definition.flows if id(flow) in others))]))
