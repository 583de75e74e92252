"""The call instructions of an object file: which function calls which, and from where.

Owns reading objdump and addr2line. A call within one section has no relocation, so that the
instructions themselves are read; a relocation against a section is turned into the function that
stands there. Knows nothing of kgraph.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECTION = re.compile(r"Disassembly of section (.+):")
_FUNCTION = re.compile(r"[0-9a-f]+ <(.+)>:")
_CALL = re.compile(r"\s*([0-9a-f]+):\s+(?:addr32 |data16 )*call[lqw]?\s+(?:0x)?[0-9a-f]+"
                   r"(?: <([^>]+)>)?\s*$")
_RELOCATION = re.compile(r"\s+[0-9a-f]+: (R_\w+)\s+(\S+?)(?:([+-])0x([0-9a-f]+))?\s*$")
# of gcc's copies of a function: f.part.0, f.constprop.0, f.isra.0, f.cold
_COPY = re.compile(r"(?:\.(?:part|constprop|isra|cold|localalias|lto_priv)(?:\.\d+)*)+$")
_OPERAND = 4  # the bytes of a call's operand, which is relative to what lies behind them
_DIE = re.compile(r" <(\w+)><(\w+)>: Abbrev Number: \d+(?: \(DW_TAG_(\w+)\))?")
_ATTRIBUTE = re.compile(r" +<\w+> +DW_AT_(name|abstract_origin|specification) *: (.*)")


@dataclass(frozen=True, slots=True)
class MachineCall:
    """A call instruction. `frames` are the functions whose code it is, innermost first: that
    which was written with the call, those that it was inlined into, each with file and line."""

    section: str
    address: int
    symbol: str
    target: str
    frames: tuple[tuple[str, str, int], ...] = ()

    @property
    def caller(self) -> str:
        """The function that the call is written in."""
        return self.frames[0][0] if self.frames else plain_name(self.symbol)


def plain_name(symbol: str) -> str:
    """The name in the source of the function that a symbol is (a copy of)."""
    return _COPY.sub("", symbol)


def machine_calls(file: Path, *, real_mode: bool = False) -> list[MachineCall]:
    """All direct calls in an object file; `real_mode`: it holds code of 16 bits."""
    found = list(_calls(file, ["-m", "i8086"] if real_mode else []))
    by_section: dict[str, list[MachineCall]] = {}
    for call in found:
        by_section.setdefault(call.section, []).append(call)
    return [
        MachineCall(call.section, call.address, call.symbol, call.target, frames)
        for section, calls in by_section.items()
        for call, frames in zip(calls, _frames(file, section, calls), strict=True)
    ]


def _calls(file: Path, options: list[str]) -> Iterator[MachineCall]:
    symbols = function_symbols(file)
    section = symbol = ""
    pending: tuple[int, str] | None = None
    for line in _run("objdump", "-dr", *options, "--no-show-raw-insn", str(file)).splitlines():
        if pending is not None:
            moved = _RELOCATION.match(line)
            target = _target(moved, symbols) if moved else pending[1]
            yield MachineCall(section, pending[0], symbol, target)
            pending = None
        if match := _CALL.match(line):
            pending = (int(match[1], 16), _inside(match[2] or ""))
        elif match := _FUNCTION.match(line):
            symbol = match[1]
        elif match := _SECTION.match(line):
            section = match[1]


def _inside(text: str) -> str:
    """`f` of objdump's `f`; "" of `f+0x12`, which is no function's start."""
    return "" if "+0x" in text else text


def _target(moved: re.Match[str], symbols: dict[tuple[str, int], str]) -> str:
    name, sign, digits = moved[2], moved[3], moved[4]
    if moved[1].startswith("R_386_"):  # what is added stands in the instruction itself
        return name
    offset = int(digits or "0", 16) * (-1 if sign == "-" else 1) + _OPERAND
    return symbols.get((name, offset)) or (name if offset == 0 else f"{name}+{offset:#x}")


def function_symbols(file: Path) -> dict[tuple[str, int], str]:
    """The names of functions by section and address."""
    found: dict[tuple[str, int], str] = {}
    for line in _run("objdump", "-t", str(file)).splitlines():
        head, _, rest = line.partition("\t")
        words = head.split()
        if len(words) >= 3 and "F" in words[1:-1]:
            found.setdefault((words[-1], int(words[0], 16)), rest.split()[-1])
    return found


def _frames(
    file: Path, section: str, calls: list[MachineCall]
) -> Iterator[tuple[tuple[str, str, int], ...]]:
    """For each call the functions that it stands in, by the debugging information."""
    text = _run("addr2line", "-a", "-f", "-i", "-j", section, "-e", str(file),
                *(hex(call.address) for call in calls))
    frames: list[tuple[str, str, int]] = []
    name = ""
    started = False
    for line in text.splitlines():
        if line.startswith("0x") and not name:
            if started:
                yield tuple(frames)
            started, frames = True, []
        elif not name:
            name = line
        else:
            place, _, number = line.partition(" (")[0].rpartition(":")
            if name != "??":
                frames.append((plain_name(name), place, int(number) if number.isdigit() else 0))
            name = ""
    if started:
        yield tuple(frames)


def inlined(file: Path) -> set[tuple[str, str]]:
    """(function, inlined function) for every call that became code of the caller, by the
    debugging information."""
    names: dict[str, str] = {}
    origins: dict[str, str] = {}
    placed: list[tuple[str, str]] = []  # entries: the function around, the inlined one
    around: list[tuple[int, str]] = []  # (depth, entry) of the functions around
    entry = ""
    for line in _run("readelf", "-wi", str(file)).splitlines():
        if match := _DIE.match(line):
            depth, entry = int(match[1], 16), match[2]
            while around and around[-1][0] >= depth:
                around.pop()
            if match[3] == "inlined_subroutine" and around:
                placed.append((around[-1][1], entry))
            if match[3] in ("inlined_subroutine", "subprogram"):
                around.append((depth, entry))
        elif match := _ATTRIBUTE.match(line):
            if match[1] == "name":
                names[entry] = match[2].rpartition(": ")[2].strip()
            else:
                origins[entry] = match[2].strip().removeprefix("<0x").rstrip(">")

    def name(die: str) -> str:
        while die not in names and die in origins:
            die = origins[die]
        return names.get(die, "")

    return {(name(caller), name(callee)) for caller, callee in placed}


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True).stdout.decode(
        "utf-8", "replace")
