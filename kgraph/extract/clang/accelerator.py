"""Finds the optional C extension, which replaces what runs once for each syntax node.

_compiled.c is built when kgraph is installed, if a compiler is there. It holds functions of the
same names that do the same. Without it, or with KGRAPH_PURE_PYTHON=1, everything runs in Python
and takes longer; no fact differs.
"""

import importlib
import os
from typing import Any, TypeVar

_T = TypeVar("_T")


def _find() -> Any:
    if os.environ.get("KGRAPH_PURE_PYTHON", "0") not in ("", "0"):
        return None
    try:
        return importlib.import_module("kgraph.extract.clang._compiled")
    except ImportError:
        return None


ACCELERATOR = _find()  # the module, or None


def accelerated(pure: _T) -> _T:
    """The compiled twin of a function or class, or itself where there is none."""
    twin: _T = getattr(ACCELERATOR, getattr(pure, "__name__", ""), pure)
    return twin
