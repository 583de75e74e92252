"""What assembler defines, calls and refers to."""

import pytest

from kgraph.extract.asm.definitions import AsmDefinitions
from kgraph.extract.asm.dialects import ARM64
from kgraph.extract.asm.parser import SourceLine, parse_statements
from kgraph.model.facts import Definition, Object
from kgraph.model.ids import ObjectId
from kgraph.model.values import Load, Opaque, Parameter, Place, Symbol, SymbolUse


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
        "first": ["[object]", "[other]", "elsewhere", "*%rax", "*table", "local"],
        "local": ["far"],
        "data": ["[last]", "[first]"],
        "last": ["arm"],
    }


def test_a_pointer_of_the_same_source_is_not_followed() -> None:
    [entry] = [d for d in read(".globl f\nf: call *kept\n call *other\n.data\nkept: .quad 0")
               if d.subject.id.name == "f"]
    assert [type(call.target).__name__ for call in entry.calls] == ["Opaque", "Load"]
    assert [call.index for call in entry.calls] == [0, 1]


def test_a_pointer_that_others_can_name_is_followed_unless_assembler_writes_it() -> None:
    [entry] = [d for d in read("""
.globl f, kept, written
f:  call *kept(%rip)
    movq %rax, written(%rip)
    call *written(%rip)
    movq kept(%rip), %rcx
    movq %rcx, %rbx
    jmp *%rbx
.data
kept: .quad g
written: .quad g
""") if d.subject.id.name == "f"]
    assert [(call.expression, type(call.target).__name__) for call in entry.calls
            if call.index >= 0] == [("*kept", "Load"), ("*written", "Opaque"), ("*kept", "Load")]


def test_a_function_falls_through_into_the_next() -> None:
    assert calls("""
.globl a, b, c, d, e
a:
b:  nop
c:  call panic
d:  jmp *%rax
e:  ret
""") == {"a": ["b"], "b": ["c"], "c": ["panic"], "d": ["*%rax"], "e": []}


def test_weak_names_and_aliases() -> None:
    found = read(".weak f\n.set f, g\n.globl h\nh = g\n.set hidden, g")
    assert [(d.subject.id.name, getattr(d.subject, "alias_of", ""), getattr(d.subject, "weak", 0))
            for d in found] == [("f", "g", True), ("h", "g", False)]


def test_a_label_that_another_function_jumps_to_starts_a_function() -> None:
    assert calls("""
.globl first, second, third
first:
    call one
    jmp finish
second:
    call two
finish:
    call three
inside:
    jz inside
third:
    call four
    ret
""") == {"first": ["one", "finish"], "second": ["two", "finish"], "finish": ["three", "third"],
         "third": ["four"]}


def test_a_label_inside_is_a_static_function_of_its_source() -> None:
    found = {d.subject.id.name: d.subject.id.scope for d in read(
        ".globl f, g\nf: jmp there\ng: nop\nthere: ret\nhere: jmp here")}
    assert found == {"f": "", "g": "", "there": "a.S"}


def test_where_a_function_is_divided_its_own_jumps_enter_further_labels() -> None:
    assert calls("""
.globl f, g
f:  jmp back
g:  call one
again:
    call two
back:
    call three
    jmp again
""") == {"f": ["back"], "g": ["one", "again"], "again": ["two", "back"], "back": ["three", "again"]}


def test_numbers_and_local_labels_of_other_functions_are_entered() -> None:
    assert calls("""
.globl f, g
1:  nop
f:  jz 1f
    lea .Lpart(%rip), %rax
1:  ret
g:  jz 1b
    call one
.Lpart:
    call two
    ret
2:  call three
    jz 2b
""") == {"f": ["f.6", "[.Lpart]", "f.6"], "f.6": [], "g": ["f.6", "one", ".Lpart"],
         ".Lpart": ["two", "three"]}


def test_a_table_of_faults_enters_no_label() -> None:
    assert calls("""
.globl f, bad
f:  nop
1:  call one
    ret
bad: ret
.section __ex_table, "a"
.long 1b - ., bad - .
""") == {"f": ["one"], "bad": [], "__ex_table:8": ["[bad]"]}


def test_a_label_of_data_starts_no_function() -> None:
    assert calls("""
.globl f, g
f:  mov mask(%rip), %rax
    ret
.data
mask: .quad 5
.text
g:  ret
""") == {"f": [], "g": []}


def test_a_register_that_holds_the_address_of_a_name_calls_nothing_else() -> None:
    assert calls("""
.globl f, g
f:  leaq one(%rip), %r11
    leaq two(%rip), %rax
    cmoveq %rax, %r11
    call *%r11
    movq kept(%rip), %r11
    call *%r11
g:  movq $three, %rax
    movl $5, %eax
    call *%rax
    movq $three, %rax
2:  call *%rax
    movq $three, %rax
1:  call *%rax
    jz 1b
    call *40(%rsp)
""") == {"f": ["[one]", "[two]", "[kept]", "*kept"],
         "g": ["[three]", "*%rax", "[three]", "[three]", "*%rax", "*40(%rsp)"]}


def test_returns_are_no_calls_and_registers_of_other_machines_are() -> None:
    assert calls(".globl f\nf: blr x3\n bx lr\n br %r14\n jr $ra\n jalr t0") == {
        "f": ["*x3", "*t0"]}


def test_data_behind_a_function_is_not_part_of_it() -> None:
    found = calls("""
.globl first, second
.type inner, @function
first: jmp inner
.size first, .-first
    .quad late
inner: ret
.size inner, .-inner
.pushsection .note.X, "a"
    .long 1f - .
1:  .quad second
.popsection
second: call one
.section .rodata, "a"
    .quad aside
.previous
    call two
""")
    assert found == {
        "first": ["inner"], ".text:6": ["[late]"], "inner": [], ".note.X:11": ["[second]"],
        "second": ["one", "two"], ".rodata:15": ["[aside]"]}


def test_code_behind_a_change_of_section_is_code() -> None:
    assert [type(d.subject).__name__ for d in read(
        ".globl f, g\nf: ret\n.section .rodata\n.quad f\n.previous\ng: jmp f")
        if d.subject.id.name == "g"] == ["Function"]


def test_code_refers_to_the_objects_of_its_own_source() -> None:
    assert calls("""
.globl f
f:  lea handlers(%rip), %rax
    lea numbers(%rip), %rbx
    ret
.section .rodata, "a"
handlers: .quad one
    .quad two
numbers: .quad 5
""") == {"f": ["[handlers]"], "handlers": ["[one]", "[two]"]}


def test_an_object_has_the_section_and_scope_that_it_stands_in() -> None:
    [entry] = read('.section ".calls6.init", "a"\nentry_f:\n.long f - .\n.previous')
    assert isinstance(entry.subject, Object)
    assert (entry.subject.id, entry.subject.section) == (
        ObjectId("entry_f", "a.S"), ".calls6.init")


def read_arm64(text: str) -> dict[str, list[str]]:
    statements = parse_statements(lines(text), ARM64)
    return {found.subject.id.name: [call.expression for call in found.calls]
            for found in AsmDefinitions("a.S", "vmlinux", ARM64).read(statements)}


def test_arm64_has_registers_without_a_mark_and_numbers_with_one() -> None:
    assert read_arm64("""
.globl f
f:  cmp x0, #1; b.eq equal   // then a comment: bl not_this
    mov x1, sp ; csel x0, x1, x2, eq
    cbnz w3, counted
    mrs x4, tpidr_el0
    adr x5, named
    bl last
.globl g
g:  ret
""") == {"f": ["equal", "counted", "named", "last"], "g": []}


@pytest.mark.parametrize(("code", "called"), [
    ("blr x1", ["*x1"]),
    ("adrp x1, f ; add x1, x1, :lo12:f ; br x1", ["f"]),
    ("ldr x1, =f ; br x1", ["f"]),
    ("adrp x2, p ; ldr x2, [x2, :lo12:p] ; blr x2", ["p", "*p"]),
    ("adr x2, f ; mov x3, x2 ; blr x3", ["f"]),
    ("adr x2, f ; ldr x2, [x2] ; blr x2", ["f", "*x2"]),
    ("adr x2, f ; ldp x1, x2, [sp], #16 ; blr x2", ["f", "*x2"]),
    ("adr x2, f ; str x0, [x2] ; cmp x2, #0 ; blr x2", ["f"]),
    ("adr x2, f ; str x0, [x2], #8 ; blr x2", ["f", "*x2"]),
    ("adr x2, f ; cas x0, x2, [x3] ; blr x2", ["f", "*x2"]),
    ("1: adr x2, f ; b 2f ; 2: blr x2", ["f", "*x2"]),
])
def test_what_registers_of_arm64_hold(code: str, called: list[str]) -> None:
    assert read_arm64(f".globl g\ng: {code}")["g"] == called


def test_a_register_with_an_argument_is_known_until_another_function_is_called() -> None:
    [first, second] = AsmDefinitions("a.S", "vmlinux", ARM64).read(parse_statements(lines("""
.globl g, h
g: blr x1
h: bl g
   blr x1
"""), ARM64))
    assert first.calls[0].target == Load(Place(Parameter(first.subject.id, 1)))
    assert isinstance(second.calls[1].target, Opaque)


def test_what_stands_behind_the_end_of_a_function_is_another() -> None:
    assert calls("""
.globl f
f:  jmp behind
.size f, . - f
behind:
    call elsewhere
""") == {"f": ["behind"], "behind": ["elsewhere"]}
