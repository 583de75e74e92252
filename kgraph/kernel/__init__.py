"""From a kernel tree to the translation units that its build compiles, without building it.

Owns the tree, the build configuration, the prepared build folder in the user's cache, the Kbuild
dry run or a compile_commands.json, and the flags for libclang. May import kgraph.model and
kgraph.errors only; never prints, never writes to the tree; must not know about clang or graphs.

The public interface:

    open_tree(path, *, compile_commands=None) -> KernelTree
        KernelTree(root: Path, release: str); release is "" for a small tree without a Makefile.
    choose_configuration(tree, *, config=None, defconfig=None) -> Configuration
        Configuration(source, path, target, digest, release, arch); str() names it;
        `digest` identifies it before anything is run; `warning(tree)` is one sentence or "".
    configuration_of(tree, *, config=None, defconfig=None, compile_commands=None) -> Configuration
        The same, also where a list of compile commands is used: what UnitList will hold.
    translation_units(tree, *, config=None, defconfig=None, compile_commands=None, prepare=False,
                      only=(), work, jobs=1, remark=...) -> UnitList
        UnitList(units, configuration, release, build, skipped, remarks). `work` is a folder of the
        cache that belongs to this tree and configuration; it is reused while its inputs are the
        same. `remark(text)` is told progress and what the user should know.
    BUILTIN_HEADERS: Path
        The folder of stdarg.h, stddef.h ... that every unit's arguments name by -isystem. It lies
        outside the tree: a location in it is no citation.

Raised: TreeError, ConfigurationError, ToolError, each with a message and a hint.
"""

from kgraph.kernel.configuration import Configuration, Source, choose_configuration
from kgraph.kernel.flags import BUILTIN_HEADERS
from kgraph.kernel.tree import KernelTree, open_tree
from kgraph.kernel.units import UnitList, configuration_of, translation_units

__all__ = [
    "BUILTIN_HEADERS",
    "Configuration",
    "KernelTree",
    "Source",
    "UnitList",
    "choose_configuration",
    "configuration_of",
    "open_tree",
    "translation_units",
]
