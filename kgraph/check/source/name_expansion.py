"""Expands macros that stand for another name or for a path of members, and typedefs.

`#define sk_prot __sk_common.skc_prot`: one writer uses the macro, another (a debugger, too)
what it stands for; both mean the same. Reads the macros of the headers that the indexed units
include, as they are now, and those of the file that a text is from. A name that two headers
define differently stays as it is: which one a unit sees is not known.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path

from kgraph.check.source.tokens import ATTRIBUTES, tokenise
from kgraph.graph import CallGraph, SourceText
from kgraph.textfile import read_regular_file, unescape_name

_PATH = r"[A-Za-z_]\w*(?:[ \t]*\.[ \t]*[A-Za-z_]\w*)*"
_NAME_MACRO = re.compile(
    rf"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)[ \t]+({_PATH})[ \t\r]*(?:/[*/].*)?$",
    re.MULTILINE | re.ASCII,
)
_TYPEDEF = re.compile(r"^[ \t]*typedef\b([\w \t*]+);", re.MULTILINE | re.ASCII)
_BASIC_TYPES = frozenset({"unsigned", "signed", "long", "short", "int", "char"})
_MAX_TYPES = 50  # that one may stand for
_MAX_STEPS = 8  # macros that stand for macros
_MAX_TOKENS = 100  # that a word stands for: each step may be many times as wide as the one before

ExpandedTokens = list[tuple[str, int]]  # each with the line of the token that it comes from
Type = tuple[str, ...]  # its words
_Macros = dict[str, list[str]]  # name -> the tokens that it stands for


class NameExpander:
    """Expands names in tokens. Reads the headers on first use."""

    def __init__(self, graph: CallGraph, sources: SourceText) -> None:
        self._graph = graph
        self._sources = sources
        self._headers: _Macros | None = None
        self._typedefs: dict[str, set[Type]] = {}
        self._files: dict[str, _Macros] = {}

    def expand(self, tokens: Iterable[tuple[str, int]], path: str) -> ExpandedTokens:
        """The tokens of code in the file `path`, with macros of the headers and of the file itself
        expanded.
        """
        macros = self._find_macros(path)
        return [each for token in tokens for each in _expand(macros, *token)]

    def expand_text(self, text: str, path: str) -> list[str]:
        """The expanded tokens of a text, without their lines."""
        return [word for word, _ in self.expand(tokenise(text), path)]

    def resolve_type(self, words: Type) -> frozenset[Type]:
        """What a type may be without typedefs: several types if headers define one differently,
        none if that cannot be told. Types that sparse keeps apart (`__bitwise`) stay as they are.
        """
        self._read_headers()
        found: set[Type] = set()
        seen: set[Type] = set()
        worklist = [words]
        while worklist:
            each = worklist.pop()
            name = tuple(takewhile(str.isidentifier, each))
            meanings = self._typedefs.get(name[0], ()) if len(name) == 1 else ()
            if len(seen) >= _MAX_TYPES:
                return frozenset()
            if each not in seen:
                worklist += [meaning + each[1:] for meaning in meanings]
            if not meanings:
                found.add(_normalise_basic_type(name) + each[len(name):])
            seen.add(each)
        return frozenset(found)

    def _find_macros(self, path: str) -> _Macros:
        if path not in self._files:
            headers = self._read_headers()
            own = _MacroTable()
            own.read("\n".join(self._sources.read_lines(path)))
            macros = own.list_unambiguous()
            self._files[path] = {**headers, **macros} if macros else headers
        return self._files[path]

    def _read_headers(self) -> _Macros:
        """The macros of the headers; keeps their typedefs, too."""
        if self._headers is None:
            table = _MacroTable()
            for text in self._iter_headers():
                table.read(text)
                self._keep_typedefs(text)
            self._headers = table.list_unambiguous()
        return self._headers

    def _keep_typedefs(self, text: str) -> None:
        for declared in _TYPEDEF.findall(text) if "typedef" in text else ():
            words = [word for word, _ in tokenise(declared)]
            if not any(word.startswith("__bitwise") for word in words):
                *meaning, name = [word for word in words if word not in ATTRIBUTES] or [""]
                self._typedefs.setdefault(name, set()).add(tuple(
                    word for word in meaning if word not in ("const", "volatile")))

    def _iter_headers(self) -> Iterator[str]:
        """The texts of the headers that the indexed units read."""
        about = self._graph.description
        for path in self._graph.find_read_headers():
            for root in filter(None, (about.tree, about.build)):
                try:
                    data = read_regular_file(Path(root, unescape_name(path)))
                except OSError:
                    continue
                yield data.decode("utf-8", "replace")
                break


class _MacroTable:
    """The macros for names and paths of members in some texts."""

    def __init__(self) -> None:
        self._paths: dict[str, set[str]] = {}

    def read(self, text: str) -> None:
        """Add the macros of a text."""
        if "define" in text:
            for name, path in _NAME_MACRO.findall(text):
                self._paths.setdefault(name, set()).add("".join(path.split()))

    def list_unambiguous(self) -> _Macros:
        """The macros that stand for one thing, and not for themselves."""
        return {
            name: [word for word, _ in tokenise(next(iter(paths)))]
            for name, paths in self._paths.items() if len(paths) == 1 and name not in paths
        }


def _normalise_basic_type(words: Type) -> Type:
    """One spelling of a type of C's own: `unsigned` is `unsigned int`, `long int` is `long`."""
    plain = ["signed" if word == "__signed__" else word for word in words]
    if not plain or not _BASIC_TYPES.issuperset(plain):
        return words
    kept = [word for word in plain if word != "int" and (word != "signed" or "char" in plain)]
    return tuple(sorted(kept)) or ("int",)


def _expand(macros: _Macros, word: str, line: int) -> ExpandedTokens:
    """What a word stands for; the word itself if that is more than anybody writes."""
    found: ExpandedTokens = []
    worklist = [(word, _MAX_STEPS)]
    while worklist:
        each, steps = worklist.pop()
        meaning = macros.get(each) if steps else None
        if meaning is None:
            found.append((each, line))
        elif len(found) + len(worklist) + len(meaning) > _MAX_TOKENS:
            return [(word, line)]
        else:
            worklist += [(inner, steps - 1) for inner in reversed(meaning)]
    return found
