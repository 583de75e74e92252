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
# A name in an operand, not part of a register, number, macro parameter or string.
_OPERAND = re.compile(r"(?<![\w%.\\@])\$?([A-Za-z_]\w*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)')  # or to the end, see parser
_JUMP = re.compile(r"j[a-z]{1,4}")
_POINTER_CALL = re.compile(r"\*\s*([A-Za-z_]\w*)\s*(?:$|\()")
# Instructions that control does not pass (x86, arm, riscv). Whether a called function returns is
# not known, so a call counts as one, too.
_EXIT = re.compile(
    r"(?:jmp|l?ret|iret|sysret|sysexit|eret|mret|sret|ud2|hlt|br?|bx|tail|j)[lqwa]{0,2}")
_DATA = frozenset({".quad", ".8byte", ".long", ".4byte", ".int", ".word", ".dword", ".xword"})
_LINKAGE = frozenset({".globl", ".global", ".weak"})
_SECTION_DIRECTIVES = frozenset({
    ".section", ".pushsection", ".popsection", ".previous", ".text", ".data", ".bss"})
_SECTION = re.compile(r'\s*"?([\w.$-]+)"?\s*(?:,\s*"([^"]*)")?')
_CODE_SECTION = re.compile(r"\.(?:[\w.-]*\.)?text\b|\.altinstr_replacement|\.fixup")


@dataclass(slots=True)
class _Entry:
    """A function or object: the label that starts it, and what follows up to the next one."""

    name: str
    location: Location
    is_code: bool
    last_line: int
    alias_of: str = ""
    calls: list[CallSite] = field(default_factory=list)
    calls_at: Counter[Location] = field(default_factory=Counter)
    indirect_calls: int = 0


class AsmDefinitions:
    """Reads the statements of one unit. `unit` is its path, `image` what it is linked into."""

    def __init__(self, unit: str, image: str) -> None:
        self._unit = unit
        self._image = image
        self._labels: set[str] = set()
        self._visible: set[str] = set()  # labels that other files can name, or that are functions
        self._weak: set[str] = set()
        self._entries: list[_Entry] = []
        self._sections = [True]  # the stack of sections: whether each holds code
        self._falls_through = False  # after the last instruction
        self._seen: set[tuple[str, Value, Location]] = set()

    def read(self, statements: Iterable[AsmStatement]) -> list[Definition]:
        """What the statements define."""
        kept = list(statements)
        for statement in kept:
            self._note_names(statement)
        for statement in kept:
            self._read_statement(statement)
        return [self._make_definition(entry) for entry in self._entries
                if entry.is_code or entry.calls]

    def _note_names(self, statement: AsmStatement) -> None:
        self._labels.update(statement.labels)
        if statement.word in _LINKAGE:
            names = _NAME.findall(statement.rest)
            self._visible.update(names)
            if statement.word == ".weak":
                self._weak.update(names)
        elif statement.word == ".type" and "function" in statement.rest.lower():
            self._visible.update(_NAME.findall(statement.rest)[:1])

    def _read_statement(self, statement: AsmStatement) -> None:
        location = Location(statement.path, statement.line, 1)
        for label in statement.labels:
            if label in self._visible:
                self._start_entry(label, location)
        word, rest = statement.word, statement.rest
        if self._entries and self._entries[-1].location.path == statement.path:
            self._entries[-1].last_line = max(self._entries[-1].last_line, statement.line)
        if word and not word.startswith("."):
            self._falls_through = word not in CALL_INSTRUCTIONS and not _EXIT.fullmatch(word)
        if word == ".set":
            self._add_alias(rest, location)
        elif word in _SECTION_DIRECTIVES:
            self._change_section(word, rest)
        elif word in CALL_INSTRUCTIONS or _JUMP.fullmatch(word):
            self._read_call(rest, location)
        elif word in _DATA or (word and not word.startswith(".")):
            self._read_references(rest, location)

    def _start_entry(self, label: str, location: Location) -> None:
        is_code = self._sections[-1]
        previous = self._entries[-1] if self._entries else None
        if is_code and previous is not None and previous.is_code and (
                self._falls_through or previous.location == location):
            self._add_symbol(label, location, SymbolUse.CALLED)
        self._falls_through = is_code
        self._entries.append(_Entry(label, location, is_code, location.line))

    def _add_alias(self, rest: str, location: Location) -> None:
        """`.set name, other`: a second name of a function, if other files can use it."""
        names = [name.strip() for name in rest.split(",", 1)]
        if len(names) == 2 and names[0] in self._visible and _NAME.fullmatch(names[1]):
            self._entries.append(
                _Entry(names[0], location, is_code=True, last_line=location.line,
                       alias_of=names[1]))

    def _change_section(self, word: str, rest: str) -> None:
        if word == ".popsection":
            if len(self._sections) > 1:
                self._sections.pop()
            return
        match = _SECTION.match(rest if word.endswith("section") else word)
        self._falls_through = False
        is_code = self._sections[0] if match is None or word == ".previous" else (
            bool(_CODE_SECTION.match(match[1])) or "x" in (match[2] or ""))
        if word == ".pushsection":
            self._sections.append(is_code)
        else:
            self._sections[-1] = is_code

    def _read_call(self, rest: str, location: Location) -> None:
        operand = rest.rsplit(",", maxsplit=1)[-1].partition("@")[0].strip()  # f@PLT
        if pointer := _POINTER_CALL.match(rest.strip()):
            name = pointer[1]
            target: Value = Load(Place(ObjectId(name, "", self._image)))
            if name in self._labels:
                target = Opaque("a pointer that assembler keeps")
            self._add_call(target, f"*{name}", location)
        elif _NAME.fullmatch(operand):
            self._add_symbol(operand, location, SymbolUse.CALLED)

    def _read_references(self, rest: str, location: Location) -> None:
        for name in _OPERAND.findall(_STRING.sub("", rest)):
            self._add_symbol(name, location, SymbolUse.REFERRED)

    def _add_symbol(self, name: str, location: Location, use: SymbolUse) -> None:
        """Record that the current entry uses a name, unless it is a label inside a function."""
        if name not in self._labels or name in self._visible:
            self._add_call(Symbol(FunctionId(name, "", self._image), use), name, location)

    def _add_call(self, target: Value, expression: str, location: Location) -> None:
        if not self._entries:
            return
        entry = self._entries[-1]
        if (entry.name, target, location) in self._seen:
            return
        self._seen.add((entry.name, target, location))
        ordinal = entry.calls_at[location]
        entry.calls_at[location] += 1
        index = -1
        if not isinstance(target, Symbol):
            index = entry.indirect_calls
            entry.indirect_calls += 1
        entry.calls.append(CallSite(
            caller=FunctionId(entry.name, "", self._image), location=location,
            extent=Extent(location, location.line, location.column), ordinal=ordinal,
            target=target, expression=expression, arguments=UNKNOWN_ARGUMENTS, index=index))

    def _make_definition(self, entry: _Entry) -> Definition:
        text = repr((entry.calls, entry.alias_of, entry.last_line, entry.is_code))
        key = make_definition_key(f"{self._image}:{self._unit}", entry.location, entry.name, text)
        extent = Extent(entry.location, entry.last_line, 1)
        subject: Function | Object = Object(
            ObjectId(entry.name, "", self._image), entry.location, extent, "")
        if entry.is_code:
            subject = Function(
                FunctionId(entry.name, "", self._image), entry.location, extent, signature="",
                weak=entry.name in self._weak, alias_of=entry.alias_of)
        return Definition(key, subject, tuple(entry.calls))
