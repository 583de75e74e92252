"""Values of expressions: addresses, and how deeply they nest."""

from kgraph.model.ids import ObjectId
from kgraph.model.values import (
    POINTEE,
    Address,
    Load,
    Opaque,
    Place,
    Slot,
    Value,
    limit_pointer_depth,
    take_address,
)

TABLE = Place(ObjectId("table"))


def test_the_address_of_what_a_pointer_points_to_is_the_pointer() -> None:
    pointer = Load(TABLE)
    assert take_address(Place(Slot("ops", POINTEE), pointer)) == pointer
    assert take_address(TABLE) == Address(TABLE)
    field = Place(Slot("ops", "run"), pointer)
    assert take_address(field) == Address(field)


def test_values_that_nest_too_deeply_are_opaque() -> None:
    value: Value = Load(TABLE)
    for _ in range(10):
        value = Load(Place(Slot("node", "next"), value))
    assert limit_pointer_depth(value) == value
    for _ in range(100):
        value = Load(Place(Slot("node", "next"), value))
    assert isinstance(limit_pointer_depth(value), Opaque)
    assert limit_pointer_depth(None) is None
