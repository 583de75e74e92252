"""Where the files that come with kgraph are: queries, report templates, the small kernel.

Knows the two layouts: a source checkout, where they stand at the top level, and an installed
package, where they stand in kgraph/data. Must not know what is in them.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = {"queries": "queries", "reports": "reports", "mini-linux": "fixtures/mini-linux"}


def resource(name: str) -> Path:
    """The folder `name`: "queries", "reports" or "mini-linux".

    The installed folder comes first. Raises KeyError for another name; whether the folder exists
    is for the caller to see.
    """
    checkout = _CHECKOUT[name]
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / checkout


def mini_linux() -> Path:
    """The small kernel that answers where no index was built."""
    return resource("mini-linux")
