"""Translation units: what is compiled, with which flags, into which image."""

from msgspec import Struct


class TranslationUnit(Struct, frozen=True, gc=False):
    """One C file, or assembler source, as the build compiles it.

    `path` is the citation path: relative to the tree for a file of the tree, relative to the
    build folder (and `generated` true) for a generated source. `file` is the absolute path given
    to clang. `directory` is the folder the command runs in. `arguments` are the clang arguments
    without compiler, -c, -o and the source, with every path absolute. `image` is what the object
    is linked into: "vmlinux", the module's name, "vdso", "realmode", "boot", "purgatory".
    `object` names the object file (relative to the build folder): one source may be compiled
    twice, so the identity of a unit is (path, object).
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
        """Whether it is assembler source, which goes through the preprocessor first."""
        return self.file.endswith(".S")
