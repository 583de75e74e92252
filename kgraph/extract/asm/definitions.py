"""Turns assembler statements into definitions: functions, what they call, what they refer to.

A label starts a definition if other files can name it or if it has the type of a function.
Everything up to the next one belongs to it: calls, jumps, references. Outside code sections it
is an object. A name that another file may define becomes a Symbol; the linkage step decides
which symbols are functions. A function whose last instruction neither leaves nor calls falls
through into the next one, which counts as a call.

Limits: calls through registers are not seen; arguments that assembler passes are not followed.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from kgraph.extract.asm.inline import CALL_INSTRUCTIONS, UNKNOWN_ARGUMENTS
from kgraph.extract.asm.parser import AsmStatement
from kgraph.extract.identities import make_definition_key
from kgraph.model.facts import CallSite, Definition, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Location
from kgraph.model.values import Load, Opaque, Place, Symbol, SymbolUse, Value

_NAME = re.compile(r"[A-Za-z_]\w*")
# A name in an operand: no register, no number's suffix, no parameter of a macro, no text.
_OPERAND = re.compile(r"(?<![\w%.\\@])\$?([A-Za-z_]\w*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)')  # or to the end: see gas.py
_JUMP = re.compile(r"j[a-z]{1,4}")
_THROUGH = re.compile(r"\*\s*([A-Za-z_]\w*)\s*(?:$|\()")
# instructions behind which control does not go on (x86, arm, riscv); the call of something that
# does not return is told by nothing, so that nothing is said behind a call
_LEAVES = re.compile(
    r"(?:jmp|l?ret|iret|sysret|sysexit|eret|mret|sret|ud2|hlt|br?|bx|tail|j)[lqwa]{0,2}")
_DATA = frozenset({".quad", ".8byte", ".long", ".4byte", ".int", ".word", ".dword", ".xword"})
_BINDING = frozenset({".globl", ".global", ".weak"})
_SECTION = re.compile(r'\s*"?([\w.$-]+)"?\s*(?:,\s*"([^"]*)")?')
_CODE = re.compile(r"\.(?:[\w.-]*\.)?text\b|\.altinstr_replacement|\.fixup")


@dataclass(slots=True)
class _Entry:
    """A label that starts a function or object, and what stands behind it."""

    name: str
    location: Location
    code: bool
    end: int
    calls: list[CallSite] = field(default_factory=list)
    alias_of: str = ""
    places: Counter[Location] = field(default_factory=Counter)  # of the calls
    indirect: int = 0


class AsmDefinitions:
    """Reads the statements of one unit. `unit` is its path, `image` what it is linked into."""

    def __init__(self, unit: str, image: str) -> None:
        self._unit = unit
        self._image = image
        self._bound: set[str] = set()
        self._weak: set[str] = set()
        self._labels: set[str] = set()
        self._entries: list[_Entry] = []
        self._sections = [True]
        self._runs_on = False  # behind the last instruction
        self._seen: set[tuple[str, Value, Location]] = set()

    def read(self, statements: Iterable[AsmStatement]) -> list[Definition]:
        """What the statements define."""
        kept = list(statements)
        for statement in kept:
            self._names(statement)
        for statement in kept:
            self._read(statement)
        return [self._definition(entry) for entry in self._entries
                if entry.code or entry.calls]

    def _names(self, statement: AsmStatement) -> None:
        self._labels.update(statement.labels)
        if statement.word in _BINDING:
            names = _NAME.findall(statement.rest)
            self._bound.update(names)
            if statement.word == ".weak":
                self._weak.update(names)
        elif statement.word == ".type" and "function" in statement.rest.lower():
            self._bound.update(_NAME.findall(statement.rest)[:1])

    def _read(self, statement: AsmStatement) -> None:
        location = Location(statement.path, statement.line, 1)
        for label in statement.labels:
            if label in self._bound:
                self._start(label, location)
        word, rest = statement.word, statement.rest
        if self._entries and self._entries[-1].location.path == statement.path:
            self._entries[-1].end = max(self._entries[-1].end, statement.line)
        if word and not word.startswith("."):
            self._runs_on = word not in CALL_INSTRUCTIONS and not _LEAVES.fullmatch(word)
        if word == ".set":
            self._alias(rest, location)
        elif word in (".section", ".pushsection", ".popsection", ".previous") or (
                word in (".text", ".data", ".bss")):
            self._section(word, rest)
        elif word in CALL_INSTRUCTIONS or _JUMP.fullmatch(word):
            self._called(rest, location)
        elif word in _DATA or (word and not word.startswith(".")):
            self._referred(rest, location)

    def _start(self, label: str, location: Location) -> None:
        code = self._sections[-1]
        before = self._entries[-1] if self._entries else None
        if code and before is not None and before.code and (
                self._runs_on or before.location == location):
            self._name(label, location, called=True)
        self._runs_on = code
        self._entries.append(_Entry(label, location, code, location.line))

    def _alias(self, rest: str, location: Location) -> None:
        """`.set name, other`: one function under two names, where other files can use it."""
        names = [name.strip() for name in rest.split(",", 1)]
        if len(names) == 2 and names[0] in self._bound and _NAME.fullmatch(names[1]):
            self._entries.append(
                _Entry(names[0], location, True, location.line, alias_of=names[1]))

    def _section(self, word: str, rest: str) -> None:
        if word == ".popsection":
            if len(self._sections) > 1:
                self._sections.pop()
            return
        match = _SECTION.match(rest if word.endswith("section") else word)
        self._runs_on = False
        code = self._sections[0] if match is None or word == ".previous" else (
            bool(_CODE.match(match[1])) or "x" in (match[2] or ""))
        if word == ".pushsection":
            self._sections.append(code)
        else:
            self._sections[-1] = code

    def _called(self, rest: str, location: Location) -> None:
        operand = rest.rsplit(",", maxsplit=1)[-1].partition("@")[0].strip()  # f@PLT
        if through := _THROUGH.match(rest.strip()):
            held: Value = Load(Place(ObjectId(through[1], "", self._image)))
            if through[1] in self._labels:
                held = Opaque("a pointer that assembler keeps")
            self._add(held, f"*{through[1]}", location)
        elif _NAME.fullmatch(operand):
            self._name(operand, location, called=True)

    def _referred(self, rest: str, location: Location) -> None:
        for name in _OPERAND.findall(_STRING.sub("", rest)):
            self._name(name, location, called=False)

    def _name(self, name: str, location: Location, *, called: bool) -> None:
        if name not in self._labels or name in self._bound:
            how = SymbolUse.CALLED if called else SymbolUse.REFERRED
            self._add(Symbol(FunctionId(name, "", self._image), how), name, location)

    def _add(self, target: Value, expression: str, location: Location) -> None:
        if not self._entries:
            return
        entry = self._entries[-1]
        if (entry.name, target, location) in self._seen:
            return
        self._seen.add((entry.name, target, location))
        known = entry.places[location]
        entry.places[location] += 1
        indirect = -1
        if not isinstance(target, Symbol):
            indirect = entry.indirect
            entry.indirect += 1
        entry.calls.append(CallSite(
            caller=FunctionId(entry.name, "", self._image), location=location,
            extent=Extent(location, location.line, location.column), ordinal=known, target=target,
            expression=expression, arguments=UNKNOWN_ARGUMENTS, index=indirect))

    def _definition(self, entry: _Entry) -> Definition:
        text = repr((entry.calls, entry.alias_of, entry.end, entry.code))
        key = make_definition_key(f"{self._image}:{self._unit}", entry.location, entry.name, text)
        end = Extent(entry.location, entry.end, 1)
        subject: Function | Object = Object(
            ObjectId(entry.name, "", self._image), entry.location, end, "")
        if entry.code:
            subject = Function(
                FunctionId(entry.name, "", self._image), entry.location, end, signature="",
                weak=entry.name in self._weak, alias_of=entry.alias_of)
        return Definition(key, subject, tuple(entry.calls))
