"""kgraph: a static call-graph analyser for Linux kernel source.

    import kgraph

    with kgraph.open_index() as index:      # the index that the command line would open
        for hop in index.callers("veth_xmit").hops:
            print(hop.caller, hop.site.location, hop.candidates)

`Index` has the questions as methods; `kgraph help python` is the manual. `kgraph.api` has the same
questions as functions, and more: reading trees, exporting, the cache.
"""

from typing import TYPE_CHECKING, Any

from kgraph.errors import KgraphError, LookupFailed, StoreError

if TYPE_CHECKING:
    from kgraph import api as api
    from kgraph.api import Index, open_index, use_index

__all__ = [
    "Index", "KgraphError", "LookupFailed", "StoreError", "api", "open_index", "use_index",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    api = import_module("kgraph.api")
    return api if name == "api" else getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
