"""Which image an object is linked into: vmlinux, a module, vdso, realmode, boot, purgatory.

Owns the tables of folders whose objects are images of their own, and of folders that hold host
programs. The folder names are facts of the kernel's source layout, with their origin beside
them.
"""

import re
from collections.abc import Sequence

HOST = "host"
VMLINUX = "vmlinux"
# Folders of programs that run on the build machine, including some that Kbuild compiles like the
# kernel (scripts/mod/empty.c). usr/ holds gen_init_cpio; its only kernel object is assembly.
_HOST_FOLDERS = re.compile(r"(?:scripts|tools|usr|Documentation|samples/bpf)/|arch/\w+/tools/")
_PIC = frozenset({"-fPIC", "-fpic"})
_ANY: frozenset[str] = frozenset()
# Objects of other images, by object path. If the folder also holds objects of vmlinux, only objects
# with one of the flags belong to the image.
_OWN_IMAGES: tuple[tuple[str, re.Pattern[str], frozenset[str]], ...] = (
    # arch/x86/entry/vdso (arch/x86/vdso before 4.2) also holds vma.o of vmlinux. What user space
    # maps is position independent.
    ("vdso32", re.compile(r"arch/\w+/(?:.*/)?vdso32/[^/]+\.o"), _PIC),
    ("vdso", re.compile(r"arch/\w+/(?:.*/)?vdso[^/]*/[^/]+\.o"), _PIC),
    # arch/x86/realmode/init.c belongs to vmlinux; what is below rm/ runs in real mode.
    ("realmode", re.compile(r"arch/\w+/realmode/rm/.+\.o"), _ANY),
    # kexec-purgatory.c holds the linked purgatory as an array of vmlinux.
    ("purgatory", re.compile(r"arch/\w+/purgatory/(?!kexec-purgatory).+\.o"), _ANY),
    # Linked into vmlinux with a prefix before all names (model.ids), of which vmlinux has others.
    ("kernel-pi", re.compile(r"arch/\w+/(?:kernel/pi|boot/startup)/[^/]+\.o"), _ANY),
    ("kvm-nvhe", re.compile(r"arch/\w+/kvm/hyp/.+\.nvhe\.o"), _ANY),
    ("boot", re.compile(r"arch/\w+/boot/.+\.o"), _ANY),
    # The EFI stub is linked into the compressed image on x86 and renamed (__efistub_) on arm64.
    ("boot", re.compile(r"drivers/firmware/efi/libstub/.+\.o"), _ANY),
)
# -D"KBUILD_MODNAME=KBUILD_STR(veth)" up to 4.20, -DKBUILD_MODNAME='"veth"' since.
_MODULE_NAME = re.compile(r"-DKBUILD_MODNAME=(?:KBUILD_STR\()?\"?([\w.,+-]+)")


def find_link_image(target: str, arguments: Sequence[str]) -> str:
    """The image that the object `target` is linked into; HOST for a host program.

    `target` is relative to the build folder. `arguments` are all those of its compile command.
    """
    if _HOST_FOLDERS.match(target):
        return HOST
    for image, pattern, flags in _OWN_IMAGES:
        if pattern.fullmatch(target) and (not flags or not flags.isdisjoint(arguments)):
            return image
    if "-DMODULE" in arguments:
        return _find_module_name(arguments) or target.rsplit("/", 1)[-1].removesuffix(".o")
    return VMLINUX


def _find_module_name(arguments: Sequence[str]) -> str:
    for argument in arguments:
        if match := _MODULE_NAME.match(argument):
            return match.group(1)
    return ""
