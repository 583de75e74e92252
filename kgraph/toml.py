"""Reads TOML that users write; errors name the file and the line.

Owns text and syntax. Does not know what the tables mean.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgraph.errors import KgraphError
from kgraph.textfile import read_regular_file

_MAX_BYTES = 1_000_000  # people write these files
# tomllib takes quadratic time in the number of parts; people write two or three.
_DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")
_LONG_NUMBER = re.compile(r"(?<!\w)(?:\d_?){4301}")  # Python accepts no more digits
# A string that nothing closes ends with its line, or with the text. Each is searched once.
_SEVERAL_LINES = (
    r""""{3}(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\\?\Z)"""
    r"""|'{3}(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"""
)
_ONE_LINE = r""""(?:[^"\\\n]|\\[^\n])*+(?:"|\\?(?=\n|\Z))|'[^'\n]*(?:'|(?=\n|\Z))"""
_TEXT = re.compile(rf"({_SEVERAL_LINES}|#[^\n]*)|({_ONE_LINE})", re.DOTALL)


def blank_strings(text: str, *, short: bool = False) -> str:
    """TOML with blanks for comments and strings of several lines; every offset stays the same.
    `short`: the contents of other strings are blanked, too.
    """
    def blank(found: re.Match[str]) -> str:
        if found[1] is not None:
            return re.sub(r"[^\n]", " ", found[1])
        quoted = found[2]
        return quoted[0] + "x" * (len(quoted) - 2) + quoted[-1] if short and quoted[1:] else quoted

    return _TEXT.sub(blank, text)


def read_toml_text(file: Path, error: type[KgraphError], hint: str) -> str:
    """The text of a file. Raises `error`, with `hint`, if it cannot be read or is not UTF-8."""
    try:
        text = read_regular_file(file, _MAX_BYTES).decode("utf-8")
    except (OSError, ValueError) as failure:  # not UTF-8, or not a file name
        reason = getattr(failure, "strerror", None) or "not UTF-8 text"
        raise error(f"{file}: cannot be read: {reason}", hint) from failure
    return text.replace("\r\n", "\n")


def parse_toml(name: str, text: str, error: type[KgraphError]) -> dict[str, Any]:
    """The tables of a text. Raises `error`, which names NAME:LINE, if it is not TOML."""
    plain = blank_strings(text, short=True)
    if found := _DEEP_KEY.search(plain):
        line = _line(text, found.start())
        raise error(f"{name}:{line}: a key has too many parts", "write shorter keys")
    try:
        return tomllib.loads(text)
    except RecursionError:
        line = _line(text, _deepest(plain))
        raise error(
            f"{name}:{line}: lists or tables are nested too deeply", "nest them less") from None
    except tomllib.TOMLDecodeError as failure:
        at = re.search(r" \(at line (\d+), column \d+\)$", str(failure))
        line = int(at[1]) if at else text.count("\n") + 1
        message = re.sub(r" \(at .*\)$", "", str(failure))
        raise error(f"{name}:{line}: {message}", "write it as TOML") from failure
    except ValueError as failure:  # a number that Python does not accept, or an impossible date
        number = _LONG_NUMBER.search(plain)
        if number is None:
            raise error(f"{name}: {failure}", "write it as TOML") from failure
        line = _line(text, number.start())
        raise error(f"{name}:{line}: a number has too many digits",
                    "write shorter numbers") from failure


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _deepest(plain: str) -> int:
    """The offset of the first of the most deeply nested brackets."""
    depth = most = place = 0
    for found in re.finditer(r"[\[\]{}]", plain):
        depth += 1 if found[0] in "[{" else -1
        if depth > most:
            most, place = depth, found.start()
    return place


class TomlReader:
    """Validates the values of a file. An `error` names the line of the key that is wrong."""

    def __init__(self, file: str, text: str, error: type[KgraphError]) -> None:
        self.file = file
        self._lines = blank_strings(text).split("\n")
        self._bare = blank_strings(text, short=True).split("\n")
        self._begins: dict[str, list[int]] = {}
        self._error = error

    def find_table_line(self, table: str, number: int) -> int:
        """The line where the `number`-th `[[table]]` begins, counted from 0. If the file writes the
        tables differently, the line of their key.
        """
        found = self._begins.get(table)
        if found is None:
            pattern = re.compile(rf"\s*\[\[\s*[\"']?{re.escape(table)}[\"']?\s*\]\]")
            found = [n for n, text in enumerate(self._lines, 1) if pattern.match(text)]
            self._begins[table] = found
        return found[number] if number < len(found) else self.find_key_line(table)

    def make_error(self, key: str, message: str, hint: str, start: int = 1) -> KgraphError:
        """The error about a key, which is searched from the line `start` on."""
        return self._error(f"{self.file}:{self.find_key_line(key, start)}: {message}", hint)

    def find_key_line(self, key: str, start: int = 1) -> int:
        """The first line from `start` on with this key, else with this value, else with this word;
        `start` if there is none.
        """
        word = rf"(?<!\w){re.escape(key)}(?!\w)"
        for pattern, lines in ((rf"(?:^|[\[{{,.])\s*{word}\s*[\]=.]", self._bare),
                               (rf"[\"']{re.escape(key)}[\"']", self._lines),
                               (word, self._lines)):
            wanted = re.compile(pattern)
            for number, text in enumerate(lines[start - 1:], start):
                if wanted.search(text):
                    return number
        return start

    def check_keys(
        self, table: dict[str, Any], known: Iterable[str], what: str, start: int = 1
    ) -> None:
        """Raise an error for a key that is not in `known`."""
        for key in table:
            if key not in known:
                hint = f"it takes {', '.join(known)}"
                raise self.make_error(key, f"{what} has no key {key}", hint, start)

    def read_text(self, key: str, value: object, start: int = 1) -> str:
        """A value that must be a text."""
        if not isinstance(value, str) or not value.strip():
            raise self.make_error(key, f"{key} must be a text", f'write {key} = "..."', start)
        if "\0" in value:
            raise self.make_error(key, f"{key} holds a NUL", "leave it out", start)
        return value

    def read_texts(self, key: str, value: object, start: int = 1) -> tuple[str, ...]:
        """A value that must be a list of texts."""
        if not isinstance(value, list):
            hint = f'write {key} = ["...", ...]'
            raise self.make_error(key, f"{key} must be a list", hint, start)
        return tuple(self.read_text(key, each, start) for each in value)
