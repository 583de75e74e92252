"""Which labels of a source start a function, and which label a name in an operand means.

A label that other files can name, or that has the type of a function, starts a function or an
object. Any other label of code lies inside one; but where code of another function jumps to it
or takes its address, what follows it runs as a function of its own, which starts there too.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from kgraph.extract.asm.dialects import USUAL, Dialect
from kgraph.extract.asm.inline import CALL_INSTRUCTIONS
from kgraph.extract.asm.parser import AsmStatement
from kgraph.model.values import SymbolUse

_NAME = re.compile(r"[A-Za-z_]\w*")
_JUMP = re.compile(r"j[a-z]{1,4}|bc?\.[a-z]{2}|[ct]bn?z")  # of x86, and with conditions of arm64
_TARGET = re.compile(r"[A-Za-z_]\w*|\.L[\w.$]*|\d+[bf]")
# A name in an operand, not part of a register, number, macro parameter or string.
_OPERAND = re.compile(r"(?<![\w%.\\@])\$?([A-Za-z_]\w*|\.L[\w.$]*|\d+[bf]\b)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)')  # or to the end, see parser
_DATA = frozenset({".quad", ".8byte", ".long", ".4byte", ".int", ".word", ".dword", ".xword"})
_LINKAGE = frozenset({".globl", ".global", ".weak"})
_SECTION_DIRECTIVES = frozenset({
    ".section", ".pushsection", ".popsection", ".previous", ".text", ".data", ".bss"})
_SECTION = re.compile(r'\s*"?([\w.$-]+)"?\s*(?:,\s*"([^"]*)")?')
_CODE_SECTION = re.compile(r"\.(?:[\w.-]*\.)?text\b|\.altinstr_replacement|\.fixup")


class Named(NamedTuple):
    """A name in the operands of a statement."""

    name: str
    use: SymbolUse


def is_instruction(statement: AsmStatement) -> bool:
    """Whether a statement is no directive."""
    return bool(statement.word) and not statement.word.startswith(".")


def is_call(statement: AsmStatement) -> bool:
    """Whether a statement calls or jumps."""
    return statement.word in CALL_INSTRUCTIONS or bool(_JUMP.fullmatch(statement.word))


def is_data(statement: AsmStatement) -> bool:
    """Whether a statement is a directive that makes data of names or numbers."""
    return statement.word in _DATA


def find_names(statement: AsmStatement, dialect: Dialect) -> list[Named]:
    """The names in the operands of an instruction, or of a directive that makes data."""
    if is_call(statement):
        operand = statement.rest.rsplit(",", maxsplit=1)[-1].partition("@")[0].strip()  # f@PLT
        return [Named(operand, SymbolUse.CALLED)] if _TARGET.fullmatch(operand) else []
    if is_data(statement) or (is_instruction(statement) and (
            dialect.naming is None or dialect.naming.fullmatch(statement.word))):
        plain = _STRING.sub("", statement.rest)
        return [Named(name, SymbolUse.REFERRED) for name in _OPERAND.findall(plain)
                if not dialect.unmarked.fullmatch(name)]
    return []


class Section(NamedTuple):
    """A section of the object file."""

    name: str
    is_code: bool


_TEXT = Section(".text", is_code=True)


class Sections:
    """The section that statements stand in, while they are read one after another."""

    def __init__(self) -> None:
        self._stack = [(_TEXT, _TEXT)]  # the current one and the one before, innermost push last

    @property
    def current(self) -> Section:
        """The section that the next statement stands in."""
        return self._stack[-1][0]

    def follow(self, statement: AsmStatement) -> bool:
        """Take in a statement; whether it changes the section."""
        word = statement.word
        if word not in _SECTION_DIRECTIVES:
            return False
        current, previous = self._stack[-1]
        if word == ".popsection":
            if len(self._stack) > 1:
                self._stack.pop()
        elif word == ".previous":
            self._stack[-1] = previous, current
        else:
            entered = _name_section(statement) or self._stack[0][0]
            if word == ".pushsection":
                self._stack.append((entered, current))
            else:
                self._stack[-1] = entered, current
        return True


def _name_section(statement: AsmStatement) -> Section | None:
    """The section that a directive enters."""
    word = statement.word
    match = _SECTION.match(statement.rest if word.endswith("section") else word)
    if match is None:
        return None
    is_code = bool(_CODE_SECTION.match(match[1])) or "x" in (match[2] or "")
    return Section(match[1], is_code)


class AsmLabels:
    """The labels of the statements of one source.

    `names` are those that other files can name or that have the type of a function, `weak` those
    of them that are weak, `objects` those that have the type of an object, written as STT_OBJECT.
    """

    def __init__(
        self, statements: Sequence[AsmStatement], dialect: Dialect = USUAL
    ) -> None:
        self._dialect = dialect
        self.names: set[str] = set()
        self.weak: set[str] = set()
        self.objects: set[str] = set()
        self._places: dict[str, list[int]] = {}  # label: the numbers of its statements
        self._in_code: set[int] = set()
        self._written: set[str] = set()
        self._ends: set[int] = set()  # the statements behind the ends of functions
        self._targets: set[int] = set()
        sections = Sections()
        for number, statement in enumerate(statements):
            self._note_linkage(statement)
            self._note_written(statement)
            sections.follow(statement)
            for label in statement.labels:
                self._places.setdefault(label, []).append(number)
            if sections.current.is_code:
                self._in_code.add(number)
                if statement.word == ".size" and statement.rest.partition(",")[0].strip() in (
                        self._places):
                    self._ends.add(number + 1)
        self._starts = sorted(self._ends.union(
            *(self._places.get(name, ()) for name in self.names)))
        self._entered: set[int] = set()
        self._find_entered(statements)

    def _note_linkage(self, statement: AsmStatement) -> None:
        if statement.word in _LINKAGE:
            names = _NAME.findall(statement.rest)
            self.names.update(names)
            if statement.word == ".weak":
                self.weak.update(names)
        elif statement.word == ".type" and "function" in statement.rest.lower():
            self.names.update(_NAME.findall(statement.rest)[:1])
        elif statement.word == ".type" and statement.rest.endswith("STT_OBJECT"):
            self.objects.update(_NAME.findall(statement.rest)[:1])

    def _note_written(self, statement: AsmStatement) -> None:
        """Note the variable that an instruction may write: its last operand, also that of a store
        where the target of others stands first.
        """
        if is_instruction(statement) and not is_call(statement) and (
                not self._dialect.is_target_first or statement.word.startswith("st")):
            target = statement.rest.rpartition(",")[2]
            self._written.update(_OPERAND.findall(target))

    def _find_entered(self, statements: Sequence[AsmStatement]) -> None:
        """Find the labels at which other functions enter one, or code that belongs to none. Each
        makes two functions of one, so jumps between its parts enter further labels.
        """
        inner = [(number, place) for number, statement in enumerate(statements)
                 for named in find_names(statement, self._dialect)
                 if (place := self._find_inner(named.name, number)) is not None]
        self._targets = {place for _, place in inner}
        while True:
            entered = {place for number, place in inner
                       if self._find_entry(number) not in (-1, self._find_entry(place))}
            if entered <= self._entered:
                return
            self._entered |= entered
            self._starts = sorted({*self._starts, *entered})

    def _find_entry(self, number: int) -> int:
        """The statement that starts what a statement belongs to: a function, an object, or what
        stands behind a function's end; or -1."""
        index = bisect_right(self._starts, number)
        return self._starts[index - 1] if index else -1

    def _find_inner(self, name: str, number: int) -> int | None:
        """The statement of the label of code that statement `number`, which is code, means by a
        name, if no other file can name it. Data names labels for faults, which are no jumps.
        """
        if name in self.names or number not in self._in_code:
            return None
        if name[0].isdigit():
            places = self._places.get(name[:-1], [])
            index = bisect_right(places, number) - 1 if name[-1] == "b" else bisect_left(
                places, number + 1)
            place = places[index] if 0 <= index < len(places) else None
        else:
            place = self._places.get(name, [None])[0]
        return place if place in self._in_code else None

    def find_starting(self, statement: AsmStatement, number: int) -> list[str]:
        """The labels of statement `number` that start a function or an object."""
        named = [label for label in statement.labels if label in self.names]
        return named or ([*statement.labels[:1]] if number in self._entered else [])

    def is_target(self, statement: AsmStatement, number: int) -> bool:
        """Whether statement `number` may be reached from elsewhere than the one before it."""
        return number in self._targets or not self.names.isdisjoint(statement.labels)

    def is_local(self, name: str) -> bool:
        """Whether a name is a label that no other file can name."""
        return name not in self.names and (not _NAME.fullmatch(name) or name in self._places)

    def may_keep(self, name: str) -> bool:
        """Whether assembler of this source may keep a pointer in a variable: it writes it, or only
        this source can name it.
        """
        return name in self._written or self.is_local(name)

    def find_entered(self, name: str, number: int) -> int | None:
        """The statement of the label that statement `number` means by a name, if what follows it is
        another function's and starts one there.
        """
        place = self._find_inner(name, number)
        if place in self._entered and place != self._find_entry(number):
            return place
        return None
