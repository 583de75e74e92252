"""Results: what a question to an index returns, and what is known of an index itself.

A record holds everything that is needed to show it; rendering asks nothing more.
"""

import pathlib
from typing import Any

from msgspec import Struct, field

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import MAX_GUARDS, Extent, Guard, Location
from kgraph.model.resolution import EdgeKind, Evidence, SiteStatus


class KnownFunction(Struct, frozen=True, gc=False):
    """A function of the index, by its number there. `location` is None where no definition of it
    was indexed, else its definition ends at `end_line`. `address_taken`: its name stands somewhere
    as a value.
    """

    number: int
    id: FunctionId
    location: Location | None
    parameters: tuple[str, ...] = ()
    alias_of: str = ""
    macro: str = ""
    address_taken: bool = False
    end_line: int = 0

    def __str__(self) -> str:
        return self.id.name


class KnownObject(Struct, frozen=True, gc=False):
    """An object with static storage of the index, by its number there."""

    number: int
    id: ObjectId
    location: Location | None
    type: str = ""


class KnownSite(Struct, frozen=True, gc=False):
    """A call site of the index, by its number there. `holder` is what an indirect call goes
    through, "" for a direct call; `callback` the caller's parameter that it goes through; `proof`
    the number of the evidence that it is empty.
    """

    number: int
    caller: int
    location: Location
    extent: Extent
    ordinal: int
    expression: str
    macro: str
    status: SiteStatus
    holder: str = ""
    rule: str = ""
    reason: str = ""
    guards: tuple[Guard, ...] = ()
    callback: int | None = None
    proof: int | None = None

    @property
    def may_have_more_guards(self) -> bool:
        """Whether there may be further conditions around those in `guards`."""
        return len(self.guards) >= MAX_GUARDS


class Hop(Struct, frozen=True, gc=False):
    """One call: from a function, at a call site, to a function.

    `candidates` counts the callees that the call site has here: 1 where a scenario or a
    forwarded callback leaves one. `sites` are the other call sites of the same edge.
    """

    caller: KnownFunction
    callee: KnownFunction
    site: KnownSite
    kind: EdgeKind
    candidates: int = 1
    evidence: tuple[Evidence, ...] = ()
    sites: tuple[Location, ...] = ()


class Path(Struct, frozen=True, gc=False):
    """A way through the graph; each hop starts where the one before it ends."""

    hops: tuple[Hop, ...]


class OpenRequest(Struct, frozen=True, gc=False):
    """A call site asks for something of a kind to be run later, and no callee was found."""

    kind: str
    reason: str
    asked: str = ""


class SiteAnswer(Struct, frozen=True, gc=False):
    """A call site with every candidate; `by_type` counts the functions of its type where it is
    unresolved; `proof` cites everything that is put into an empty one's holder; `requests` are
    those of things to be run later that have no callee.
    """

    caller: KnownFunction
    site: KnownSite
    candidates: tuple[Hop, ...]
    by_type: int = 0
    proof: tuple[Evidence, ...] = ()
    requests: tuple[OpenRequest, ...] = ()


class Install(Struct, frozen=True, gc=False):
    """A place where a table is put where it is called from; where `passed`, it is only an argument
    there; where `copied`, it comes there from where it is put."""

    holder: str
    location: Location
    is_argument: bool = False
    is_copy: bool = False


class OpsRow(Struct, frozen=True, gc=False):
    """A function, or an object's address, bound to a slot. `table` is None for an assignment.
    `evidence`: it comes into the slot by these copies, the last of which is at `location`; where
    not `whole`, what else the slot may hold so could not be followed.
    """

    table: KnownObject | None
    slot: str
    bound: KnownFunction | KnownObject
    location: Location
    installs: tuple[Install, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    is_complete: bool = True


class Reach(Struct, frozen=True, gc=False):
    """How far a search came from one end: how many functions it reached, the deepest of them, and
    unresolved call sites in them, nearest first (a search from the callee's end has none).
    """

    functions: int
    deepest: tuple[KnownFunction, ...] = ()
    unresolved: tuple[KnownSite, ...] = ()
    unresolved_count: int = 0


class Frontier(Struct, frozen=True, gc=False):
    """Why no path leads from `caller` to `callee` (the ends of the leg that fails).

    `by_type`: unresolved call sites, given their candidates by type, would make one. `callbacks`:
    there is one only if a callback could be another than the one handed on there, or in more hops
    than allowed. `by_request`: requests to run something later, whose callee could not be told,
    might make one.
    """

    caller: KnownFunction
    callee: KnownFunction
    forward: Reach
    backward: Reach
    by_type: bool
    callbacks: bool = False
    by_request: bool = False


class PathAnswer(Struct, frozen=True, gc=False):
    """The answer to "how does A reach B": the best paths, how many other ways there are
    (`at_least`: there are more than were counted), or the frontier where there is none.
    """

    paths: tuple[Path, ...]
    others: int = 0
    frontier: Frontier | None = None
    others_at_least: bool = False


class IndexDescription(Struct, frozen=True, gc=False):
    """What an index is of. `tree` is an absolute path, `build` the folder of generated files;
    `only` what `--only` restricted it to; `built` seconds since the epoch.
    """

    tree: str
    release: str
    config: str
    build: str = ""
    only: tuple[str, ...] = ()
    built: float = 0.0
    bundled: bool = False


Number = int | float  # as it is stored: decoding to float alone would make a count 3.0
HolderStatistics = dict[str, Number | list[str]]


class Coverage(Struct, frozen=True, gc=False):
    """The account of an index: units, functions, call sites by status, candidates by call site, and
    by holder ("all", and "without" the heaviest: "holders", "mean", "p50" ... "by_type_mean",
    "ratio", "left_out"). `deferred` has for each kind of requests to run something
    later how many there are (`requests`), how many have a callee (`resolved`), why others have none
    (`without`), and how many callbacks are registered under a key that cannot be told (`untold`).
    """

    units: int
    errors: int
    failed: int
    functions: int
    direct: int
    indirect: int
    resolved: dict[str, int] = field(default_factory=dict)
    empty: dict[str, int] = field(default_factory=dict)
    unresolved: dict[str, int] = field(default_factory=dict)
    candidates: dict[str, Number] = field(default_factory=dict)
    holders: dict[str, HolderStatistics] = field(default_factory=dict)
    deferred: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def parsed(self) -> int:
        """Units that were parsed, with or without errors."""
        return self.units - self.failed


class CachedIndex(Struct, frozen=True, gc=False):
    """An index of the cache folder and the bytes that it and its generated files take. Where it
    cannot be read, `trouble` says why, and nothing else is known."""

    path: pathlib.Path
    size: int
    generated: int
    description: IndexDescription | None
    coverage: Coverage | None
    trouble: str = ""


class UnusedFile(Struct, frozen=True, gc=False):
    """A file or folder that nothing needs, its bytes, and why."""

    path: pathlib.Path
    size: int
    why: str


class CacheInventory(Struct, frozen=True, gc=False):
    """What there is; `busy` are the folders in which a run is, of which nothing is spare."""

    indexes: tuple[CachedIndex, ...]
    spare: tuple[UnusedFile, ...]
    busy: tuple[pathlib.Path, ...]
