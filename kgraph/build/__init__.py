"""From a kernel tree to the translation units that its build compiles, without building it.

Owns the tree, the build configuration, the prepared build folder in the user's cache, the
Kbuild dry run or a compile_commands.json, and the flags for libclang. Never prints and never
writes to the tree. Knows nothing of clang or graphs.

    tree = open_tree(path)
    found = list_translation_units(tree, work=folder)
    found.units

Errors are TreeError, ConfigurationError and ToolError, each with a message and a hint.
"""

from kgraph.build.configuration import Configuration, ConfigurationSource, choose_configuration
from kgraph.build.flags import BUILTIN_HEADERS
from kgraph.build.translation_units import (
    UnitList,
    UnitRequest,
    find_configuration,
    list_translation_units,
)
from kgraph.build.tree import KernelTree, open_tree

__all__ = [
    "BUILTIN_HEADERS",
    "Configuration",
    "ConfigurationSource",
    "KernelTree",
    "UnitList",
    "UnitRequest",
    "choose_configuration",
    "find_configuration",
    "list_translation_units",
    "open_tree",
]
