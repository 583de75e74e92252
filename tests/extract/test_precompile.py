"""Precompiled headers are used where they change nothing, and only there."""

from dataclasses import replace
from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.agreement import Agreement, included
from kgraph.extract.plans import HeaderPlan, plan_headers
from kgraph.extract.precompiled import Precompiled
from kgraph.model.units import TranslationUnit

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


def unit(root: Path, name: str) -> TranslationUnit:
    return TranslationUnit(name, name.replace(".c", ".o"), "vmlinux", str(root / name), str(root),
                           ("-nostdinc", f"-I{root}/include", f"-DKBUILD_MODNAME={name[:3]}", "-w"))


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
def header(root: Path) -> Precompiled:
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
def test_whether_a_unit_may_use_a_header(root: Path, header: Precompiled, number: int) -> None:
    special = unit(root, f"s{number}.c")
    chosen = list(Agreement([header]).headers_for(special))
    may = bool(chosen) and included(header, special, (special.file,)) is not None
    assert may is list(SPECIAL.values())[number][1]


def test_a_unit_reads_the_same_files_and_facts_with_a_header_and_without(
    root: Path, header: Precompiled
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


def test_flags_that_matter_have_their_own_header(root: Path, header: Precompiled) -> None:
    one = unit(root, "u1.c")
    debug = TranslationUnit(one.path, one.object, one.image, one.file, one.directory,
                            (*one.arguments, "-DWITH_DEBUG"))
    other = TranslationUnit(one.path, one.object, one.image, one.file, one.directory,
                            (*one.arguments, "-m32"))
    agreement = Agreement([header])
    assert list(agreement.headers_for(one)) == [header]
    assert not list(agreement.headers_for(debug))
    assert not list(agreement.headers_for(other))


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
    assert list(Agreement(headers).headers_for(special)) == headers
    files = (special.file,)
    assert [included(header, special, files) is not None for header in headers] == [False, True]
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
    assert {Path(file).name for file in made[0].graph} == {
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
    agreement = Agreement(headers)
    assert list(agreement.headers_for(units[0])) == headers
    assert list(agreement.headers_for(units[-1])) == headers[1:]
    without, using = Extractor(root, None, set()), Extractor(root, None, set(), headers)
    for each in units:
        plain, short = without.extract(each), using.extract(each)
        assert (short.files, short.errors) == (plain.files, plain.errors)
        assert [d for d in short.definitions if d.subject.location.path == each.path] == [
            d for d in plain.definitions if d.subject.location.path == each.path]
    assert included(headers[0], units[0], (units[0].file, f"{root}/one/bare.h")) == {
        f"{root}/{name}" for name in (
            "include/linux/base.h", "include/linux/second.h", "one/private.h")}


def test_a_folder_whose_headers_are_light_has_none_of_its_own(root: Path) -> None:
    units = in_folder(root, "one")
    (root / "one/private.h").write_text(PRIVATE.format(lines="void made_1(void);"))
    assert [plan.folder for plan in plan_headers(units)] == [""]


MAPS = {
    "include/linux/size.h": "#define SIZE 4\n",
    "include/inner/asm/map.h": "extern int map[SIZE];\n",
    "include/asm/map.h": "#include <linux/size.h>\n#include <inner/asm/map.h>\n",
}
ORDERS = {
    # headers in the order in which the precompiled one reads them, what a unit says, and whether
    # it may use that
    "a name in brackets is sought along the folders": (
        MAPS,
        "#include <asm/map.h>\n", True),
    "one in quotes may be any file of such a name": (
        MAPS,
        '#include "asm/map.h"\n', False),
    "a fallback says nothing beside a definition": (
        {"include/linux/null.h": "#define NIL 0\n",
         "include/linux/or.h": "#ifndef NIL\n#define NIL 1\n#endif\n",
         "include/linux/use.h": "static inline int use(void) { return NIL; }\n"},
        "#include <linux/null.h>\n#include <linux/use.h>\n", True),
    "a fallback alone says something": (
        {"include/linux/null.h": "#define NIL 0\n",
         "include/linux/or.h": "#ifndef NIL\n#define NIL 1\n#endif\n",
         "include/linux/use.h": "static inline int use(void) { return NIL; }\n"},
        "#include <linux/or.h>\n#include <linux/use.h>\n", False),
    "a header of the unit's own is read before a macro gets its meaning": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/plain.h>\n#include "own.h"\n#include <linux/other.h>\n', False),
    "it is read behind that": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/plain.h>\n#include <linux/other.h>\n#include "own.h"\n', True),
    "a macro's meaning comes from another file that the unit does not read": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/plain.h>\n#include "own.h"\n', False),
    "what another file says of it is under a condition that does not hold": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#ifdef NEVER\n#define HOW 2\n#endif\n"},
        '#include <linux/plain.h>\n#include "own.h"\n', True),
    "files give a macro its meaning in another order": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/other.h>\n#include <linux/plain.h>\n#include "own.h"\n', False),
    "a macro of the unit comes to it where it is used": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/other.h": "int other;\n"},
        ("#include <linux/other.h>\n#define MINE HOW\n#include <linux/plain.h>\n"
         "int g(void) { return MINE; }\n"), True),
    "a macro of the unit comes to it where it is used before": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/other.h": "int other;\n"},
        ("#include <linux/other.h>\n#define MINE HOW\nenum { MINE };\n"
         "#include <linux/plain.h>\n"), False),
    "a unit's macro leads to another that it defines later": (
        {"include/linux/plain.h": "int plain;\n", "include/linux/other.h": "#define TWO ONE\n"},
        ("#define FIRST THEN\n#ifdef FIRST\n#endif\n#include <linux/plain.h>\n"
         "#define THEN TWO\nint FIRST;\n"), False),
    "a macro is mentioned, and then gets another meaning": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW one\n",
         "include/linux/other.h": "#undef HOW\n#define HOW two\n"},
        "#include <linux/other.h>\nint HOW;\n#include <linux/plain.h>\nlong HOW;\n", False),
    "a macro is taken back": (
        {"include/linux/un.h": "#undef HOW\n", "include/linux/plain.h": "#define HOW 1\n"},
        '#include <linux/plain.h>\n#include <linux/un.h>\n#include "own.h"\n', False),
    "a macro is defined behind where it was taken back": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/un.h": "#undef HOW\n"},
        '#include <linux/un.h>\n#include <linux/plain.h>\n#include "own.h"\n', False),
    "of two fallbacks the first counts": (
        {"include/linux/or.h": "#ifndef HOW\n#define HOW 1\n#endif\n",
         "include/linux/else.h": "#ifndef HOW\n#define HOW 2\n#endif\n"},
        '#include <linux/else.h>\n#include <linux/or.h>\n#include "own.h"\n', False),
    "a file's own fallback says nothing behind another": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/use.h":
         "#ifndef HOW\n#define HOW 2\n#endif\nstatic inline int use(void) { return HOW; }\n"},
        "#include <linux/use.h>\n", False),
    "two files give a macro its meaning in another order before it is used": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n",
         "include/linux/use.h": "static inline int use(void) { return HOW; }\n"},
        "#include <linux/other.h>\n#include <linux/plain.h>\n#include <linux/use.h>\n", False),
    "the unit defines a macro before a header that defines it anew": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW one\n",
         "include/linux/other.h": "int other;\n"},
        "#define HOW two\n#include <linux/plain.h>\nint HOW;\n", False),
    "a condition leaves out where a macro is used": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/use.h": "#ifdef NEVER\n"
         "static inline int never(void) { return HOW; }\n#endif\nint use(void);\n"},
        "#include <linux/use.h>\n", True),
    "it does so since another header is read before": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/on.h": "#define ON\n",
         "include/linux/use.h": "#if defined(ON) \\\n || defined(X)\nint use(void);\n"
         "#else\nstatic inline int use(void) { return HOW; }\n#endif\n"},
        "#include <linux/plain.h>\n#include <linux/use.h>\n", False),
    "a macro is defined anew under a condition that does not hold": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/via.h":
         "#ifdef NEVER\n#define VIA HOW\n#else\n#define VIA 2\n#endif\n",
         "include/linux/use.h": "static inline int use(void) { return VIA; }\n"},
        "#include <linux/via.h>\n#include <linux/use.h>\n", True),
    "a file is read again, and the condition holds then": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/twice.h":
         "#ifdef AGAIN\nstatic inline int twice(void) { return HOW; }\n#endif\n",
         "include/linux/again.h": "#define AGAIN\n#include <linux/twice.h>\n"},
        "#include <linux/twice.h>\n#include <linux/again.h>\n", False),
    "a macro is used behind a comment of several lines": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/use.h":
         "/* one\n two\n three */\n#ifdef NEVER\nint never(void);\n#endif\n"
         "static inline int use(void) { return HOW; }\n"},
        "#include <linux/use.h>\n", False),
    "a macro's literal is no name": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/text.h": '#define SAY(x) say("HOW", x)\nint say(char *, int);\n',
         "include/linux/use.h": "static inline int use(void) { return SAY(1); }\n"},
        "#include <linux/text.h>\n#include <linux/use.h>\n", True),
    "inline may be defined away": (
        {"include/linux/words.h": "#define inline\n",
         "include/linux/use.h": "static inline int use(void) { return 1; }\n"},
        "#include <linux/use.h>\n", False),
    "attributes of inline functions are no fact": (
        {"include/linux/words.h": "#define inline inline __attribute__((always_inline))\n",
         "include/linux/use.h": "static inline int use(void) { return 1; }\n"},
        "#include <linux/use.h>\n#include <linux/words.h>\n", True),
}


@pytest.mark.parametrize("number", range(len(ORDERS)), ids=list(ORDERS))
def test_what_headers_take_from_one_another(tmp_path: Path, number: int) -> None:
    headers, text, may = list(ORDERS.values())[number]
    for name, content in headers.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    names = tuple(name.removeprefix("include/") for name in headers)
    flags = ("-nostdinc", f"-I{tmp_path}/include", "-w")
    made = Extractor(tmp_path, None, set()).extract_header(
        HeaderPlan(names, str(tmp_path), flags), tmp_path / "common")
    assert made is not None
    header, shared = made
    (tmp_path / "s.c").write_text(text + "int f(void) { return 0; }\n")
    (tmp_path / "own.h").write_text("static inline int own(void) { return HOW; }\n")
    special = unit(tmp_path, "s.c")
    files = (special.file, *([f"{tmp_path}/own.h"] if "own.h" in text else ()))
    assert (included(header, special, files) is not None) is may
    plain = Extractor(tmp_path, None, set()).extract(special)
    short = Extractor(tmp_path, None, set(), (header,)).extract(special)
    keys = {d.key for d in (*shared, *short.definitions)}
    assert {d.key for d in plain.definitions} <= keys  # with the header, or because it is not used
    assert short.files == plain.files
