"""What is bound where, as lines of text: the answer of `ops`."""

from collections.abc import Iterator, Sequence

from kgraph.model.answers import Install, OpsRow
from kgraph.model.edges import Role

_INTO = {Role.BINDING: "put into", Role.ARGUMENT: "passed to", Role.RETURN: "returned by"}


def ops_lines(rows: Sequence[OpsRow]) -> Iterator[str]:
    """One binding a line under its table; then where the table is installed."""
    shown: object = ()
    for row in rows:
        if row.table != shown and row.table is not None:
            yield f"{row.table.type or 'object'} {row.table.id} ({row.table.location or '?'})"
            yield from (
                f"  {_installed(install)} {install.holder} at {install.location}"
                for install in row.installs
            )
            if not row.installs:
                yield "  installed nowhere in the index"
        shown = row.table
        indent = "  " if row.table else ""
        yield f"{indent}{row.slot} = {row.bound.id} ({row.location})"
        yield from (
            f"{indent}  {_INTO.get(item.role, 'copied to')} {item.holder} at {item.location}"
            for item in row.evidence
        )


def _installed(install: Install) -> str:
    if install.copied:
        return "comes into"
    return "passed to" if install.passed else "installed in"
