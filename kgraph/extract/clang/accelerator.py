"""Finds the optional C extension, which replaces what runs once for each syntax node.

_compiled.c is built when kgraph is installed, if a compiler is there. It holds functions of the
same names that do the same. Without it, or with KGRAPH_PURE_PYTHON=1, everything runs in Python and
takes longer; no fact differs.
"""

import importlib
import os
from typing import Any, TypeVar

_T = TypeVar("_T")


def _load_extension() -> Any:
    if os.environ.get("KGRAPH_PURE_PYTHON", "0") not in ("", "0"):
        return None
    try:
        return importlib.import_module("kgraph.extract.clang._compiled")
    except ImportError:
        return None


ACCELERATOR = _load_extension()  # the extension module, or None


def prefer_extension(function: _T) -> _T:
    """The extension's function of the same name, or `function` itself without the extension.

    To be used as a decorator.
    """
    faster: _T = getattr(ACCELERATOR, getattr(function, "__name__", ""), function)
    return faster
