"""Identifies declarations: FunctionId, ObjectId, Slot, local holders, and keys of definitions.

Each declaration is identified once per translation unit; the caches are keyed by its address.
"""

import hashlib

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, key_of, record_fields, spelling
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.sources import SourceMap
from kgraph.extract.types import is_unnamed, spell_bare_type
from kgraph.model.ids import VMLINUX, FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.units import TranslationUnit
from kgraph.model.values import Parameter, Slot, Variable

# images that are linked by themselves; a module's header functions are vmlinux's
ISOLATED_IMAGES = frozenset({"vdso", "vdso32", "realmode", "boot", "purgatory", "host"})


def is_in_include_folder(path: str) -> bool:
    """Whether a record declared there is known under its bare name everywhere."""
    return path.startswith("include/") or "/include/" in path


class Identities:
    """Names the declarations of one translation unit."""

    def __init__(self, unit: TranslationUnit, sources: SourceMap) -> None:
        self.unit = unit
        self.sources = sources
        self.shared_image = unit.image if unit.image in ISOLATED_IMAGES else VMLINUX
        # the image that names of external linkage are looked up in: the unit's own, but for what
        # stands in a header, which must not depend on the unit it is read from
        self.image = unit.image
        self._functions: dict[tuple[int, str], FunctionId] = {}
        self._objects: dict[tuple[int, str], ObjectId] = {}
        self._slots: dict[int, Slot | None] = {}
        self._records: dict[int, tuple[str, str]] = {}

    def find_scope(self, path: str) -> tuple[str, str]:
        """(scope, image) of an entity with internal linkage that is defined in a file."""
        if path == self.unit.path:
            return path, self.unit.image
        if path.endswith(".c"):
            return f"{path}@{self.unit.path}", self.unit.image
        return path, self.shared_image

    def identify_function(self, cursor: Cursor) -> FunctionId:
        """The identity of a function declaration."""
        key = (key_of(cursor), self.image)
        known = self._functions.get(key)
        if known is None:
            name = spelling(cursor)
            if C.clang_getCursorLinkage(cursor) == kinds.INTERNAL_LINKAGE:
                definition = C.clang_getCursorDefinition(cursor)
                place = definition if definition.kind == kinds.FUNCTION else cursor
                scope, image = self.find_scope(self.sources.locate_cursor(place).path)
                known = FunctionId(name, scope, image)
            else:
                known = FunctionId(name, "", self.image)
            self._functions[key] = known
        return known

    def identify_object(self, cursor: Cursor) -> ObjectId:
        """The identity of a variable with static storage."""
        key = (key_of(cursor), self.image)
        known = self._objects.get(key)
        if known is None:
            known = self._objects[key] = self._object(cursor)
        return known

    def _object(self, cursor: Cursor) -> ObjectId:
        name = spelling(cursor)
        parent = C.clang_getCursorSemanticParent(cursor)
        if parent.kind == kinds.FUNCTION and C.clang_Cursor_getStorageClass(
                cursor) != kinds.STORAGE_EXTERN:
            owner = self.identify_function(parent)
            return ObjectId(f"{owner.name}.{name}", owner.scope or "", owner.image)
        if C.clang_getCursorLinkage(cursor) == kinds.INTERNAL_LINKAGE:
            scope, image = self.find_scope(self.sources.locate_cursor(cursor).path)
            return ObjectId(name, scope, image)
        return ObjectId(name, "", self.image)

    def identify_record(self, cursor: Cursor) -> tuple[str, str]:
        """(name, scope) of a struct or union; ("", "") for one without any name around it."""
        key = key_of(cursor)
        known = self._records.get(key)
        if known is None:
            self._records[key] = ("", "")  # a record inside itself cannot be
            known = self._records[key] = self._record(cursor)
        return known

    def _record(self, cursor: Cursor) -> tuple[str, str]:
        name = spell_bare_type(C.clang_getCursorType(cursor))
        if not is_unnamed(name):
            path = self.sources.locate_cursor(cursor).path
            return name, "" if not path or is_in_include_folder(path) else path
        parent = C.clang_getCursorSemanticParent(cursor)
        if parent.kind not in (kinds.STRUCT, kinds.UNION):
            return "", ""
        outer, scope = self.identify_record(parent)
        field = self._field_of_type(parent, cursor)
        if not outer or not field:
            return outer, scope
        return f"{outer}.{field}", scope

    def _field_of_type(self, parent: Cursor, record: Cursor) -> str:
        """The field of `parent` that has the unnamed `record` as its type, "" for a member
        without a name (its fields count as the parent's)."""
        wanted = key_of(record)
        for field in record_fields(C.clang_getCursorType(parent)):
            type_ = C.clang_getCanonicalType(C.clang_getCursorType(field))
            while type_.kind in kinds.T_ARRAY or type_.kind == kinds.T_POINTER:
                type_ = C.clang_getCanonicalType(
                    C.clang_getPointeeType(type_) if type_.kind == kinds.T_POINTER
                    else C.clang_getArrayElementType(type_))
            if key_of(C.clang_getTypeDeclaration(type_)) == wanted:
                name = spelling(field)
                return "" if is_unnamed(name) else name
        return ""

    def identify_slot(self, field: Cursor) -> Slot | None:
        """The slot of a field declaration, None in a record that no name leads to."""
        key = key_of(field)
        if key not in self._slots:
            record, scope = self.identify_record(C.clang_getCursorSemanticParent(field))
            self._slots[key] = Slot(record, self._member(field), scope) if record else None
        return self._slots[key]

    def _member(self, field: Cursor) -> str:
        """The name of a field. A member without one is told by its number, in each record around it
        that has no name either: what clang calls it says where the tree lies."""
        name = spelling(field)
        if not is_unnamed(name):
            return name
        parent = C.clang_getCursorSemanticParent(field)
        numbers = [_number_of(field, parent)]
        while is_unnamed(spell_bare_type(C.clang_getCursorType(parent))):
            around = C.clang_getCursorSemanticParent(parent)
            if around.kind not in (kinds.STRUCT, kinds.UNION):
                break
            numbers.append(_number_of(parent, around))
            parent = around
        return f"(member {'.'.join(map(str, reversed(numbers)))})"


def _number_of(wanted: Cursor, record: Cursor) -> int:
    """Which member of a record this field is, or has this record as its type; from 1."""
    key = key_of(wanted)
    for number, field in enumerate(record_fields(C.clang_getCursorType(record)), start=1):
        declared = C.clang_getTypeDeclaration(
            C.clang_getCanonicalType(C.clang_getCursorType(field)))
        if key in (key_of(field), key_of(declared)):
            return number
    return 0


class LocalHolders:
    """Names of one function's parameters and local variables."""

    def __init__(self, function: FunctionId, parameters: list[Cursor]) -> None:
        self.function = function
        self._holders: dict[int, Variable | Parameter] = {
            key_of(cursor): Parameter(function, index)
            for index, cursor in enumerate(parameters)
        }
        self._counts: dict[str, int] = {}
        self.variadic = Parameter(function, len(parameters))  # what is passed behind the dots

    def identify_holder(self, cursor: Cursor) -> Variable | Parameter:
        """The holder of a local declaration; numbered where a name occurs again."""
        key = key_of(cursor)
        known = self._holders.get(key)
        if known is None:
            known = self._holders[key] = self.make_temporary(spelling(cursor))
        return known

    def make_temporary(self, name: str) -> Variable:
        """A variable of its own: "name", then "name#2" ..."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return Variable(self.function, name if count == 1 else f"{name}#{count}")


# Attributes that are no fact: a header's function has them or not, as `inline` is a macro by then
# or not yet (precompiled.py).
_IRRELEVANT_ATTRIBUTES = (
    "__attribute__((always_inline)) ",
    "__attribute__((no_instrument_function)) ",
)


def make_definition_key(image: str, location: Location, name: str, printed: str) -> str:
    """The content key: place, name and text after preprocessing (which must not say where the tree
    lies) determine a definition."""
    if printed.startswith("__attribute__"):
        for attribute in _IRRELEVANT_ATTRIBUTES:
            printed = printed.replace(attribute, "")
    place = f"{image}\0{location.path}\0{location.line}\0{location.column}\0{name}\0{printed}"
    return hashlib.blake2b(place.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
