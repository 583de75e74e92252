"""Labels: what an edge of the inclusion graph is cited with, packed into one number.

A label is the location where a value is put, passed or returned, its role, and whether it is a
row of an object's initialiser. UNCITED stands on edges that no line of source makes.
"""

from kgraph.model.edges import Role

UNCITED = -1
ROLES = (Role.BINDING, Role.FLOW, Role.ARGUMENT, Role.RETURN, Role.OVERLAY)
BIND, FLOW, ARGUMENT, RETURNED, OVERLAID = range(5)


def label(location: int, role: int, *, row: bool = False) -> int:
    """Pack a location's number, a role and "is a row of an initialiser"."""
    return location << 4 | role << 1 | row


def location_of(packed: int) -> int:
    """The location's number."""
    return packed >> 4


def role_of(packed: int) -> int:
    """The role: BIND, FLOW, ARGUMENT, RETURNED or OVERLAID."""
    return packed >> 1 & 7


def is_row(packed: int) -> bool:
    """Whether the label is a row of an object's initialiser."""
    return packed >= 0 and bool(packed & 1)
