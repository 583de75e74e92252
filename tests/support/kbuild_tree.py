"""A kernel tree of a few lines whose Makefile answers what Kbuild is asked."""

from pathlib import Path

MAKEFILE = """\
VERSION = 9
PATCHLEVEL = 1
SUBLEVEL = 2
EXTRAVERSION = -rc3
%config:
\t[ ! -e $(CURDIR)/.config ] && [ ! -e $(CURDIR)/include/generated ]
\techo 'CONFIG_FAKE=y' >> $(O)/.config
\tprintf 'SRC := $(CURDIR)\\ninclude $(CURDIR)/rules.mk\\n' > $(O)/Makefile
"""
FLAGS = (
    "-Wp,-MD,.x.d -nostdinc -isystem /usr/lib/gcc/x86_64-linux-gnu/12/include -I$(SRC)/include "
    "-Iinclude -include $(SRC)/include/linux/kconfig.h -D__KERNEL__ -fconserve-stack -O2"
)
RULES = f"""\
prepare:
\tmkdir -p include/generated
\ttouch include/generated/autoconf.h include/generated/asm-offsets.h
scripts:
vmlinux: net/core/dev.o net/made.o
modules: drivers/net/veth.o
net/core/dev.o:
\tset -e; echo '  gcc x'; gcc {FLAGS} -DKBUILD_BASENAME='"dev"' -c -o net/core/.tmp_dev.o \
$(SRC)/net/core/dev.c; echo done
net/made.c:
\techo 'int made;' > net/made.c
net/made.o: net/made.c
\tgcc {FLAGS} -c -o net/made.o net/made.c
drivers/net/veth.o:
\tgcc {FLAGS} -DMODULE -D"KBUILD_MODNAME=KBUILD_STR(veth)" -c -o drivers/net/veth.o \
$(SRC)/drivers/net/veth.c
\tgcc {FLAGS} -D__ASSEMBLY__ -c -o net/entry.o $(SRC)/net/entry.S
\tgcc {FLAGS} -c -o scripts/mod/empty.o $(SRC)/scripts/mod/empty.c
"""


def make_kbuild_tree(root: Path) -> Path:
    """Write the tree: a Makefile that behaves as far as kgraph looks."""
    for name in ("net/core/dev.c", "net/entry.S", "drivers/net/veth.c", "scripts/mod/empty.c"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("int x;\n")
    (root / "include/linux").mkdir(parents=True)
    (root / "include/linux/kconfig.h").write_text("#include <generated/autoconf.h>\n")
    (root / "Kconfig").write_text("")
    (root / "scripts/kconfig").mkdir()
    (root / "scripts/kconfig/zconf.lex.c_shipped").write_text("")
    (root / "Makefile").write_text(MAKEFILE)
    (root / "rules.mk").write_text(RULES)
    return root
