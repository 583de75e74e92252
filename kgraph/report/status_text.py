"""The state of indexes as text: the coverage of one, and everything in the cache folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kgraph.model.results import CachedIndex, CacheInventory, Coverage, IndexDescription

if TYPE_CHECKING:
    from kgraph.api import IndexSummary


def format_description(about: IndexDescription, path: Path, now: float) -> Iterator[str]:
    """The tree and configuration of an index, and its age at `now` (seconds since the epoch)."""
    yield f"tree           {about.tree}"
    yield f"release        {about.release or 'unknown'}"
    yield f"configuration  {about.config}"
    for module in about.modules:
        yield f"module         {module.path}, cited as {module.name}/"
    if about.only:
        yield f"only           {', '.join(about.only)}"
    yield f"index          {path}, {_format_age(now - about.built)} old"


def format_summary(summary: "IndexSummary") -> Iterator[str]:
    """What indexing a tree came to: the state of its index, and what the run cost."""
    about = summary.description
    yield from format_description(about, summary.index, about.built)
    yield from format_coverage(summary.coverage)
    if summary.units_kept or summary.units_lent:
        yield f"again          {_format_origins(summary)}"
    main, worker = (
        f"{size / 2**20:.0f} MB" for size in (summary.peak_bytes, summary.worker_peak_bytes))
    yield f"time           {summary.wall_seconds:.1f} s, {summary.cpu_seconds:.1f} s of CPU"
    yield f"memory         {main}, the largest worker {worker}"


def format_brief_summary(summary: "IndexSummary") -> Iterator[str]:
    """What indexing one tree of several came to."""
    account = summary.coverage
    yield f"  index        {summary.index}"
    yield (f"  units        {account.units}: {account.errors} with errors, {account.failed} failed;"
           f" {_format_origins(summary)}")
    yield f"  time         {summary.wall_seconds:.1f} s, {summary.cpu_seconds:.1f} s of CPU"


def _format_origins(summary: "IndexSummary") -> str:
    """Where the facts of the units come from."""
    return (f"{summary.units_read} read, {summary.units_kept} unchanged, {summary.units_lent} taken"
            " from another index")


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
        yield from _format_shared(account)
    yield from format_deferred(account)


def _format_holders(account: Coverage) -> Iterator[str]:
    """Candidates with each holder counted once, compared with type matching."""
    for name, figures in account.holders.items():
        if not figures["holders"]:
            continue
        left_out = figures.get("left_out", [])
        which = f"without {', '.join(map(str, left_out))}" if isinstance(
            left_out, list) and left_out else f"{figures['holders']} holders"
        yield (
            f"  {'by holder' if name == 'all' else '':<12} mean {figures['mean']},"
            f" p50 {figures['p50']}, p90 {figures['p90']}, p99 {figures['p99']}; by type alone mean"
            f" {figures['by_type_mean']} (ratio {figures['ratio']}), {which}"
        )


def _format_shared(account: Coverage) -> Iterator[str]:
    """Sets of candidates of several types that several holders share."""
    for number, shared in enumerate(account.shared):
        more = shared.count - len(shared.holders)
        yield (
            f"  {'' if number else 'shared':<12} {shared.count} holders share one set of"
            f" {shared.candidates} candidates of {shared.types} types:"
            f" {', '.join(shared.holders)}{f' and {more} more' if more else ''}")


def format_deferred(account: Coverage) -> Iterator[str]:
    """Deferred requests by kind: how many have a callee, and why the others have none."""
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
            yield f"    {kind['untold']:>8}  callbacks are registered under an unknown key"


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
    """Every index in the cache, with its age at `now`, and the size of all."""
    for index in sort_newest_first(found.indexes):
        if index.description is None or index.coverage is None:
            yield f"index          {index.path}"
            yield f"trouble        {index.trouble}"
        else:
            account = index.coverage
            yield from format_description(index.description, index.path, now)
            yield (f"units          {account.units}: {account.errors} with errors,"
                   f" {account.failed} failed")
        generated = format_size(index.generated)
        yield f"size           {format_size(index.size)}, generated files {generated}"
        yield ""
    taken = sum(index.size + index.generated for index in found.indexes)
    count = len(found.indexes)
    yield f"{count} index{'es' if count != 1 else ''}, {format_size(taken)}"


def format_unused_files(found: CacheInventory, what: str) -> Iterator[str]:
    """Files that no index needs: their total with the remark `what`, then one a line."""
    yield f"{format_size(sum(spare.size for spare in found.unused))} {what}"
    for spare in found.unused:
        yield f"  {format_size(spare.size):>10}  {spare.path}: {spare.reason}"
    for folder in found.busy:
        yield f"  {'':>10}  {folder}: in use by a run, left alone"


def sort_newest_first(indexes: Iterable[CachedIndex]) -> list[CachedIndex]:
    """The indexes, the one built last first; those that cannot be read at the end."""
    return sorted(
        indexes, key=lambda index: -index.description.built if index.description else 0.0)
