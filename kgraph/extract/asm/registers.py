"""Calls through registers, and which registers hold the address of a name there."""

import re

from kgraph.extract.asm.parser import AsmStatement

_REGISTER = re.compile(r"%\w+")
_SYMBOL = r"(?:[A-Za-z_.][\w.$]*|\d+[bf])"
_MOVED_ADDRESS = re.compile(rf"\$\s*{_SYMBOL}")
_LOADED_ADDRESS = re.compile(rf"{_SYMBOL}(?:\(%[re]?ip\))?")
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
    """The registers that hold the address of a name, while statements are read one after another
    that have no label between them. Called functions are taken to keep them.
    """

    def __init__(self) -> None:
        self._with_address: set[str] = set()

    def follow(self, statement: AsmStatement) -> None:
        """Take in a statement."""
        source, _, target = (part.strip() for part in statement.rest.rpartition(","))
        word = statement.word
        if word.startswith("cmov") and _REGISTER.fullmatch(target):
            if not self.has_address(source):
                self._with_address.discard(_name_register(target))
        elif word.startswith(("mov", "lea")) and _REGISTER.fullmatch(target):
            is_address = self.has_address(source) or bool(
                (_LOADED_ADDRESS if word.startswith("lea") else _MOVED_ADDRESS).fullmatch(source))
            update = self._with_address.add if is_address else self._with_address.discard
            update(_name_register(target))
        elif not _CALLS.fullmatch(word):
            self._with_address -= {
                _name_register(found) for found in _REGISTER.findall(statement.rest)}

    def has_address(self, register: str) -> bool:
        """Whether a register holds the address of a name."""
        return _name_register(register) in self._with_address


def _name_register(register: str) -> str:
    """A name for all widths of a register."""
    match = _WIDTHS.fullmatch(register)
    return next(part for part in match.groups() if part) if match else register
