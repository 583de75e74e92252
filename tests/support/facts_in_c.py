"""C as facts, written by hand: small builders that the tests of resolving share.

`call("caller", "callee")` is `callee();`, and
`call("caller", field("proto", "sendmsg", var(...)))` is a call through a slot.

Identities and places

| Builder | Gives |
|---|---|
| `fn(function)` | the identity of a function, from its name |
| `at(line)`, `extent(line)` | a location, an extent; in a.c unless `path` says otherwise |

Values

| Builder | C |
|---|---|
| `param(f, 0)` | the first parameter of `f` |
| `var(f, "x")`, `addr_var(f, "x")` | the local variable `x` of `f`; `&x` |
| `glob("x")`, `addr("x")` | the global `x`; `&x` (`addr` also of an ops table) |
| `field("r", "m", base)` | `base->m`, where `base` points to a `struct r` |
| `addr_field("r", "m", base)` | `&base->m` |
| `pointee(base)` | `*base` |
| `result(f)` | what `f` returns |
| `call_result(f, 0)` | the value of the first call in `f` |

Facts, for the body of a definition

| Builder | C |
|---|---|
| `call(f, target, ...)` | a call in `f`: of a function by name, or through a value |
| `put(place, value)` | `place = value;` |
| `give(f, value)` | `return value;` in `f` |
| `row("t", "r", "m", value)` | `.m = value` in the initialiser of the table `t`, a `struct r` |
| `element("t", value)` | an element in the initialiser of the array `t` |
| `lie_on(place, value)` | two fields in the same memory: `value` is read as `place` |
| `carry(place, value)` | the same, where one of them carries any pointer (`void *`) |

Definitions

| Builder | Gives |
|---|---|
| `function(name, *facts)` | a function with that body; `stubs(...)` several without one |
| `obj(name, *rows)` | a global variable or table with its initialiser |
"""

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import VMLINUX, FunctionId, ObjectId
from kgraph.model.location import Extent, Location
from kgraph.model.resolution import Resolution, ResolvedSite
from kgraph.model.values import (
    Address,
    CallResult,
    Constant,
    Load,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    TransferKind,
    Value,
    Variable,
)
from kgraph.resolve import resolve

Fn = FunctionId | str
NULL = Constant(0)


def fn(function: Fn) -> FunctionId:
    return FunctionId(function) if isinstance(function, str) else function


def at(line: int, path: str = "a.c") -> Location:
    return Location(path, line, 1)


def extent(line: int, path: str = "a.c") -> Extent:
    return Extent(at(line, path), line)


def param(function: Fn, index: int = 0) -> Load:
    return Load(Place(Parameter(fn(function), index)))


def var(function: Fn, name: str) -> Load:
    return Load(Place(Variable(fn(function), name)))


def addr_var(function: Fn, name: str) -> Address:
    return Address(Place(Variable(fn(function), name)))


def result(function: Fn) -> Load:
    return Load(Place(ReturnValue(fn(function))))


def call_result(function: Fn, index: int) -> Load:
    return Load(Place(CallResult(fn(function), index)))


def addr(name: str, image: str = VMLINUX) -> Address:
    return Address(Place(ObjectId(name, image=image)))


def glob(name: str) -> Load:
    return Load(Place(ObjectId(name)))


def field(record: str, name: str, base: Value) -> Load:
    return Load(Place(Slot(record, name), base))


def addr_field(record: str, name: str, base: Value) -> Address:
    return Address(Place(Slot(record, name), base))


def pointee(base: Value, record: str = "") -> Load:
    return Load(Place(Slot(record, "*"), base))


def call(
    caller: Fn, target: Fn | Load | Value, *arguments: Value | str, line: int = 1, index: int = 0,
    ordinal: int = 0,
) -> CallSite:
    if isinstance(target, str):
        target = fn(target)
    direct = isinstance(target, FunctionId)
    values = tuple((fn(a) if isinstance(a, str) else a,) for a in arguments)
    return CallSite(
        fn(caller), at(line), extent(line), ordinal, target, "f", arguments=values,
        index=-1 if direct else index,
    )


def put(place: Load, value: Value | str, line: int = 1) -> Binding | Flow:
    """`place = value;`"""
    value = fn(value) if isinstance(value, str) else value
    if isinstance(value, FunctionId | Address):
        return Binding(place.place, value, at(line), TransferKind.ASSIGNMENT)
    return Flow(value, place.place, at(line), TransferKind.COPY)


def lie_on(place: Load, value: Load, line: int = 1) -> Flow:
    """Both fields lie at one place, and point to the same: `value` is read as `place`."""
    return Flow(value, place.place, at(line), TransferKind.OVERLAY)


def carry(place: Load, value: Load, line: int = 1) -> Flow:
    """Both fields lie at one place, and one of them carries any pointer."""
    return Flow(value, place.place, at(line), TransferKind.CARRIER)


def give(function: Fn, value: Value | str, line: int = 1) -> Binding | Flow:
    """`return value;`"""
    place = Place(ReturnValue(fn(function)))
    value = fn(value) if isinstance(value, str) else value
    if isinstance(value, FunctionId | Address):
        return Binding(place, value, at(line), TransferKind.RETURN)
    return Flow(value, place, at(line), TransferKind.RETURN)


def row(table: str, record: str, name: str, value: Value | str, line: int = 1) -> Binding:
    """`.name = value` in the initialiser of `table`."""
    owner = ObjectId(table)
    value = fn(value) if isinstance(value, str) else value
    return Binding(
        Place(Slot(record, name), Address(Place(owner))),
        value,
        at(line),
        TransferKind.INITIALISER,
        owner,
    )


def element(table: str, value: Value | str, line: int = 1) -> Binding:
    """An element of the initialiser of an array of pointers, or a pointer's initialiser."""
    owner = ObjectId(table)
    value = fn(value) if isinstance(value, str) else value
    return Binding(Place(owner), value, at(line), TransferKind.INITIALISER, owner)


def function(
    name: Fn, *body: CallSite | Binding | Flow, parameters: int = 0, weak: bool = False,
    alias_of: str = "", key: str = "", line: int = 1, path: str = "a.c",
) -> Definition:
    subject = Function(
        fn(name), at(line, path), extent(line, path), "void (void)",
        tuple(f"p{n}" for n in range(parameters)), weak=weak, alias_of=alias_of,
    )
    return _definition(key or f"f:{fn(name)}:{fn(name).scope}:{fn(name).image}", subject, body)


def obj(
    name: str | ObjectId, *rows: Binding | Flow, section: str = "", of_type: str = "struct ops",
    image: str = VMLINUX,
) -> Definition:
    identity = ObjectId(name, image=image) if isinstance(name, str) else name
    subject = Object(identity, at(1), extent(1), of_type, section)
    return _definition(f"o:{identity}:{identity.image}", subject, rows)


def _definition(
    key: str, subject: Function | Object, body: tuple[CallSite | Binding | Flow, ...]
) -> Definition:
    return Definition(
        key, subject,
        tuple(x for x in body if isinstance(x, CallSite)),
        tuple(x for x in body if isinstance(x, Binding)),
        tuple(x for x in body if isinstance(x, Flow)),
    )


def stubs(*names: str) -> list[Definition]:
    """Functions with empty bodies."""
    return [function(name) for name in names]


def sites(resolution: Resolution, caller: str) -> list[ResolvedSite]:
    return [site for site in resolution.sites if site.caller.name == caller]


def only_site(definitions: list[Definition], caller: str) -> ResolvedSite:
    """The last call site of `caller`."""
    return sites(resolve(definitions), caller)[-1]


def names(site: ResolvedSite) -> list[str]:
    return [candidate.callee.name for candidate in site.candidates]
