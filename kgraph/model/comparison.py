"""What differs between the graphs of two indexes: of two releases, or two configurations."""

from enum import StrEnum

from msgspec import Struct

from kgraph.model.location import Location
from kgraph.model.results import KnownFunction, Path


class Change(StrEnum):
    """What became of something."""

    GONE = "gone"
    NEW = "new"
    MOVED = "moved"  # to another file, or between static and global
    RENAMED = "renamed"  # guessed
    CHANGED = "changed"  # a function: its parameters; an edge: its kind


class FunctionChange(Struct, frozen=True, gc=False):
    """A function that differs. `likeness` says how sure a guess is (RENAMED), from 0 to 1."""

    change: Change
    before: KnownFunction | None
    after: KnownFunction | None
    likeness: float = 1.0


class EdgeChange(Struct, frozen=True, gc=False):
    """An edge that differs: kinds before and after, none where it is not there. `location` is that
    of its first call site, in the newer index if it is there.
    """

    change: Change
    caller: KnownFunction
    callee: KnownFunction
    before: tuple[str, ...]
    after: tuple[str, ...]
    location: Location


class BindingChange(Struct, frozen=True, gc=False):
    """Something that is bound to a slot in one index only. `table` is the table whose initialiser
    binds it, "" for an assignment.
    """

    change: Change
    slot: str
    value: str
    table: str
    location: Location


class NameChange(Struct, frozen=True, gc=False):
    """A slot, or a function that is registered to run later (`name`, of a `kind`)."""

    change: Change
    name: str
    kind: str = ""


class Comparison(Struct, frozen=True, gc=False):
    """All that differs. `functions_before`, `functions_after` count those with a definition, `same`
    those of one name and place in both. `with_functions` counts edges that came or went with a
    function at one end; they are not in `edges`.
    """

    functions_before: int
    functions_after: int
    same: int
    functions: tuple[FunctionChange, ...]
    edges: tuple[EdgeChange, ...]
    with_functions: int
    bindings: tuple[BindingChange, ...]
    slots: tuple[NameChange, ...]
    deferred: tuple[NameChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.functions or self.edges or self.with_functions or self.bindings
                    or self.slots or self.deferred)


class WayStep(Struct, frozen=True, gc=False):
    """A function on a way, in one index or in both. `before` and `after` are where it is called
    from, None for the first."""

    change: Change | None
    name: str
    was: str
    before: Location | None
    after: Location | None


class WayComparison(Struct, frozen=True, gc=False):
    """What became of a way between two functions: the first path in each index, None where there is
    none, and the two side by side. `is_open` says for each index without a path whether calls that
    are not resolved might make one.
    """

    before: Path | None
    after: Path | None
    steps: tuple[WayStep, ...]
    is_open: tuple[bool, bool]
