"""Reads one definition of a translation unit: its record and its facts."""

import re

# These register the rules that the Reader applies.
from kgraph.extract import calls, expressions, initialisers, lvalues, statements  # noqa: F401
from kgraph.extract.asm.inline import PrintedAsm
from kgraph.extract.calls import CLEANUP_MARK
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, get_spelling, list_parameters, print_declaration
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import read_tree
from kgraph.extract.definition_context import DefinitionContext, UnitContext
from kgraph.extract.identities import LocalHolders
from kgraph.extract.initialisers import read_initialiser
from kgraph.extract.raw_writes import find_raw_writes
from kgraph.extract.reader import Reader
from kgraph.extract.statements import find_initialiser
from kgraph.model.facts import Definition, Function, Object
from kgraph.model.ids import ObjectId
from kgraph.model.values import Place

_WEAK = re.compile(r"__attribute__\(\(weak\)\)")
_NORETURN = re.compile(r"__attribute__\(\(noreturn\)\)|\b_Noreturn\b")
_COLD = re.compile(r"__attribute__\(\(cold\)\)")
_ALIAS = re.compile(r'__attribute__\(\(alias\("([^"]+)"\)\)\)')
_SECTION = re.compile(r'__attribute__\(\(section\("([^"]+)"\)\)\)')


def read_function(unit: UnitContext, cursor: Cursor, key: str, printed: str) -> list[Definition]:
    """The facts of a function definition (or alias), and of the static objects inside it.

    `printed` is the definition as clang prints it.
    """
    function = _make_function(unit, cursor, printed)
    root = read_tree(cursor)
    context = DefinitionContext(
        unit, function.id, LocalHolders(function.id, list_parameters(cursor)))
    context.printed = printed
    context.has_cleanups = CLEANUP_MARK in printed
    context.find_asm_text = PrintedAsm(printed, root).find_text
    reader = Reader(context)
    for child in root.children:
        if child.kind == kinds.COMPOUND:
            reader.read_statement(child)
    find_raw_writes(context)
    found = [_make_definition(key, function, context)]
    for number, (variable, identity) in enumerate(context.static_objects):
        found.append(Definition(f"{key}.{number}", _make_object(unit, variable, identity)))
    return found


def read_object(unit: UnitContext, cursor: Cursor, key: str, printed: str) -> list[Definition]:
    """The facts of a variable with static storage at file scope.

    `printed` is the definition as clang prints it.
    """
    identity = unit.identities.identify_object(cursor)
    context = DefinitionContext(unit, None, None, identity.name)
    value = find_initialiser(read_tree(cursor))
    if value is not None:
        read_initialiser(Reader(context), Place(identity), unit.types.of(cursor), value, identity)
    return [_make_definition(key, _make_object(unit, cursor, identity, printed), context)]


def _make_definition(
    key: str, subject: Function | Object, context: DefinitionContext
) -> Definition:
    return Definition(key, subject, tuple(context.calls), tuple(context.bindings),
                      tuple(context.flows))


def _make_function(unit: UnitContext, cursor: Cursor, printed: str) -> Function:
    """The record of a function, or of an alias that a declaration makes."""
    identity = unit.identities.identify_function(cursor)
    names = tuple(get_spelling(parameter) for parameter in list_parameters(cursor))
    head = printed.split("{", 1)[0]
    heads = head + _print_first_declaration(cursor)
    alias = _ALIAS.search(head)
    start = C.clang_getCursorLocation(cursor)
    type_ = C.clang_getCanonicalType(C.clang_getCursorType(cursor))
    signature = unit.sources.spell_type(type_)
    return Function(
        id=identity, location=unit.sources.locate(start), extent=unit.sources.locate_extent(cursor),
        signature=signature, parameters=names, weak=bool(_WEAK.search(heads)),
        is_noreturn=bool(_NORETURN.search(signature + heads)), is_cold=bool(_COLD.search(heads)),
        inline=bool(C.clang_Cursor_isFunctionInlined(cursor)),
        alias_of=alias[1] if alias else "",
        macro=unit.sources.find_hiding_macro(start, identity.name))


def _print_first_declaration(cursor: Cursor) -> str:
    """The first declaration of a function, if it is another.

    clang does not print its attributes with the definition.
    """
    first = C.clang_getCanonicalCursor(cursor)
    return "" if first.d0 == cursor.d0 else print_declaration(first)


def _make_object(
    unit: UnitContext, cursor: Cursor, identity: ObjectId, printed: str = ""
) -> Object:
    """The record of a variable with static storage."""
    head = printed.split("{", 1)[0]
    section, alias = _SECTION.search(head), _ALIAS.search(head)
    return Object(
        id=identity, location=unit.sources.locate_cursor(cursor),
        extent=unit.sources.locate_extent(cursor),
        type=unit.sources.spell_type(C.clang_getCursorType(cursor)),
        section=section[1] if section else "", alias_of=alias[1] if alias else "",
        is_const=bool(C.clang_isConstQualifiedType(unit.types.of(cursor).innermost.type)))
