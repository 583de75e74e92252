"""A fixture kernel, extracted and resolved, as what can be compared with its own words."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.build import UnitRequest, list_translation_units, open_tree
from kgraph.extract import Extractor
from kgraph.model.facts import CallSite, Definition, Function, UnitFacts
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.resolution import EdgeKind, Resolution, SiteStatus
from kgraph.model.values import (
    Address,
    CallResult,
    Holder,
    Load,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    Value,
    Variable,
)
from kgraph.resolve import load_deferral_rules, resolve
from kgraph.resolve.models.declared import load_copy_functions

Line = tuple[str, int]


@dataclass(slots=True)
class Reading:
    """What kgraph says of a fixture, by (path, line). Names are written as the notation does."""

    units: list[UnitFacts]
    definitions: dict[str, Definition]
    resolution: Resolution
    functions: dict[FunctionId, Function] = field(default_factory=dict)
    indirect: dict[Line, list[tuple[str, SiteStatus, set[str]]]] = field(
        default_factory=lambda: defaultdict(list))
    deferred: dict[Line, dict[str, set[str]]] = field(  # and "(asm)": what assembler names
        default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    direct: dict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))
    puts: dict[Line, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    flows: dict[Line, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    defines: dict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))
    errors: set[Line] = field(default_factory=set)
    results: dict[tuple[FunctionId, int], set[str]] = field(default_factory=dict)

    def name(self, function: FunctionId) -> str:
        """path:name; the notation may leave the path out."""
        found = self.functions.get(function)
        return f"{found.location.path}:{function.name}" if found else f":{function.name}"

    def pointed(self, line: Line, holder: str) -> set[str]:
        """What stands for a variable whose address was put into a holder on the line."""
        return {f"(var {name})" for here, name in self.puts[line] if here == holder and name}

    def holder(self, holder: Holder | None) -> set[str]:
        """The ways in which the notation may write a holder."""
        match holder:
            case Slot():
                return {str(holder)}
            case Variable(_, name) if name.startswith("(callee)"):
                return {"(expr)"}
            case Variable(_, name):
                return {f"(var {name.split('#')[0]})"}
            case ObjectId(name):
                return {f"(var {name.rsplit('.', 1)[-1]})"}
            case Parameter(function, index):
                found = self.functions.get(function)
                names = found.parameters if found else ()
                name = names[index] if index < len(names) else str(index + 1)
                return {f"(param {name})", f"(param {function.name}.{name})",
                        f"(param {function.name}.{index + 1})"}
            case ReturnValue(function):
                return {f"(return {function.name})"}
            case CallResult(function, index):
                return {f"(return {name})" for name in self.results.get((function, index), ())}
        return {"(expr)"}


def read(folder: Path, work: Path) -> Reading:
    """Index a fixture in this process."""
    commands = folder / "compile_commands.json"
    tree = open_tree(folder, compile_commands=commands)
    listed = list_translation_units(tree, UnitRequest(compile_commands=commands), work=work)
    extractor = Extractor(tree.root, listed.build, set())
    units = [extractor.extract(unit) for unit in listed.units]
    definitions = {d.key: d for unit in units for d in unit.definitions}
    own = [file for file in (folder / "deferred.toml",) if file.exists()]
    reading = Reading(units, definitions, resolve(definitions.values(), load_deferral_rules(own)))
    _fill(reading)
    return reading


def find_reached(steps: set[tuple[str, str]], start: str) -> set[str]:
    """The holders that flows of one line lead to, through its macros' variables."""
    found = {start}
    queue = [start]
    while queue:
        here = queue.pop()
        for source, target in steps:
            if source == here and target not in found:
                found.add(target)
                queue.append(target)
    return found


def _at(location: Location) -> Line:
    return location.path, location.line


def _fill(reading: Reading) -> None:
    reading.functions = {f.id: f for f in reading.resolution.functions}
    for function in reading.resolution.functions:
        reading.defines[_at(function.location)].add(reading.name(function.id))
    for unit in reading.units:
        reading.errors.update(_at(e.location) for e in unit.errors if e.location)
    reading.results = {
        (s.caller, c.index): {x.callee.name for x in s.candidates}
        for s in reading.resolution.sites
        if (c := reading.definitions[s.key].calls[s.position]).index >= 0}
    for site in reading.resolution.sites:
        call = reading.definitions[site.key].calls[site.position]
        later = [c for c in site.candidates if c.kind is EdgeKind.DEFERRED]
        asm = [c for c in site.candidates if c.kind is EdgeKind.ASM]
        now = [c for c in site.candidates if c not in later and c not in asm]
        names = {reading.name(candidate.callee) for candidate in now}
        for candidate in later:
            key = f"({candidate.evidence[0].holder})"
            reading.deferred[_at(call.location)][key].add(reading.name(candidate.callee))
        for candidate in asm:
            reading.deferred[_at(call.location)]["(asm)"].add(reading.name(candidate.callee))
        if site.status is SiteStatus.DIRECT:
            reading.direct[_at(call.location)] |= names
        else:
            for holder in reading.holder(site.holder):
                reading.indirect[_at(call.location)].append((holder, site.status, names))
        _arguments(reading, call, [c.callee for c in now])
    for definition in reading.definitions.values():
        for binding in definition.bindings:
            for holder in reading.holder(binding.place.holder):
                reading.puts[_at(binding.location)].add((holder, _value_name(binding.value)))
        for flow in definition.flows:
            for source in _value_holders(reading, flow.source):
                for target in reading.holder(flow.target.holder):
                    reading.flows[_at(flow.location)].add((source, target))


def _arguments(reading: Reading, call: CallSite, callees: list[FunctionId]) -> None:
    for callee in callees:
        for index, values in enumerate(call.arguments):
            for value in values:
                for target in reading.holder(Parameter(callee, index)):
                    line = _at(call.location)
                    reading.puts[line].add((target, _value_name(value)))
                    for source in _value_holders(reading, value):
                        reading.flows[line].add((source, target))
        copied = load_copy_functions().get(callee.name)
        if copied is not None:
            _copy(reading, call, copied.source, copied.destination)


def _copy(reading: Reading, call: CallSite, source: int, destination: int) -> None:
    """A function that copies what one argument points to to where another does."""
    for value in call.arguments[source]:
        for target in call.arguments[destination]:
            for here in _value_holders(reading, value):
                for there in _value_holders(reading, target):
                    reading.flows[_at(call.location)].add((here, there))


def _value_name(value: Value) -> str:
    if isinstance(value, FunctionId):
        return value.name
    if isinstance(value, Address):
        return _root(value.place)
    return ""


def _root(place: Place) -> str:
    while isinstance(place.base, Address):
        place = place.base.place
    return place.holder.name.rsplit(".", 1)[-1] if isinstance(place.holder, ObjectId) else ""


def _value_holders(reading: Reading, value: Value) -> set[str]:
    if isinstance(value, Load | Address):
        return reading.holder(value.place.holder)
    return set()
