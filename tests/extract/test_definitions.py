"""Definitions: identity, linkage, attributes, macros; keys; units that do not parse."""

from kgraph.model.facts import Function, Object
from kgraph.model.ids import FunctionId
from tests.support.shorthand import Facts

HEADER = {"include/linux/h.h": "static inline int helper(int x) { return x + KIND; }\n"}


def test_linkage_decides_the_scope(facts: Facts) -> None:
    reading = facts("int out(void) { return 1; } static int in(void) { return out(); }")
    assert [d.subject.id for d in reading.facts.definitions] == [
        FunctionId("out"), FunctionId("in", "unit.c")]


def test_system_call_macro(facts: Facts) -> None:
    reading = facts("""
#define SYSCALL2(name, t, a) \\
    long sys_##name(t a) __attribute__((alias("SyS_" #name))); \\
    static inline long SYSC_##name(t a); \\
    long SyS_##name(long a) { return SYSC_##name((t)a); } \\
    static inline long SYSC_##name(t a)
SYSCALL2(sendto, int, fd)
{
    return fd;
}""")
    found = {d.subject.id.name: d.subject for d in reading.facts.definitions}
    assert sorted(found) == ["SYSC_sendto", "SyS_sendto", "sys_sendto"]
    for subject in found.values():
        assert isinstance(subject, Function)
        assert subject.location.line == 7
        assert subject.macro == "SYSCALL2"
    assert getattr(found["sys_sendto"], "alias_of", None) == "SyS_sendto"
    assert reading.calls("SyS_sendto") == ["SYSC_sendto"]
    assert reading.sites("SyS_sendto")[0].macro == "SYSCALL2"


def test_attributes(facts: Facts) -> None:
    reading = facts("""
    int f(void) __attribute__((weak));
    int f(void) { return 1; }
    typedef int (*call_t)(void);
    static call_t __init_f __attribute__((section(".initcall6"), used)) = f;""")
    function, section = (d.subject for d in reading.facts.definitions)
    assert isinstance(function, Function)
    assert function.weak
    assert isinstance(section, Object)
    assert section.section == ".initcall6"
    assert reading.puts("__init_f") == ["__init_f = f"]


def test_images_keep_functions_apart_but_modules_share_headers(facts: Facts) -> None:
    source = "#include <linux/h.h>\nint own(void) { return helper(1); }"
    ids = {image: facts(source, files=HEADER, image=image, arguments=("-DKIND=1",))
           .definition("helper").subject.id for image in ("vmlinux", "veth", "vdso")}
    assert ids["vmlinux"] == ids["veth"] == FunctionId("helper", "include/linux/h.h", "vmlinux")
    assert ids["vdso"].image == "vdso"


def test_an_included_c_file_belongs_to_its_unit(facts: Facts) -> None:
    reading = facts('#include "inner.c"\nint outer(void) { return inner(); }',
                    files={"inner.c": "static int inner(void) { return 1; }"})
    assert reading.definition("inner").subject.id == FunctionId("inner", "inner.c@unit.c")


def test_a_header_function_has_one_key_unless_its_content_differs(facts: Facts) -> None:
    def key(path: str, kind: int) -> str:
        return facts("#include <linux/h.h>\n", files=HEADER, path=path,
                     arguments=(f"-DKIND={kind}",)).definition("helper").key

    assert key("a.c", 1) == key("b.c", 1)
    assert key("a.c", 1) != key("a.c", 2)


def test_seen_definitions_are_listed_but_not_read_again(facts: Facts) -> None:
    seen: set[str] = set()
    header = {"include/linux/h.h": "struct o { int (*f)(void); }; int f(void);\n"
              "static inline struct o *s(void) { static struct o t = { f }; return &t; }"}
    first = facts("#include <linux/h.h>\n", files=header, path="a.c", seen=seen).facts
    second = facts("#include <linux/h.h>\n", files=header, path="b.c", seen=seen).facts
    assert len(first.definitions) == 2
    assert second.definitions == ()
    assert second.keys == first.keys


def test_functions_of_one_line_differ_in_their_keys(facts: Facts) -> None:
    reading = facts("#define TWO(n) static void n##_a(void) {} static void n##_b(void) {}\nTWO(x)")
    assert reading.names() == ["x_a", "x_b"]
    assert len(set(reading.facts.keys)) == 2


def test_a_unit_with_errors_is_kept_and_flagged(facts: Facts) -> None:
    reading = facts("int good(void) { return 1; }\nint bad(void) { return nowhere; }\n"
                    '#include "missing.h"\nint late(void) { return good(); }')
    assert [e.location.line for e in reading.facts.errors if e.location] == [2, 3]
    assert reading.calls("late") == ["good"]


def test_a_missing_file_is_a_failed_unit(facts: Facts) -> None:
    from pathlib import Path

    from kgraph.extract import Extractor
    from kgraph.model.units import TranslationUnit

    unit = TranslationUnit("no.c", "no.o", "vmlinux", "/nonexistent/no.c", "/", ())
    assert Extractor(Path("/nonexistent"), None, set()).extract(unit).failed


def test_files_are_relative_to_the_tree(facts: Facts) -> None:
    reading = facts("#include <linux/h.h>\n", files=HEADER, arguments=("-DKIND=1",))
    assert reading.facts.files == ("include/linux/h.h", "unit.c")
