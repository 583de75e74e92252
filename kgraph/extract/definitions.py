"""Reads one definition of a translation unit: its record and its facts."""

import re

from kgraph.extract.asm.inline import pair_with_syntax, parse_asm_statements
from kgraph.extract.calls import CLEANUP_MARK
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, parameters, pretty, spelling
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import read
from kgraph.extract.definition_context import DefinitionContext, UnitContext
from kgraph.extract.expressions import Reader
from kgraph.extract.identities import LocalHolders
from kgraph.extract.initialisers import read_initialiser
from kgraph.extract.objects import ALIAS_ATTRIBUTE, make_object
from kgraph.extract.statements import find_initialiser, read_statement
from kgraph.model.facts import Definition, Function, Object
from kgraph.model.values import Place

_WEAK = re.compile(r"__attribute__\(\(weak\)\)")


def make_function(unit: UnitContext, cursor: Cursor, printed: str) -> Function:
    """The record of a function, or of an alias that a declaration makes."""
    identity = unit.identities.identify_function(cursor)
    names = tuple(spelling(parameter) for parameter in parameters(cursor))
    head = printed.split("{", 1)[0]
    alias = ALIAS_ATTRIBUTE.search(head)
    place = C.clang_getCursorLocation(cursor)
    return Function(
        id=identity, location=unit.sources.locate(place), extent=unit.sources.locate_extent(cursor),
        signature=unit.sources.spell_type(
            C.clang_getCanonicalType(C.clang_getCursorType(cursor))),
        parameters=names, weak=bool(_WEAK.search(head)) or _declared_weak(cursor),
        inline=bool(C.clang_Cursor_isFunctionInlined(cursor)),
        alias_of=alias[1] if alias else "",
        macro=unit.sources.find_hiding_macro(place, identity.name))


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


def read_function(unit: UnitContext, cursor: Cursor, key: str, printed: str) -> list[Definition]:
    """The facts of a function definition (or alias), and of the static objects inside it."""
    function = make_function(unit, cursor, printed)
    root = read(cursor)
    context = DefinitionContext(unit, function.id, LocalHolders(function.id, parameters(cursor)))
    context.has_cleanups = CLEANUP_MARK in printed
    texts = parse_asm_statements(printed)
    if texts:
        context.asm_texts = pair_with_syntax(texts, root)
    reader = Reader(context)
    for kid in root.kids:
        if kid.kind == kinds.COMPOUND:
            read_statement(reader, kid)
    found = [_definition(key, function, context)]
    for number, object_ in enumerate(context.objects):
        found.append(Definition(f"{key}.{number}", object_))
    return found


def read_object(unit: UnitContext, cursor: Cursor, key: str, printed: str) -> list[Definition]:
    """The facts of a variable with static storage at file scope."""
    identity = unit.identities.identify_object(cursor)
    context = DefinitionContext(unit, None, None, identity.name)
    root = read(cursor)
    value = find_initialiser(root)
    if value is not None:
        read_initialiser(Reader(context), Place(identity), unit.types.of(cursor), value, identity)
    return [_definition(key, make_object(unit, cursor, identity, printed), context)]


def _definition(key: str, subject: Function | Object, context: DefinitionContext) -> Definition:
    return Definition(key, subject, tuple(context.calls), tuple(context.bindings),
                      tuple(context.flows))
