"""Which tables are installed: a table that nothing points to binds nothing.

An object is installed if its address, or its name as a whole, occurs in a function or in the
initialiser of another object. Rows of the kernel's symbol table do not count, because they name
every exported object, and an object does not install itself. An object in a section of its own
is found by a loop over that section (models/linker_sections.toml).
"""

from collections.abc import Iterator

from kgraph.resolve.fact_rows import DefinitionRow, FactRows
from kgraph.resolve.interning import NONE, AddressRow, LoadRow, ObjectKey
from kgraph.resolve.models.declared import load_sections


def find_installed_objects(facts: FactRows) -> set[int]:
    """The numbers of the objects, as they are referred to, that are installed."""
    found: set[int] = set()
    roots = find_root_objects(facts)
    for row in facts.definitions:
        if not is_export_row(facts, row):
            found.update(iter_installed_by(row, roots))
            subject = facts.find_object(row)
            if subject is not None and _is_walked_section(subject.section):
                found.add(row.object)
    return found


def is_export_row(facts: FactRows, row: DefinitionRow) -> bool:
    """Whether a definition is a row of the kernel's symbol table.

    Such an object only names a symbol: it does not install what it points to.
    """
    subject = facts.find_object(row)
    return subject is not None and bool(subject.section) and subject.section.startswith(
        load_sections().exports)


def _is_walked_section(section: str) -> bool:
    """Whether objects of a section are found through the linker's start and end symbols."""
    declared = load_sections()
    return bool(section) and not section.startswith(declared.exports + declared.data)


def find_root_objects(facts: FactRows) -> list[int]:
    """For each value the object at the bottom of its chain of bases, or NONE."""
    keys = facts.interner.holder_keys
    roots: list[int] = []
    for row in facts.interner.value_rows:  # a base is numbered before what stands on it
        root = NONE
        if isinstance(row, LoadRow | AddressRow):
            key = keys[row.holder]
            if isinstance(key, ObjectKey):
                root = key.object
            elif row.base != NONE:
                root = roots[row.base]
        roots.append(root)
    return roots


def iter_installed_by(row: DefinitionRow, roots: list[int]) -> Iterator[int]:
    """The objects that a definition mentions as values or as bases, once for each mention.

    `roots` come from find_root_objects.
    """
    own = row.object
    for value in _iter_values(row):
        root = roots[value]
        if root not in (NONE, own):
            yield root


def _iter_values(row: DefinitionRow) -> Iterator[int]:
    for site in row.sites:
        if site.target != NONE:
            yield site.target
        for choice in site.arguments:
            yield from choice
    for write in row.writes:
        yield write.value
        if write.base != NONE:
            yield write.base
