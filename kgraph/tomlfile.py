"""Reading TOML that users write: what is wrong is an error that names the file and line.

Owns text and syntax. Must not know what the tables mean.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgraph.errors import KgraphError

_LARGEST = 1_000_000  # bytes: people write these files
# tomllib takes the square of the number of parts; people write two or three
_DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")


def read_toml(file: Path, error: type[KgraphError], hint: str) -> str:
    """The text of a file. Raises `error`, with `hint`, where it cannot be read or is no UTF-8."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        text = content.decode("utf-8")
    except (OSError, ValueError) as failure:  # no UTF-8, or no name of a file
        reason = getattr(failure, "strerror", None) or "no UTF-8 text"
        raise error(f"{file}: cannot be read: {reason}", hint) from failure
    if len(content) > _LARGEST:
        raise error(f"{file}: it is larger than {_LARGEST} bytes", hint)
    return text.replace("\r\n", "\n")


def parse_toml(name: str, text: str, error: type[KgraphError]) -> dict[str, Any]:
    """The tables of a text. Raises `error`, naming NAME:LINE, where it is no TOML."""
    if found := _DEEP_KEY.search(text):
        line = str(text.count("\n", 0, found.start()) + 1)
        raise error(f"{name}:{line}: a key has too many parts", "write shorter keys")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{name}:1: lists or tables are nested too deeply", "nest them less") from None
    except tomllib.TOMLDecodeError as failure:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(failure))
        line = found[1] if found else str(text.count("\n") + 1)
        message = re.sub(r" \(at .*\)$", "", str(failure))
        raise error(f"{name}:{line}: {message}", "write it as TOML") from failure
    except ValueError as failure:  # a number that Python does not take
        raise error(f"{name}:1: {failure}", "write shorter numbers") from failure


class TomlReader:
    """Values of a file; every error is an `error` that names the line of their key."""

    def __init__(self, file: str, text: str, error: type[KgraphError]) -> None:
        self.file = file
        self._lines = text.split("\n")
        self._error = error

    def line_of(self, table: str, number: int) -> int:
        """The line on which the table `[[table]]` of that number, from 0, begins."""
        pattern = re.compile(rf"\s*\[\[\s*[\"']?{re.escape(table)}[\"']?\s*\]\]")
        found = [n for n, text in enumerate(self._lines, 1) if pattern.match(text)]
        return found[number] if number < len(found) else 1

    def wrong(self, key: str, message: str, hint: str, start: int = 1) -> KgraphError:
        """The error about a key, which is looked for from the line `start` on."""
        word = re.escape(key)
        pattern = re.compile(rf"\s*\[?\s*[\"']?{word}[\"']?\s*[\]=.]|.*\b{word}\b")
        line = next((n for n, text in enumerate(self._lines, 1)
                     if n >= start and pattern.match(text)), start)
        return self._error(f"{self.file}:{line}: {message}", hint)

    def keys(self, table: dict[str, Any], known: Iterable[str], what: str, start: int = 1) -> None:
        """Refuse keys that are not known."""
        for key in table:
            if key not in known:
                hint = f"it takes {', '.join(known)}"
                raise self.wrong(key, f"{what} has no key {key}", hint, start)

    def text(self, key: str, value: object, start: int = 1) -> str:
        """A text."""
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, f"{key} is no text", f'write {key} = "..."', start)
        return value

    def texts(self, key: str, value: object, start: int = 1) -> tuple[str, ...]:
        """A list of texts."""
        if not isinstance(value, list):
            raise self.wrong(key, f"{key} is no list", f'write {key} = ["...", ...]', start)
        return tuple(self.text(key, each, start) for each in value)
