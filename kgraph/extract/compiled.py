"""The compiled twin of what extraction calls for every node, where there is one.

_compiled.c is built when kgraph is installed, if that can be done, and holds functions of the same
names that do the same. Without it, or with KGRAPH_PURE_PYTHON=1 in the environment, everything runs
in Python and takes longer; no fact differs.
"""

import importlib
import os
from typing import Any, TypeVar

_T = TypeVar("_T")


def _find() -> Any:
    if os.environ.get("KGRAPH_PURE_PYTHON", "0") not in ("", "0"):
        return None
    try:
        return importlib.import_module("kgraph.extract._compiled")
    except ImportError:
        return None


COMPILED = _find()  # the module, or None


def compiled(pure: _T) -> _T:
    """The compiled twin of a function or class, or itself where there is none."""
    twin: _T = getattr(COMPILED, getattr(pure, "__name__", ""), pure)
    return twin
