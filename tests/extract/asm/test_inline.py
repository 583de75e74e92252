"""Inline assembler: the functions that its text calls by name."""

import pytest

from kgraph.extract.asm.inline import parse_asm_calls, parse_asm_statements
from kgraph.model.values import Load, Symbol
from tests.support.shorthand import Facts, value_text


def test_operands_of_printed_asm_by_name() -> None:
    [text] = parse_asm_statements(
        'asm volatile ("call %P[f]" : "=a" (x[")"]), [n] "+r" (g(1)) : [f] "i" (f), "0" (v)'
        ' : "memory");')
    assert (text.template, text.operands) == ("call %P[f]", ("", "n", "f", ""))


@pytest.mark.parametrize("printed", [
    'asm ("nop");', 'printf("asm (\\"call f\\")");', 'int fasm; f("call g");', 'asm ("call *%0" ',
])
def test_text_without_calls_is_not_looked_at(printed: str) -> None:
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
