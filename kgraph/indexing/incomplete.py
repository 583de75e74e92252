"""What an incomplete index cannot prove.

A call through a slot is proved empty only if everything that could write to the slot was read.
In an index of some units (`--only`), or one in which units failed to parse, that holds only for
what a single .c file keeps to itself. Every other empty call site becomes unresolved. The same
applies to deferred calls that nothing registers.
"""

from msgspec.structs import replace

from kgraph.model.ids import ObjectId
from kgraph.model.resolution import DeferredRequest, Resolution, ResolvedSite, SiteStatus
from kgraph.model.values import Holder, Parameter, Slot


def downgrade_empty_sites(resolution: Resolution, why: str) -> Resolution:
    """Make empty call sites unresolved if units that were not read could fill them.

    Their reason becomes `why`, followed by their own. `why` is "" if all units were read; then
    nothing changes.
    """
    if not why:
        return resolution
    return replace(
        resolution, sites=tuple(_downgrade_site(site, why) for site in resolution.sites),
        requests=tuple(_downgrade_request(request, why) for request in resolution.requests))


def _downgrade_request(request: DeferredRequest, why: str) -> DeferredRequest:
    if request.edges or request.key_unknown:
        return request
    return replace(request, reason=f"{why}; else {request.reason}")


def _downgrade_site(site: ResolvedSite, why: str) -> ResolvedSite:
    if site.status is not SiteStatus.EMPTY or _is_private_to_one_file(site.holder):
        return site
    return replace(site, status=SiteStatus.UNRESOLVED, reason=f"{why}; else {site.reason}")


def _is_private_to_one_file(holder: Holder | None) -> bool:
    """Whether a single .c file can name the holder."""
    match holder:
        case Slot() | ObjectId():
            return ".c" in holder.scope
        case Parameter():
            return ".c" in holder.function.scope
    return False


def explain_incompleteness(only: tuple[str, ...], failed: int, erroneous: int) -> str:
    """Why an index lacks some of what its tree compiles, "" if it lacks nothing."""
    if only:
        return "a unit outside --only may fill it"
    if failed or erroneous:
        return f"one of {failed + erroneous} units that did not parse cleanly may fill it"
    return ""
