"""The account of an index as text."""

from collections.abc import Iterator
from pathlib import Path

from kgraph.model.answers import Coverage, IndexDescription


def description_lines(about: IndexDescription, path: Path, now: float) -> Iterator[str]:
    """What the index is of, and its age at `now` (seconds since the epoch)."""
    yield f"tree           {about.tree}"
    yield f"release        {about.release or 'unknown'}"
    yield f"configuration  {about.config}"
    if about.only:
        yield f"only           {', '.join(about.only)}"
    yield f"index          {path}, {_age(now - about.built)} old"


def coverage_lines(account: Coverage) -> Iterator[str]:
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
        yield from _holder_lines(account)
    yield from deferred_lines(account)


def _holder_lines(account: Coverage) -> Iterator[str]:
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


def deferred_lines(account: Coverage) -> Iterator[str]:
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


def size(count: int) -> str:
    """A number of bytes."""
    if count >= 2**30:
        return f"{count / 2**30:.1f} GB"
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{-(-count // 2**10)} KB"


def _age(seconds: float) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
