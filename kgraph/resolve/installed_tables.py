"""Which tables are installed: a table that nothing points to binds nothing.

An object is installed if its address, or its name as a whole, occurs in a function or in the
initialiser of another object. Rows of the kernel's symbol table do not count, because they name
every exported object, and an object does not install itself. An object in a section of its own
is found by a loop over that section (models/sections.toml).
"""

from kgraph.resolve.fact_rows import DefinitionRow, FactRows
from kgraph.resolve.interning import ADDRESS, LOAD, NONE, OBJECT
from kgraph.resolve.models.declared import load_sections


def find_installed_objects(facts: FactRows) -> set[int]:
    """The numbers of the objects, as they are referred to, that are installed."""
    found: set[int] = set()
    roots = find_root_objects(facts)
    ids = facts.interner.object_ids
    for row in facts.definitions:
        if row.object == NONE:
            _collect_mentioned(row, roots, found)
            continue
        subject = facts.objects[ids[row.object]]
        if is_export_section(subject.section):
            continue
        if is_walked_section(subject.section):
            found.add(row.object)
        mentioned: set[int] = set()
        _collect_mentioned(row, roots, mentioned)
        mentioned.discard(row.object)
        found |= mentioned
    found.discard(NONE)
    return found


def is_export_section(section: str) -> bool:
    """Whether objects of a section only name symbols: what they point to they do not install."""
    return bool(section) and section.startswith(load_sections().exports)


def is_walked_section(section: str) -> bool:
    """Whether objects of a section are found through the linker's start and end symbols."""
    declared = load_sections()
    return bool(section) and not section.startswith(declared.exports + declared.data)


def find_root_objects(facts: FactRows) -> list[int]:
    """For each value the object at the bottom of its chain of bases, or NONE."""
    names = facts.interner
    keys = names.holder_keys
    roots: list[int] = []
    for kind, holder, base in names.value_rows:  # a base is numbered before what stands on it
        root = NONE
        if kind in (LOAD, ADDRESS) and holder != NONE:
            if keys[holder][0] == OBJECT:
                root = keys[holder][1]
            elif base != NONE:
                root = roots[base]
        roots.append(root)
    return roots


def _collect_mentioned(row: DefinitionRow, roots: list[int], found: set[int]) -> None:
    """Add the objects that a definition names as values or as bases."""
    for site in row.sites:
        if site.target != NONE:
            found.add(roots[site.target])
        for choice in site.arguments:
            for value in choice:
                found.add(roots[value])
    for write in row.writes:
        found.add(roots[write.value])
        if write.base != NONE:
            found.add(roots[write.base])
