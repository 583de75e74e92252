"""Documents that contain call chains, as they are read; and scenarios.

A line makes one claim, seldom several. Lines form a tree: `parent` is the line that a line stands
under.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class LineKind(StrEnum):
    """What a line of a document is."""

    FUNCTION = "function"  # a function, with its parameters or a citation: `f(int a) (x.c:12)`
    CALL = "call"  # a call of a function or macro by its name: `y = f(a, &b)`, `NF_HOOK(...)`
    INDIRECT = "indirect"  # a call through an expression: `sk->sk_prot->sendmsg(sk)`
    STATEMENT = "statement"  # `skb->dev = to->dev`
    CONDITION = "condition"  # `if (th->syn) f(sk)`: what follows it is `call` or `consequence`
    TABLE = "table"  # `struct T name = {`
    ROW = "row"  # `.field = value,` within a table
    RECORD = "record"  # `struct T {`, the definition of a record
    FIELD = "field"  # `type name;` within a record
    OMISSION = "omission"  # `......`
    CLOSING = "closing"  # a brace that ends a table, a record or a function
    CONTINUATION = "continuation"  # a further line of the call in its parent
    HEADING = "heading"
    COMMAND = "command"  # of a shell
    PROSE = "prose"
    UNREAD = "unread"  # looks like a claim and cannot be read


@dataclass(frozen=True, slots=True)
class Citation:
    """A file and line that a document names.

    `path` has forward slashes and may begin with folders above the tree; `line` counts from 1.
    `start` and `end` are byte offsets of the citation in the document, `line_start` is that of its
    line number, which ends at `end`.
    """

    path: str
    line: int
    start: int
    end: int
    line_start: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a line claims, in the parts in which it is written; "" for a part that it does not have.

    - `name`: the function or macro that is called; a table, a record, a member; the field of a row
    - `expression`: the callee of a call through a pointer; the text of a statement
    - `arguments`: None without parentheses, () if nothing stands between them
    - `declared`: whether the arguments are parameters with their types
    - `result`: what the value of a call is assigned to, or "return"
    - `branch`: the word that a condition begins with: if, else, while, for, switch, case
    - `condition`: the text between its parentheses; `negated`: behind `!`, as in `if !(x)`
    - `consequence`: what stands behind a condition, if that is not a call
    - `type`: that of a table or a member
    - `value`: what a row binds
    - `target`: the function that the comment claims a call through a pointer to reach;
      `is_remark`: it may also be any word of a remark
    - `label`: the label before the claim, `drop: f()`
    - `onward`: the functions that a chain on one line goes on to, `name() -> f() -> g()`, each
      called by the one before it
    - `also`: further claims of the line about the same caller, `f(); g();`, or further rows
    - `within`: the claims in the braces that open and close on the line, `f() { g(); }`
    """

    name: str = ""
    expression: str = ""
    arguments: tuple[str, ...] | None = None
    declared: bool = False
    result: str = ""
    condition: str = ""
    negated: bool = False
    consequence: str = ""
    type: str = ""
    value: str = ""
    target: str = ""
    is_remark: bool = False
    onward: tuple[str, ...] = ()
    also: tuple[tuple[LineKind, "Claim"], ...] = ()
    within: tuple[tuple[LineKind, "Claim"], ...] = ()
    branch: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line: its number from 1, its text without the line end, its claim.

    `parent` is the number of the line that it stands under, 0 for a root; in a backtrace, which is
    printed innermost call first, it is a later line. `block` numbers from 1 the runs of lines
    without heading, prose or empty line between them, 0 outside all. `heading` is the nearest line
    of heading or prose above. `comment` is the text behind `//` or between `/*` and `*/`. `start`
    and `end` are byte offsets in the document, without the line end. `one_line` is the line of the
    file if a string of one line holds the whole chain, else 0. `is_frame`: the line stands in a
    printed stack. `unread` is why a line cannot be read, "" if no more can be told.
    """

    number: int
    text: str
    kind: LineKind
    claim: Claim = Claim()
    depth: int = 0
    parent: int = 0
    block: int = 0
    heading: str = ""
    comment: str = ""
    citation: Citation | None = None
    start: int = 0
    end: int = 0
    one_line: int = 0
    is_frame: bool = False
    unread: str = ""

    @property
    def file_line(self) -> int:
        """The line of the file."""
        return self.one_line or self.number


@dataclass(frozen=True, slots=True)
class Document:
    """A document: its name as you gave it, and its lines."""

    file: str
    lines: tuple[DocumentLine, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """What a slot holds in a scenario; `slot` and `target` are as you write them (`sock.sk_prot`,
    `raw_prot`). With `start` or `end` the pin holds only on the part of the path between these
    functions. `where` is the FILE:LINE of the pin, if a file has it.
    """

    slot: str
    target: str
    start: str = ""
    end: str = ""
    where: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> "Pin | None":
        """The pin "SLOT=TARGET", or, for a part of the path, "SLOT=TARGET@FROM..TO". FROM or TO may
        be left out. None for other texts.
        """
        slot, _, rest = (part.strip() for part in text.partition("="))
        target, limited, part = (part.strip() for part in rest.partition("@"))
        start, parted, end = (name.strip() for name in part.partition(".."))
        if not slot or not target or "=" in rest or (limited and not (parted and (start or end))):
            return None
        return cls(slot, target, start, end)

    def __str__(self) -> str:
        part = f"@{self.start}..{self.end}" if self.start or self.end else ""
        return f"{self.slot}={self.target}{part}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Pins, with the ordered `via` and the `avoid` that go with them. `origin` says where it comes
    from: a query, the command line, the claims of a document.
    """

    name: str = ""
    pins: tuple[Pin, ...] = ()
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A documented chain in a file of its own. `name` is that of the file without its ending;
    `caller` and `callee` are the ends of the path. `documented` says where it was written down;
    `setup` are shell commands. `chain` is in the notation of documents and begins at `chain_line`
    of `file`; with `one_line` that line has all of it, as one string.
    """

    name: str
    file: str
    title: str
    caller: str
    callee: str
    documented: str = ""
    release: str = ""
    setup: tuple[str, ...] = ()
    scenario: Scenario = Scenario()
    chain: str = ""
    chain_line: int = 1
    one_line: bool = False
