"""The state of indexes as text: the coverage of one, and everything in the cache folder."""

from collections.abc import Iterator
from pathlib import Path

from kgraph.model.results import CachedIndex, CacheInventory, Coverage, IndexDescription


def format_description(about: IndexDescription, path: Path, now: float) -> Iterator[str]:
    """What the index is of, and its age at `now` (seconds since the epoch)."""
    yield f"tree           {about.tree}"
    yield f"release        {about.release or 'unknown'}"
    yield f"configuration  {about.config}"
    if about.only:
        yield f"only           {', '.join(about.only)}"
    yield f"index          {path}, {_format_age(now - about.built)} old"


def format_coverage(account: Coverage) -> Iterator[str]:
    """Units, functions, call sites, candidates."""
    yield (
        f"units          {account.units}: {account.parsed} parsed ({account.errors} of them with"
        f" errors), {account.failed} failed"
    )
    yield f"functions      {account.functions}"
    yield f"call sites     {account.direct} direct, {account.indirect} indirect"
    for name, counts in (
        ("resolved", account.resolved), ("empty", account.empty),
        ("unresolved", account.unresolved),
    ):
        total = sum(counts.values())
        share = f" ({100 * total / account.indirect:.1f}%)" if account.indirect else ""
        yield f"  {name:<12} {total}{share}"
        for what, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            yield f"    {count:>8}  {what}"
    if account.candidates:
        figures = account.candidates
        yield (
            f"candidates     mean {figures['mean']}, p50 {figures['p50']}, p90 {figures['p90']},"
            f" p99 {figures['p99']}; by type alone mean {figures['by_type_mean']}"
        )
        yield from _format_holders(account)
    yield from format_deferred(account)


def _format_holders(account: Coverage) -> Iterator[str]:
    """Candidates, each holder counted once, beside signature matching."""
    for name, figures in account.holders.items():
        if not figures["holders"]:
            continue
        left_out = figures.get("left_out", [])
        which = f"without {', '.join(map(str, left_out))}" if isinstance(
            left_out, list) and left_out else f"{figures['holders']} holders"
        yield (
            f"  {'by holder' if name == 'all' else '':<12} mean {figures['mean']},"
            f" p50 {figures['p50']}, p90 {figures['p90']}, p99 {figures['p99']}; by type alone mean"
            f" {figures['by_type_mean']}: {figures['ratio']} of that ({which})"
        )


def format_deferred(account: Coverage) -> Iterator[str]:
    """Requests to run something later, by kind: how many have a callee, and why others do not."""
    if not account.deferred:
        return
    with_callee = sum(kind["resolved"] for kind in account.deferred.values())
    requests = sum(kind["requests"] for kind in account.deferred.values())
    yield f"deferred       {with_callee} of {requests} requests have a callee"
    for name, kind in account.deferred.items():
        yield f"  {name:<12} {kind['resolved']} of {kind['requests']}"
        for reason, count in kind["without"].items():
            yield f"    {count:>8}  {reason}"
        if kind["untold"]:
            untold = kind["untold"]
            yield f"    {untold:>8}  callbacks are registered under a key that cannot be told"


def format_size(count: int) -> str:
    """A number of bytes."""
    if count >= 2**30:
        return f"{count / 2**30:.1f} GB"
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{-(-count // 2**10)} KB"


def _format_age(seconds: float) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def format_inventory(found: CacheInventory, now: float) -> Iterator[str]:
    """The indexes, the last built first, those that cannot be read at the end; `now` as in
    description_lines."""
    for held in sorted(found.indexes, key=get_build_order):
        if held.description is None or held.coverage is None:
            yield f"index          {held.path}"
            yield f"trouble        {held.trouble}"
        else:
            account = held.coverage
            yield from format_description(held.description, held.path, now)
            yield (f"units          {account.units}: {account.errors} with errors,"
                   f" {account.failed} failed")
        yield (
            f"size           {format_size(held.size)},"
            f" what was generated for it {format_size(held.generated)}"
        )
        yield ""
    taken = sum(held.size + held.generated for held in found.indexes)
    yield f"{len(found.indexes)} indexes, {format_size(taken)}"


def format_unused_files(found: CacheInventory, what: str) -> Iterator[str]:
    """What nothing needs, with its sum first; `what` is said of it."""
    yield f"{format_size(sum(spare.size for spare in found.spare))} {what}"
    for spare in found.spare:
        yield f"  {format_size(spare.size):>10}  {spare.path}: {spare.why}"
    for folder in found.busy:
        yield f"  {'':>10}  {folder}: a run is at work there, it was left alone"


def get_build_order(held: CachedIndex) -> float:
    """A sort key: the index that was built last comes first."""
    return -held.description.built if held.description is not None else 0.0
