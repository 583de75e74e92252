"""Makes the Object records of variables with static storage."""

import re

from kgraph.extract.clang.api import C
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.definition_context import UnitContext
from kgraph.model.facts import Object
from kgraph.model.ids import ObjectId

ALIAS_ATTRIBUTE = re.compile(r'__attribute__\(\(alias\("([^"]+)"\)\)\)')
_SECTION = re.compile(r'__attribute__\(\(section\("([^"]+)"\)\)\)')


def make_object(unit: UnitContext, cursor: Cursor, identity: ObjectId, printed: str = "") -> Object:
    """The record of a variable with static storage."""
    head = printed.split("{", 1)[0]
    section, alias = _SECTION.search(head), ALIAS_ATTRIBUTE.search(head)
    return Object(
        id=identity,
        location=unit.sources.locate_cursor(cursor),
        extent=unit.sources.locate_extent(cursor),
        type=unit.sources.spell_type(C.clang_getCursorType(cursor)),
        section=section[1] if section else "",
        alias_of=alias[1] if alias else "",
    )
