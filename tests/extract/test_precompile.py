"""Precompiled headers are used where they change nothing, and only there."""

from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.agreement import Agreement, included
from kgraph.extract.precompile import Precompiled, plan_headers
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
        static inline void second(void) { base(); }
        #endif
    """,
    "include/linux/third.h": """
        #ifndef THIRD
        #define THIRD
        void third(int x);
        #endif
    """,
}
ORDINARY = """
    #include <linux/base.h>
    #include <linux/second.h>
    #include <linux/third.h>
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
        ("linux/base.h", "linux/second.h", "linux/third.h")]
    made = Extractor(root, None, set()).extract_header(plans[0], root / "common")
    assert made is not None
    found, definitions = made
    assert {definition.subject.id.name for definition in definitions} == {"base", "second"}
    return found


@pytest.mark.parametrize("number", range(len(SPECIAL)), ids=list(SPECIAL))
def test_whether_a_unit_may_use_a_header(root: Path, header: Precompiled, number: int) -> None:
    special = unit(root, f"s{number}.c")
    chosen = Agreement([header]).header_for(special)
    may = chosen is not None and included(header, special, (special.file,)) is not None
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
    assert agreement.header_for(one) is header
    assert agreement.header_for(debug) is None
    assert agreement.header_for(other) is None


def test_a_header_that_does_not_parse_after_the_others_is_left_out(root: Path) -> None:
    (root / "include/linux/broken.h").write_text("struct base { int x; } typo\n")
    for number in range(12):
        path = root / f"u{number}.c"
        path.write_text("#include <linux/broken.h>\n" + path.read_text())
    (plan,) = plan_headers([unit(root, f"u{number}.c") for number in range(12)])
    assert "linux/broken.h" in plan.names
    made = Extractor(root, None, set()).extract_header(plan, root / "common")
    assert made is not None
    assert {Path(file).name for file in made[0].graph} == {"base.h", "second.h", "third.h"}
