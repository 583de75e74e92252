"""Facts: what one definition and one translation unit say before anything is resolved."""


from msgspec import Struct

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Guard, Location
from kgraph.model.values import Load, Place, TransferKind, Value


class Function(Struct, frozen=True, gc=False):
    """A function definition. `location` is its name's; `extent` the whole definition.

    `signature` is the canonical type ("int (struct sock *, int)"). `alias_of` names the function
    that an alias attribute makes this one stand for. `macro` is the macro whose expansion
    defines it (SYSCALL_DEFINE6), "" if none.
    """

    id: FunctionId
    location: Location
    extent: Extent
    signature: str
    parameters: tuple[str, ...] = ()
    weak: bool = False
    inline: bool = False
    alias_of: str = ""
    macro: str = ""


class Object(Struct, frozen=True, gc=False):
    """A variable with static storage that a unit defines. `record` is its type ("proto_ops",
    "inet_protosw []", "int (*)(void)"), `section` what a section attribute names."""

    id: ObjectId
    location: Location
    extent: Extent
    type: str
    section: str = ""
    alias_of: str = ""


class CallSite(Struct, frozen=True, gc=False):
    """A call as it is written in `caller`.

    `location` is the line a reader sees; `extent` runs over the whole call. `target` is the
    callee of a direct call, the Load of an indirect one, the Symbol of assembler. `ordinal` counts
    the calls that start at the same line and column of the caller. `expression` is the callee as
    an expression.
    `macro` is the macro that hides the call at `location`, "" where a reader sees the call.
    `index` counts the indirect calls of the caller, for CallResult; -1 for a direct call.
    """

    caller: FunctionId
    location: Location
    extent: Extent
    ordinal: int
    target: "FunctionId | Load | Value"
    expression: str
    macro: str = ""
    arguments: tuple[tuple[Value, ...], ...] = ()
    guards: tuple[Guard, ...] = ()
    signature: str = ""
    index: int = -1


class Binding(Struct, frozen=True, gc=False):
    """A function, or the address of an object (an install), put into a place.

    `table` is the object whose initialiser does it, None for an assignment.
    """

    place: Place
    value: "FunctionId | Value"
    location: Location
    how: TransferKind
    table: ObjectId | None = None


class Flow(Struct, frozen=True, gc=False):
    """A pointer copied from one place to another. `target` gets what `source` evaluates to."""

    source: Value
    target: Place
    location: Location
    how: TransferKind


class Definition(Struct, frozen=True, gc=False):
    """All facts of one function or one object, under a key that its content determines.

    `key` is a digest of the definition's place and its text after preprocessing: equal keys
    mean equal facts, whichever translation unit they were read from.
    """

    key: str
    subject: Function | Object
    calls: tuple[CallSite, ...] = ()
    bindings: tuple[Binding, ...] = ()
    flows: tuple[Flow, ...] = ()


class Diagnostic(Struct, frozen=True, gc=False):
    """A parse error that clang reported."""

    location: Location | None
    message: str


class UnitFacts(Struct, frozen=True, gc=False):
    """What one translation unit says. `keys` are all its definitions, `definitions` those that
    were read here (a header's may have been read before). `files` are the tree files it read,
    relative to the tree. `failed` is why it could not be parsed at all, "" otherwise. `foreign`:
    it depends on files elsewhere, too, of which nothing is kept."""

    path: str
    object: str
    keys: tuple[str, ...]
    definitions: tuple[Definition, ...]
    errors: tuple[Diagnostic, ...] = ()
    files: tuple[str, ...] = ()
    failed: str = ""
    foreign: bool = False
