"""Backtraces of a kernel, of decode_stacktrace.sh and of a debugger are chains, last line first."""


import pytest

from kgraph.model.document import LineKind
from tests.support.parsing import read_lines, time_parsing

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
    lines = {line.claim.name: line for line in read_lines(fence + STACK) if line.claim.name}
    assert {line.kind for line in lines.values()} == {LineKind.FUNCTION}
    names = {line.number: name for name, line in lines.items()} | {0: ""}
    assert {name: names[line.parent] for name, line in lines.items()} == {
        "dump_stack": "do_irq_one", "do_irq_one": "", "stale_one": "", "inner_one": "outer_one",
        "stale_two": "", "outer_one": "", "other_one": "",
    }


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
    assert time_parsing(large * 5) < 10 * time_parsing(small * 5) + 0.02
    short, long = (f"Call Trace:\n{head}{unit * count}".encode() for count in (2000, 8000))
    assert time_parsing(long) < 10 * time_parsing(short) + 0.02


def test_a_debuggers_frames_are_read_over_their_lines() -> None:
    lines = read_lines("""#0  a_1 (x=1, s="(") at net/a.c:12
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
    lines = read_lines("""[    1.5] Call Trace:
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
