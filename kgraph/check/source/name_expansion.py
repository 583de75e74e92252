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
_BASIC = frozenset({"unsigned", "signed", "long", "short", "int", "char"})
_MOST_TYPES = 50  # that one is looked up in
_MOST_STEPS = 8  # macros that stand for macros
_MOST_TOKENS = 100  # that a word stands for: each step may be many times as wide as the one before
Words = list[tuple[str, int]]  # tokens, each with its line
Meanings = dict[str, list[str]]
Type = tuple[str, ...]


class NameExpander:
    """Takes the macros out of tokens; reads the headers when it is first asked to."""

    def __init__(self, graph: CallGraph, sources: SourceText) -> None:
        self._graph = graph
        self._sources = sources
        self._headers: Meanings | None = None
        self._typedefs: dict[str, set[Type]] = {}
        self._files: dict[str, Meanings] = {}

    def expand(self, words: Iterable[tuple[str, int]], path: str) -> Words:
        """The tokens with what macros of the headers, and of the file itself, stand for."""
        meanings = self._of(path)
        return [each for word in words for each in _expanded(meanings, *word)]

    def expand_text(self, text: str, path: str) -> list[str]:
        """The tokens of a text, without their lines."""
        return [word for word, _ in self.expand(tokenise(text), path)]

    def resolve_type(self, words: Type) -> frozenset[Type]:
        """What a type is without typedefs: several where headers define one differently, none where
        that cannot be told. Types that sparse keeps apart (`__bitwise`) stand for themselves.
        """
        self._read()
        found: set[Type] = set()
        seen: set[Type] = set()
        waiting = [words]
        while waiting:
            each = waiting.pop()
            name = tuple(takewhile(str.isidentifier, each))
            others = self._typedefs.get(name[0], ()) if len(name) == 1 else ()
            if len(seen) >= _MOST_TYPES:
                return frozenset()
            if each not in seen:
                waiting += [other + each[1:] for other in others]
            if not others:
                found.add(_basic(name) + each[len(name):])
            seen.add(each)
        return frozenset(found)

    def _of(self, path: str) -> Meanings:
        if path not in self._files:
            headers = self._read()
            own = _meanings(["\n".join(self._sources.read_lines(path))])
            self._files[path] = {**headers, **own} if own else headers
        return self._files[path]

    def _read(self) -> Meanings:
        """The macros of the headers; notes their typedefs, too."""
        if self._headers is None:
            self._headers = _meanings(self._noting_types(self._header_texts()))
        return self._headers

    def _noting_types(self, texts: Iterable[str]) -> Iterator[str]:
        for text in texts:
            for declared in _TYPEDEF.findall(text) if "typedef" in text else ():
                words = [word for word, _ in tokenise(declared)]
                if not any(word.startswith("__bitwise") for word in words):
                    *meaning, name = [word for word in words if word not in ATTRIBUTES] or [""]
                    self._typedefs.setdefault(name, set()).add(tuple(
                        word for word in meaning if word not in ("const", "volatile")))
            yield text

    def _header_texts(self) -> Iterator[str]:
        about = self._graph.description
        for path in self._graph.find_read_headers():
            for root in filter(None, (about.tree, about.build)):
                try:
                    data = read_regular_file(Path(root, unescape_name(path)))
                except OSError:
                    continue
                yield data.decode("utf-8", "replace")
                break


def _meanings(texts: Iterable[str]) -> Meanings:
    found: dict[str, set[str]] = {}
    for text in texts:
        if "define" in text:
            for name, path in _NAME_MACRO.findall(text):
                found.setdefault(name, set()).add("".join(path.split()))
    return {
        name: [word for word, _ in tokenise(next(iter(paths)))]
        for name, paths in found.items() if len(paths) == 1 and name not in paths
    }


def _basic(words: Type) -> Type:
    """One spelling of a type of C's own: `unsigned` is `unsigned int`, `long int` is `long`."""
    plain = ["signed" if word == "__signed__" else word for word in words]
    if not plain or not _BASIC.issuperset(plain):
        return words
    kept = [word for word in plain if word != "int" and (word != "signed" or "char" in plain)]
    return tuple(sorted(kept)) or ("int",)


def _expanded(meanings: Meanings, word: str, line: int) -> Words:
    """What a word stands for; the word where it stands for more than anybody writes."""
    found: Words = []
    waiting = [(word, _MOST_STEPS)]
    while waiting:
        each, steps = waiting.pop()
        meaning = meanings.get(each) if steps else None
        if meaning is None:
            found.append((each, line))
        elif len(found) + len(waiting) + len(meaning) > _MOST_TOKENS:
            return [(word, line)]
        else:
            waiting += [(inner, steps - 1) for inner in reversed(meaning)]
    return found
