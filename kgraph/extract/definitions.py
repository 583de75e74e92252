"""One definition of a translation unit -> its key and its facts."""

import hashlib
import re

from kgraph.extract import kinds
from kgraph.extract.assembler import asm_texts, pair
from kgraph.extract.cleanups import MARK
from kgraph.extract.context import Context, Unit
from kgraph.extract.expressions import Reader
from kgraph.extract.initialisers import initialise
from kgraph.extract.libclang import C, parameters, pretty, spelling
from kgraph.extract.names import LocalNames
from kgraph.extract.nodes import read
from kgraph.extract.objects import ALIAS, make_object
from kgraph.extract.prototypes import Cursor
from kgraph.extract.statements import initialiser, statement
from kgraph.model.facts import Definition, Function, Object
from kgraph.model.holders import Place
from kgraph.model.location import Location

_WEAK = re.compile(r"__attribute__\(\(weak\)\)")
# Attributes that are no fact: a header's function has them or not, as `inline` is a macro by then
# or not yet (precompiled.py).
_IDLE = ("__attribute__((always_inline)) ", "__attribute__((no_instrument_function)) ")


def definition_key(image: str, location: Location, name: str, printed: str) -> str:
    """The content key: place, name and text after preprocessing (which must not say where the tree
    lies) determine a definition."""
    if printed.startswith("__attribute__"):
        for attribute in _IDLE:
            printed = printed.replace(attribute, "")
    place = f"{image}\0{location.path}\0{location.line}\0{location.column}\0{name}\0{printed}"
    return hashlib.blake2b(place.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def make_function(unit: Unit, cursor: Cursor, printed: str) -> Function:
    """The record of a function, or of an alias that a declaration makes."""
    identity = unit.names.function(cursor)
    names = tuple(spelling(parameter) for parameter in parameters(cursor))
    head = printed.split("{", 1)[0]
    alias = ALIAS.search(head)
    place = C.clang_getCursorLocation(cursor)
    return Function(
        id=identity, location=unit.sources.locate(place), extent=unit.sources.extent(cursor),
        signature=unit.sources.type_name(
            C.clang_getCanonicalType(C.clang_getCursorType(cursor))),
        parameters=names, weak=bool(_WEAK.search(head)) or _declared_weak(cursor),
        inline=bool(C.clang_Cursor_isFunctionInlined(cursor)),
        alias_of=alias[1] if alias else "",
        macro=unit.sources.macro_at(place, identity.name))


def _declared_weak(cursor: Cursor) -> bool:
    """Whether the first declaration of a function has the attribute that its definition, as
    clang prints it, leaves out."""
    first = C.clang_getCanonicalCursor(cursor)
    if first.d0 == cursor.d0 or C.clang_getCursorLinkage(cursor) == kinds.INTERNAL_LINKAGE:
        return False
    policy = C.clang_getCursorPrintingPolicy(cursor)
    printed = pretty(first, policy)
    C.clang_PrintingPolicy_dispose(policy)
    return bool(_WEAK.search(printed))


def read_function(unit: Unit, cursor: Cursor, key: str, printed: str) -> list[Definition]:
    """The facts of a function definition (or alias), and of the static objects inside it."""
    function = make_function(unit, cursor, printed)
    root = read(cursor)
    context = Context(unit, function.id, LocalNames(function.id, parameters(cursor)))
    context.cleans_up = MARK in printed
    texts = asm_texts(printed)
    if texts:
        context.assembler = pair(texts, root)
    reader = Reader(context)
    for kid in root.kids:
        if kid.kind == kinds.COMPOUND:
            statement(reader, kid)
    found = [_definition(key, function, context)]
    for number, object_ in enumerate(context.objects):
        found.append(Definition(f"{key}.{number}", object_))
    return found


def read_object(unit: Unit, cursor: Cursor, key: str, printed: str) -> list[Definition]:
    """The facts of a variable with static storage at file scope."""
    identity = unit.names.object(cursor)
    context = Context(unit, None, None, identity.name)
    root = read(cursor)
    value = initialiser(root)
    if value is not None:
        initialise(Reader(context), Place(identity), unit.types.of(cursor), value, identity)
    return [_definition(key, make_object(unit, cursor, identity, printed), context)]


def _definition(key: str, subject: Function | Object, context: Context) -> Definition:
    return Definition(key, subject, tuple(context.calls), tuple(context.bindings),
                      tuple(context.flows))


