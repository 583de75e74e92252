"""Translation units: what is compiled, with which flags, into which image."""

from msgspec import Struct


class ModuleFolder(Struct, frozen=True, gc=False):
    """An out-of-tree module. Citations name its files `name`/FILE, which lie in the folder `path`;
    the build folder has a copy of them under that name.
    """

    name: str
    path: str


class TranslationUnit(Struct, frozen=True, gc=False):
    """A C file or assembler source as the build compiles it. (path, object) identifies it: a source
    may be compiled twice.

    `path` is cited: relative to the tree, or, for a `generated` source, to the build folder. `file`
    is the absolute path that clang reads, `directory` the folder where the command runs.
    `arguments` are those of clang without compiler, -c, -o and the source; every path in them is
    absolute. `object` is the object file, relative to the build folder. `image` is what the object
    is linked into: "vmlinux", the name of a module, "vdso", "realmode", "boot", "purgatory".
    """

    path: str
    object: str
    image: str
    file: str
    directory: str
    arguments: tuple[str, ...]
    generated: bool = False

    @property
    def is_assembly(self) -> bool:
        """Whether it is assembler source, which has to be preprocessed first."""
        return self.file.endswith(".S")
