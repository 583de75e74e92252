"""Index every combination of trees and configurations that a TOML file lists.

Owns the file's format and checks all of it before the first index is made. Sharing of units
between the indexes is done by lending, which needs no matrix.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kgraph.build import find_configuration, open_tree
from kgraph.errors import ConfigurationError, KgraphError
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest, Progress
from kgraph.store import index_path
from kgraph.textfile import expand_home
from kgraph.toml import TomlReader, parse_toml, read_toml_text

_CHOICES = ("config", "defconfig", "compile_commands")
_CONFIGURATION = (*_CHOICES, "arch", "llvm", "prepare", "trees", "only")
_HINT = "--matrix takes a TOML file of trees and configurations (see `kgraph help many`)"


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One index of a matrix: what to index, and the line of the file that says so."""

    request: IndexRequest
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class MatrixOutcome:
    """The result of indexing one cell: a summary, or the error."""

    cell: MatrixCell
    summary: IndexSummary | None
    error: KgraphError | None = None


def read_matrix(file: Path, base: IndexRequest) -> tuple[MatrixCell, ...]:
    """Read and check the indexes that a file asks for; `base` has what is the same for all.

    Every tree and configuration is opened. Raises ConfigurationError, naming FILE:LINE.
    """
    return _MatrixReader(file, read_toml_text(file, ConfigurationError, _HINT), base).cells()


def index_matrix(
    cells: tuple[MatrixCell, ...], *, progress: Progress = lambda _done, _all, _what: None,
    remark: Callable[[str], None] = lambda _text: None,
) -> Iterator[MatrixOutcome]:
    """Make the indexes, one after another. If one fails, the others are still made."""
    for cell in cells:
        try:
            yield MatrixOutcome(cell, index_tree(cell.request, progress=progress, remark=remark))
        except KgraphError as error:
            yield MatrixOutcome(cell, None, error)
        except OSError as error:
            yield MatrixOutcome(cell, None, KgraphError(str(error)))


class _MatrixReader(TomlReader):
    def __init__(self, file: Path, text: str, base: IndexRequest) -> None:
        super().__init__(str(file), text, ConfigurationError)
        self._tables = parse_toml(str(file), text, ConfigurationError)
        self._folder = file.absolute().parent
        self._base = base

    def cells(self) -> tuple[MatrixCell, ...]:
        self.check_keys(self._tables, ("only", "tree", "configuration"), "a matrix")
        only = self.read_texts("only", self._tables.get("only", []))
        trees = [self._tree(table, line) for table, line in self._entries("tree")]
        configurations = self._entries("configuration")
        found: list[MatrixCell] = []
        for table, line in configurations:
            self.check_keys(table, _CONFIGURATION, "[[configuration]]", line)
            for tree in self._trees_of(table, line, [tree for tree, _ in trees]):
                own = dict(trees)[tree] or only
                found.append(self._cell(tree, table, line, own))
        return self._distinct(found)

    def _entries(self, name: str) -> list[tuple[dict[str, Any], int]]:
        entries = self._tables.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise self.make_error(name, f"{name} must be a list of tables", f"write [[{name}]]")
        if not entries:
            raise self.make_error(name, f"there is no [[{name}]]", f"write [[{name}]]")
        return [(each, self.find_table_line(name, number)) for number, each in enumerate(entries)]

    def _tree(self, table: dict[str, Any], line: int) -> tuple[Path, tuple[str, ...]]:
        self.check_keys(table, ("path", "only"), "[[tree]]", line)
        if "path" not in table:
            raise self.make_error("tree", "[[tree]] has no path", 'write path = "..."', line)
        return (self._path("path", table["path"], line),
                self.read_texts("only", table.get("only", []), line))

    def _path(self, key: str, value: object, line: int) -> Path:
        """A path. A relative one starts at the folder of the file."""
        return self._folder / expand_home(self.read_text(key, value, line))

    def _trees_of(self, table: dict[str, Any], line: int, known: list[Path]) -> list[Path]:
        if "trees" not in table:
            return list(dict.fromkeys(known))
        named = [self._path("trees", each, line)
                 for each in self.read_texts("trees", table["trees"], line)]
        if not named:
            raise self.make_error("trees", "trees names no [[tree]]",
                                  "name one, or leave trees out for all of them", line)
        for tree in named:
            if tree not in known:
                raise self.make_error("trees", f"no [[tree]] has the path {tree}",
                                 "write it as in [[tree]]", line)
        return named

    def _cell(
        self, tree: Path, table: dict[str, Any], line: int, only: tuple[str, ...]
    ) -> MatrixCell:
        chosen = [key for key in _CHOICES if key in table]
        if len(chosen) > 1:
            raise self.make_error(chosen[1], f"{' and '.join(chosen)} cannot be given together",
                             "choose one of them", line)
        paths = {key: self._path(key, table[key], line) for key in chosen if key != "defconfig"}
        arch = self.read_text("arch", table["arch"], line) if "arch" in table else ""
        llvm = self._flag("llvm", table, line)
        request = replace(
            self._base, tree=tree, config=paths.get("config"),
            defconfig=self.read_text("defconfig", table["defconfig"], line) if "defconfig" in chosen
            else None,
            compile_commands=paths.get("compile_commands"), arch=arch, llvm=llvm,
            prepare=self._flag("prepare", table, line),
            only=self.read_texts("only", table["only"], line) if "only" in table else only)
        name = str(paths.get(chosen[0], request.defconfig)) if chosen else "its own"
        asked = [f", {arch}"] if arch else []
        asked += [", LLVM"] if llvm else []
        return MatrixCell(request, f"{tree}, configuration {name}{''.join(asked)}", line)

    def _flag(self, key: str, table: dict[str, Any], line: int) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self.make_error(
                key, f"{key} must be true or false", f"write {key} = true", line)
        return value

    def _distinct(self, cells: list[MatrixCell]) -> tuple[MatrixCell, ...]:
        """The cells, if all trees and configurations exist and no two cells are alike."""
        lines: dict[Path, int] = {}
        for cell in cells:
            request = cell.request
            try:
                tree = open_tree(request.tree, compile_commands=request.compile_commands)
                configuration = find_configuration(tree, request.make_unit_request())
            except KgraphError as error:
                raise ConfigurationError(
                    f"{self.file}:{cell.line}: {error.message}", error.hint) from None
            place = index_path(tree.root, str(configuration))
            if place in lines:
                raise ConfigurationError(
                    f"{self.file}:{cell.line}: {cell.name} is already on line {lines[place]}",
                    "list each tree and configuration once")
            lines[place] = cell.line
        return tuple(cells)
