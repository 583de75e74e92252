"""Facts: what one definition and one translation unit say before anything is resolved."""


from enum import IntEnum

from msgspec import Struct

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Guard, Location
from kgraph.model.values import Load, Place, TransferKind, Value


class Function(Struct, frozen=True, gc=False):
    """A function definition. `location` is that of its name, `extent` the whole definition.

    `signature` is the canonical type ("int (struct sock *, int)"). If it has an alias attribute,
    `alias_of` names the function that it stands for. `macro` is the macro whose expansion defines
    it (SYSCALL_DEFINE6), else "". `is_noreturn` and `is_cold`: it has this attribute.
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
    is_noreturn: bool = False
    is_cold: bool = False


class Object(Struct, frozen=True, gc=False):
    """A variable with static storage that a unit defines. `type` is its type ("proto_ops",
    "inet_protosw []", "int (*)(void)"), `section` the section that an attribute puts it in.
    `is_const`: nothing can be written to it, nor to its elements.
    """

    id: ObjectId
    location: Location
    extent: Extent
    type: str
    section: str = ""
    alias_of: str = ""
    is_const: bool = False


class HandedKind(IntEnum):
    """What is known of an argument as a number."""

    NUMBER = 0  # it is this number
    PARAMETER = 1  # it is what the caller got in this parameter
    NOT_NULL = 2  # it is the address of something
    ONES = 3  # it has ones in the bits of this mask
    ZEROS = 4  # it has zeros in the bits of this mask


class HandedValue(Struct, frozen=True, order=True, gc=False):
    """What a call hands to `parameter` of its callee: a number (signed, of 64 bits), or the
    caller's own parameter with the number `value`, unchanged but for the bits that further items of
    the same parameter know (ONES, ZEROS).
    """

    parameter: int
    kind: HandedKind
    value: int = 0


class CallSite(Struct, frozen=True, gc=False):
    """A call as it is written in `caller`.

    `location` is the line where a reader sees it, `extent` the whole call. `target` is the callee
    of a direct call, the Load of an indirect one, the Symbol of assembler text; `expression` is how
    the source writes the callee. `ordinal` counts the calls of the caller that start at the same
    line and column. `macro` is the macro that hides the call at `location`, "" if none does.
    `arguments` has for each argument the values that it may have, as far as they may matter to
    pointers; `handed` has what is known of arguments as numbers. `index` counts the indirect calls
    of the caller (see CallResult); it is -1 for a direct call.
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
    handed: tuple[HandedValue, ...] = ()


class Binding(Struct, frozen=True, gc=False):
    """A function, or the address of an object (an install), is put into a place.

    `table` is the object whose initialiser does that; None for an assignment.
    """

    place: Place
    value: "FunctionId | Value"
    location: Location
    how: TransferKind
    table: ObjectId | None = None


class Flow(Struct, frozen=True, gc=False):
    """A pointer is copied from one place to another: `target` gets what `source` evaluates to."""

    source: Value
    target: Place
    location: Location
    how: TransferKind


class Definition(Struct, frozen=True, gc=False):
    """All facts of one function or one object.

    `key` is a digest of the definition's location and its preprocessed text. Equal keys mean equal
    facts, whichever translation unit they were read from.
    """

    key: str
    subject: Function | Object
    calls: tuple[CallSite, ...] = ()
    bindings: tuple[Binding, ...] = ()
    flows: tuple[Flow, ...] = ()

    def list_values(self) -> list[Value]:
        """The values that it puts anywhere, or hands on."""
        values: list[Value] = [binding.value for binding in self.bindings]
        values += [flow.source for flow in self.flows]
        for call in self.calls:
            for argument in call.arguments:
                values += argument
        return values


class Diagnostic(Struct, frozen=True, gc=False):
    """A parse error reported by clang."""

    location: Location | None
    message: str


class UnitFacts(Struct, frozen=True, gc=False):
    """What one translation unit says. `keys` are those of all its definitions; `definitions` were
    read here (those of a header may have been read with another unit). `files` are the files of
    the tree that it read, relative to the tree. `failed` is why it could not be parsed at all, else
    "". `foreign`: it also depends on files outside the tree, of which nothing is kept.
    """

    path: str
    object: str
    keys: tuple[str, ...]
    definitions: tuple[Definition, ...]
    errors: tuple[Diagnostic, ...] = ()
    files: tuple[str, ...] = ()
    failed: str = ""
    foreign: bool = False
