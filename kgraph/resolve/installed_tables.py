"""Which tables are installed: a table that nothing points to binds nothing.

An object is installed if its address, or its name as a whole, occurs in a function or in the
initialiser of another object. Rows of the kernel's symbol table do not count, because they name
every exported object, and an object does not install itself. An object in a section of its own
is found by a loop over that section (models/linker_sections.toml).
"""

from collections import Counter
from collections.abc import Iterable

from kgraph.resolve.fact_rows import DefinitionRow, FactRows
from kgraph.resolve.interning import NONE, AddressRow, LoadRow, ObjectKey
from kgraph.resolve.models.declared import load_sections


def find_installed_objects(facts: FactRows, installs: Iterable[int]) -> set[int]:
    """The numbers of the objects, as they are referred to, that are installed. `installs` come from
    count_installs."""
    return set(installs).union(
        row.object for row in facts.definitions if _is_walked(facts, row))


def count_installs(facts: FactRows) -> Counter[int]:
    """How often definitions mention each object, as a value or as a base, that this installs."""
    roots = find_root_objects(facts)
    found: Counter[int] = Counter()
    for row in facts.definitions:
        if not is_export_row(facts, row):
            found.update(_list_installed(row, roots))
    return found


def _list_installed(row: DefinitionRow, roots: list[int]) -> list[int]:
    mentioned: list[int] = []
    for site in row.sites:
        if site.target != NONE:
            mentioned.append(roots[site.target])
        for choice in site.arguments:
            mentioned += [roots[value] for value in choice]
    for write in row.writes:
        mentioned.append(roots[write.value])
        if write.base != NONE:
            mentioned.append(roots[write.base])
    own = row.object
    return [root for root in mentioned if root not in (NONE, own)]


def _is_walked(facts: FactRows, row: DefinitionRow) -> bool:
    """Whether a definition is an object in a section that a loop walks."""
    subject = facts.find_object(row)
    return subject is not None and not is_export_row(facts, row) and _is_walked_section(
        subject.section)


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
