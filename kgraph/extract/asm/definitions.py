"""Turns assembler statements into definitions: functions, what they call, what they refer to.

A label starts a function or an object if other files can name it, if it has the type of a
function, or if another function of the source jumps into the code there (labels.py). Everything
up to the next one belongs to it: calls, jumps, references. Data in a section of its own, or behind
the end of a function (.size), is never part of that function: what names something there is an
object, which has the name of its label, else of its section and line. A name that another file may
define becomes a Symbol; the linkage step decides which symbols are functions. A function whose last
instruction does not leave falls through into the next one, which counts as a call; after a call
only into a label of its own, since others may follow a function that does not return. A call
through a register is a call site whose callee is not known, unless the register holds the
address of a name, which is a reference.

Limits: arguments that assembler passes are not followed, but a call through one of its own is.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from kgraph.extract.asm.dialects import USUAL, Dialect
from kgraph.extract.asm.inline import (
    CALL_INSTRUCTIONS,
    THROUGH_REGISTER,
    UNKNOWN_ARGUMENTS,
)
from kgraph.extract.asm.labels import (
    AsmLabels,
    Sections,
    find_names,
    is_call,
    is_data,
    is_instruction,
)
from kgraph.extract.asm.parser import AsmStatement
from kgraph.extract.asm.registers import RegisterContents, find_called_register
from kgraph.extract.identities import make_definition_key
from kgraph.model.facts import CallSite, Definition, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Location
from kgraph.model.values import Load, Opaque, Parameter, Place, Symbol, SymbolUse, Value

_NAME = re.compile(r"[A-Za-z_]\w*")
_POINTER_CALL = re.compile(r"\*\s*([A-Za-z_]\w*)\s*(?:$|\()")
# Instructions that control does not pass (x86, arm, riscv).
_EXIT = re.compile(
    r"(?!bl)(?:jmp|l?ret|iret|sysret|sysexit|eret|mret|sret|ud2|hlt|br?|brk|bx|tail|j)[lqwab]{0,2}")


@dataclass(slots=True)
class _Entry:
    """A function or object: the label that starts it, and what follows up to the next one."""

    id: FunctionId
    location: Location
    is_code: bool
    last_line: int
    section: str = ""
    alias_of: str = ""
    calls: list[CallSite] = field(default_factory=list)
    calls_at: Counter[Location] = field(default_factory=Counter)
    indirect_calls: int = 0


class AsmDefinitions:
    """Reads the statements of one unit. `unit` is its path, `image` what it is linked into."""

    def __init__(self, unit: str, image: str, dialect: Dialect = USUAL) -> None:
        self._unit = unit
        self._image = image
        self._dialect = dialect
        self._labels = AsmLabels((), dialect)
        self._entries: list[_Entry] = []
        self._starting: dict[int, list[FunctionId]] = {}  # by the statement that starts them
        self._sections = Sections()
        self._registers = RegisterContents(dialect)
        self._code: _Entry | None = None  # what instructions belong to
        self._data: _Entry | None = None  # what data belongs to, in the current section
        self._has_ended = False  # `_code`, at its .size
        self._label: tuple[str, Location] | None = None  # of the data that follows
        self._mentions: list[tuple[_Entry, str, Location]] = []  # of local labels, in code
        self._runs_on = False  # after the last instruction
        self._has_called = False  # in the last instruction
        self._seen: set[tuple[FunctionId, Value, Location]] = set()

    def read(self, statements: Iterable[AsmStatement]) -> list[Definition]:
        """What the statements define."""
        kept = list(statements)
        self._labels = AsmLabels(kept, self._dialect)
        self._name_entries(kept)
        for number, statement in enumerate(kept):
            self._read_statement(statement, number)
        self._add_mentions()
        return [self._make_definition(entry) for entry in self._entries
                if entry.is_code or entry.calls or entry.id.name in self._labels.objects]

    def _name_entries(self, statements: list[AsmStatement]) -> None:
        """Name the functions and objects that start at each statement. A label that only this
        source can name starts a static function; a number takes the name before it, and its line.
        """
        outer = ""
        for number, statement in enumerate(statements):
            for label in self._labels.find_starting(statement, number):
                is_named = label in self._labels.names
                outer = label if is_named else outer
                name = f"{outer}.{statement.line}" if label.isdigit() else label
                self._starting.setdefault(number, []).append(
                    FunctionId(name, "" if is_named else statement.path, self._image))

    def _read_statement(self, statement: AsmStatement, number: int) -> None:
        location = Location(statement.path, statement.line, 1)
        starting = self._starting.get(number, ())
        for identity in starting:
            self._start_entry(identity, location)
        if self._labels.is_target(statement, number):
            self._registers = RegisterContents(self._dialect)
            if any(not identity.scope for identity in starting):
                self._registers.start_function()
        self._note_extent(statement, location)
        if is_instruction(statement):
            self._runs_on = not _EXIT.fullmatch(statement.word)
            self._has_called = statement.word in CALL_INSTRUCTIONS
        if statement.word == ".set":
            self._add_alias(statement.rest, location)
        elif self._sections.follow(statement):
            self._runs_on = False
            self._data = self._label = None
        else:
            self._read_operands(statement, number, location)
        self._registers.follow(statement)

    def _note_extent(self, statement: AsmStatement, location: Location) -> None:
        """Note where functions and objects end, and which label the data that follows has."""
        is_code = self._sections.current.is_code
        entry = self._code if is_code else self._data
        if is_instruction(statement):
            self._label = None
        elif labels := [label for label in statement.labels if not label.isdigit()]:
            self._label = labels[0], location
        if entry is None or (is_code and self._has_ended and not is_instruction(statement)):
            return
        if entry.location.path == statement.path:
            entry.last_line = max(entry.last_line, statement.line)
        if is_code and statement.word == ".size":
            self._has_ended = statement.rest.partition(",")[0].strip() == entry.id.name

    def _read_operands(self, statement: AsmStatement, number: int, location: Location) -> None:
        pointer = _POINTER_CALL.match(statement.rest.strip()) if is_call(statement) else None
        operand = find_called_register(statement)
        content = self._registers.find_content(operand[1:]) if operand else None
        if pointer:
            self._add_pointer_call(pointer[1], location)
        elif operand is None:
            is_inside = self._sections.current.is_code and not (
                self._has_ended and is_data(statement))
            for named in find_names(statement, self._dialect):
                if is_inside:
                    self._add_symbol(named.name, number, location, named.use)
                elif not self._labels.is_local(named.name):
                    self._add_datum(named.name, location)
            if not self._sections.current.is_code and is_data(statement):
                self._add_numbers(location)
        elif operand and content is None:
            self._add_call(THROUGH_REGISTER, operand, location)
        elif content is not None and content.variable:
            self._add_pointer_call(content.variable, location)
        elif content is not None and content.argument >= 0 and self._code is not None:
            argument = Parameter(self._code.id, content.argument)
            self._add_call(Load(Place(argument)), operand, location)

    def _start_entry(self, identity: FunctionId, location: Location) -> None:
        section = self._sections.current
        previous = self._code
        falls_through = self._runs_on and (not self._has_called or bool(identity.scope))
        if section.is_code and previous is not None and (
                falls_through or previous.location == location):
            self._add_call(Symbol(identity, SymbolUse.CALLED), identity.name, location)
        self._runs_on, self._has_called = section.is_code, False
        self._add_entry(_Entry(identity, location, section.is_code, location.line, section.name))

    def _add_entry(self, entry: _Entry) -> None:
        self._entries.append(entry)
        if entry.is_code:
            self._code, self._has_ended = entry, False
        else:
            self._data = entry

    def _add_alias(self, rest: str, location: Location) -> None:
        """`.set name, other`: a second name of a function, if other files can use it."""
        names = [name.strip() for name in rest.split(",", 1)]
        if len(names) == 2 and names[0] in self._labels.names and _NAME.fullmatch(names[1]):
            self._entries.append(
                _Entry(FunctionId(names[0], "", self._image), location, is_code=True,
                       last_line=location.line, alias_of=names[1]))

    def _add_pointer_call(self, name: str, location: Location) -> None:
        target: Value = Load(Place(ObjectId(name, "", self._image)))
        if self._labels.may_keep(name):
            target = Opaque("a pointer that assembler keeps")
        self._add_call(target, f"*{name}", location)

    def _add_symbol(self, name: str, number: int, location: Location, use: SymbolUse) -> None:
        """Record that the current entry uses a name, unless it is a label inside this entry."""
        entered = self._labels.find_entered(name, number)
        if entered is not None:
            identity = self._starting[entered][0]
            self._add_call(Symbol(identity, use), identity.name, location)
        elif not self._labels.is_local(name):
            self._add_call(Symbol(FunctionId(name, "", self._image), use), name, location)
        elif self._code is not None:
            self._mentions.append((self._code, name, location))

    def _add_datum(self, name: str, location: Location) -> None:
        """Record that data names something: an object of its own, unless one is open. A label that
        only this source can name divides no object that others can name.
        """
        entry = self._data
        if entry is None or (self._label is not None and entry.id.scope):
            entry = self._start_datum(location)
        symbol = Symbol(FunctionId(name, "", self._image), SymbolUse.REFERRED)
        self._append_call(entry, symbol, name, location)

    def _add_numbers(self, location: Location) -> None:
        """Record an object of numbers that its source declares as one: its name may say more."""
        if self._label is not None and self._label[0] in self._labels.objects:
            self._start_datum(location)

    def _start_datum(self, location: Location) -> _Entry:
        """Start an object that has the name of its label, else of its section and line."""
        section = self._sections.current.name
        label, start = self._label or (f"{section}:{location.line}", location)
        entry = _Entry(FunctionId(label, location.path, self._image), start, is_code=False,
                       last_line=location.line, section=section)
        self._add_entry(entry)
        self._label = None
        return entry

    def _add_mentions(self) -> None:
        """Record which code names objects that only this source can name."""
        objects = {entry.id.name: entry.id for entry in self._entries
                   if not entry.is_code and entry.id.scope}
        for entry, name, location in self._mentions:
            if name in objects:
                symbol = Symbol(objects[name], SymbolUse.REFERRED)
                self._append_call(entry, symbol, name, location)

    def _add_call(self, target: Value, expression: str, location: Location) -> None:
        """Record a call of the current function."""
        if self._code is not None:
            self._append_call(self._code, target, expression, location)

    def _append_call(
        self, entry: _Entry, target: Value, expression: str, location: Location
    ) -> None:
        if (entry.id, target, location) in self._seen:
            return
        self._seen.add((entry.id, target, location))
        ordinal = entry.calls_at[location]
        entry.calls_at[location] += 1
        index = -1
        if not isinstance(target, Symbol):
            index = entry.indirect_calls
            entry.indirect_calls += 1
        entry.calls.append(CallSite(
            caller=entry.id, location=location,
            extent=Extent(location, location.line, location.column), ordinal=ordinal,
            target=target, expression=expression, arguments=UNKNOWN_ARGUMENTS, index=index))

    def _make_definition(self, entry: _Entry) -> Definition:
        text = repr((entry.calls, entry.alias_of, entry.last_line, entry.is_code, entry.section))
        key = make_definition_key(
            f"{self._image}:{self._unit}", entry.location, entry.id.name, text)
        extent = Extent(entry.location, entry.last_line, 1)
        subject: Function | Object = Object(
            ObjectId(entry.id.name, entry.id.scope, self._image), entry.location, extent, "",
            entry.section)
        if entry.is_code:
            subject = Function(
                entry.id, entry.location, extent, signature="",
                weak=not entry.id.scope and entry.id.name in self._labels.weak,
                alias_of=entry.alias_of)
        return Definition(key, subject, tuple(entry.calls))
