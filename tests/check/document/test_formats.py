"""Formats of programs: each line claims a call, by the functions at both of its ends."""

import itertools

import pytest

from kgraph.check.document.formats.registry import READERS, find_reader
from kgraph.model.document import DocumentLine, LineKind
from tests.support.parsing import read_lines

CHAIN = {("outer_1", "middle_1"), ("middle_1", "inner_1")}

STACKS = {
    "stack of a kernel": """\
[   12.345678] Call Trace:
[   12.345678]  inner_1+0x1/0x2
[   12.345678][  T123]  middle_1.isra.0.cold+0x1/0x2 [mod 1234abcd]
[   12.345678]  outer_1+0x1/0x2 (P)
""",
    "dates and hosts": """\
Nov 30 20:35:54 host kernel: inner_1+0x1/0x2
Nov 30 20:35:54 host kernel: [   12.345678] middle_1+0x1/0x2
2026-11-30T20:35:54.123456+00:00 host kernel: outer_1+0x1/0x2
""",
    "a mail": """\
> [Mon Nov 30 20:35:54 2026]  inner_1+0x1/0x2
> [Mon Nov 30 20:35:54 2026]  middle_1+0x1/0x2
>> [Mon Nov 30 20:35:54 2026]  outer_1+0x1/0x2
""",
    "places put in": """\
 inner_1+0x1/0x2 net/a.c:12
 middle_1 include/b.h:3 [inline]
 outer_1+0x1/0x2 net/c.c:7 (discriminator 2)
""",
    "powerpc": """\
[c000000002a3f0c0] [c000000000a1b2c3] inner_1+0x1/0x2
[c000000002a3f0f0] [c000000000a1b2c3] middle_1+0x1/0x2 (unreliable)
[c000000002a3f0f0] [c000000000a1b2c3] outer_1+0x1/0x2
""",
    "s390": """\
 [<00000000b2e1a2c4>] inner_1+0x1/0x2
([<00000000b2e1a2c4>] middle_1+0x1/0x2)
 [<00000000b2e1a2c4>] outer_1+0x1/0x2
""",
    "SystemTap": """\
 0xffffffff8171a2b3 : inner_1+0x1/0x2 [kernel]
 0xffffffff8171a2b4 : middle_1+0x1/0x2 [kernel]
 0xffffffff8171a2b5 : outer_1+0x1/0x2 [kernel] (inexact)
""",
    "crash": """\
 #3 [ffff88007fc03d80] inner_1 at ffffffff8171a2b3
    /usr/src/linux/net/a.c: 12
 #4 [ffff88007fc03d90] middle_1.part.2 at ffffffff8171a2b3
    ffff88007fc03d98: 0000000000000000 ffff88007fc03e00
 #5 [ffff88007fc03da0] outer_1+17 at ffffffff8171a2b3
""",
    "perf script": """\
swapper     0 [000] 123.456: cycles:
        ffffffff8171a2b3 inner_1+0x63 ([kernel.kallsyms])
        ffffffff8171a2b3 middle_1 (inlined)
        ffffffff8171a2b3 outer_1+0x63 (/lib/modules/x/m.ko)
            7f1234567890 in_user+0x12 (/lib/x86_64-linux-gnu/libc.so.6)
""",
    "ftrace": """\
          <idle>-0     [000] ..s1.  123.456: <stack trace>
=> inner_1
 => middle_1 <ffffffff8171a2b3>
 => outer_1+0x12/0x30
""",
    "bpftrace": """\
@[
    inner_1+12
    middle_1+99
    outer_1

    in_user+3
]: 12
""",
    "perf report, from the callee": """\
    12.00%  swapper  [kernel.kallsyms]  [k] inner_1
            |
            ---inner_1
               middle_1
               outer_1
""",
    "perf report, from the caller": """\
    12.00%    12.00%  swapper  [kernel.kallsyms]  [k] inner_1
            |
            ---outer_1
               |
               |--12.00%--middle_1
               |          inner_1
               |
                --1.00%--other_1
                          other_2
""",
    "Arm": """\
[<c0012345>] (inner_1) from [<c0012345>] (middle_1+0x1/0x2)
 middle_1 from outer_1+0x1/0x2 [mod]
""",
    "function tracer": """\
          sshd-123     [000] ..s1.  123.456: inner_1 <-middle_1
          sshd-123     [000] ..s1.  123.456: middle_1.isra.0 [mod] <-outer_1
""",
    "folded": "task name;outer_1;middle_1;inner_1 12\n",
    "folded, with user space": "task;main;outer_1_[k];middle_1_[k];inner_1.cold_[k] 3\n",
    "function_graph": """\
# tracer: function_graph
#
# TIME        CPU  TASK/PID         DURATION                  FUNCTION CALLS
  123.456789 |   0)  sshd-123  |               |  outer_1() {
  123.456790 |   1)  cc1-7     |               |  other_1() {
  123.456791 |   0)  sshd-123  |               |    middle_1.isra.1 [mod]() {
  123.456792 |   1)  cc1-7     |   0.123 us    |    other_2();
  123.456793 |   0)  sshd-123  |   ==========> |
  123.456794 |   0)  sshd-123  |               |    in_interrupt() {
  123.456795 |   0)  sshd-123  | + 11.123 us   |    }
  123.456796 |   0)  sshd-123  |   <========== |
  123.456797 |   0)  sshd-123  |   1.123 us    |      inner_1(); /* = 0x0 */
  123.456798 |   0)  sshd-123  |   3.123 us    |    } /* middle_1 */
  123.456799 |   1)  cc1-7     |   0.523 us    |  }
  123.456800 |   0)  sshd-123  | ! 300.123 us  |  }
""",
    "function_graph without tasks": """\
 0)               |  outer_1() {
 0)               |    middle_1() {
 0)   1.123 us    |      inner_1();
 0)               |      /* a remark */
 ------------------------------------------
 0)  sshd-1  =>  cc1-2
 ------------------------------------------

 0)               |  in_interrupt() {
 1)               |  other_1() {
 0)   1.123 us    |  }
 1)   1.123 us    |    other_2();
 1)   1.123 us    |  }
""",
    "Graphviz": """\
digraph calls {
  n1 [label="outer_1()"];
  n1 -> middle_1 -> "inner_1" [color=red];  // why
}
""",
    "Mermaid": """\
```mermaid
flowchart TD
  A[outer_1] --> B("middle_1()")
  B -->|if it may| inner_1
```
""",
    "PlantUML": """\
@startuml
participant "inner_1()" as I
outer_1 -> middle_1 : calls
middle_1 --> I
@enduml
""",
    "boxes": """\
+---------+
| outer_1 |
+---------+
     |
     v
┌───────────┐
│ middle_1()│
│ a remark  │
└───────────┘
      ↓
+---------+
| inner_1 |
+---------+
""",
}


def find_calls(lines: list[DocumentLine]) -> set[tuple[str, str]]:
    """(caller, callee) of each call that the lines claim."""
    last = {line.number: (line.claim.name, *line.claim.onward)[-1] for line in lines}
    found = set()
    for line in lines:
        names = (line.claim.name, *line.claim.onward)
        found |= set(itertools.pairwise(names))
        if line.parent and line.claim.name:
            found.add((last[line.parent], line.claim.name))
    return found


@pytest.mark.parametrize("name", STACKS)
def test_each_format_says_who_calls_whom(name: str) -> None:
    lines = read_lines(STACKS[name])
    others = {("other_1", "other_2"), ("outer_1", "other_1")}
    assert find_calls(lines) - others == CHAIN
    assert LineKind.UNREAD not in {line.kind for line in lines}


@pytest.mark.parametrize("text", [
    "outer_1() <- it calls\nmiddle_1\n",
    "outer_1()\n => middle_1()\n => inner_1()\n",  # a tree
    "the share is 12.00%\n---\n",
    "/* a comment; 12 */\n",
    "a;b;c\n",
    "graph TD is a word\n",
    "mail from outer_1\n",
    "#1 is the first\n",
])
def test_what_only_looks_like_a_format_is_read_as_text(text: str) -> None:
    lines = text.splitlines()
    assert all(find_reader(lines, place) is None for place in range(len(lines)))


def test_what_cannot_be_read_says_why() -> None:
    lines = read_lines('digraph {\n a_1 -> b_1;\n a_1 -> "not one";\n}\n')
    assert [line.unread for line in lines] == [
        "", "", "'not one' is not the name of a function", ""]


def test_every_reader_has_a_name_of_its_own() -> None:
    assert len({reader.name for reader in READERS}) == len(READERS)


@pytest.mark.parametrize(("text", "calls"), [
    ("outer_1() ==> middle_1() --> inner_1()\n", CHAIN),
    ("inner_1() <- middle_1() ← outer_1()\n", CHAIN),
    ("outer_1 -> middle_1 -> inner_1\n", CHAIN),
    ("The way is `outer_1 → middle_1 → inner_1`.\n", CHAIN),
    ("outer_1()\n  |\n  v\nmiddle_1()\n  ↓\ninner_1()\n", CHAIN),
    ("outer_1 ->\nmiddle_1 ->\ninner_1\n", CHAIN),
    ("outer_1()  # why\n  middle_1()  ← here\n    [Layer] inner_1()   net/x.c\n", CHAIN),
    ("* outer_1()\n** middle_1()\n*** inner_1()\n", CHAIN),
    ("/*\n * outer_1()\n *   middle_1()\n *     inner_1()\n */\n", CHAIN),
    ("> outer_1()\n> |-middle_1()\n>   |-inner_1()\n", CHAIN),
    ("user -> kernel\n", set()),
    ("See a->b and `x->y`.\n", set()),
    ("outer_1()\n\nText.\n  v\nmiddle_1()\n", set()),
])
def test_chains_as_people_draw_them(text: str, calls: set[tuple[str, str]]) -> None:
    assert find_calls(read_lines(text)) == calls


@pytest.mark.parametrize("line", [
    "CONFIG_NET=m", "# CONFIG_VETH is not set", 'open("/etc/passwd", O_RDONLY) = 3',
    "connect(3, {sa_family=AF_INET}, 16) = -1 ECONNREFUSED (Connection refused)",
    "net.ipv4.tcp_rmem = 4096 87380 6291456", "* A->B: left", "https://elixir.bootlin.com/linux",
])
def test_what_looks_like_c_and_is_none_claims_nothing(line: str) -> None:
    assert {each.kind for each in read_lines(line + "\n")} <= {
        LineKind.PROSE, LineKind.HEADING}
