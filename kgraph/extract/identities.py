"""Identifies declarations: FunctionId, ObjectId, Slot, local holders, and keys of definitions.

Each declaration is identified once per translation unit; the caches are keyed by its address.
"""

import hashlib

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, get_key, get_spelling, list_fields
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.sources import SourceMap
from kgraph.extract.types import is_unnamed, spell_bare_type
from kgraph.model.ids import PREFIXED_IMAGES, VMLINUX, FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.units import TranslationUnit
from kgraph.model.values import Parameter, Slot, Variable

# Images that are linked on their own. A module shares its header functions with vmlinux.
_ISOLATED_IMAGES = frozenset({
    "vdso", "vdso32", "realmode", "boot", "purgatory", "host", *PREFIXED_IMAGES})
# Attributes that are not facts. Whether a header's function has them depends on whether `inline` is
# already a macro there (see pch.header).
_IRRELEVANT_ATTRIBUTES = (
    "__attribute__((always_inline)) ", "__attribute__((no_instrument_function)) ",
)


def make_definition_key(owner: str, location: Location, name: str, printed: str) -> str:
    """The content key of a definition.

    Its owner (image and unit), place, name and text after preprocessing determine a definition.
    The text must not depend on where the tree lies.
    """
    if printed.startswith("__attribute__"):
        for attribute in _IRRELEVANT_ATTRIBUTES:
            printed = printed.replace(attribute, "")
    content = f"{owner}\0{location.path}\0{location.line}\0{location.column}\0{name}\0{printed}"
    return hashlib.blake2b(content.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


class Identities:
    """Identifies the declarations of one translation unit."""

    def __init__(self, unit: TranslationUnit, sources: SourceMap) -> None:
        self._unit = unit
        self._sources = sources
        self._shared_image = unit.image if unit.image in _ISOLATED_IMAGES else VMLINUX
        self.image = unit.image
        """The image in which names with external linkage are looked up, see enter_file."""
        self._functions: dict[tuple[int, str], FunctionId] = {}
        self._objects: dict[tuple[int, str], ObjectId] = {}
        self._slots: dict[int, Slot | None] = {}
        self._records: dict[int, tuple[str, str]] = {}
        self._declared_with: dict[int, tuple[str, str]] = {}  # unnamed records
        self._unnamed_in: dict[int, int] = {}  # by function

    def enter_file(self, path: str) -> str:
        """Prepare for reading a definition in a file; the image that it belongs to.

        Names with external linkage are looked up in that image from here on. A definition in a
        header must not depend on the unit that reads it, so it may not be the unit's image.
        """
        self.image = self.find_scope(path)[1]
        return self.image

    def find_scope(self, path: str) -> tuple[str, str]:
        """(scope, image) of an entity with internal linkage that is defined in a file."""
        if path == self._unit.path:
            return path, self._unit.image
        if path.endswith(".c"):
            return f"{path}@{self._unit.path}", self._unit.image
        return path, self._shared_image

    def identify_function(self, cursor: Cursor) -> FunctionId:
        """The identity of a function declaration."""
        key = (get_key(cursor), self.image)
        known = self._functions.get(key)
        if known is None:
            name = get_spelling(cursor)
            if C.clang_getCursorLinkage(cursor) == kinds.INTERNAL_LINKAGE:
                definition = C.clang_getCursorDefinition(cursor)
                declared = definition if definition.kind == kinds.FUNCTION else cursor
                scope, image = self.find_scope(self._sources.find_path(declared))
                known = FunctionId(name, scope, image)
            else:
                known = FunctionId(name, "", self.image)
            self._functions[key] = known
        return known

    def identify_object(self, cursor: Cursor) -> ObjectId:
        """The identity of a variable with static storage."""
        key = (get_key(cursor), self.image)
        known = self._objects.get(key)
        if known is None:
            known = self._objects[key] = self._make_object_id(cursor)
        return known

    def identify_record(self, cursor: Cursor) -> tuple[str, str]:
        """(name, scope) of a struct or union; ("", "") if nothing around it has a name."""
        key = get_key(cursor)
        known = self._records.get(key)
        if known is None:
            self._records[key] = ("", "")  # ends a recursion that valid C does not have
            known = self._records[key] = self._name_record(cursor)
        return known

    def name_record(self, record: Cursor, name: str, owner: FunctionId | None = None) -> None:
        """Name a record without tag after the first name that is declared with it.

        `struct { ... } s, *p;` declares one record: `s.f` and `p->f` are one slot. `owner` is the
        function around a local declaration. A record that has a name keeps it.
        """
        if is_unnamed(spell_bare_type(C.clang_getCursorType(record))):
            scope = self._scope_record(record, owner)
            self._declared_with.setdefault(get_key(record), (name, scope))

    def identify_slot(self, field: Cursor) -> Slot | None:
        """The slot of a field declaration; None in a record that no name leads to."""
        key = get_key(field)
        if key not in self._slots:
            record, scope = self.identify_record(C.clang_getCursorSemanticParent(field))
            self._slots[key] = Slot(record, _name_field(field), scope) if record else None
        return self._slots[key]

    def _make_object_id(self, cursor: Cursor) -> ObjectId:
        name = get_spelling(cursor)
        parent = C.clang_getCursorSemanticParent(cursor)
        if parent.kind == kinds.FUNCTION and C.clang_Cursor_getStorageClass(
                cursor) != kinds.STORAGE_EXTERN:
            owner = self.identify_function(parent)
            return ObjectId(f"{owner.name}.{name}", owner.scope or "", owner.image)
        if C.clang_getCursorLinkage(cursor) == kinds.INTERNAL_LINKAGE:
            scope, image = self.find_scope(self._sources.find_path(cursor))
            return ObjectId(name, scope, image)
        return ObjectId(name, "", self.image)

    def _name_record(self, cursor: Cursor) -> tuple[str, str]:
        name = spell_bare_type(C.clang_getCursorType(cursor))
        if not is_unnamed(name):
            path = self._sources.find_path(cursor)
            return name, "" if not path or _is_in_include_folder(path) else path
        parent = C.clang_getCursorSemanticParent(cursor)
        if parent.kind not in (kinds.STRUCT, kinds.UNION):
            return self._name_declared(cursor, parent) if cursor.kind == kinds.STRUCT else ("", "")
        outer, scope = self.identify_record(parent)
        field = _find_field_of_type(parent, cursor)
        if not outer and field and cursor.kind == kinds.STRUCT:  # in the union of a variable
            outer, scope = self._declared_with.get(get_key(parent), ("", ""))
        if not outer or not field:
            return outer, scope
        return f"{outer}.{field}", scope

    def _name_declared(self, record: Cursor, parent: Cursor) -> tuple[str, str]:
        """The name that an unnamed record has by what is declared with it.

        One that a function uses without that, in a cast, is numbered.
        """
        known = self._declared_with.get(get_key(record))
        if known is not None or parent.kind != kinds.FUNCTION:
            return known or ("", "")
        number = self._unnamed_in[get_key(parent)] = self._unnamed_in.get(get_key(parent), 0) + 1
        return f"(record {number})", self._scope_record(record, self.identify_function(parent))

    def _scope_record(self, record: Cursor, owner: FunctionId | None) -> str:
        """The scope of a record without tag: its file, and the function that it is declared in."""
        path = self._sources.find_path(record)
        return path if owner is None else f"{owner.scope or path}:{owner.name}"



def _is_in_include_folder(path: str) -> bool:
    """Whether a record that is declared in a file is known by its bare name everywhere."""
    return path.startswith("include/") or "/include/" in path


def _find_field_of_type(parent: Cursor, record: Cursor) -> str:
    """The field of `parent` that has the unnamed `record` as its type.

    "" for an unnamed member, whose fields count as the parent's.
    """
    wanted = get_key(record)
    for field in list_fields(C.clang_getCursorType(parent)):
        type_ = C.clang_getCanonicalType(C.clang_getCursorType(field))
        while type_.kind in kinds.T_ARRAY or type_.kind == kinds.T_POINTER:
            type_ = C.clang_getCanonicalType(
                C.clang_getPointeeType(type_) if type_.kind == kinds.T_POINTER
                else C.clang_getArrayElementType(type_))
        if get_key(C.clang_getTypeDeclaration(type_)) == wanted:
            name = get_spelling(field)
            return "" if is_unnamed(name) else name
    return ""


def _name_field(field: Cursor) -> str:
    """The name of a field.

    An unnamed member gets its number, within each unnamed record around it: clang's name for it
    depends on where the tree lies.
    """
    name = get_spelling(field)
    if not is_unnamed(name):
        return name
    parent = C.clang_getCursorSemanticParent(field)
    numbers = [_number_member(field, parent)]
    while is_unnamed(spell_bare_type(C.clang_getCursorType(parent))):
        around = C.clang_getCursorSemanticParent(parent)
        if around.kind not in (kinds.STRUCT, kinds.UNION):
            break
        numbers.append(_number_member(parent, around))
        parent = around
    return f"(member {'.'.join(map(str, reversed(numbers)))})"


def _number_member(wanted: Cursor, record: Cursor) -> int:
    """Which member of a record a field is, or has a record as its type; counted from 1."""
    key = get_key(wanted)
    for number, field in enumerate(list_fields(C.clang_getCursorType(record)), start=1):
        declared = C.clang_getTypeDeclaration(
            C.clang_getCanonicalType(C.clang_getCursorType(field)))
        if key in (get_key(field), get_key(declared)):
            return number
    return 0


class LocalHolders:
    """The parameters and local variables of one function."""

    def __init__(self, function: FunctionId, parameters: list[Cursor]) -> None:
        self._function = function
        self._holders: dict[int, Variable | Parameter] = {
            get_key(cursor): Parameter(function, index)
            for index, cursor in enumerate(parameters)
        }
        self._counts: dict[str, int] = {}
        self.variadic = Parameter(function, len(parameters))
        """Stands for all variadic arguments."""

    def identify_holder(self, cursor: Cursor) -> Variable | Parameter:
        """The holder of a local declaration; numbered if its name occurs again."""
        key = get_key(cursor)
        known = self._holders.get(key)
        if known is None:
            known = self._holders[key] = self.make_temporary(get_spelling(cursor))
        return known

    def make_temporary(self, name: str) -> Variable:
        """A new variable: "name", then "name#2" and so on."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return Variable(self._function, name if count == 1 else f"{name}#{count}")
