"""Assembler source, after the C preprocessor: statements, with the assembler's own macros expanded.

Owns the syntax: line markers, labels, `.macro`, comments. Bodies of `.rept` and the like are read
once. Knows nothing of functions.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kgraph.extract.gas_conditions import Conditions

_MARKER = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"')
# a string that nothing ends goes to the end of the line: looked for again and again, it would cost
# the square of the line's length
_PIECE = re.compile(r"(?:[^;\"]|\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z))+")
_COMMENT = re.compile(r"/\*.*?\*/|(?:^|\s)#.*|//.*")
_LABEL = re.compile(r"\s*([A-Za-z_.$][\w.$\\@]*|\d+|\\[\w@\\.]+)\s*:(?![:=])")
_WORD = re.compile(r"\s*([\w.$\\]+)\s*(.*)", re.DOTALL)
_SET = re.compile(r"\s*([A-Za-z_.$][\w.$]*)\s*==?\s*([^=].*)")
_PARAMETER = re.compile(r"([\w$.]+)(?::(?:req|vararg))?(?:\s*=\s*(\"[^\"]*\"|[^\s,]+))?")
_ARGUMENT = re.compile(
    r"(?:([\w$.]+)\s*=(?!=)\s*)?((?:\"(?:[^\"\\]|\\.)*\"|\([^()]*\)|[^\s,()\"])+)")
_ESCAPE = re.compile(rb"\\(?:([0-3][0-7]{2})|(.))")
_DEEPEST = 40
_MOST = 200_000  # statements, and expansions of macros
_LONGEST = 1_000_000  # characters of a statement that a macro makes
_ENDLESS = "macros of the assembler expand without end"


class Line(NamedTuple):
    """A line of the text, and the file and line that it comes from."""

    path: str
    number: int
    text: str


class Statement(NamedTuple):
    """An instruction or directive with the labels before it; "" is the word of labels alone."""

    path: str
    line: int
    labels: tuple[str, ...]
    word: str
    rest: str


@dataclass(slots=True)
class _Macro:
    parameters: list[tuple[str, str]]
    body: list[str]


def _file_name(written: str) -> str:
    """A file's name as a line marker writes it: with escapes, octal ones for what is no text."""
    data = written.encode("utf-8", "surrogateescape")
    plain = _ESCAPE.sub(
        lambda match: bytes([int(match[1], 8)]) if match[1] else match[2], data)
    return plain.decode("utf-8", "surrogateescape")


def marked_lines(text: str) -> Iterator[Line]:
    """The lines of preprocessed text, each with the place that the line markers give it."""
    path, number = "", 1
    for line in text.split("\n"):
        marker = _MARKER.match(line)
        if marker:
            number, path = int(marker[1]), _file_name(marker[2])
            continue
        if line.strip():
            yield Line(path, number, line)
        number += 1


def marked_files(text: str) -> set[str]:
    """The files that line markers of preprocessed text name, as they name them."""
    names = {_file_name(marker[2]) for line in text.split("\n")
             if (marker := _MARKER.match(line))}
    return {name for name in names if not name.startswith("<")}  # <built-in>, <command-line>


def statements(lines: Iterable[Line]) -> list[Statement]:
    """The statements of some lines. Raises ValueError where macros expand without end."""
    reader = _Reader()
    reader.read(_pieces(lines), 0)
    return reader.found


def _pieces(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        bare = _COMMENT.sub(" ", line.text)
        for piece in _PIECE.findall(bare):
            if piece.strip():
                yield Line(line.path, line.number, piece.strip())


class _Reader:
    """Collects statements; macros are known from their definition on."""

    def __init__(self) -> None:
        self.found: list[Statement] = []
        self._macros: dict[str, _Macro] = {}
        self._expansions = 0
        self._conditions = Conditions()

    def read(self, pieces: Iterable[Line], depth: int) -> None:
        if depth > _DEEPEST or len(self.found) > _MOST:
            raise ValueError(_ENDLESS)
        remaining = iter(pieces)
        for piece in remaining:
            labels, rest = _labels(piece.text)
            match = _WORD.match(rest)
            word, operands = (match[1], match[2]) if match else ("", "")
            if word == ".macro":
                self._define(operands, remaining)
            elif self._conditions.takes(word, operands) or not self._conditions.counts:
                continue
            elif word in self._macros:
                if labels:
                    self.found.append(Statement(piece.path, piece.number, labels, "", ""))
                self._expand(piece, self._macros[word], operands, depth)
            elif (given := _SET.match(rest)) and not word.startswith("."):
                self.found.append(Statement(
                    piece.path, piece.number, labels, ".set", f"{given[1]}, {given[2]}"))
            else:
                self.found.append(Statement(piece.path, piece.number, labels, word, operands))

    def _define(self, head: str, remaining: Iterator[Line]) -> None:
        name, _, rest = head.replace(",", " ").partition(" ")
        parameters = [(found[1], (found[2] or "").strip('"'))
                      for found in _PARAMETER.finditer(rest)]
        body: list[str] = []
        depth = 1
        for piece in remaining:
            word = piece.text.split(None, 1)[0]
            depth += (word == ".macro") - (word == ".endm")
            if not depth:
                break
            body.append(piece.text)
        self._macros[name] = _Macro(parameters, body)

    def _expand(self, call: Line, macro: _Macro, operands: str, depth: int) -> None:
        values = _given(macro, operands)
        self._expansions += 1
        if self._expansions > _MOST:
            raise ValueError(_ENDLESS)
        values["@"] = str(self._expansions)
        names = sorted(values, key=len, reverse=True)
        pattern = re.compile(r"\\(" + "|".join(map(re.escape, names)) + r")(?:\\\(\))?")

        def line(text: str) -> Line:
            if len(text) + sum(len(values[name]) for name in pattern.findall(text)) > _LONGEST:
                raise ValueError(_ENDLESS)
            given = pattern.sub(lambda match: values[match[1]], text).replace("\\()", "")
            return Line(call.path, call.number, given)

        self.read(map(line, macro.body), depth + 1)


def _given(macro: _Macro, operands: str) -> dict[str, str]:
    """The values of a macro's parameters in one call of it."""
    values = dict(macro.parameters)
    position = 0
    for match in _ARGUMENT.finditer(operands):
        keyword, value = match[1], match[2].strip('"')
        if keyword in values:
            values[keyword] = value
        elif position < len(macro.parameters):
            values[macro.parameters[position][0]] = value
            position += 1
    return values


def _labels(text: str) -> tuple[tuple[str, ...], str]:
    """The labels at the start of a statement, and what follows."""
    labels: list[str] = []
    while match := _LABEL.match(text):
        labels.append(match[1])
        text = text[match.end():]
    return tuple(labels), text
