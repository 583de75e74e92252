"""Filter units by the files and folders of --only.

Owns how such a path is read (relative to the tree, absolute, or relative to the current
folder), and the error if it matches nothing.
"""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from kgraph.build.tree import KernelTree, strip_folder
from kgraph.errors import ConfigurationError
from kgraph.model.units import TranslationUnit
from kgraph.textfile import escape_name, expand_home, unescape_name


def filter_units(
    units: tuple[TranslationUnit, ...], only: Sequence[str | Path], tree: KernelTree
) -> tuple[TranslationUnit, ...]:
    """Select the units of the files and folders in `only`; all units if it is empty.

    Raises ConfigurationError for a path that matches no unit.
    """
    if not only:
        return units
    chosen: set[tuple[str, str]] = set()
    for item in only:
        chosen |= {(unit.path, unit.object) for unit in _match_units(units, str(item), tree)}
    return tuple(unit for unit in units if (unit.path, unit.object) in chosen)


def _match_units(
    units: tuple[TranslationUnit, ...], item: str, tree: KernelTree
) -> list[TranslationUnit]:
    for path in map(escape_name, _iter_meanings(item, tree)):
        if path == ".":
            return list(units)
        inside = f"{path}/"
        found = [unit for unit in units if unit.path == path or unit.path.startswith(inside)]
        if found:
            return found
    raise _make_no_match_error(units, item, tree)


def _iter_meanings(item: str, tree: KernelTree) -> list[str]:
    """What `item` may mean as a path relative to the tree, the likeliest first."""
    item = unescape_name(item)
    here = str(expand_home(item).resolve())
    inside = "." if here == str(tree.root) else strip_folder(here, tree.root)
    readings = [] if Path(item).is_absolute() else [os.path.normpath(item)]
    # "." is the current folder if that is in the tree, else the tree.
    if readings == ["."] and inside:
        readings = []
    return readings + ([inside] if inside else [])


def _make_no_match_error(
    units: tuple[TranslationUnit, ...], item: str, tree: KernelTree
) -> ConfigurationError:
    if any((tree.root / path).exists() for path in _iter_meanings(item, tree)):
        return ConfigurationError(
            f"--only {item}: nothing there is compiled in this configuration",
            "enable its option in the configuration, or give another path",
        )
    known = {part for unit in units for part in (unit.path, str(Path(unit.path).parent))}
    close = difflib.get_close_matches(item.rstrip("/"), sorted(known), n=3)
    hint = f"did you mean {', '.join(close)}?" if close else "give a path such as net/core"
    return ConfigurationError(f"--only {item}: no such file or folder in the tree", hint)
