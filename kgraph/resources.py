"""Finds the files that are installed with kgraph: docs, queries, report templates, mini-linux.

Knows two layouts: a source checkout, where they are at the top level, and an installed package,
where they are in kgraph/data. Does not know what the files contain.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = {
    "docs": "docs", "queries": "queries", "reports": "reports", "mini-linux": "fixtures/mini-linux",
}


def find_resource(name: str) -> Path:
    """The folder `name`: "docs", "queries", "reports" or "mini-linux".

    An installed folder beats that of a source checkout. Raises KeyError for another name. Does not
    check that the folder exists.
    """
    checkout = _CHECKOUT[name]
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / checkout


def find_mini_linux() -> Path:
    """The tree of mini-linux, which answers questions if no index was built."""
    return find_resource("mini-linux")
