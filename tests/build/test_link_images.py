import pytest

from kgraph.build.link_images import find_link_image


@pytest.mark.parametrize(
    ("target", "arguments", "image"),
    [
        ("net/core/dev.o", [], "vmlinux"),
        ("drivers/net/veth.o", ["-DMODULE", "-DKBUILD_MODNAME=KBUILD_STR(veth)"], "veth"),
        ("drivers/net/veth.o", ["-DMODULE", '-DKBUILD_MODNAME="veth"'], "veth"),
        ("fs/x/a.o", ["-DMODULE"], "a"),
        ("arch/x86/entry/vdso/vclock_gettime.o", ["-fPIC"], "vdso"),
        ("arch/x86/entry/vdso/vdso32/vclock_gettime.o", ["-fpic"], "vdso32"),
        ("arch/x86/entry/vdso/vma.o", [], "vmlinux"),
        ("arch/x86/entry/vdso/vdso-image-64.o", [], "vmlinux"),
        ("arch/x86/realmode/rm/regs.o", [], "realmode"),
        ("arch/x86/realmode/init.o", [], "vmlinux"),
        ("arch/x86/boot/compressed/misc.o", [], "boot"),
        ("arch/x86/boot/startup/sme.o", [], "kernel-pi"),
        ("arch/arm64/kernel/pi/map_kernel.o", [], "kernel-pi"),
        ("arch/arm64/kvm/hyp/nvhe/switch.nvhe.o", [], "kvm-nvhe"),
        ("arch/arm64/kvm/hyp/entry.nvhe.o", [], "kvm-nvhe"),
        ("arch/arm64/kvm/hyp/entry.o", [], "vmlinux"),
        ("arch/x86/purgatory/purgatory.o", [], "purgatory"),
        ("arch/x86/purgatory/kexec-purgatory.o", [], "vmlinux"),
        ("scripts/mod/empty.o", [], "host"),
        ("arch/x86/tools/relocs_32.o", [], "host"),
    ],
)
def test_image(target: str, arguments: list[str], image: str) -> None:
    assert find_link_image(target, arguments) == image
