"""What differs between the assemblers of different machines, as far as reading them goes.

Registers of x86 have a %, so every other word of an operand is a name; registers of arm have none.
The target of an instruction stands last (x86, in AT&T's syntax) or first.
"""

import platform
import re
from dataclasses import dataclass

_NONE = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The assembler of some machines.

    `comment` matches comments. `unmarked` are words of operands that name no symbol; `naming` are
    the instructions whose operands name one, None for all. `is_target_first` tells where an
    instruction has its target. `parameters` are the registers that pass the first arguments.
    """

    comment: re.Pattern[str]
    unmarked: re.Pattern[str] = _NONE
    naming: re.Pattern[str] | None = None
    is_target_first: bool = False
    parameters: tuple[str, ...] = ()


# In x86 and riscv a # starts a comment anywhere, in arm only a line; elsewhere a number.
USUAL = Dialect(re.compile(r"/\*.*?\*/|(?:^|\s)#.*|//.*"))
ARM64 = Dialect(
    comment=re.compile(r"/\*.*?\*/|^\s*#.*|//.*"),
    unmarked=re.compile(r"[wxbhsdqv]\d+|[wx]zr|w?sp|[lf]p|ip[01]|lo12|abs_g[0-3]\w*|lsl"),
    naming=re.compile(r"adrp?|ldr(?:sw)?|add|mov[kz]"),
    is_target_first=True,
    parameters=tuple(f"x{number}" for number in range(8)))
ARM = Dialect(
    comment=re.compile(r"/\*.*?\*/|^\s*#.*|//.*|@.*"),
    unmarked=re.compile(r"r\d+|sp|lr|pc|ip|fp|sl|sb|[sdq]\d+|lsl|lsr|asr|ror"),
    naming=re.compile(r"adrl?|ldr|mov[wt]|add|sub"),
    is_target_first=True,
    parameters=("r0", "r1", "r2", "r3"))
_DIALECTS = (("aarch64", ARM64), ("arm64", ARM64), ("arm", ARM))


def find_dialect(target: str) -> Dialect:
    """The dialect of a target (aarch64-linux-gnu), "" for that of this machine."""
    machine = target or platform.machine()
    return next((dialect for start, dialect in _DIALECTS if machine.startswith(start)), USUAL)
