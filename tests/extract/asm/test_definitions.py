"""What assembler defines, calls and refers to."""

from kgraph.extract.asm.definitions import AsmDefinitions
from kgraph.extract.asm.parser import SourceLine, parse_statements
from kgraph.model.facts import Definition
from kgraph.model.values import Symbol, SymbolUse


def lines(text: str) -> list[SourceLine]:
    return [
        SourceLine("a.S", number, line) for number, line in enumerate(text.split("\n"), start=1)
    ]


def read(text: str) -> list[Definition]:
    return AsmDefinitions("a.S", "vmlinux").read(parse_statements(lines(text)))


def calls(text: str) -> dict[str, list[str]]:
    """What each symbol calls; what it only refers to is in brackets."""
    found: dict[str, list[str]] = {}
    for definition in read(text):
        found[definition.subject.id.name] = [
            call.expression if not isinstance(call.target, Symbol)
            or call.target.how is SymbolUse.CALLED else f"[{call.expression}]"
            for call in definition.calls]
    return found


def test_what_symbols_call_and_refer_to() -> None:
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


def test_a_function_falls_through_into_the_next() -> None:
    assert calls("""
.globl a, b, c, d, e
a:
b:  nop
c:  call panic
d:  jmp *%rax
e:  ret
""") == {"a": ["b"], "b": ["c"], "c": ["panic"], "d": [], "e": []}


def test_weak_names_and_aliases() -> None:
    found = read(".weak f\n.set f, g\n.globl h\nh = g\n.set hidden, g")
    assert [(d.subject.id.name, getattr(d.subject, "alias_of", ""), getattr(d.subject, "weak", 0))
            for d in found] == [("f", "g", True), ("h", "g", False)]
