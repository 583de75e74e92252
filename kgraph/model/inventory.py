"""What lies in the cache folder: indexes, and what nothing needs."""

from dataclasses import dataclass
from pathlib import Path

from kgraph.model.answers import Coverage, IndexDescription


@dataclass(frozen=True, slots=True)
class Held:
    """An index of the cache folder and the bytes that it and its generated files take. Where it
    cannot be read, `trouble` says why, and nothing else is known."""

    path: Path
    size: int
    generated: int
    description: IndexDescription | None
    coverage: Coverage | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Spare:
    """A file or folder that nothing needs, its bytes, and why."""

    path: Path
    size: int
    why: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What there is; `busy` are the folders in which a run is, of which nothing is spare."""

    indexes: tuple[Held, ...]
    spare: tuple[Spare, ...]
    busy: tuple[Path, ...]
