"""What the previous index's graph says about functions, objects and its footprint, by name."""

from bisect import bisect_left
from functools import cache, cached_property
from pathlib import Path

from kgraph.model.facts import Function
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import MarkKey, hash_key
from kgraph.model.location import Extent, Location
from kgraph.store.reader import IndexReader


class PreviousGraph:
    """Answers for one index. Close it after use. Raises StoreError if the index is damaged."""

    def __init__(self, path: Path) -> None:
        self._reader = IndexReader(path, verify=False)
        self.find_functions = cache(self._find_functions)
        self.is_table = cache(self._is_table)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    @cached_property
    def _marks(self) -> tuple[list[int], list[int]]:
        array = self._reader.read_array
        return array("footprint_mark"), array("footprint_weight")  # type: ignore[return-value]

    def find_weight(self, key: MarkKey) -> int:
        """The weight of a mark, 0 if there is none."""
        marks, weights = self._marks
        wanted = hash_key(key)
        place = bisect_left(marks, wanted)
        return weights[place] if place < len(marks) and marks[place] == wanted else 0

    def _find_functions(self, name: str) -> tuple[Function, ...]:
        """The defined functions of a name, with what linkage needs of them."""
        rows = self._reader.fetch_rows(
            "SELECT scope, image, path, line, alias_of, weak FROM function f"
            " JOIN file ON file.id = f.file WHERE name = ?", (name,))
        return tuple(
            Function(FunctionId(name, scope, image), Location(path, line),
                     Extent(Location(path, line), line), "", alias_of=alias_of, weak=bool(weak))
            for scope, image, path, line, alias_of, weak in rows)

    def _is_table(self, identity: ObjectId) -> bool:
        """Whether something is bound in an object of this name and scope, whatever its image."""
        return bool(self._reader.fetch_rows(
            'SELECT 1 FROM object o JOIN binding b ON b."table" = o.id'
            " WHERE o.name = ? AND o.scope = ? LIMIT 1", (identity.name, identity.scope)))

    def is_pointer(self, identity: ObjectId) -> bool:
        """Whether all objects of this name and scope are defined here, as pointers."""
        rows = self._reader.fetch_rows(
            "SELECT type FROM object WHERE name = ? AND scope = ?",
            (identity.name, identity.scope))
        return bool(rows) and all("*" in (row[0] or "") for row in rows)
