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

from msgspec.structs import replace

from kgraph.model.facts import CallSite, Definition, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import (
    GraphChange,
    MarkKey,
    RewrittenFunction,
    RewrittenSite,
    hash_key,
)
from kgraph.model.location import Location
from kgraph.model.values import Constant, Parameter, Symbol
from kgraph.resolve.fact_rows import read_definitions
from kgraph.resolve.incremental.dependencies import (
    DUTY,
    GIVEN,
    INSTALLS,
    NAMED_FUNCTION,
    NAMED_OBJECT,
    NAMED_SLOT,
    RECORD,
    SYMBOL,
    TAKEN,
    TWINS,
    count_mentions,
)
from kgraph.resolve.incremental.effects import (
    Effects,
    Fact,
    PreviousResolution,
    iter_parts,
    separate_effects,
    strip_positions,
)

_NUMBER = Constant(0)
MOST_CHANGED_FUNCTIONS = 64
"""Edits that rewrite, add or remove more functions than these are resolved as a whole."""
Pair = tuple[Definition | None, Definition | None]
Identity = tuple[type[FunctionId] | type[ObjectId], FunctionId | ObjectId]


def analyse_impact(
    gone: Iterable[Definition], come: Iterable[Definition], former: PreviousResolution
) -> GraphChange | str:
    """What the difference comes to, or why that cannot be told."""
    try:
        return _ImpactAnalysis(former).between(gone, come)
    except _UnboundedImpact as unbounded:
        return str(unbounded)


class _UnboundedImpact(Exception):
    """Why a change may reach other functions than those that changed."""


class _ImpactAnalysis:
    def __init__(self, former: PreviousResolution) -> None:
        self._former = former
        self._moved: list[tuple[Definition, Definition]] = []
        self._fates: list[tuple[Location, Location]] = []
        self._rewritten: list[RewrittenFunction] = []
        self._objects: tuple[list[Object], list[Object]] = [], []
        self._kept_names: set[tuple[str, str, str]] = set()
        self._outer: Counter[MarkKey] = Counter()  # mentions by inert facts that are no more
        self._inner: Counter[MarkKey] = Counter()  # by those that are there instead

    def between(self, gone: Iterable[Definition], come: Iterable[Definition]) -> GraphChange:
        changed: list[Pair] = []
        for before, after in self._paired(gone, come):
            if before and after and _outline(before) == _outline(after):
                self._moved.append((before, after))
            else:
                changed.append((before, after))
        if len(changed) > MOST_CHANGED_FUNCTIONS:
            raise _UnboundedImpact(f"more than {MOST_CHANGED_FUNCTIONS} functions changed")
        for before, after in changed:
            self._one(before, after)
        self._check_names()
        self._check_marks()
        weights = {hash_key(key): self._inner[key] - self._outer[key]
                   for key in {*self._inner, *self._outer}}
        return GraphChange(
            tuple(self._moved), tuple(self._fates), tuple(self._rewritten),
            tuple(self._objects[0]), tuple(self._objects[1]),
            {key: weight for key, weight in weights.items() if weight})

    def _paired(self, gone: Iterable[Definition], come: Iterable[Definition]) -> Iterator[Pair]:
        """What stood and stands for one identity. Those of one with several definitions may have
        moved only."""
        before, after = _group_by_identity(gone), _group_by_identity(come)
        for identity in sorted(before.keys() | after.keys(), key=repr):
            old, new = before.get(identity, []), after.get(identity, [])
            name = identity[1]
            twins = self._former.find_weight((TWINS, name.name, name.scope, name.image))
            if not twins and len(old) <= 1 and len(new) <= 1:
                yield next(iter(old), None), next(iter(new), None)
                continue
            places = {definition.subject.location for definition in new}
            alike = list(map(_outline, old)) == list(map(_outline, new))
            if not alike or len(places) < len(new) or identity[0] is not ObjectId:
                raise _UnboundedImpact(f"{name.name} has several definitions")
            self._moved += zip(old, new, strict=True)

    def _one(self, before: Definition | None, after: Definition | None) -> None:
        definition = after or before
        assert definition is not None
        if isinstance(definition.subject, Object):
            self._object(before, after)
        else:
            self._function(before, after)

    def _object(self, before: Definition | None, after: Definition | None) -> None:
        """An object may come or go where it is a plain one; none may change."""
        for definition, side in ((before, self._objects[0]), (after, self._objects[1])):
            if definition is None:
                continue
            subject = definition.subject
            assert isinstance(subject, Object)
            facts = definition.calls or definition.bindings or definition.flows
            if (before and after) or facts or subject.section or subject.alias_of:
                raise _UnboundedImpact(f"the object {subject.id.name} changed")
            side.append(subject)

    def _function(self, before: Definition | None, after: Definition | None) -> None:
        if before and after and _heading(before) != _heading(after):
            raise _UnboundedImpact(f"{after.subject.id.name} is declared in another way")
        if any(side is not None and side.subject.alias_of for side in (before, after)):
            raise _UnboundedImpact("an alias changed")
        if any(isinstance(call.target, Symbol) for side in (before, after) if side is not None
               for call in side.calls):
            raise _UnboundedImpact("assembler stands in a function that changed")
        told = [None if side is None else separate_effects(side, self._former)
                for side in (before, after)]
        one, other = (part.effective if part else () for part in told)
        if list(map(self._said, one)) != list(map(self._said, other)):
            name = (after or before).subject.id.name  # type: ignore[union-attr]
            raise _UnboundedImpact(f"what {name} contributes changed")
        self._fates += [(fact.location, fate.location)
                        for fact, fate in zip(one, other, strict=True)]
        if before and after:
            self._fates.append((before.subject.location, after.subject.location))
        self._local_addresses(*told)
        for side, part, count in ((before, told[0], self._outer), (after, told[1], self._inner)):
            if side is not None and part is not None:
                self._kept_names |= _collect_names(part.effective)
                count.update(_count_other_mentions(side, part))
        self._rewritten.append(RewrittenFunction(before, after, self._sites(before, after, *told)))

    def _said(self, fact: Fact) -> object:
        """What a fact contributes. Numbers are all one to the solver; only what is run later is
        told apart by them, in calls that are declared or lead to such. So __LINE__ in an assertion
        changes nothing."""
        if not isinstance(fact, CallSite) or not isinstance(fact.target, FunctionId):
            return strip_positions(fact)
        callee = self._former.link(fact.target)[0]
        if self._former.is_declared(fact.target.name) or self._former.find_weight(
                (DUTY, callee.name, callee.scope, callee.image)):
            return strip_positions(fact)
        return strip_positions(replace(fact, arguments=tuple(
            tuple(_NUMBER if isinstance(value, Constant) else value for value in choice)
            for choice in fact.arguments)))

    def _local_addresses(self, one: Effects | None, other: Effects | None) -> None:
        """An address in a local may be taken first, or no more, where only inert facts know it."""
        before = one.taken_addresses if one else frozenset()
        after = other.taken_addresses if other else frozenset()
        kept = (one.locals if one else frozenset()) | (other.locals if other else frozenset())
        for _, root in before ^ after:
            if root in kept or isinstance(root, Parameter):
                raise _UnboundedImpact(f"the address of {root} is taken first, or no more")

    def _sites(
        self, before: Definition | None, after: Definition | None,
        one: Effects | None, other: Effects | None,
    ) -> tuple[RewrittenSite, ...]:
        if after is None or other is None:
            return ()
        old = [] if before is None or one is None else _effect_positions(before, one)
        now = _effect_positions(after, other)
        fate = dict(zip(now, old, strict=True))
        sites = []
        for position, call in enumerate(after.calls):
            like = fate.get(other.first_positions.get(position, position))
            callee = None
            if like is None:
                assert isinstance(call.target, FunctionId)
                callee, _ = self._former.link(call.target)
            sites.append(RewrittenSite(call, like, callee))
        return tuple(sites)

    def _check_names(self) -> None:
        """What is defined first, or no more, may be named by inert facts only."""
        for rewritten in self._rewritten:
            if rewritten.before is None or rewritten.after is None:
                self._check_name(NAMED_FUNCTION, rewritten.function, rewritten.after is None)
        for subjects, gone in zip(self._objects, (True, False), strict=True):
            for subject in subjects:
                self._check_name(NAMED_OBJECT, subject.id, gone)

    def _check_name(self, kind: str, identity: FunctionId | ObjectId, gone: bool) -> None:  # noqa: FBT001
        key = (kind, identity.name, identity.scope)
        named = self._others(key) or bool(self._inner[key] if gone else self._outer[key])
        named |= bool(self._former.find_weight((SYMBOL, identity.name)))
        if named or self._former.is_declared(identity.name):
            raise _UnboundedImpact(f"{identity.name} is named elsewhere")

    def _others(self, key: MarkKey) -> bool:
        """Whether facts that are not inert, or of other functions, mention a name."""
        return self._former.find_weight(key) > self._outer[key] or key in self._kept_names

    def _check_marks(self) -> None:
        for key in {*self._outer, *self._inner}:
            before = self._former.find_weight(key)
            after = before - self._outer[key] + self._inner[key]
            if after < 0:
                raise _UnboundedImpact("the footprint does not fit")
            if bool(before) != bool(after) and self._matters(key):
                raise _UnboundedImpact(f"{key[0]} {key[1:]} for the first or the last time")

    def _matters(self, key: MarkKey) -> bool:
        """Whether a first or last mention of this kind may matter to other facts."""
        if key[0] in (NAMED_FUNCTION, NAMED_OBJECT, NAMED_SLOT):
            return False
        if key[0] == RECORD:
            return True
        if key[0] == INSTALLS:
            return self._others((NAMED_OBJECT, *key[1:]))
        if key[0] == TAKEN:
            return self._others(key[1:])
        if key[0] == GIVEN:
            return self._others(key[1:5]) and (len(key) == 5 or self._others(key[5:]))
        return True


def _group_by_identity(definitions: Iterable[Definition]) -> dict[Identity, list[Definition]]:
    """Definitions by what they define, those of one thing by place."""
    found: dict[Identity, list[Definition]] = {}
    for definition in sorted(definitions, key=lambda one: (one.subject.location, one.key)):
        identity = definition.subject.id
        found.setdefault((type(identity), identity), []).append(definition)
    return found


def _effect_positions(definition: Definition, told: Effects) -> list[int]:
    """The positions of the calls in a contribution, in its order."""
    positions = {id(call): position for position, call in enumerate(definition.calls)}
    return [positions[id(fact)] for fact in told.effective if id(fact) in positions]


def _outline(definition: Definition) -> object:
    """A definition without the lines and columns of its places."""
    calls = tuple(
        (strip_positions(call), call.ordinal, call.extent.start.path,
         tuple((guard.extent.start.path, guard.holds) for guard in call.guards))
        for call in definition.calls)
    return (strip_positions(definition.subject), calls, strip_positions(definition.bindings),
            strip_positions(definition.flows))


def _heading(definition: Definition) -> object:
    """What a function's own facts say of it but for its place."""
    subject = definition.subject
    return replace(subject, location=None, extent=None)


def _collect_names(facts: Iterable[object]) -> set[tuple[str, str, str]]:
    """The keys of the functions and objects that facts name."""
    names = set()
    for part in (part for fact in facts for part in iter_parts(fact)):
        if isinstance(part, FunctionId):
            names.add((NAMED_FUNCTION, part.name, part.scope))
        elif isinstance(part, ObjectId):
            names.add((NAMED_OBJECT, part.name, part.scope))
    return names


def _count_other_mentions(definition: Definition, told: Effects) -> Counter[MarkKey]:
    """What the facts beside the contribution mention."""
    beside = (*told.inert, *told.repeated)
    return count_mentions(read_definitions([replace(
        definition,
        calls=tuple(call for call in definition.calls if _is_among(call, beside)),
        bindings=tuple(binding for binding in definition.bindings if _is_among(binding, beside)),
        flows=tuple(flow for flow in definition.flows if _is_among(flow, beside)))]))


def _is_among(fact: object, facts: Iterable[object]) -> bool:
    return any(fact is other for other in facts)
