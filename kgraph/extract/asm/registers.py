"""Calls through registers, and what registers hold there."""

import re

from kgraph.extract.asm.parser import AsmStatement

_REGISTER = re.compile(r"%\w+")
_SYMBOL = r"(?:[A-Za-z_.][\w.$]*|\d+[bf])"
_MOVED_ADDRESS = re.compile(rf"\$\s*{_SYMBOL}")
_LOADED_ADDRESS = re.compile(rf"{_SYMBOL}(?:\(%[re]?ip\))?")
_VARIABLE = re.compile(r"([A-Za-z_]\w*)(?:\(%[re]?ip\))?")
_CALLS = re.compile(r"(?:call|jmp)[lqw]?")
# Of arm, riscv, mips, s390 and powerpc, with the registers that only return.
_OTHER_CALLS = frozenset({"blr", "blraa", "br", "bx", "jalr", "jr", "basr", "bctr", "bctrl"})
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


class RegisterContents:
    """What registers hold, while statements are read one after another and no jump leads between
    them: the address of a name, or the content of a variable. Called functions are taken to keep
    them.
    """

    def __init__(self) -> None:
        self._contents: dict[str, str] = {}  # register: the variable, "" for an address

    def follow(self, statement: AsmStatement) -> None:
        """Take in a statement."""
        source, _, target = (part.strip() for part in statement.rest.rpartition(","))
        word = statement.word
        if word.startswith("cmov") and _REGISTER.fullmatch(target):
            if self.find_content(source) != "" or self.find_content(target) != "":
                self._forget(target)
        elif word.startswith(("mov", "lea")) and _REGISTER.fullmatch(target):
            content = self._find_source(source, is_load=word.startswith("mov"))
            self._forget(target)
            if content is not None:
                self._contents[_name_register(target)] = content
        elif not _CALLS.fullmatch(word):
            for register in _REGISTER.findall(statement.rest):
                self._forget(register)

    def find_content(self, register: str) -> str | None:
        """The variable of which a register holds the content, "" if it holds the address of a name;
        None if that is not known.
        """
        return self._contents.get(_name_register(register))

    def _find_source(self, source: str, *, is_load: bool) -> str | None:
        if _REGISTER.fullmatch(source):
            return self.find_content(source)
        if (_MOVED_ADDRESS if is_load else _LOADED_ADDRESS).fullmatch(source):
            return ""
        variable = _VARIABLE.fullmatch(source)
        return variable[1] if is_load and variable else None

    def _forget(self, register: str) -> None:
        self._contents.pop(_name_register(register), None)


def _name_register(register: str) -> str:
    """A name for all widths of a register."""
    match = _WIDTHS.fullmatch(register)
    return next(part for part in match.groups() if part) if match else register
