"""What an incomplete index cannot prove.

A call through a slot is proved empty only if everything that could write to the slot was read.
In an index of some units (`--only`), or one in which units failed to parse, that holds only for
what a single .c file keeps to itself and puts nothing into. Every other empty call site becomes
unresolved. The same applies to deferred calls that nothing registers. A unit that was parsed with
errors may fill only what its text names; kgraph.resolve judges the call sites then, and here are
the deferred calls.
"""

import re

from msgspec.structs import replace

from kgraph.model.ids import ObjectId
from kgraph.model.resolution import DeferredRequest, Resolution, ResolvedSite, SiteStatus
from kgraph.model.unread_text import UnreadText
from kgraph.model.values import Holder, Parameter, Slot
from kgraph.resolve.findings.unresolved import NO_FUNCTION, NO_FUNCTION_PASSED

_NAME = re.compile(r"[A-Za-z_]\w*")


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


def downgrade_named_requests(resolution: Resolution, unread: UnreadText) -> Resolution:
    """Mark deferred calls without callees whose key the text of units with errors may name."""
    is_named = unread.make_test()

    def may_register(request: DeferredRequest) -> bool:
        keys = [_NAME.findall(key) for key in request.requested.split(" or ")]
        return any(not names or is_named(names[-1], "") for names in keys)

    return replace(resolution, requests=tuple(
        _downgrade_request(request, unread.reason) if may_register(request) else request
        for request in resolution.requests))


def _downgrade_request(request: DeferredRequest, why: str) -> DeferredRequest:
    if request.edges or request.key_unknown:
        return request
    return replace(request, reason=f"{why}; else {request.reason}")


def _downgrade_site(site: ResolvedSite, why: str) -> ResolvedSite:
    if site.status is not SiteStatus.EMPTY or _is_proved_by_one_file(site):
        return site
    return replace(site, status=SiteStatus.UNRESOLVED, reason=f"{why}; else {site.reason}")


def _is_proved_by_one_file(site: ResolvedSite) -> bool:
    """Whether a single .c file proves that a site is empty: only it can name the holder, and puts
    nothing into it. What it puts there may come from others.
    """
    is_filled = site.reason.startswith((NO_FUNCTION, NO_FUNCTION_PASSED))
    return not is_filled and _is_private_to_one_file(site.holder)


def _is_private_to_one_file(holder: Holder | None) -> bool:
    """Whether a single .c file can name the holder."""
    match holder:
        case Slot() | ObjectId():
            return ".c" in holder.scope
        case Parameter():
            return ".c" in holder.function.scope
    return False


def explain_incompleteness(only: tuple[str, ...], failed: int, erroneous: int) -> str:
    """Why an index lacks some of what its tree compiles, "" if it lacks no whole unit."""
    if only:
        return "a unit outside --only may fill it"
    return explain_errors(failed + erroneous) if failed else ""


def explain_errors(units: int) -> str:
    """What so many units with errors leave open."""
    what = "a unit" if units == 1 else f"one of {units} units"
    return f"{what} that did not parse cleanly may fill it"
