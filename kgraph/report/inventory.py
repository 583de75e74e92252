"""What lies in the cache folder, as text and JSON."""

from collections.abc import Iterator

from kgraph.model.inventory import Held, Inventory
from kgraph.report.records import Record, status_record
from kgraph.report.totals import description_lines, size


def listed_lines(found: Inventory, now: float) -> Iterator[str]:
    """The indexes, the last built first, those that cannot be read at the end; `now` as in
    description_lines."""
    for held in sorted(found.indexes, key=_age):
        if held.description is None or held.coverage is None:
            yield f"index          {held.path}"
            yield f"trouble        {held.trouble}"
        else:
            account = held.coverage
            yield from description_lines(held.description, held.path, now)
            yield (f"units          {account.units}: {account.errors} with errors,"
                   f" {account.failed} failed")
        yield f"size           {size(held.size)}, what was generated for it {size(held.generated)}"
        yield ""
    taken = sum(held.size + held.generated for held in found.indexes)
    yield f"{len(found.indexes)} indexes, {size(taken)}"


def spare_lines(found: Inventory, what: str) -> Iterator[str]:
    """What nothing needs, with its sum first; `what` is said of it."""
    yield f"{size(sum(spare.size for spare in found.spare))} {what}"
    for spare in found.spare:
        yield f"  {size(spare.size):>10}  {spare.path}: {spare.why}"
    for folder in found.busy:
        yield f"  {'':>10}  {folder}: a run is at work there, it was left alone"


def inventory_record(found: Inventory) -> Record:
    """The answer of `status --all` and `index --prune`."""
    return {
        "format": "kgraph-inventory/1",
        "indexes": [_record(held) for held in sorted(found.indexes, key=_age)],
        "spare": [{"path": str(spare.path), "bytes": spare.size, "why": spare.why}
                  for spare in found.spare],
        "spare_bytes": sum(spare.size for spare in found.spare),
        "busy": [str(folder) for folder in found.busy],
    }


def _record(held: Held) -> Record:
    about: Record = {"trouble": held.trouble}
    if held.description is not None and held.coverage is not None:
        about = status_record(held.description, held.coverage)
    return {"path": str(held.path), "bytes": held.size, "generated_bytes": held.generated, **about}


def _age(held: Held) -> float:
    return -held.description.built if held.description is not None else 0.0
