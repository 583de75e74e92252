"""Every form of line is read as what it is, and nothing of a document is dropped."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.check.document.parser import MAX_LINES, parse_document
from kgraph.errors import DocumentError
from kgraph.model.document import Claim, DocumentLine, LineKind
from tests.support.effort import examples, scaled

Within = tuple[tuple[LineKind, Claim], ...]
CHAIN = """# A heading
Some prose about f(x) and what it does.

```
modprobe veth
outer(struct sock * sk, size_t len) (linux-4.6.2\\net\\a.c:12)
|-__inner() (net/b.c#L7)
| |-sk->ops->send(sk, len)   // 即是AF_X协议族的real_send
|   |-real_send(sk, len)
|-y = call(a, &b[1], "x, y")
|-if !(flags & SOME) return get_it(old)
|-if (th->syn) handle_syn(sk)
|-skb->dev = to->dev
|-......
|-handler(&skb)   // 调用NAPI机制的poll函数process_it
|-broken_call(a, b
  c);
|-what is this() doing here()?
struct file_ops my_ops = {
    .open = my_open,
    &other,
}
struct holder {
    struct sock *sk;
    int (*send)(struct sock *sk, int len);
};
plain words
```
"""


def read(text: str) -> list[DocumentLine]:
    return list(parse_document("x.md", text.encode()).lines)


def line_with(text: str, lines: list[DocumentLine] | None = None) -> DocumentLine:
    return next(line for line in lines or read(CHAIN) if text in line.text)


@pytest.mark.parametrize(("text", "kind"), [
    ("# A", LineKind.HEADING), ("Some prose", LineKind.PROSE), ("modprobe", LineKind.COMMAND),
    ("outer(", LineKind.FUNCTION), ("__inner", LineKind.FUNCTION),
    ("send(sk, len)   ", LineKind.INDIRECT),
    ("real_send(sk", LineKind.CALL), ("y = call", LineKind.CALL), ("if !", LineKind.CONDITION),
    ("if (th", LineKind.CONDITION), ("to->dev", LineKind.STATEMENT), ("......", LineKind.OMISSION),
    ("handler(", LineKind.CALL), ("broken_call", LineKind.CALL), ("  c);", LineKind.CONTINUATION),
    ("what is", LineKind.PROSE), ("my_ops", LineKind.TABLE), (".open", LineKind.ROW),
    ("&other", LineKind.ROW), ("struct holder", LineKind.RECORD),
    ("struct sock *sk;", LineKind.FIELD),
    ("(*send)", LineKind.FIELD), ("plain words", LineKind.PROSE),
])
def test_kinds(text: str, kind: LineKind) -> None:
    assert line_with(text).kind is kind


def test_what_lines_say() -> None:
    outer, inner = line_with("outer("), line_with("__inner")
    assert outer.claim.declared
    assert outer.claim.arguments == ("struct sock * sk", "size_t len")
    assert outer.citation is not None
    assert (outer.citation.path, outer.citation.line) == ("linux-4.6.2/net/a.c", 12)
    assert inner.claim.name == "__inner"
    assert (inner.citation and inner.citation.line) == 7
    through = line_with("send(sk, len)   ")
    assert (through.claim.expression, through.claim.target) == ("sk->ops->send", "real_send")
    assert line_with("y = call").claim.arguments == ("a", "&b[1]", '"x, y"')
    assert line_with("if !").claim.negated
    assert line_with("if !").claim.consequence == "return get_it(old)"
    assert line_with("if (th").claim.name == "handle_syn"
    assert line_with("handler(").claim.target == "process_it"
    assert line_with("broken_call").claim.arguments == ("a", "b   c")
    assert (line_with(".open").claim.name, line_with(".open").claim.value) == ("open", "my_open")


def test_what_lines_stand_under() -> None:
    outer, inner = line_with("outer("), line_with("__inner")
    assert (outer.parent, inner.parent) == (0, outer.number)
    assert line_with("send(sk, len)   ").parent == inner.number
    assert line_with("real_send(sk").parent == line_with("send(sk, len)   ").number
    assert line_with("y = call").parent == outer.number
    assert line_with(".open").parent == line_with("my_ops").number


@pytest.mark.parametrize("tree", [
    "a_1()\n├── b_1()\n│   └── c_1()\n└── d_1()\n",
    "a_1()\n    b_1()\n        c_1()\n    d_1()\n",
    "a_1()\n\tb_1()\n\t\tc_1()\n\td_1()\n",
    "a_1()\r\n+-b_1()\r\n| +-c_1()\r\n+-d_1()\r\n",
    "- a_1()\n  - b_1()\n    - c_1()\n  - d_1()\n",
    "a_1()\n|--b_1()\n|  |--c_1()\n|--d_1()\n",
    "a_1()\n |- b_1()\n |    `- c_1()\n `- d_1()\n",
    "- `a_1()`\n  - `b_1()`:\n    - **c_1()**\n  - **`d_1()`**\n",
    (" 0)               |  a_1() {\n 0)               |    b_1() {\n 0)   0.5 us    |      c_1();\n"
    " 0)   1.0 us    |    }\n 0)   0.5 us    |    d_1();\n 0)   3.0 us    |  }\n"),
    "a_1() {\nb_1() {\nc_1();\n}\nd_1();\n}\n",
])
def test_drawings(tree: str) -> None:
    lines = {line.claim.name: line for line in read(f"```\n{tree}```\n") if line.claim.name}
    assert list(lines) == ["a_1", "b_1", "c_1", "d_1"]
    parents = {name: lines[name].parent for name in lines}
    numbers = {name: lines[name].number for name in lines}
    assert parents == {"a_1": 0, "b_1": numbers["a_1"], "c_1": numbers["b_1"],
                       "d_1": numbers["a_1"]}


def test_the_markers_of_a_list_stand_below_each_other() -> None:
    lines = read("9. a_1()\n   - b_1()\n10. c_1()\n- d_1()\n  - e_1()\n    * f_1()\n")
    assert [line.parent for line in lines] == [0, 1, 0, 0, 4, 5]
    under = read("a_0()\n- b_1()\n- c_1()\n")
    assert [line.parent for line in under] == [0, 1, 1]


def test_a_binary_file_is_refused_with_its_line() -> None:
    with pytest.raises(DocumentError, match="x:2: "):
        parse_document("x", b"a\nb\0c\n")


@examples(300)
@given(st.one_of(
    st.binary(max_size=400).map(lambda data: data.replace(b"\0", b"")),
    st.lists(st.sampled_from([
        "|-", "f(x)", " (net/a.c:1)", "->", "{", "}", "(", ")", "\n", "\t", "if ", "!", "=", ",",
        "struct a b = {", "// i.e. g_h", "/*", "*/", '"', "'", "```", "f+0x1/0x2\n", "...",
        "│ └── ", "中", "\r\n",
    ]), max_size=60).map(lambda parts: "".join(parts).encode()),
))
def test_any_document_is_read_whole(data: bytes) -> None:
    lines = parse_document("x", data).lines
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    ends = [data[line.end:].removeprefix(b"\r")[:1] for line in lines]
    assert all(end in (b"\n", b"") for end in ends)
    assert all(data[line.start:line.end].decode("utf-8", "replace") == line.text for line in lines)
    numbers = {line.number for line in lines} | {0}
    assert all(line.parent in numbers - {line.number} for line in lines)


@pytest.mark.parametrize(
    "unit", ["|-f(a) (net/a.c:1)\n", "(", "a->b", "{\n", "  |-x(", "/*", '"\n']
)
def test_large_documents_are_read(unit: str) -> None:
    size = scaled(2_000_000)
    times = MAX_LINES if "\n" in unit else size
    data = (unit * min(times, size // len(unit))).encode()
    assert parse_document("x", data).lines


@pytest.mark.parametrize(("text", "name", "onward"), [
    ("a_1(x, y) -> b_1() -> c_1(z);", "a_1", ("b_1", "c_1")),
    ("a_1() → b_1()", "a_1", ("b_1",)), ("a_1() ⇒ b_1() => c_1()", "a_1", ("b_1", "c_1")),
    ("a_1(x) -> b_1", "a_1", ()), ("a_1(x)->b_1()", "", ()),
    ("a_1() -> b_1() and then", "a_1", ()),
])
def test_a_chain_in_one_line(text: str, name: str, onward: tuple[str, ...]) -> None:
    claim = read(f"```\n|-{text}\n```\n")[1].claim
    assert (claim.name, claim.onward) == (name, onward)


STACK = """Call Trace:
 <IRQ>  [<ffffffff8134a1b2>] dump_stack+0x63/0x81
 [<ffffffff81700001>] do_irq_one+0x1/0x2
 <EOI>  [<ffffffff81700001>] ? stale_one+0x1/0x2
 [   12.345678]  [<ffffffff81234567>] inner_one.isra.3+0x1a/0x30 [mod]
  ? stale_two+0x12/0x40 [mod]
  outer_one+0x12/0x40
plain
 [<ffffffff81234567>] other_one+0x1a/0x30
"""


@pytest.mark.parametrize("fence", ["", "```\n"])
def test_a_stack_is_a_chain_from_its_last_line_up(fence: str) -> None:
    lines = {line.claim.name: line for line in read(fence + STACK) if line.claim.name}
    assert {line.kind for line in lines.values()} == {LineKind.FUNCTION}
    names = {line.number: name for name, line in lines.items()} | {0: ""}
    assert {name: names[line.parent] for name, line in lines.items()} == {
        "dump_stack": "do_irq_one", "do_irq_one": "", "stale_one": "", "inner_one": "outer_one",
        "stale_two": "", "outer_one": "", "other_one": "",
    }


UNITS = ["|-f(a) (net/a.c:1)\n", "  |-x(", "(", "'\\'", "a->b", "a.", "/*", "//", "* ", "if ",
         "int ", "a[", "-> ", "} ", "struct a ", " ", "|", "\\", "\"\\\"'"]


def seconds(data: bytes) -> float:
    """The least time of three readings."""
    times = []
    for _ in range(3):
        start = time.process_time()
        assert parse_document("x", data).lines
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize("lined", [True, False], ids=["lines", "one line"])
@pytest.mark.parametrize("unit", UNITS)
def test_four_times_as_much_takes_about_four_times_as_long(unit: str, lined: bool) -> None:
    """In lines as long as are read as claims, and in one line; what is quadratic takes sixteen."""
    line = unit * (3900 // len(unit)) + "\n" if lined else unit * 40
    small = (line * (80_000 // len(line))).encode()
    assert seconds(small * 4) < 10 * seconds(small) + 0.02


FRAMES = [" f (a", " f (a:", " f_1+0x1/0x2 (a", "#1 f (a", " f", "Call Trace"]


@pytest.mark.slow
@pytest.mark.parametrize("unit", [":1", "1", ":", " ", "()", "(", ") ", ".a", "[C1] "])
@pytest.mark.parametrize("head", FRAMES)
def test_a_long_frame_is_read_as_fast_as_a_short_one(head: str, unit: str) -> None:
    """Behind a head, where a line may be a frame without its offset. In one line, and as long as
    claims are; what is quadratic takes sixteen times as long.
    """
    small, large = (
        f"Call Trace:\n{head}{unit * (size // len(unit))}\n".encode() for size in (800, 3200)
    )
    assert seconds(large * 5) < 10 * seconds(small * 5) + 0.02
    one = "Call Trace:\n" + head
    assert seconds((one + unit * 8000).encode()) < 10 * seconds((one + unit * 2000).encode()) + 0.02


def test_a_deep_document_is_read_and_its_lines_stand_under_each_other() -> None:
    deep = "".join(f"{' ' * depth}f_{depth}()\n" for depth in range(3000))
    lines = read(f"```\n{deep}```\n")[1:-1]
    assert [line.depth for line in lines] == list(range(3000))


@pytest.mark.parametrize(("text", "given"), [
    ("""|-f(it's, b)""", ("it's", "b")), ("""|-f("a, \\" (", b)""", ('"a, \\" ("', "b")),
    ("""|-f('(', ')')""", ("'('", "')'")), (r"""|-f("\\\\", b)""", (r'"\\\\"', "b")),
])
def test_strings_and_apostrophes_in_arguments(text: str, given: tuple[str, ...]) -> None:
    assert read(f"```\n{text}\n```\n")[1].claim.arguments == given


def test_a_debuggers_frames_are_read_over_their_lines() -> None:
    lines = read("""#0  a_1 (x=1, s="(") at net/a.c:12
#1  0xffffffff81234567 in b_1.isra.3 (
    y=<optimized out>, z=2)
    at net/b.c:7
#2  c_1 () from /lib/x.so
#0  d_1 (w=1) at net/d.c:1
prose
""")
    frames = {line.claim.name: line for line in lines if line.claim.name}
    assert list(frames) == ["a_1", "b_1", "c_1", "d_1"]
    assert [line.parent for line in frames.values()] == [2, 5, 0, 0]
    assert [str(line.citation and line.citation.line) for line in frames.values()] == [
        "12", "7", "None", "1"]
    assert [line.kind.value for line in lines[2:4]] == ["continuation"] * 2


def test_a_stack_with_its_places_put_in() -> None:
    """As decode_stacktrace.sh writes it: offsets gone, or left, inlined places, modules."""
    lines = read("""[    1.5] Call Trace:
[    1.5]  <IRQ>
[    1.5] a_1 (lib/a.c:52)
[    1.5] ? x_1 (lib/x.c:7)
[    1.5] b_1 (include/b.h:9 net/b.c:12 (discriminator 4)) mod
[    1.5]  </IRQ>
[    1.5] c_1+0x12/0x40 (net/c.c:3) mod
[    1.5] d_1+0x12/0x40 [mod]

e_1 (net/e.c:4)
f_1 (net/f.c:5)
""")
    frames = {line.claim.name: line for line in lines if line.claim.name}
    assert list(frames) == ["a_1", "x_1", "b_1", "c_1", "d_1", "e_1", "f_1"]
    assert [line.parent for line in frames.values()] == [5, 0, 0, 8, 0, 0, 0]
    assert [str(line.citation and line.citation.line) for line in frames.values()] == [
        "52", "7", "12", "3", "None", "4", "5"]


@pytest.mark.parametrize(("text", "kinds"), [
    ("a_1(x); b_1();", ["call", "call"]), ("x = a_1(1, ';'); y = 2; *z->w = 3;",
                                           ["call", "statement", "statement"]),
    ("a_1(); p->q(r)", ["call", "indirect"]), ("(void)a_1()", ["call"]),
    ("a_1(x)->b_1(y)", ["indirect"]), ("a_1(x)[2].b_1(y)", ["indirect"]),
    ("if (a) b_1(); c_1();", ["condition", "call"]), ("for (i = 0; i < n; i++)", ["condition"]),
    ("this is it; and that is that", ["prose"]),
])
def test_several_claims_on_one_line(text: str, kinds: list[str]) -> None:
    line = read(f"```\n{text}\n```\n")[1]
    assert [line.kind.value, *(kind.value for kind, _ in line.claim.also)] == kinds


@pytest.mark.parametrize(("text", "branch", "condition", "leads"), [
    ("switch (a->b) {", "switch", "a->b", ""), ("case A_B:", "case", "case A_B", ""),
    ("default: a_1();", "case", "default", "a_1"), ("else a_1(b)", "else", "", "a_1"),
    ("} else if (a && b) {", "if", "a && b", ""), ("while (a) b_1()", "while", "a", "b_1"),
    ("if !(a) return b;", "if", "a", "return b"),
    ("else r = a_1(b, c(), &d)", "else", "", "r = a_1(b, c(), &d)"),
    ("else { a_1(b) }", "else", "", "a_1"), ("else { a_1(b); c = d; }", "else", "",
                                             "a_1(b); c = d"),
    ("else return E_P(-E)", "else", "", "return E_P(-E)"), ("else return -E", "else", "",
                                                            "return -E"),
    ("case A_B: goto out", "case", "case A_B", "goto out"), ("else p->q(r)", "else", "", "p->q(r)"),
    ("else if (a) b->c = d", "if", "a", "b->c = d"), ("default: n++", "case", "default", "n++"),
])
def test_conditions(text: str, branch: str, condition: str, leads: str) -> None:
    claim = read(f"```\na_0()\n|-{text}\n```\n")[2].claim
    assert (claim.branch, claim.condition, claim.name or claim.consequence) == (
        branch, condition, leads)


@pytest.mark.parametrize("text", [
    "default: use eth0", "else we wait here", "case 1: the thing", "else return to the caller",
    "default: goto the next one",
])
def test_words_that_c_has_too_are_prose(text: str) -> None:
    assert read(f"a_0()\n  {text}\n")[1].kind is LineKind.PROSE


@pytest.mark.parametrize(("text", "kind"), [
    ("f() { g(x) or h(y) }", LineKind.UNREAD), ("f() { do { g(); } while (x); }", LineKind.UNREAD),
    ("struct l_1 { int a; what; };", LineKind.UNREAD), ("f() { a_1 = { 1 }; }", LineKind.UNREAD),
    ("f() (net/a.c:1) é", LineKind.UNREAD), ("f() <text> (net/a.c:1)", LineKind.UNREAD),
    ("f() (net/a.c:1)\rg() (net/a.c:2)\rx", LineKind.UNREAD),
    ("+--> f ......", LineKind.FUNCTION), ("|-f(x) …", LineKind.CALL),
    # prose that names functions, or cites
    ("as g() does (net/a.c:1)", LineKind.PROSE), ("it waits (net/a.c:1)", LineKind.PROSE),
    ("g() and h() do", LineKind.PROSE), ("and so on ...", LineKind.PROSE),
    ("a struct { of } sorts", LineKind.PROSE),
])
def test_what_looks_like_a_claim_is_not_dropped(text: str, kind: LineKind) -> None:
    assert [line.kind for line in read(text) if line.text] == [kind]


def said(within: Within) -> list[object]:
    """Claims in braces by what they name, each with those in its own."""
    return [[name, *said(claim.within)] if claim.within else name for _, claim in within
            for name in (claim.name or claim.expression or claim.condition or claim.branch,)]


@pytest.mark.parametrize(("text", "kind", "within"), [
    ("int f(void) { return g(x); }", LineKind.FUNCTION, ["g"]),
    ("f() { g(x); h(y) }", LineKind.CALL, ["g", "h"]),
    ("|-f() { g() { h(); i(); } ... j->k(l); }", LineKind.CALL, [["g", "h", "i"], "j->k"]),
    ("f() { if (a) { g(); } else { b = c; } return; }", LineKind.CALL,
     [["a", "g"], ["else", "b = c"], "return"]),
    ("f() { switch (a) { case B: g(); break; } }", LineKind.CALL, [["a", ["g", "break"]]]),
    ('f() { for (i = 0; i < n; i++) g("{;"); }', LineKind.CALL, ["g"]),
    ("struct l_1 { struct l_1 *a, *b; struct { int c; } d; };", LineKind.RECORD, ["b", "c"]),
    ("f() (net/a.c:1) { g(); }", LineKind.FUNCTION, ["g"]), ("f() { ... }", LineKind.CALL, []),
])
def test_a_block_on_one_line(text: str, kind: LineKind, within: list[object]) -> None:
    line, = read(text)
    assert (line.kind, line.claim.name) == (kind, "l_1" if kind is LineKind.RECORD else "f")
    assert said(line.claim.within) == within


@pytest.mark.parametrize(("text", "name"), [
    ("static notrace void f_1(struct x *y)", "f_1"), ("state_kind f_1(handle h)", "f_1"),
    ("static inline key f_1(key k, struct x *n)", "f_1"), ("*f_1(const mask *m, int n)", "f_1"),
    ("see f_1(a)", ""), ("state_kind f_1(a)", ""), ("static f_1(a, b) is called", ""),
])
def test_heads_with_types_of_their_own(text: str, name: str) -> None:
    line, = read(text)
    assert (line.claim.name, line.kind is LineKind.FUNCTION) == (name, bool(name))


def test_comments_over_lines_and_in_strings() -> None:
    lines = read('a_0() {\n\t/* b_1() {\n\t * c_1()\n\t */\n\td_1("//", "/* x"); // e_1()\n}\n'
                 "drivers/net/* f_1()\ng_1();\n")
    assert [line.claim.name for line in lines if line.claim.name] == ["a_0", "d_1", "g_1"]
    assert lines[4].claim.arguments == ('"//"', '"/* x"')
    assert (lines[4].parent, lines[4].comment) == (1, "e_1()")
    assert [line.number for line in lines] == list(range(1, 9))


@pytest.mark.parametrize("unit", [
    "{\n", "    {\n", "f() {\n", "do {\n", "x = a +\n", "x = a\n", "/* x\n", "a: b = c;\n",
    "case A: case B: f();\n", 'f("\\\n', '\\"' * 30 + "\n",
])
def test_braces_and_operators_are_read_in_linear_time(unit: str) -> None:
    times = scaled(20_000)
    data = f"```\nf() {{\n{unit * times}" + "}\n" * times
    assert len(read(data)) == 2 * times + 2


@pytest.mark.parametrize("unit", ['\\"', " /* x", '"a" ', "// ", '"/* '])
def test_long_lines_of_quotes_and_comments_take_linear_time(unit: str) -> None:
    assert len(read(f'{{"a": "/{unit * 200_000} */')) == 1


def test_branches_on_one_line_are_several_claims() -> None:
    claim = read("a_0()\n|-if (a) { f(); } else if (b) { g(); } else { h(); }\n")[1].claim
    assert (claim.branch, claim.condition, said(claim.within)) == ("if", "a", ["f"])
    assert said(claim.also) == [["b", "g"], ["else", "h"]]


def test_a_block_of_many_blocks_is_read_in_linear_time() -> None:
    deep = "f() { " * 500 + "}" * 500
    assert read(deep)[0].kind is LineKind.UNREAD
    assert len(read("f() { " + "g(); " * 700 + "}")[0].claim.within) == 700


def test_members_that_stand_in_a_record_on_one_line_or_that_a_macro_declares() -> None:
    lines = read("struct s_1 {\n\tstruct { int a; u8 b; } c;\n\tDECLARE_BITMAP(d, 64);\n};\n")
    assert [line.kind.value for line in lines] == ["record", "field", "field", "closing"]
    assert (lines[1].claim.name, said(lines[1].claim.also)) == ("a", ["b"])
    assert lines[2].claim.expression == "DECLARE_BITMAP(d, 64)"


def test_nothing_stands_in_a_block_that_closes_on_its_line() -> None:
    lines = read("f_1() { g_1(); h_1(); }\n\n    a_1()\n      b_1()\n")
    assert [line.parent for line in lines if line.text] == [0, 0, 3]


def test_a_record_whose_brace_opens_on_the_next_line() -> None:
    lines = read("struct s_1\n{\n\tvoid (*a)(struct s_1 *);\n};\nstruct s_2\nwords\nf_1()\n")
    assert [line.kind.value for line in lines if line.text] == [
        "record", "continuation", "field", "closing", "prose", "prose", "call"]
    assert (lines[0].claim.name, lines[2].parent, lines[2].claim.name[:5]) == ("s_1", 1, "(*a)(")


def test_tables_of_several_rows_and_on_one_line() -> None:
    lines = read("""```
struct t_1 name[] =
{
  { .a = 1, .b = f_1(2, 3), },
  [X] = {
    .c = &d,
    .e = {
      .f = g,
    },
  },
};
struct t_2 other = { .a = b, ...... };
a_1()
""")
    rows = [[(claim.name, claim.value) for claim in (line.claim, *(c for _, c in line.claim.also))]
            for line in lines if line.kind is LineKind.ROW]
    assert rows == [[("a", "1"), ("b", "f_1(2, 3)")], [("c", "&d")], [("e", "{")], [("f", "g")]]
    assert [kind.value for kind, _ in lines[11].claim.also] == ["row"]
    assert (lines[12].kind, lines[12].parent) == (LineKind.CALL, 0)
