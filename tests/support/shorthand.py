"""Facts of C text, written short enough to be compared by eye."""

from collections.abc import Callable
from pathlib import Path

from kgraph.model.facts import CallSite, Definition, UnitFacts
from kgraph.model.ids import FunctionId
from kgraph.model.units import TranslationUnit
from kgraph.model.values import Address, Constant, Load, Opaque, Place, Value

Facts = Callable[..., "Reading"]


def unit(root: Path, name: str) -> TranslationUnit:
    """A unit of a folder, with headers in its include/."""
    return TranslationUnit(name, name.replace(".c", ".o"), "vmlinux", str(root / name), str(root),
                           ("-nostdinc", f"-I{root}/include", f"-DKBUILD_MODNAME={name[:3]}", "-w"))


def place_text(place: Place) -> str:
    base = "" if place.base is None else "{" + value_text(place.base) + "}"
    return f"{place.holder}{base}"


def value_text(value: Value) -> str:
    match value:
        case Load(place):
            return place_text(place)
        case Address(place):
            return "&" + place_text(place)
        case FunctionId(name):
            return name
        case Constant(number):
            return str(number)
        case Opaque(reason):
            return f"?{reason}"


class Reading:
    """The facts of one unit, by subject name."""

    def __init__(self, facts: UnitFacts) -> None:
        self.facts = facts

    def definition(self, name: str) -> Definition:
        found = [d for d in self.facts.definitions if d.subject.id.name == name]
        assert len(found) == 1, f"{name}: {[d.subject.id.name for d in self.facts.definitions]}"
        return found[0]

    def names(self) -> list[str]:
        return [d.subject.id.name for d in self.facts.definitions]

    def sites(self, name: str) -> tuple[CallSite, ...]:
        return self.definition(name).calls

    def calls(self, name: str) -> list[str]:
        """The callees of a function: names, or what an indirect call goes through."""
        return [value_text(site.target) for site in self.sites(name)]

    def puts(self, name: str) -> list[str]:
        """Bindings and flows: "place = value"."""
        found = self.definition(name)
        return [f"{place_text(b.place)} = {value_text(b.value)}" for b in found.bindings] + [
            f"{place_text(f.target)} = {value_text(f.source)}" for f in found.flows]
