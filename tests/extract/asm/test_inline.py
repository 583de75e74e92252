"""Inline assembler: the functions that its text calls by name."""

import pytest

from kgraph.extract.asm.inline import parse_asm_statements
from kgraph.extract.definition_context import AsmOperand
from kgraph.model.values import Load, Opaque, Symbol
from tests.support.shorthand import Facts, value_text


def test_operands_of_printed_asm() -> None:
    [text] = parse_asm_statements(
        'asm volatile ("call %P[f]" : "=a" (x[")"]), [n] "+r" (g(1)) : [f] "i" (f), "0" (v)'
        ' : "cc", "memory");')
    assert (text.template, text.writes_memory) == ("call %P[f]", True)
    assert text.operands == (
        AsmOperand("", "=a", is_output=True), AsmOperand("n", "+r", is_output=True),
        AsmOperand("f", "i", is_output=False), AsmOperand("", "0", is_output=False))


def test_asm_without_outputs_has_inputs() -> None:
    [text] = parse_asm_statements('asm goto ("" : : "i" (key) : : done);')
    assert text.operands == (AsmOperand("", "i", is_output=False),)
    assert not text.writes_memory


@pytest.mark.parametrize("printed", ['printf("asm (\\"call f\\")");', 'int fasm; f("call g");'])
def test_what_only_looks_like_asm(printed: str) -> None:
    assert not parse_asm_statements(printed)


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


def test_a_call_through_a_register_is_of_unknown_callee(facts: Facts) -> None:
    reading = facts("""
    int u(int n) { asm("call *%%rax" : : "a" (n)); return n; }
    int v(int n) { asm("call *%0" : : "r" (u)); return n; }
    int w(int (*f)(void)) { asm("call *%0" : : "r" (f)); return 0; }""")
    assert [type(site.target).__name__ for f in "uvw" for site in reading.sites(f)] == [
        "Opaque", "Symbol", "Load"]


def test_a_call_through_an_operand_is_indirect(facts: Facts) -> None:
    reading = facts("""
    struct ops { void (*run)(void); }; extern struct ops ops; void (*hook)(void);
    int u(struct ops *o) {
        asm("call *%0" : : "r" (o->run));
        asm("call *%c0" : : "i" (&ops.run));
        asm("call *%%rax" : : "r" (hook));
        return 0;
    }""")
    assert [(site.index, type(site.target)) for site in reading.sites("u")] == [
        (0, Load), (1, Load), (2, Opaque)]


_DECLARED = """
    typedef void (*fn)(void); struct ops { fn run; fn stop; }; extern struct ops ops;
    void f(void); void g(void);
"""


@pytest.mark.parametrize(("statement", "put"), [
    # an input in a register keeps its value; an output does not
    ('asm("mov %1, %0" : "=r" (x) : "r" (y))', ["x = y"]),
    ('asm("use %0, %1" : : "r" (x), "r" (y))', []),
    ('asm("xchg %0, %1" : "+r" (x), "+r" (y))', ["x = y", "y = x"]),
    # an input in memory may be written to only where the text says so
    ('asm("mov %1, %0" : : "m" (x), "r" (y))', []),
    ('asm("mov %1, %0" : : "m" (x), "r" (y) : "memory")', ["x = y"]),
    # without instructions only what stands in the same register is passed on
    ('asm("" : "=r" (x) : "0" (y), "r" (z))', ["x = y"]),
    ('asm("" : [to] "=r" (x) : "[to]" (y), "r" (z))', ["x = y"]),
    ('asm("" : "+r" (x), "+r" (y))', []),
    # what is called, and named nowhere else, is not passed on
    ('asm("call *%[f]" : "=a" (x) : [f] "m" (y), "D" (z) : "memory")', ["x = z"]),
    ('asm("mov %[f], %0; call *%[f]" : "=r" (x) : [f] "m" (y))', ["x = y"]),
    # an output that is only written to is not passed on, but memory may be changed in part
    ('asm("mov %2, %1" : "=r" (x), "=r" (y) : "r" (z))', ["x = z", "y = z"]),
    ('asm("mov %2, %1" : "=r" (x), "=m" (y) : "r" (z))', ["x = y", "x = z", "y = z"]),
    # a flag or a status holds no pointer, a word may
    ('asm("set %0" : "=q" (flag), "+m" (x) : "r" (y))', ["x = y"]),
    ('asm("get %1" : "=r" (error) : "m" (x))', []),
    ('asm("mov %1, %0" : "=r" (word) : "m" (x))', ["word = x"]),
])
def test_what_asm_moves(facts: Facts, statement: str, put: list[str]) -> None:
    reading = facts(_DECLARED + f"""
    void u(void) {{ fn x, y, z; _Bool flag; int error; unsigned long word; {statement}; }}""")
    assert sorted(reading.puts("u")) == put


def test_a_global_register_holds_nothing_for_others(facts: Facts) -> None:
    reading = facts(_DECLARED + """
    register unsigned long stack asm("rsp");
    register struct ops *here asm("r15");
    void call(struct ops *o) { asm("call *%[f]" : "+r" (stack) : [f] "m" (o->run) : "memory"); }
    fn swap(fn *p, fn q) { asm("xchg %0, %1" : "+m" (*p), "+r" (q), "+r" (stack)); return q; }
    void direct(fn q) { stack = (unsigned long)q; here = &ops; }
    void *as_pointer(void) { return (void *)stack; }
    fn from(void) { fn q = here->run; here->stop(); return q; }""")
    assert reading.puts("call") == []
    assert not any("stack" in put for put in reading.puts("swap"))
    assert reading.puts("direct") == []
    assert reading.puts("as_pointer") == ["as_pointer() = ?a number is taken for an address"]
    assert reading.puts("from") == [
        "q = ops.run{?it is in a register}", "from() = q"]


def test_a_local_register_variable_is_a_variable(facts: Facts) -> None:
    reading = facts(_DECLARED + """
    fn u(fn q) { register fn r asm("rdi") = q; asm("use %0" : "+r" (r)); return r; }""")
    assert reading.puts("u") == ["r = u(#0)", "u() = r"]
