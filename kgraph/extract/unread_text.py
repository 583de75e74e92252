"""Finds the names in C text that could not be parsed: its identifiers, and those of its macros.

Works on the text alone, because clang drops what it does not understand. All definitions of a macro
count, wherever they stand in the files that the unit read, and whatever their condition.

Limits: a file that is missing is taken to name nothing that the text around does not name; braces
inside braces fill records whose names need not stand there.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kgraph.model.unread_text import UnreadText

_NAME = re.compile(r"[A-Za-z_]\w*")
_NOISE = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
_MACRO = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(\([^)\n]*\))?([^\n]*)$", re.MULTILINE)
# What stands before `= {`, as far back as the statement goes, and `(struct r) {`.
_INITIALISER = re.compile(r"([^;{}=]{1,400})=\s*\{")
_LITERAL = re.compile(
    r"\(\s*((?:(?:const|volatile|struct|union)\s+)*[A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*\)\s*\{")


@dataclass(slots=True)
class _Macro:
    """The names in the bodies of one macro, and in what these initialise; whether one of them makes
    names of parts."""

    names: set[str] = field(default_factory=set)
    initialised: set[str] = field(default_factory=set)
    joins_names: bool = False


def find_names(
    files: Iterable[str], texts: Iterable[str], headers: Iterable[str], reason: str
) -> UnreadText:
    """The names in `texts`, which are the contents of `files`, with macros from these and
    `headers` (contents). `reason` is why the names are wanted."""
    own = [_clean(text) for text in texts]
    macros: dict[str, _Macro] = {}
    for text in (*own, *map(_clean, headers)):
        _add_macros(text, macros)
    names = {name for text in own for name in _NAME.findall(text)}
    initialised = {name for text in own for name in _iter_initialised(text)}
    joins = any("##" in text for text in own)
    waiting = list(names)
    while waiting:
        macro = macros.get(waiting.pop())
        if macro is not None:
            waiting += macro.names - names
            names |= macro.names
            initialised |= macro.initialised
            joins = joins or macro.joins_names
    return UnreadText(
        frozenset(names), frozenset(initialised), joins, frozenset(files), reason)


def _clean(text: str) -> str:
    """The text without comments and strings, and with the lines that backslashes continue."""
    return _NOISE.sub(" ", text.replace("\\\r\n", " ").replace("\\\n", " "))


def _add_macros(text: str, macros: dict[str, _Macro]) -> None:
    if "define" not in text:
        return
    for name, parameters, body in _MACRO.findall(text):
        macro = macros.setdefault(name, _Macro())
        macro.names.update(set(_NAME.findall(body)) - set(_NAME.findall(parameters)))
        macro.initialised.update(_iter_initialised(body))
        macro.joins_names = macro.joins_names or "##" in body


def _iter_initialised(text: str) -> Iterator[str]:
    """The names that stand where braces fill something."""
    if "{" in text:
        for pattern in (_INITIALISER, _LITERAL):
            for match in pattern.finditer(text):
                yield from _NAME.findall(match[1])
