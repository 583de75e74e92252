"""What an index of a part of the tree cannot prove.

That nothing is written to a slot proves a call through it empty only where everything that could
write to it was read. In an index of some units (--only), or with units that did not parse, this is
so for what one .c file keeps to itself; any other empty call site is unresolved. So it is with what
is asked to be run later and registered nowhere.
"""

from dataclasses import replace

from kgraph.model.holders import Holder, Parameter, Slot
from kgraph.model.names import ObjectId
from kgraph.model.resolution import Request, Resolution, ResolvedSite, Status


def doubted(resolution: Resolution, why: str) -> Resolution:
    """The resolution with empty call sites unresolved, for the reason `why` and their own, where
    units that were not read could fill them. An empty `why` says that all units were read.
    """
    if not why:
        return resolution
    return replace(
        resolution, sites=tuple(_doubted(site, why) for site in resolution.sites),
        requests=tuple(_unsure(request, why) for request in resolution.requests))


def _unsure(request: Request, why: str) -> Request:
    if request.edges or request.untold:
        return request
    return replace(request, reason=f"{why}; else {request.reason}")


def _doubted(site: ResolvedSite, why: str) -> ResolvedSite:
    if site.status is not Status.EMPTY or _kept_in_one_file(site.holder):
        return site
    return replace(site, status=Status.UNRESOLVED, reason=f"{why}; else {site.reason}")


def _kept_in_one_file(holder: Holder | None) -> bool:
    """Whether only one .c file can name the holder."""
    match holder:
        case Slot() | ObjectId():
            return ".c" in holder.scope
        case Parameter():
            return ".c" in holder.function.scope
    return False


def missing(only: tuple[str, ...], failed: int, erroneous: int) -> str:
    """Why an index does not hold all that its tree compiles, "" if it does."""
    if only:
        return "a unit outside --only may fill it"
    if failed or erroneous:
        return f"one of {failed + erroneous} units that did not parse cleanly may fill it"
    return ""
