"""Reading TOML that users write: what is wrong is an error that names the file and line.

Owns text and syntax. Must not know what the tables mean.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from kgraph.errors import KgraphError


def read_toml(file: Path, error: type[KgraphError], hint: str) -> str:
    """The text of a file. Raises `error`, with `hint`, where it cannot be read or is no UTF-8."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        reason = getattr(failure, "strerror", None) or "no UTF-8 text"
        raise error(f"{file}: cannot be read: {reason}", hint) from failure


def parse_toml(name: str, text: str, error: type[KgraphError]) -> dict[str, Any]:
    """The tables of a text. Raises `error`, naming NAME:LINE, where it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(failure))
        line = found[1] if found else str(text.count("\n") + 1)
        message = re.sub(r" \(at .*\)$", "", str(failure))
        raise error(f"{name}:{line}: {message}", "write it as TOML") from failure
