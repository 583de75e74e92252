"""Identities of functions and objects. They tell C names apart that repeat across files and
images.
"""

from msgspec import Struct

VMLINUX = "vmlinux"
# Images that are linked into vmlinux after all their names got a prefix (objcopy --prefix-symbols),
# because they run where the rest cannot: before memory is mapped, or in the hypervisor of arm64.
PREFIXED_IMAGES = {"kernel-pi": "__pi_", "kvm-nvhe": "__kvm_nvhe_"}


class FunctionId(Struct, frozen=True, order=True, gc=False):
    """A function.

    `scope` is "" for external linkage, else the defining file; it is "file@unit" if that file is a
    .c file which the translation unit `unit` includes. `image` is what the function is linked into:
    "vmlinux", a module, "vdso" ...
    """

    name: str
    scope: str = ""
    image: str = VMLINUX

    def __str__(self) -> str:
        return self.name


class ObjectId(Struct, frozen=True, order=True, gc=False):
    """A variable with static storage. A static variable of a function is "function.variable"."""

    name: str
    scope: str = ""
    image: str = VMLINUX

    def __str__(self) -> str:
        return self.name
