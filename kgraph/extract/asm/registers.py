"""Calls through registers, and what registers hold there."""

import re
from dataclasses import dataclass

from kgraph.extract.asm.dialects import USUAL, Dialect
from kgraph.extract.asm.inline import CALL_INSTRUCTIONS
from kgraph.extract.asm.labels import is_call
from kgraph.extract.asm.parser import AsmStatement

_REGISTER = re.compile(r"%\w+")
_SYMBOL = r"(?:[A-Za-z_.][\w.$]*|\d+[bf])"
_MOVED_ADDRESS = re.compile(rf"\$\s*{_SYMBOL}")
_LOADED_ADDRESS = re.compile(rf"{_SYMBOL}(?:\(%[re]?ip\))?")
_VARIABLE = re.compile(r"([A-Za-z_]\w*)(?:\(%[re]?ip\))?")
_CALLS = re.compile(r"(?:call|jmp)[lqw]?")
# Of arm, riscv, mips, s390 and powerpc, with the registers that only return.
_OTHER_CALLS = frozenset({"blr", "blraa", "br", "bx", "jalr", "jr", "basr", "bctr", "bctrl"})
_JUMPS = frozenset({"b", "br", "bx"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORD = re.compile(r"\w+")
_READS_ONLY = re.compile(r"str[bh]?|stp|cm[pn]|tst|msr|nop|isb|dsb|dmb|hint")
_WRITES_FIRST = re.compile(r"mov\w?|mrs|adrp?|adrl|ldr\w*|add|sub|and|orr|eor|bic|ls[lr]|ubfx|csel")
_COUNTS_ON = re.compile(r"\]\s*(?:,|!)")
_RETURNS = re.compile(r"(?:.*[,\s])?(?:lr|ra|x30|r14|%r14|\$31|\$ra)")
_WIDTHS = re.compile(r"%(?:[re]?([abcd])[xlh]|[re]?(si|di|bp|sp)l?|r(\d+)[dwb]?)")


def find_called_register(statement: AsmStatement) -> str | None:
    """The operand of a call or jump through a register, or through memory that one points to; ""
    for one that returns, None for any other statement.
    """
    operand = " ".join(statement.rest.split())
    if _CALLS.fullmatch(statement.word):
        return operand if operand.startswith("*") else None
    if statement.word in _OTHER_CALLS:
        return "" if _RETURNS.fullmatch(operand) else f"*{operand}"
    return None


@dataclass(frozen=True, slots=True)
class Content:
    """What a register holds: the content of a variable, an argument of the function, or the address
    of a name, if neither is given."""

    variable: str = ""
    argument: int = -1


_ADDRESS = Content()


class RegisterContents:
    """What registers hold, while statements are read one after another and no jump leads between
    them. Called functions are taken to keep the addresses and variables that registers hold.
    """

    def __init__(self, dialect: Dialect = USUAL) -> None:
        self._dialect = dialect
        self._contents: dict[str, Content] = {}

    def start_function(self) -> None:
        """Take in the start of a function, which has its arguments in registers."""
        self._contents = {register: Content(argument=number)
                          for number, register in enumerate(self._dialect.parameters)}

    def follow(self, statement: AsmStatement) -> None:
        """Take in a statement."""
        if self._dialect.is_target_first:
            self._follow_target_first(statement)
        else:
            self._follow_target_last(statement)

    def _follow_target_last(self, statement: AsmStatement) -> None:
        source, _, target = (part.strip() for part in statement.rest.rpartition(","))
        word = statement.word
        if word.startswith("cmov") and _REGISTER.fullmatch(target):
            if self.find_content(source) != _ADDRESS or self.find_content(target) != _ADDRESS:
                self._forget(target)
        elif word.startswith(("mov", "lea")) and _REGISTER.fullmatch(target):
            content = self._find_source(source, is_load=word.startswith("mov"))
            self._forget(target)
            if content is not None:
                self._contents[_name_register(target)] = content
        elif not _CALLS.fullmatch(word):
            for register in _REGISTER.findall(statement.rest):
                self._forget(register)

    def _follow_target_first(self, statement: AsmStatement) -> None:
        word = statement.word
        if word in CALL_INSTRUCTIONS or word in _OTHER_CALLS:
            if word not in _JUMPS:
                self._contents = {register: content for register, content in self._contents.items()
                                  if content.argument < 0}
            return
        counts_on = _COUNTS_ON.search(statement.rest)
        if is_call(statement) or (_READS_ONLY.fullmatch(word) and not counts_on):
            return
        operands = [part.strip() for part in statement.rest.split(",")]
        content = self._find_assigned(word, operands[1:])
        # What is not known to write its first operand alone, or counts an address on, may write
        # all that it names.
        is_simple = _WRITES_FIRST.fullmatch(word) and not counts_on
        for register in operands[:1] if is_simple else _WORD.findall(statement.rest):
            self._forget(register)
        if content is not None:
            self._contents[operands[0]] = content

    def _find_assigned(self, word: str, sources: list[str]) -> Content | None:
        """What an instruction puts into its target."""
        if not sources:
            return None
        named = sources[-1].removesuffix("]").removeprefix(":lo12:")
        is_name = _NAME.fullmatch(named) and not self._dialect.unmarked.fullmatch(named)
        if word == "mov" and len(sources) == 1:
            return self.find_content(sources[0])
        if word in ("adr", "adrp", "adrl") or (word == "add" and sources[-1] != named):
            return _ADDRESS if is_name else None
        if word == "ldr" and sources[0].startswith("="):
            return _ADDRESS if _NAME.fullmatch(sources[0][1:]) else None
        if word == "ldr" and is_name and (len(sources) == 1 or sources[-1].startswith(":lo12:")):
            return Content(named)
        return None

    def find_content(self, register: str) -> Content | None:
        """What a register holds; None if that is not known."""
        return self._contents.get(_name_register(register))

    def _find_source(self, source: str, *, is_load: bool) -> Content | None:
        if _REGISTER.fullmatch(source):
            return self.find_content(source)
        if (_MOVED_ADDRESS if is_load else _LOADED_ADDRESS).fullmatch(source):
            return _ADDRESS
        variable = _VARIABLE.fullmatch(source)
        return Content(variable[1]) if is_load and variable else None

    def _forget(self, register: str) -> None:
        self._contents.pop(_name_register(register), None)


def _name_register(register: str) -> str:
    """A name for all widths of a register."""
    match = _WIDTHS.fullmatch(register)
    return next(part for part in match.groups() if part) if match else register
