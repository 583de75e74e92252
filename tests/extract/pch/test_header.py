"""Precompiled headers are used where they change nothing, and only there."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kgraph.extract import Extractor
from kgraph.extract.pch.compatible import find_shared_files, iter_matching_headers
from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.extract.pch.select import plan_headers
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
SPECIAL = {
    # what the unit's own text does, and whether the header may be used
    "defines what a header tests":
        ("#define WITH_DEBUG\n#include <linux/base.h>\nvoid f(void) { base(); }", False),
    "defines what a header's code expands":
        ("#define STEP(x) other(x);\n#include <linux/base.h>\nvoid f(void) { base(); }", False),
    "defines a message format":
        ('#define pr_fmt(x) "f: " x\n#include <linux/base.h>\nvoid f(void) { base(); }', True),
    "defines something after its includes":
        ("#include <linux/base.h>\n#define WITH_DEBUG\nvoid f(void) { base(); }", True),
    "has a function that is a macro in a header it does not include":
        ("#include <linux/base.h>\nvoid renamed(int x);\nvoid f(void) { renamed(1); }", False),
    "tests a macro of a header it does not include":
        ("#include <linux/base.h>\nvoid f(void)\n{\n#ifdef SECOND\nbase();\n#endif\n}", False),
    "mentions such a macro in a comment":
        ("#include <linux/base.h>\n/* not renamed */ void f(void) { base(); }", True),
    "has a field that is a macro with parameters in a header it does not include":
        ("#include <linux/base.h>\nstruct s { int renamed; } s;\nint f(void) { return s.renamed; }",
         True),
    "hands such a name to a macro":
        ("#include <linux/base.h>\n#define AS(x) x (1)\nvoid f(void) { AS(renamed); }", False),
    "has such a name in a macro's body":
        ("#include <linux/base.h>\n#define AS renamed;\nint AS\nvoid f(void) { base(); }", False),
    "has such a name on the line before a sign":
        ("#include <linux/base.h>\nint f(int renamed) { base(); return renamed\n+ 1; }", False),
    "asks whether there is such a macro":
        ("#include <linux/base.h>\n#if defined renamed && 1\nint f(void) { return 1; }\n#endif",
         False),
    "has such a name in a literal":
        ('#include <linux/base.h>\nchar *f(void) { base(); return "renamed (1), \\" renamed"; }',
         True),
    "mentions a macro that a header takes back":
        ("#include <linux/base.h>\nint GONE;\nvoid f(void) { base(); }", True),
    "defines a macro only where a header that it read does not":
        (("#include <linux/base.h>\n#ifndef HOOK\n#define HOOK other\n#endif\n"
         "#include <linux/third.h>\nvoid f(void) { base(); }"), True),
    "defines a macro only where there is none, and no header has been read":
        (("#ifndef HOOK\n#define HOOK other\n#endif\n"
         "#include <linux/third.h>\nvoid f(void) { base(); }"), False),
    "takes a macro back and then defines it only where there is none":
        (("#include <linux/base.h>\n#undef HOOK\n#ifndef HOOK\n#define HOOK other\n#endif\n"
         "#include <linux/third.h>\nvoid f(void) { base(); }"), False),
    "defines a macro only where another is not defined":
        (("#include <linux/base.h>\n#ifndef OTHER\n#define HOOK other\n#endif\n"
         "#include <linux/third.h>\nvoid f(void) { base(); }"), False),
    "includes a header that mentions a macro of another that the unit does not include":
        ("#include <linux/yielding.h>\nvoid f(void) { yielding(); }", False),
    "includes the other after it":
        (("#include <linux/yielding.h>\n#include <linux/third.h>\n"
          "void f(void) { yielding(); }"), False),
    "includes the other before it":
        (("#include <linux/third.h>\n#include <linux/yielding.h>\n"
          "void f(void) { yielding(); }"), True),
    "includes after the other what the precompiled header read before it":
        ("#include <linux/third.h>\n#include <linux/ahead.h>\nvoid f(void) { ahead(); }", False),
    "includes it before the other, as the precompiled header did":
        ("#include <linux/ahead.h>\n#include <linux/third.h>\nvoid f(void) { ahead(); }", True),
    "includes a header that has a field of such a name, and warns where there is no such macro":
        ("#include <linux/upright.h>\nint f(struct upright *u) { return upright(u, 1); }", True),
    "comes to a macro of a header that it does not include through that of one that it does":
        ("#include <linux/second.h>\nvoid f(void) { reaching(1); }\nvoid late(int x) { base(); }",
         False),
    "uses a function that it does not declare":
        ("#include <linux/base.h>\nvoid f(void) { base(); }", True),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in HEADERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n".join(line.strip() for line in text.splitlines()))
    for number in range(12):
        (tmp_path / f"u{number}.c").write_text(ORDINARY.format(n=number))
    for number, (text, _) in enumerate(SPECIAL.values()):
        (tmp_path / f"s{number}.c").write_text(text + "\n")
    return tmp_path


@pytest.fixture
def header(root: Path) -> PrecompiledHeader:
    plans = plan_headers([unit(root, f"u{number}.c") for number in range(12)])
    assert [plan.names for plan in plans] == [
        ("linux/ahead.h", "linux/base.h", "linux/second.h", "linux/third.h",
         "linux/upright.h", "linux/yielding.h")]
    made = Extractor(root, None, set()).extract_header(plans[0], root / "common")
    assert made is not None
    found, definitions = made
    assert {definition.subject.id.name for definition in definitions} == {
        "ahead", "base", "second", "upright", "yielding"}
    return found


@pytest.mark.parametrize("number", range(len(SPECIAL)), ids=list(SPECIAL))
def test_whether_a_unit_may_use_a_header(
    root: Path, header: PrecompiledHeader, number: int
) -> None:
    special = unit(root, f"s{number}.c")
    chosen = list(iter_matching_headers([header], special))
    may = bool(chosen) and find_shared_files(header, special, (special.file,)) is not None
    assert may is list(SPECIAL.values())[number][1]


def test_a_unit_reads_the_same_files_and_facts_with_a_header_and_without(
    root: Path, header: PrecompiledHeader
) -> None:
    names = [f"u{n}.c" for n in range(12)] + [f"s{n}.c" for n in range(len(SPECIAL))]
    without, using = Extractor(root, None, set()), Extractor(root, None, set(), (header,))
    for name in names:
        plain, short = without.extract(unit(root, name)), using.extract(unit(root, name))
        assert short.files == plain.files, name
        own = {definition for definition in plain.definitions
               if definition.subject.location.path == name}
        assert own == {definition for definition in short.definitions
                       if definition.subject.location.path == name}


def test_flags_that_matter_have_their_own_header(root: Path, header: PrecompiledHeader) -> None:
    one = unit(root, "u1.c")
    debug = TranslationUnit(one.path, one.object, one.image, one.file, one.directory,
                            (*one.arguments, "-DWITH_DEBUG"))
    other = TranslationUnit(one.path, one.object, one.image, one.file, one.directory,
                            (*one.arguments, "-m32"))
    assert list(iter_matching_headers([header], one)) == [header]
    assert not list(iter_matching_headers([header], debug))
    assert not list(iter_matching_headers([header], other))


def many(root: Path, rare: int) -> list[TranslationUnit]:
    """200 units, of which some include a header that the others do not."""
    (root / "include/linux/rare.h").write_text("#define rarely(x) step(x)\nvoid rare(void);\n")
    (root / "rare.c").write_text("#include <linux/rare.h>\n" + ORDINARY.format(n="rare"))
    return [replace(unit(root, "rare.c" if number < rare else f"u{number % 12}.c"),
                    path=f"{number}.c", object=f"{number}.o") for number in range(200)]


def test_many_units_have_a_second_header_with_less_in_it(root: Path) -> None:
    wide, narrow = plan_headers(many(root, 10))
    assert set(wide.names) == {*narrow.names, "linux/rare.h"}
    assert len(plan_headers(many(root, 0))) == 1  # it would be the same


def test_a_unit_that_may_not_use_the_first_header_uses_the_second(root: Path) -> None:
    headers = []
    for number, plan in enumerate(plan_headers(many(root, 10))):
        made = Extractor(root, None, set()).extract_header(plan, root / f"common{number}")
        assert made is not None
        headers.append(made[0])
    name = "s0.c"
    (root / name).write_text("#include <linux/base.h>\nint f(void) { base(); rarely(1); }\n")
    special = unit(root, name)
    assert list(iter_matching_headers(headers, special)) == headers
    files = (special.file,)
    assert [find_shared_files(header, special, files) is not None for header in headers] == [
        False,
        True,
    ]
    plain, short = (Extractor(root, None, set(), given).extract(special)
                    for given in ((), tuple(headers)))
    assert short.files == plain.files
    assert {d for d in short.definitions if d.subject.location.path == name} == {
        d for d in plain.definitions if d.subject.location.path == name}


def test_a_header_that_does_not_parse_after_the_others_is_left_out(root: Path) -> None:
    (root / "include/linux/broken.h").write_text("struct base { int x; } typo\n")
    for number in range(12):
        path = root / f"u{number}.c"
        path.write_text("#include <linux/broken.h>\n" + path.read_text())
    (plan,) = plan_headers([unit(root, f"u{number}.c") for number in range(12)])
    assert "linux/broken.h" in plan.names
    made = Extractor(root, None, set()).extract_header(plan, root / "common")
    assert made is not None
    assert {Path(file).name for file in made[0].includes} == {
        "ahead.h", "base.h", "second.h", "third.h", "upright.h", "yielding.h"}


PRIVATE = ("#ifndef PRIVATE\n#define PRIVATE\n#include <linux/base.h>\n"
           "#define MAKE(x) void x(void);\n{lines}\n#endif\n")


def in_folder(root: Path, folder: str) -> list[TranslationUnit]:
    """12 units of a folder with a heavy header of its own, and one that does not guard itself."""
    (root / folder).mkdir()
    (root / folder / "private.h").write_text(
        PRIVATE.format(lines="\n".join(f"MAKE(made_{n})" for n in range(120))))
    (root / folder / "bare.h").write_text("struct bare { int x; };\n")
    for number in range(12):
        (root / folder / f"{number}.c").write_text(
            '#include <linux/second.h>\n#include "private.h"\n#include "bare.h"\n'
            f"void in_{folder}_{number}(void) {{ second(); made_1(); }}\n")
    return [unit(root, f"{folder}/{number}.c") for number in range(12)]


def test_a_folder_with_heavy_headers_of_its_own_has_a_header(root: Path) -> None:
    units = [*in_folder(root, "one"), *(unit(root, f"u{number}.c") for number in range(12))]
    own, common = plan_headers(units)
    assert own.folder == f"{root}/one"
    assert own.names == ("linux/second.h", f"{root}/one/private.h")
    assert not common.folder
    headers = []
    for number, plan in enumerate((own, common)):
        made = Extractor(root, None, set()).extract_header(plan, root / f"common{number}")
        assert made is not None
        headers.append(made[0])
    assert list(iter_matching_headers(headers, units[0])) == headers
    assert list(iter_matching_headers(headers, units[-1])) == headers[1:]
    without, using = Extractor(root, None, set()), Extractor(root, None, set(), headers)
    for each in units:
        plain, short = without.extract(each), using.extract(each)
        assert (short.files, short.errors) == (plain.files, plain.errors)
        assert [d for d in short.definitions if d.subject.location.path == each.path] == [
            d for d in plain.definitions if d.subject.location.path == each.path]
    assert find_shared_files(headers[0], units[0], (units[0].file, f"{root}/one/bare.h")) == {
        f"{root}/{name}" for name in (
            "include/linux/base.h", "include/linux/second.h", "one/private.h")}


def test_a_folder_whose_headers_are_light_has_none_of_its_own(root: Path) -> None:
    units = in_folder(root, "one")
    (root / "one/private.h").write_text(PRIVATE.format(lines="void made_1(void);"))
    assert [plan.folder for plan in plan_headers(units)] == [""]
