"""Every form of line is read as what it is, and nothing of a document is dropped."""


import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.check.document.parser import MAX_LINES, parse_document
from kgraph.errors import DocumentError
from kgraph.model.document import DocumentLine, LineKind
from tests.support.effort import examples, scale_effort
from tests.support.parsing import read_lines, time_parsing

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


def line_with(text: str, lines: list[DocumentLine] | None = None) -> DocumentLine:
    return next(line for line in lines or read_lines(CHAIN) if text in line.text)


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
    size = scale_effort(2_000_000)
    times = MAX_LINES if "\n" in unit else size
    data = (unit * min(times, size // len(unit))).encode()
    assert parse_document("x", data).lines


UNITS = ["|-f(a) (net/a.c:1)\n", "  |-x(", "(", "'\\'", "a->b", "a.", "/*", "//", "* ", "if ",
         "int ", "a[", "-> ", "} ", "struct a ", " ", "|", "\\", "\"\\\"'"]


@pytest.mark.slow
@pytest.mark.parametrize("lined", [True, False], ids=["lines", "one line"])
@pytest.mark.parametrize("unit", UNITS)
def test_four_times_as_much_takes_about_four_times_as_long(unit: str, lined: bool) -> None:
    """In lines as long as are read as claims, and in one line; what is quadratic takes sixteen."""
    line = unit * (3900 // len(unit)) + "\n" if lined else unit * 40
    small = (line * (80_000 // len(line))).encode()
    assert time_parsing(small * 4) < 10 * time_parsing(small) + 0.02


@pytest.mark.parametrize("unit", [
    "{\n", "    {\n", "f() {\n", "do {\n", "x = a +\n", "x = a\n", "/* x\n", "a: b = c;\n",
    "case A: case B: f();\n", 'f("\\\n', '\\"' * 30 + "\n",
])
def test_braces_and_operators_are_read_in_linear_time(unit: str) -> None:
    times = scale_effort(20_000)
    data = f"```\nf() {{\n{unit * times}" + "}\n" * times
    assert len(read_lines(data)) == 2 * times + 2
