"""Query files: documented chains as TOML, one a file.

Owns reading and checking them. An error names the file and the line.

    title = "..."            caller = "..."        callee = "..."      (required)
    documented = "..."       release = "4.6.2"     setup = ["command", ...]
    chain = '''...'''        in the notation of documents, without line numbers
    [scenario]
    pins = ["sock.sk_prot = raw_prot", {slot = "...", target = "...", from = "f", to = "g"}]
    via = ["f", ...]         avoid = ["f", ...]
"""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from kgraph.errors import DocumentError
from kgraph.model.document import Pin, Query, Scenario
from kgraph.resources import find_resource
from kgraph.toml import TomlReader, blank_strings, parse_toml, read_toml_text

_TEXTS = ("title", "caller", "callee", "documented", "release", "chain")
_NEEDED = ("title", "caller", "callee", "chain")
_NAME = re.compile(r"[A-Za-z_]\w*|[\w./+-]+:[A-Za-z_]\w*", re.ASCII)


def read_query(file: Path) -> Query:
    """The query in a file. Raises DocumentError, naming FILE:LINE."""
    return parse_query(str(file), read_toml_text(file, DocumentError, "give a query file"))


def parse_query(file: str, text: str) -> Query:
    """The query in a text. Raises DocumentError, naming FILE:LINE."""
    table = parse_toml(file, text, DocumentError)
    reader = _QueryReader(file, text)
    reader.check_keys(table, (*_TEXTS, "setup", "scenario"), "a query")
    for key in _NEEDED:
        if key not in table:
            raise DocumentError(f"{file}:1: the query has no {key}", f"give it {key} = ...")
    words = {key: reader.read_text(key, table[key]) for key in _TEXTS if key in table}
    for key in ("caller", "callee"):
        reader.check_name(key, words[key])
    name = Path(file).stem
    scenario = reader.read_scenario(name, table.get("scenario", {}))
    return Query(
        name, file, words["title"], words["caller"], words["callee"], words.get("documented", ""),
        words.get("release", ""), reader.read_texts("setup", table.get("setup", [])), scenario,
        words["chain"], *_find_chain(text),
    )


def _find_chain(text: str) -> tuple[int, bool]:
    """(the line of the chain's first line, whether the chain is a string of one line)."""
    found = re.search(r"^[ \t]*chain[ \t]*=", blank_strings(text, short=True), re.MULTILINE)
    if found is None:
        return 1, False
    opened = re.compile(r"[ \t]*(?:\"{3}|'{3})\n?").match(text, found.end())
    return text.count("\n", 0, opened.end() if opened else found.end()) + 1, not opened


class _QueryReader(TomlReader):
    """Reads the values of a query file."""

    def __init__(self, file: str, text: str) -> None:
        super().__init__(file, text, DocumentError)

    def check_name(self, key: str, value: str, start: int = 1) -> str:
        """The value, which must name a function as users write it."""
        if not _NAME.fullmatch(value):
            raise self.make_error(
                key, f"`{value}` is not a function name", "write NAME or PATH:NAME", start)
        return value

    def read_scenario(self, name: str, table: object) -> Scenario:
        """The [scenario] of the file."""
        if not isinstance(table, dict):
            raise self.make_error("scenario", "scenario must be a table", "write [scenario]")
        start = self.find_key_line("scenario")
        self.check_keys(table, ("pins", "via", "avoid"), "[scenario]", start)
        pins = table.get("pins", [])
        if not isinstance(pins, list):
            hint = 'write pins = ["SLOT = TARGET", ...]'
            raise self.make_error("pins", "pins must be a list", hint, start)
        words = {key: self.read_texts(key, table.get(key, []), start) for key in ("via", "avoid")}
        via, avoid = (
            tuple(self.check_name(key, each, start) for each in words[key]) for key in words
        )
        line = self.find_key_line("pins", start)
        read = []
        for each in pins:
            texts = each.values() if isinstance(each, dict) else [each]
            first = next((text for text in texts if isinstance(text, str)), "pins")
            line = self.find_key_line(first, line)  # pins come in the order of their lines
            read.append(replace(self._read_pin(each, line), where=f"{self.file}:{line}"))
        return Scenario(name, tuple(read), via, avoid, f"query {name}")

    def _read_pin(self, value: object, line: int) -> Pin:
        """A pin on a line: "SLOT = TARGET", or a table."""
        hint = ('write "SLOT = TARGET", "SLOT = TARGET @ FROM..TO" or '
                '{slot = "...", target = "...", from = "...", to = "..."}')
        pin = Pin.parse(value) if isinstance(value, str) else None
        if pin is not None:
            return pin
        if not isinstance(value, dict):
            raise DocumentError(f"{self.file}:{line}: `{value}` is not a pin", hint)
        self.check_keys(value, ("slot", "target", "from", "to"), "a pin", line)
        for key in ("slot", "target"):
            if key not in value:
                raise DocumentError(f"{self.file}:{line}: a pin has no {key}", hint)
        words = {key: self.read_text(key, each, line) for key, each in value.items()}
        return Pin(words["slot"], words["target"], words.get("from", ""), words.get("to", ""))


@cache
def read_shipped_queries() -> tuple[Query, ...]:
    """The queries that come with kgraph, by name."""
    return tuple(read_query(path) for path in sorted(find_resource("queries").glob("*.toml")))


def find_query(name: str) -> Query:
    """The query that a user names: a file, or one that comes with kgraph.

    Raises DocumentError if there is none, or its file is invalid.
    """
    if Path(name).is_file():
        return read_query(Path(name))
    for query in read_shipped_queries():
        if query.name == name:
            return query
    known = ", ".join(query.name for query in read_shipped_queries())
    raise DocumentError(f"{name}: no such file, and no query of that name",
                        f"the queries that come with kgraph are {known}")
