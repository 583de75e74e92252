"""kgraph: a static call-graph analyser for Linux kernel source.

    import kgraph

    with kgraph.use_index() as graph:      # the index that the command line would open
        print(kgraph.api.callers(graph, "veth_xmit").hops)

`kgraph.api` has the questions: path, callers, callees, ops, site, check.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgraph import api as api
    from kgraph.api import open_index, use_index

__all__ = ["api", "open_index", "use_index"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    api = import_module("kgraph.api")
    return api if name == "api" else getattr(api, name)
