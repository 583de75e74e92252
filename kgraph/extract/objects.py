"""Variables with static storage -> Object records."""

import re

from kgraph.extract.context import Unit
from kgraph.extract.libclang import C
from kgraph.extract.prototypes import Cursor
from kgraph.model.facts import Object
from kgraph.model.names import ObjectId

ALIAS = re.compile(r'__attribute__\(\(alias\("([^"]+)"\)\)\)')
_SECTION = re.compile(r'__attribute__\(\(section\("([^"]+)"\)\)\)')


def make_object(unit: Unit, cursor: Cursor, identity: ObjectId, printed: str = "") -> Object:
    """The record of a variable with static storage."""
    head = printed.split("{", 1)[0]
    section, alias = _SECTION.search(head), ALIAS.search(head)
    return Object(
        id=identity, location=unit.sources.location(cursor), extent=unit.sources.extent(cursor),
        type=unit.sources.type_name(C.clang_getCursorType(cursor)),
        section=section[1] if section else "", alias_of=alias[1] if alias else "")
