"""Conditions: what they ask of parameters, and what the source expects of them."""

from functools import partial

from kgraph.model.facts import HandedKind
from kgraph.model.location import Guard
from tests.support.shorthand import Facts

HEAD = """
#define NULL ((void *)0)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define WARN_ON(condition) ({ int on = !!(condition); if (unlikely(on)) warn(); unlikely(on); })
enum level { LOW, MIDDLE = 4, HIGH };
typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;
struct thing { int flags; struct thing *next; };
void warn(void); void go(void); void use(void *p); int ask(void);
"""


def guards(facts: Facts, declaration: str, body: str) -> tuple[Guard, ...]:
    """The guards of the last call of go() in a function."""
    found = facts(f"{HEAD}\nint f({declaration}) {{ {body} return 0; }}")
    return [site for site in found.sites("f") if site.expression == "go"][-1].guards


def asked(facts: Facts, declaration: str, body: str) -> list[str]:
    """The tests of the guards of the last call of go() in a function, written as C."""
    return [
        f"{test.parameter}{'' if test.mask == -1 else f' & {test.mask:#x}'}"
        f" {'==' if test.is_equal else '!='} {test.value}"
        for guard in guards(facts, declaration, body) for test in guard.tests]


def pointer(facts: Facts, condition: str) -> list[str]:
    return asked(facts, "struct thing *p, void *q", f"if ({condition}) go();")


def word(facts: Facts, condition: str, declaration: str = "u64 a, u64 b") -> list[str]:
    return asked(facts, declaration, f"if ({condition}) go();")


def test_a_condition_on_a_parameter(facts: Facts) -> None:
    assert pointer(facts, "p") == ["0 != 0"]
    assert pointer(facts, "!q") == ["1 == 0"]
    assert pointer(facts, "!!p") == ["0 != 0"]
    assert pointer(facts, "p == NULL") == pointer(facts, "NULL == p") == ["0 == 0"]
    assert pointer(facts, "q != NULL") == ["1 != 0"]
    assert pointer(facts, "p->next") == pointer(facts, "p == q") == pointer(facts, "ask()") == []
    assert word(facts, "a == 3") == ["0 == 3"]
    assert word(facts, "b != HIGH") == ["1 != 5"]
    assert word(facts, "a & 4") == ["0 & 0x4 != 0"]
    assert word(facts, "!(b & MIDDLE)") == ["1 & 0x4 == 0"]
    assert word(facts, "(a & 6) == 2") == ["0 & 0x6 == 2"]
    assert word(facts, "a > 3") == word(facts, "a + 1") == word(facts, "a & b") == []


def test_a_mask_is_as_wide_as_its_parameter(facts: Facts) -> None:
    assert word(facts, "a", "int a") == ["0 & 0xffffffff != 0"]
    assert word(facts, "a == -1", "int a") == ["0 & 0xffffffff == 4294967295"]
    assert word(facts, "a == -1", "u32 a") == ["0 & 0xffffffff == 4294967295"]
    assert word(facts, "(u8)a == 3", "u32 a") == ["0 & 0xff == 3"]
    assert word(facts, "(signed char)a == 3", "u32 a") == []
    assert word(facts, "a == 300", "u8 a") == []  # never true, and no test says so
    assert word(facts, "a & ~1", "int a") == ["0 & 0xfffffffe != 0"]
    assert word(facts, "(long)a == 0xffffffffL", "int a") == []
    assert word(facts, "a", "_Bool a") == word(facts, "a == 1", "_Bool a") == ["0 != 0"]
    assert word(facts, "a == MIDDLE", "enum level a") == ["0 & 0xffffffff == 4"]


def test_both_sides_of_a_condition(facts: Facts) -> None:
    declaration = "struct thing *p, int n"
    assert asked(facts, declaration, "if (p) ask(); else go();") == ["0 == 0"]
    assert asked(facts, declaration, "if (!p) return 1; go();") == ["0 != 0"]
    assert asked(facts, declaration, "while (p) go();") == ["0 != 0"]
    assert asked(facts, declaration, "ask() && p && (go(), 1);") == ["0 != 0"]
    assert asked(facts, declaration, "p ? ask() : (go(), 1);") == ["0 == 0"]


def test_conjunctions_that_hold_and_disjunctions_that_fail(facts: Facts) -> None:
    declaration = "void *p, void *q"
    both = ["0 != 0", "1 == 0"]
    assert asked(facts, declaration, "if (p && !q) go();") == both
    assert asked(facts, declaration, "if (!p || q) return 1; go();") == both
    assert asked(facts, declaration, "if (!(!p || q)) go();") == both
    assert asked(facts, declaration, "if (p && ask()) go();") == both[:1]
    assert asked(facts, declaration, "if (p && !q) return 1; go();") == []
    assert asked(facts, declaration, "if (!p || q) go();") == []


def test_macros_are_seen_through(facts: Facts) -> None:
    assert pointer(facts, "likely(p)") == ["0 != 0"]
    assert pointer(facts, "WARN_ON(!p)") == ["0 == 0"]
    assert asked(facts, "void *p", "if (WARN_ON(!p)) return 1; if (WARN_ON(ask())) return 1; go();"
                 ) == ["0 != 0"]
    assert pointer(facts, "WARN_ON(p && unlikely(!q))") == ["0 != 0", "1 == 0"]


def test_cases_of_a_switch(facts: Facts) -> None:
    def case(labels: str) -> list[str]:
        return asked(facts, "int n", f"switch (n) {{ {labels} }}")

    assert case("case 1: ask(); break; case HIGH: go();") == ["0 & 0xffffffff == 5"]
    assert case("case 1: ask(); case 2: go();") == []  # falls through
    assert case("case 1: case 2: go();") == case("case 1 ... 3: go();") == []
    assert case("case 1: break; default: go();") == []
    assert case("case 1: while (ask()) { case 2: go(); }") == []


def test_a_parameter_that_changes_says_nothing(facts: Facts) -> None:
    def after(statement: str) -> list[str]:
        return asked(facts, "int n, struct thing *p", f"if (n) go(); {statement}")

    assert after("p->flags = n; p[n].flags |= 1;") == ["0 & 0xffffffff != 0"]
    assert after("&p->next; p->flags == n; int m = n;") == ["0 & 0xffffffff != 0"]
    for statement in ("n = 1;", "n |= 1;", "n <<= 1;", "n++;", "--n;", "(n) = 1;", "use(&n);",
                      "use(&(n));", 'asm("" : "=r"(n));', 'asm("" : [out] "+r"(n) : "r"(p));',
                      "for (n = 0; n < 3; n++) ask();"):
        assert after(statement) == [], statement


def test_another_variable_of_the_name(facts: Facts) -> None:
    assert asked(facts, "int n", "{ int n = ask(); if (n) go(); }") == []
    assert asked(facts, "int n", "{ int n = 1; use(&n); } if (n) go();") == []


def test_locals_with_one_value(facts: Facts) -> None:
    assert asked(facts, "u32 n", "int on = n & 4; if (on) go();") == ["0 & 0x4 != 0"]
    assert asked(facts, "u32 n", "u8 low = n; if (low) go();") == ["0 & 0xff != 0"]
    assert asked(facts, "u32 n", "int on = n & 4; if (on) go(); on = 3;") == []
    assert asked(facts, "u32 n", "static int on = 4; if (n & on) go();") == []


def test_a_label_lets_control_past_a_test(facts: Facts) -> None:
    assert asked(facts, "int n", "if (ask()) goto in; if (n) { in: go(); }") == []
    assert asked(facts, "int n", "if (ask()) goto in; if (n) return 1; { in: go(); }") == []
    assert asked(facts, "int n",
                 "if (ask()) goto in; if (n) while (ask()) { go(); in: warn(); }") == []
    assert asked(facts, "int n", "if (n) go(); out: warn(); goto out;") == ["0 & 0xffffffff != 0"]


def test_an_early_exit_by_goto_holds_up_to_its_label(facts: Facts) -> None:
    skip = "if (n & 4) { ask(); goto out; }"
    assert asked(facts, "int n", f"{skip} go(); out: warn();") == ["0 & 0x4 == 0"]
    assert asked(facts, "int n", f"{skip} {{ while (ask()) go(); }} out: warn();") == [
        "0 & 0x4 == 0"]
    assert asked(facts, "int n", f"{skip} warn(); out: go();") == []
    assert asked(facts, "int n", f"if (ask()) goto in; {skip} in: go(); out: warn();") == []
    assert asked(facts, "int n", f"{skip} {{ in: ask(); }} go(); out: goto in;") == []
    assert asked(facts, "int n", f"again: warn(); {skip} go(); goto again; out: warn();") == [
        "0 & 0x4 == 0"]
    assert asked(facts, "int n", f"{skip} go(); out: n = 0;") == []
    assert asked(facts, "int n", "if (n & 4) { if (ask()) goto out; } go(); out: warn();") == []


def test_what_the_source_expects(facts: Facts) -> None:
    def expected(condition: str) -> bool | None:
        return guards(facts, "int a, int b", f"if ({condition}) go();")[-1].expected

    assert [expected(text) for text in ("a", "likely(a)", "unlikely(a)", "!likely(a)")] == [
        None, True, False, False]
    assert expected("unlikely(a) && b") is False
    assert expected("likely(a) || b") is True
    assert expected("likely(a) && b") is expected("unlikely(a) || b") is None
    assert expected("likely(a) && likely(b)") is True
    assert expected("WARN_ON(a)") is False


def test_early_exits_are_told_from_conditions_around(facts: Facts) -> None:
    found = guards(facts, "int a, int b", "if (unlikely(!a)) return 1; if (b) go();")
    assert [guard.is_early_exit for guard in found] == [True, False]
    assert [guard.expected for guard in found] == [False, None]


def handed_on(
    facts: Facts, declaration: str, argument: str, parameter: str = "long x", before: str = ""
) -> list[tuple[str, int]]:
    """What the call of to() hands on."""
    reading = facts(f"{HEAD} void to({parameter});\n"
                    f"int f({declaration}) {{ {before} to({argument}); return 0; }}")
    return [(item.kind.name, item.value)
            for site in reading.sites("f") if site.expression == "to" for item in site.handed]


def test_what_a_call_hands_on(facts: Facts) -> None:
    handed = partial(handed_on, facts)
    number, own = HandedKind.NUMBER.name, HandedKind.PARAMETER.name
    assert handed("int a", "3") == handed("int a", "MIDDLE - 1") == [(number, 3)]
    assert handed("int a", "~0UL") == handed("int a", "-1") == [(number, -1)]
    assert handed("int a", "-1U") == [(number, 2**32 - 1)]
    assert handed("int a", "300", "u8 x") == handed("int a", "(u8)300") == [(number, 44)]
    assert handed("int a", "2", "_Bool x") == [(number, 1)]
    assert handed("int a", "NULL", "void *x") == [(number, 0)]
    for address in ("&a", '"text"', "ask", "(void *)&a"):
        assert handed("int a", address, "void *x") == [(HandedKind.NOT_NULL.name, 0)], address
    assert handed("int a, long b", "b") == handed("int a, long b", "(u64)b") == [(own, 1)]
    assert handed("int a, struct thing *b", "b", "void *x") == [(own, 1)]
    assert handed("int a, _Bool b", "b", "int x") == [(own, 1)]
    for argument in ("a", "b + 1", "b ? 1 : 2", "ask()", "!b", "b & a"):
        assert handed("int a, long b", argument) == [], argument
    assert handed("long a", "a", "_Bool x") == []
    assert facts("void to(int x); void f(int a) { a++; to(a); }").sites("f")[0].handed == ()


def test_known_bits_that_a_call_hands_on(facts: Facts) -> None:
    handed = partial(handed_on, facts)

    def known(own: int | None = None, ones: int = 0, zeros: int = 0) -> list[tuple[str, int]]:
        found = {} if own is None else {HandedKind.PARAMETER.name: own}
        found |= {HandedKind.ONES.name: ones} if ones else {}
        return list((found | ({HandedKind.ZEROS.name: zeros} if zeros else {})).items())

    two = "u64 a, u64 b"
    assert handed(two, "a | 5") == handed(two, "4 | (a | 1)") == known(0, ones=5)
    assert handed(two, "b & ~6UL") == handed(two, "b & ~4UL & ~2UL") == known(1, zeros=6)
    assert handed(two, "(b & ~6UL) | 3") == known(1, ones=3, zeros=4)
    assert handed(two, "b & 3") == known(1, zeros=~3)
    assert handed(two, "ask() | 4") == handed(two, "a | b | 4") == known(ones=4)
    assert handed(two, "ask() & 3") == handed(two, "a & b & 3") == known(zeros=~3)
    assert handed(two, "(a & 3) | (b & 4)") == known(zeros=~7)
    assert handed(two, "(a & 3) | (a & 4)") == known(0, zeros=~7)
    assert handed(two, "(a & 0) | 4") == [(HandedKind.NUMBER.name, 4)]
    assert handed(two, "a ^ 4") == handed(two, "(a | 4) + 1") == handed(two, "a | b") == []
    assert handed("u64 a", "x", before="u64 x = a | 4;") == known(0, ones=4)
    assert handed("u64 a", "x", before="u64 x = 4;") == [(HandedKind.NUMBER.name, 4)]
    for before in ("u64 x = a | 4; x = 3;", "u64 x = a | 4; use(&x);", "static u64 x = 4;",
                   "u64 x = x;"):
        assert handed("u64 a", "x", before=before) == [], before
    assert handed("u64 a", "a | 4", before="a = ask();") == known(ones=4)
    assert handed("u64 a", "a", before="a |= 4;") == []
    assert handed("u64 a", "sizeof(a) | ask()") == known(ones=8)
    assert handed("int n", "__builtin_offsetof(struct { int a[9]; }, a[n])") == []


def test_known_bits_through_conversions(facts: Facts) -> None:
    handed = partial(handed_on, facts)
    own, ones, zeros = (kind.name for kind in (
        HandedKind.PARAMETER, HandedKind.ONES, HandedKind.ZEROS))
    above = (zeros, -1 << 32)
    assert handed("int a", "a") == []  # nobody knows the sign
    assert handed("int a", "a | 1") == [(ones, 1)]
    assert handed("int a", "a & 3") == [(own, 0), (zeros, ~3)]
    assert handed("int a", "a | ~7") == [(own, 0), (ones, ~7)]
    assert handed("int a", "a | 1", "int x") == [(own, 0), (ones, 1), above]
    assert handed("u32 a", "a | 1") == handed("u32 a", "(u64)a | 1") == [
        (own, 0), (ones, 1), above]
    assert handed("u64 a", "a | 1", "int x") == [(own, 0), (ones, 1), above]
    assert handed("u64 a", "(int)a | 1") == [(ones, 1)]
    assert handed("u64 a", "(u8)a") == [(own, 0), (zeros, ~255)]
    assert handed("u64 a", "(signed char)a & 1") == [(own, 0), (zeros, ~1)]
    assert handed("enum level a", "a | 8") == [(own, 0), (ones, 8), above]
    assert handed("enum level a", "(enum level)(ask() | 0x80000000)") == [(ones, 1 << 31)]
    assert handed("u64 a", "a | 4", "_Bool x") == [(HandedKind.NUMBER.name, 1)]
    assert handed("_Bool a", "a & 1", "int x") == [(zeros, 2**32 - 2)]
    assert handed("u64 a", "a & 4", "_Bool x") == handed("u64 a", "a | 4", "void *x") == []
    assert handed("void *a", "(u64)a | 1") == [(ones, 1)]
    assert handed("void *a", "(void *)((u64)a | 1)", "void *x") == []


def test_code_under_a_local_with_one_constant(facts: Facts) -> None:
    def calls(body: str) -> list[str]:
        return facts(f"{HEAD} int f(int n) {{ int on = 0; {body} return 0; }}").calls("f")

    assert calls("if (on) go(); else warn();") == ["warn"]
    assert calls("if (!on) go(); else warn();") == ["go"]
    assert calls("if (ask() && on) go();") == ["ask"]
    assert calls("if (n || unlikely(on)) go(); if (!on || n) return 1; warn();") == ["go"]
    assert calls("if (ask()) goto in; if (on) { in: go(); }") == ["ask", "go"]
    for write in ("on = n;", "on++;", "use(&on);", 'asm("" : "=r"(on));'):
        assert calls(f"if (on) go(); {write}")[0] == "go"
    assert calls("if (on) go(); { static int on = 0; if (on) warn(); }") == ["warn"]


def test_attributes_of_functions(facts: Facts) -> None:
    reading = facts("""
        void declared(void) __attribute__((noreturn, cold));
        void declared(void) { for (;;); }
        static void __attribute__((__cold__)) here(void) { }
        static void before(void) __attribute__((cold));
        static void before(void) { }
        _Noreturn void standard(void) { for (;;); }
        void plain(void) { }""")

    def flags(name: str) -> tuple[bool, bool]:
        function = reading.definition(name).subject
        return function.is_noreturn, function.is_cold

    assert flags("declared") == (True, True)
    assert flags("here") == flags("before") == (False, True)
    assert flags("standard") == (True, False)
    assert flags("plain") == (False, False)
