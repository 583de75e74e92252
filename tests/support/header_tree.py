"""A small tree of headers with units that include them, for tests of precompiled headers."""

from pathlib import Path

from msgspec.structs import replace

from kgraph.model.units import TranslationUnit
from tests.support.shorthand import unit

HEADERS = {
    "include/linux/base.h": """
        #ifndef BASE
        #define BASE
        #ifndef pr_fmt
        #define pr_fmt(x) x
        #endif
        #define TWICE(x) STEP(x) STEP(x)
        #define STEP(x) step(x);
        #ifdef WITH_DEBUG
        #define HOOK debug_hook
        #else
        #define HOOK plain_hook
        #endif
        void step(int x);
        void plain_hook(void);
        void debug_hook(void);
        static inline void base(void) { HOOK(); TWICE(1) }
        #endif
    """,
    "include/linux/second.h": """
        #ifndef SECOND
        #define SECOND
        #include <linux/base.h>
        #define renamed(x) step(x)
        #define reaching(x) late(x)
        static inline void second(void) { base(); }
        #endif
    """,
    "include/linux/third.h": """
        #ifndef THIRD
        #define THIRD
        #include <linux/base.h>
        #define GONE 1
        #undef GONE
        void HOOK(void);
        void third(int x);
        #define late(x) step(x)
        #define later(x) late(x)
        #endif
    """,
    "include/linux/yielding.h": """
        #ifndef YIELDING
        #define YIELDING
        #include <linux/base.h>
        void late(int x);
        static inline void yielding(void) { late(1); }
        #endif
    """,
    "include/linux/ahead.h": """
        #ifndef AHEAD
        #define AHEAD
        #include <linux/base.h>
        void late(int x);
        static inline void ahead(void) { late(1); }
        #endif
    """,
    "include/linux/upright.h": """
        #ifndef UPRIGHT
        #define UPRIGHT
        #include <linux/base.h>
        struct upright { int late; };
        #ifndef later
        #warning "without"
        #endif
        static inline int upright(struct upright *u, int later) { base(); return u->late + later; }
        #endif
    """,
}
ORDINARY = """
    #include <linux/base.h>
    #include <linux/second.h>
    #include <linux/third.h>
    #include <linux/upright.h>
    #include <linux/yielding.h>
    #include <linux/ahead.h>
    void user_{n}(void) {{ second(); }}
"""


def make_header_tree(root: Path) -> None:
    """Write the headers, and 12 units u0.c, u1.c ... that include them."""
    for name, text in HEADERS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("\n".join(line.strip() for line in text.splitlines()))
    for number in range(12):
        (root / f"u{number}.c").write_text(ORDINARY.format(n=number))


def list_units(root: Path) -> list[TranslationUnit]:
    """The 12 units."""
    return [unit(root, f"u{number}.c") for number in range(12)]


def list_many_units(root: Path, rare: int) -> list[TranslationUnit]:
    """200 units, of which `rare` include a header that the others do not."""
    (root / "include/linux/rare.h").write_text("#define rarely(x) step(x)\nvoid rare(void);\n")
    (root / "rare.c").write_text("#include <linux/rare.h>\n" + ORDINARY.format(n="rare"))
    return [replace(unit(root, "rare.c" if number < rare else f"u{number % 12}.c"),
                    path=f"{number}.c", object=f"{number}.o") for number in range(200)]
