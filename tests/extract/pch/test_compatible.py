"""A unit uses a precompiled header only where it means the same with it."""

from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.pch.compatible import find_shared_files, iter_matching_headers
from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.extract.pch.select import plan_headers
from kgraph.model.units import TranslationUnit
from tests.support.header_tree import list_many_units
from tests.support.shorthand import unit

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
    "mentions a macro that a header undefines":
        ("#include <linux/base.h>\nint GONE;\nvoid f(void) { base(); }", True),
    "defines a macro only where a header that it read does not":
        (("#include <linux/base.h>\n#ifndef HOOK\n#define HOOK other\n#endif\n"
         "#include <linux/third.h>\nvoid f(void) { base(); }"), True),
    "defines a macro only where there is none, and no header has been read":
        (("#ifndef HOOK\n#define HOOK other\n#endif\n"
         "#include <linux/third.h>\nvoid f(void) { base(); }"), False),
    "undefines a macro and then defines it only where there is none":
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
    "reaches a macro of a header that it does not include through one that it includes":
        ("#include <linux/second.h>\nvoid f(void) { reaching(1); }\nvoid late(int x) { base(); }",
         False),
    "uses a function that it does not declare":
        ("#include <linux/base.h>\nvoid f(void) { base(); }", True),
}


@pytest.mark.parametrize("number", range(len(SPECIAL)), ids=list(SPECIAL))
def test_whether_a_unit_may_use_a_header(
    root: Path, header: PrecompiledHeader, number: int
) -> None:
    text, expected = list(SPECIAL.values())[number]
    (root / "special.c").write_text(text + "\n")
    special = unit(root, "special.c")
    matches = bool(list(iter_matching_headers([header], special)))
    usable = matches and find_shared_files(header, special, (special.file,)) is not None
    assert usable is expected


def test_a_unit_reads_the_same_files_and_facts_with_a_header_and_without(
    root: Path, header: PrecompiledHeader
) -> None:
    for number, (text, _) in enumerate(SPECIAL.values()):
        (root / f"s{number}.c").write_text(text + "\n")
    names = [f"u{n}.c" for n in range(12)] + [f"s{n}.c" for n in range(len(SPECIAL))]
    without, using = Extractor(root, None, set()), Extractor(root, None, set(), (header,))
    for name in names:
        plain, short = without.extract(unit(root, name)), using.extract(unit(root, name))
        assert short.files == plain.files, name
        own = {definition for definition in plain.definitions
               if definition.subject.location.path == name}
        assert own == {definition for definition in short.definitions
                       if definition.subject.location.path == name}


def test_the_log_says_why_a_header_is_not_used(
    root: Path, header: PrecompiledHeader, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "special.c").write_text(
        "#include <linux/base.h>\nvoid renamed(int x);\nvoid f(void) { renamed(1); }\n")
    with caplog.at_level("DEBUG", "kgraph.extract"):
        Extractor(root, None, set(), (header,)).extract(unit(root, "special.c"))
    assert caplog.messages == [
        f"special.c: read without {header.file}: renamed means something else in the header"]


def test_flags_that_matter_have_their_own_header(root: Path, header: PrecompiledHeader) -> None:
    one = unit(root, "u1.c")
    debug = TranslationUnit(one.path, one.object, one.image, one.file, one.directory,
                            (*one.arguments, "-DWITH_DEBUG"))
    other = TranslationUnit(one.path, one.object, one.image, one.file, one.directory,
                            (*one.arguments, "-m32"))
    assert list(iter_matching_headers([header], one)) == [header]
    assert not list(iter_matching_headers([header], debug))
    assert not list(iter_matching_headers([header], other))


def test_a_unit_that_may_not_use_the_first_header_uses_the_second(root: Path) -> None:
    headers = []
    for number, plan in enumerate(plan_headers(list_many_units(root, 10))):
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
