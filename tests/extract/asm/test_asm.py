"""Assembler: what its text names, in C and in sources of its own."""

import os
import shutil
from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.asm import preprocess
from kgraph.extract.asm.definitions import AsmDefinitions
from kgraph.extract.asm.inline import parse_asm_calls, parse_asm_statements
from kgraph.extract.asm.parser import AsmStatement, SourceLine, iter_marked_lines, parse_statements
from kgraph.model.facts import Definition, UnitFacts
from kgraph.model.units import TranslationUnit
from kgraph.model.values import Load, Symbol, SymbolUse
from kgraph.textfile import escape_name
from tests.support.shorthand import Facts, value_text

compiler_needed = pytest.mark.skipif(
    not any(map(shutil.which, ("gcc", "clang", "cc"))), reason="no compiler is installed")


def lines(text: str) -> list[SourceLine]:
    return [
        SourceLine("a.S", number, line) for number, line in enumerate(text.split("\n"), start=1)
    ]


def words(text: str) -> list[str]:
    return [f"{s.word} {s.rest}".strip() for s in parse_statements(lines(text)) if s.word]


def read(text: str) -> list[Definition]:
    return AsmDefinitions("a.S", "vmlinux").read(parse_statements(lines(text)))


def calls(text: str) -> dict[str, list[str]]:
    """What each symbol calls; what it only refers to stands in brackets."""
    found: dict[str, list[str]] = {}
    for definition in read(text):
        found[definition.subject.id.name] = [
            call.expression if not isinstance(call.target, Symbol)
            or call.target.how is SymbolUse.CALLED else f"[{call.expression}]"
            for call in definition.calls]
    return found


def test_operands_of_printed_asm_by_name() -> None:
    [text] = parse_asm_statements(
        'asm volatile ("call %P[f]" : "=a" (x[")"]), [n] "+r" (g(1)) : [f] "i" (f), "0" (v)'
        ' : "memory");')
    assert (text.template, text.operands) == ("call %P[f]", ("", "n", "f", ""))


@pytest.mark.parametrize("printed", [
    'asm ("nop");', 'printf("asm (\\"call f\\")");', 'int fasm; f("call g");', 'asm ("call *%0" ',
])
def test_what_names_nothing_costs_nothing(printed: str) -> None:
    assert [t for t in parse_asm_calls(printed) if "*" not in t.template] == []


def test_a_static_function_as_operand_keeps_its_scope(facts: Facts) -> None:
    reading = facts("""
    static int f(int x) { return x; }
    int u(int x) { int r; asm("call %P1" : "=a" (r) : "i" (f), "D" (x)); return r; }""")
    [site] = reading.sites("u")
    assert isinstance(site.target, Symbol)
    assert (site.target.function.name, site.target.function.scope) == ("f", "unit.c")
    assert len(site.arguments) == 6  # whatever the registers hold
    assert all(value_text(value).startswith("?") for values in site.arguments for value in values)
    assert not any(put.split(" = ")[-1] == "f" for put in reading.puts("u"))


def test_asm_that_clang_hides_is_still_paired(facts: Facts) -> None:
    reading = facts("""
    int u(int x) {
        int n = sizeof(({ int y; asm("call hidden" : "=a" (y) : "D" (x), "S" (x)); y; }));
        asm("call shown" : "=a" (n));
        return n;
    }""")
    assert [site.expression for site in reading.sites("u")] == ["shown"]
    assert reading.sites("u")[0].location.line == 4


def test_a_call_through_an_operand_is_indirect(facts: Facts) -> None:
    reading = facts("""
    struct ops { void (*run)(void); }; extern struct ops ops; void (*hook)(void);
    int u(struct ops *o) {
        asm("call *%0" : : "r" (o->run));
        asm("call *%c0" : : "i" (&ops.run));
        asm("call *%%rax" : : "r" (hook));
        return 0;
    }""")
    assert [site.index for site in reading.sites("u")] == [0, 1]
    assert all(isinstance(site.target, Load) for site in reading.sites("u"))


def test_macros_of_the_assembler() -> None:
    assert words("""
.macro inner name, twice=0
    call \\name\\()_one
    .if \\twice
    call \\name
    .endif
.endm
.macro outer a b=two c:req
    inner \\a 1 ; inner \\b
    jmp \\c\\@
.endm
outer x, c=y
""") == ["call x_one", "call x", "call two_one", "jmp y1"]


def test_macros_without_end_are_an_error() -> None:
    with pytest.raises(ValueError, match="without end"):
        parse_statements(lines(".macro m\nm\nm\n.endm\nm"))


@pytest.mark.parametrize(("condition", "kept"), [
    (".if 1", "a"), (".if 0", "b"), (".if 3 != -1 && !0", "a"), (".ifeq 1-1", "a"),
    (".ifnb  ", "b"), (".ifb", "a"), (".ifc x,x", "a"), (".ifnc x,x", "b"),
    (".if symbol - 4", "a b"), (".ifdef CONFIG", "a b"), (".if (1 == 2) || 0x10 & 16", "a"),
    (".if 1 +", "a b"), (".if 2 < 1 < 3", "a b"),
])
def test_conditions_that_depend_on_numbers_are_decided(condition: str, kept: str) -> None:
    assert words(f"{condition}\n a\n.else\n b\n.endif\n") == kept.split()


def test_else_if_and_nesting() -> None:
    assert words(".if 0\n.if 1\n a\n.endif\n.elseif 1\n b\n.else\n c\n.endif\n d") == ["b", "d"]


def test_line_markers_and_comments() -> None:
    text = '# 1 "x.S"\n# 7 "dir/y.h" 1\n one # two\n/* z */ three; four\n# 3 "x.S" 2\nfive: six'
    assert parse_statements(iter_marked_lines(text)) == [
        AsmStatement("dir/y.h", 7, (), "one", ""), AsmStatement("dir/y.h", 8, (), "three", ""),
        AsmStatement("dir/y.h", 8, (), "four", ""), AsmStatement("x.S", 3, ("five",), "six", "")]


def test_symbols_what_they_call_and_refer_to() -> None:
    assert calls("""
.globl first, data, last
.type local, @function
first:
    movq $object, %rax
    lea other(%rip), %rdi
    je 1f
    jne elsewhere
1:  call *%rax
    call *table(,%rax,8)
inside:
    call inside
    jmp local
local:
    callq far@PLT
    ret
.section .rodata, "a"
data: .quad last, .Llocal, 5
nothing: .quad first
.previous
last: bl arm
""") == {
        "first": ["[object]", "[other]", "elsewhere", "*table", "local"],
        "local": ["far"],
        "data": ["[last]", "[first]"],
        "last": ["arm"],
    }


def test_a_pointer_of_the_same_source_is_not_followed() -> None:
    [entry] = [d for d in read(".globl f\nf: call *kept\n call *other\n.data\nkept: .quad 0")
               if d.subject.id.name == "f"]
    assert [type(call.target).__name__ for call in entry.calls] == ["Opaque", "Load"]
    assert [call.index for call in entry.calls] == [0, 1]


def test_one_function_runs_on_into_the_next() -> None:
    assert calls("""
.globl a, b, c, d, e
a:
b:  nop
c:  call panic
d:  jmp *%rax
e:  ret
""") == {"a": ["b"], "b": ["c"], "c": ["panic"], "d": [], "e": []}


def test_weak_names_and_names_for_others() -> None:
    found = read(".weak f\n.set f, g\n.globl h\nh = g\n.set hidden, g")
    assert [(d.subject.id.name, getattr(d.subject, "alias_of", ""), getattr(d.subject, "weak", 0))
            for d in found] == [("f", "g", True), ("h", "g", False)]


def assembled(folder: Path, text: str, *arguments: str) -> UnitFacts:
    (folder / "a.S").write_text(text)
    unit = TranslationUnit("a.S", "a.o", "vmlinux", str(folder / "a.S"), str(folder), arguments)
    return Extractor(folder, None, set()).extract(unit)


@compiler_needed
def test_a_unit_is_preprocessed_with_its_flags(tmp_path: Path) -> None:
    (tmp_path / "own.h").write_text("#define GO call far\n")
    found = assembled(tmp_path, '#include "own.h"\n.globl f\nf:\n#ifdef YES\n GO // told\n#endif\n',
                      "-DYES", "-fno-such-flag", "-std=gnu89")
    [definition] = found.definitions
    assert [(call.expression, str(call.location)) for call in definition.calls] == [
        ("far", "a.S:5")]
    assert found.files == ("a.S", "own.h")
    assert found.keys == (definition.key,)


@compiler_needed
def test_places_that_are_not_there_are_not_cited(tmp_path: Path) -> None:
    found = assembled(tmp_path, '.globl f\nf:\n#line 900 "a.S"\ncall g\n#line 3 "other.S"\ncall h')
    [definition] = found.definitions
    assert [str(call.location) for call in definition.calls] == ["a.S:1", "a.S:1"]


@compiler_needed
def test_a_header_whose_name_is_no_text_is_cited(tmp_path: Path) -> None:
    name = os.fsdecode(b'odd\xff" .h')
    (tmp_path / name).write_text("call g\n")
    source = f".globl f\nf:\n#include <{name}>\n".encode("utf-8", "surrogateescape")
    (tmp_path / "a.S").write_bytes(source)
    unit = TranslationUnit("a.S", "a.o", "vmlinux", str(tmp_path / "a.S"), str(tmp_path),
                           (f"-I{tmp_path}",))
    [definition] = Extractor(tmp_path, None, set()).extract(unit).definitions
    assert [call.location.path for call in definition.calls] == [escape_name(name)]


@compiler_needed
def test_what_cannot_be_preprocessed_failed(tmp_path: Path) -> None:
    found = assembled(tmp_path, '#include "missing.h"\n')
    assert "missing.h" in found.failed
    assert not found.definitions


def test_without_a_compiler_a_unit_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocess, "find_compiler", lambda: "")
    assert "no compiler" in assembled(tmp_path, "").failed
