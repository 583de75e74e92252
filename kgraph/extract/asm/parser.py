"""Parses preprocessed assembler into statements: expands its macros, decides its conditions.

Owns the syntax: line markers, labels, `.macro`, `.if`, comments. A condition on numbers alone is
decided, as those on the parameters of a macro are; where one depends on a symbol, every branch
counts. The body of a `.rept` is read once. Must not know what a function is.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kgraph.extract.asm.dialects import USUAL, Dialect

_MARKER = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"')
# A string without an end goes to the end of the line. Looking for the end again and again would
# take time quadratic in the line's length.
_PIECE = re.compile(r"(?:[^;\"]|\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z))+")
_LABEL = re.compile(r"\s*([A-Za-z_.$][\w.$\\@]*|\d+|\\[\w@\\.]+)\s*:(?![:=])")
_WORD = re.compile(r"\s*([\w.$\\]+)\s*(.*)", re.DOTALL)
_SET = re.compile(r"\s*([A-Za-z_.$][\w.$]*)\s*==?\s*([^=].*)")
_PARAMETER = re.compile(r"([\w$.]+)(?::(?:req|vararg))?(?:\s*=\s*(\"[^\"]*\"|[^\s,]+))?")
_ARGUMENT = re.compile(
    r"(?:([\w$.]+)\s*=(?!=)\s*)?((?:\"(?:[^\"\\]|\\.)*\"|\([^()]*\)|[^\s,()\"])+)")
_ESCAPE = re.compile(rb"\\(?:([0-3][0-7]{2})|(.))")
_MAX_DEPTH = 40  # of macros inside macros
_MAX_STATEMENTS = 200_000  # and expansions of macros
_MAX_LENGTH = 1_000_000  # characters of a statement that a macro makes
_ENDLESS = "macros of the assembler expand without end"


class SourceLine(NamedTuple):
    """A line of text, and the file and line that it comes from."""

    path: str
    number: int
    text: str


class AsmStatement(NamedTuple):
    """An instruction or directive with the labels before it; `word` is "" for labels alone."""

    path: str
    line: int
    labels: tuple[str, ...]
    word: str
    rest: str


# ---- line markers of the preprocessor


def iter_marked_lines(text: str) -> Iterator[SourceLine]:
    """The lines of preprocessed text, each at the place that the line markers give it."""
    path, number = "", 1
    for line in text.split("\n"):
        marker = _MARKER.match(line)
        if marker:
            number, path = int(marker[1]), _unescape_name(marker[2])
            continue
        if line.strip():
            yield SourceLine(path, number, line)
        number += 1


def find_marked_files(text: str) -> set[str]:
    """The files that the line markers of preprocessed text name."""
    names = {_unescape_name(marker[2]) for line in text.split("\n")
             if (marker := _MARKER.match(line))}
    return {name for name in names if not name.startswith("<")}  # <built-in>, <command-line>


def _unescape_name(written: str) -> str:
    """A file name from a line marker, which escapes bytes that are not text in octal."""
    data = written.encode("utf-8", "surrogateescape")
    plain = _ESCAPE.sub(
        lambda match: bytes([int(match[1], 8)]) if match[1] else match[2], data)
    return plain.decode("utf-8", "surrogateescape")


# ---- statements and macros


def parse_statements(
    lines: Iterable[SourceLine], dialect: Dialect = USUAL
) -> list[AsmStatement]:
    """The statements of some lines. Raises ValueError if macros expand without end."""
    parser = _StatementParser()
    parser.parse(_iter_pieces(lines, dialect), 0)
    return parser.found


def _iter_pieces(lines: Iterable[SourceLine], dialect: Dialect) -> Iterator[SourceLine]:
    """What stands between the semicolons of some lines, without comments."""
    for line in lines:
        bare = dialect.comment.sub(" ", line.text)
        for piece in _PIECE.findall(bare):
            if piece.strip():
                yield SourceLine(line.path, line.number, piece.strip())


@dataclass(slots=True)
class _Macro:
    """A macro of the assembler: its parameters with their defaults, and its lines."""

    parameters: list[tuple[str, str]]
    body: list[str]


class _StatementParser:
    """Collects statements; a macro is known from its definition on."""

    def __init__(self) -> None:
        self.found: list[AsmStatement] = []
        self._macros: dict[str, _Macro] = {}
        self._expansions = 0
        self._conditions = _ConditionalAssembly()

    def parse(self, pieces: Iterable[SourceLine], depth: int) -> None:
        if depth > _MAX_DEPTH or len(self.found) > _MAX_STATEMENTS:
            raise ValueError(_ENDLESS)
        remaining = iter(pieces)
        for piece in remaining:
            labels, rest = _split_labels(piece.text)
            match = _WORD.match(rest)
            word, operands = (match[1], match[2]) if match else ("", "")
            if word == ".macro":
                self._define_macro(operands, remaining)
            elif self._conditions.consume(word, operands) or not self._conditions.is_active:
                continue
            elif word in self._macros:
                if labels:
                    self.found.append(AsmStatement(piece.path, piece.number, labels, "", ""))
                self._expand_macro(piece, self._macros[word], operands, depth)
            elif (given := _SET.match(rest)) and not word.startswith("."):
                self.found.append(AsmStatement(
                    piece.path, piece.number, labels, ".set", f"{given[1]}, {given[2]}"))
            else:
                self.found.append(AsmStatement(piece.path, piece.number, labels, word, operands))

    def _define_macro(self, head: str, remaining: Iterator[SourceLine]) -> None:
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

    def _expand_macro(self, call: SourceLine, macro: _Macro, operands: str, depth: int) -> None:
        values = _bind_arguments(macro, operands)
        self._expansions += 1
        if self._expansions > _MAX_STATEMENTS:
            raise ValueError(_ENDLESS)
        values["@"] = str(self._expansions)
        names = sorted(values, key=len, reverse=True)
        pattern = re.compile(r"\\(" + "|".join(map(re.escape, names)) + r")(?:\\\(\))?")

        def expand_line(text: str) -> SourceLine:
            if len(text) + sum(len(values[name]) for name in pattern.findall(text)) > _MAX_LENGTH:
                raise ValueError(_ENDLESS)
            expanded = pattern.sub(lambda match: values[match[1]], text).replace("\\()", "")
            return SourceLine(call.path, call.number, expanded)

        self.parse(map(expand_line, macro.body), depth + 1)


def _bind_arguments(macro: _Macro, operands: str) -> dict[str, str]:
    """The values of a macro's parameters in one call."""
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


def _split_labels(text: str) -> tuple[tuple[str, ...], str]:
    """The labels at the start of a statement, and the rest."""
    labels: list[str] = []
    while match := _LABEL.match(text):
        labels.append(match[1])
        text = text[match.end():]
    return tuple(labels), text


# ---- conditional assembly

_COMPARISONS: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}
_NOT = re.compile(r"!(?!=)")
# directives that compare their operand with zero
_ZERO_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ".if": operator.ne, ".ifne": operator.ne, ".ifeq": operator.eq, ".elseif": operator.ne,
    ".ifge": operator.ge, ".ifgt": operator.gt, ".ifle": operator.le, ".iflt": operator.lt,
}


class _ConditionalAssembly:
    """Which statements count, while they are read one after another."""

    def __init__(self) -> None:
        # for each open .if: whether the current branch counts, whether a later one may
        self._open: list[tuple[bool, bool]] = []
        self._inactive = 0  # how many of them have a current branch that does not count

    @property
    def is_active(self) -> bool:
        """Whether what is read now counts."""
        return not self._inactive

    def consume(self, word: str, rest: str) -> bool:
        """Take in a statement if it is a condition; False if it is none."""
        if word == ".endif":
            self._end()
        elif word == ".else":
            self._start_branch(holds=True)
        elif word == ".elseif":
            self._start_branch(holds=_evaluate_condition(word, rest))
        elif word.startswith(".if"):
            holds = _evaluate_condition(word, rest)
            self._begin(counts=holds is not False, later=holds is not True)
        else:
            return False
        return True

    def _begin(self, *, counts: bool, later: bool) -> None:
        self._open.append((counts, later))
        self._inactive += not counts

    def _end(self) -> bool:
        """Close the innermost .if; whether a later branch of it may have counted."""
        counts, later = self._open.pop() if self._open else (True, False)
        self._inactive -= not counts
        return later

    def _start_branch(self, *, holds: bool | None) -> None:
        if self._open:
            later = self._end()
            self._begin(counts=later and holds is not False, later=later and holds is not True)


def _evaluate_condition(word: str, rest: str) -> bool | None:
    """Whether a condition holds, None if that depends on a symbol."""
    if word in (".ifb", ".ifnb"):
        return (not rest.strip().strip('"')) == (word == ".ifb")
    if word in (".ifc", ".ifnc"):
        one, comma, other = rest.partition(",")
        return (one.strip() == other.strip()) == (word == ".ifc") if comma else None
    compare = _ZERO_COMPARISONS.get(word)
    value = _evaluate_text(rest)
    return None if compare is None or value is None else compare(value, 0)


def _evaluate_text(text: str) -> int | None:
    """The value of an expression of numbers, None for any other."""
    python = _NOT.sub(" not ", text.replace("&&", " and ").replace("||", " or ")).strip()
    try:
        return _evaluate_node(ast.parse(python, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _evaluate_node(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return int(not _evaluate_node(operand))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate_node(operand)
        case ast.BoolOp(op=kind, values=values):
            found = [bool(_evaluate_node(value)) for value in values]
            return int(all(found) if isinstance(kind, ast.And) else any(found))
        case ast.Compare(left=left, ops=[kind], comparators=[right]) if type(kind) in _COMPARISONS:
            return int(_COMPARISONS[type(kind)](_evaluate_node(left), _evaluate_node(right)))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            return _ARITHMETIC[type(sign)](_evaluate_node(left), _evaluate_node(right))
    raise ValueError("not an expression of numbers")
