"""What a path must pass, must avoid, and may call."""

from msgspec import Struct, field

from kgraph.query.scenarios import SitePin


class PathConstraints(Struct, frozen=True):
    """What a path may do. It passes the functions `via` in their order and none of `avoid`; `pins`
    leave some callees to a call site (see get_allowed_callees).

    Not the inclusion constraints of kgraph.resolve, which hold between points-to sets.
    """

    via: tuple[int, ...] = ()
    avoid: frozenset[int] = frozenset()
    pins: dict[int, tuple[SitePin, ...]] = field(default_factory=dict)
    deferred: bool = True
    types: bool = False

    def get_allowed_callees(
        self, site: int, via_passed: int | None = None
    ) -> frozenset[int] | None:
        """The callees that pins leave to a call site; None where no pin concerns it. Pins count
        that hold after `via_passed` functions of `via`, or, for None, on the whole path.
        """
        pins = self.pins.get(site)
        if pins is None:
            return None
        if via_passed is not None:
            here = [pin.callees for pin in pins if pin.first <= via_passed < pin.last]
            return frozenset.intersection(*here) if here else None
        if any(pin.first > 0 or pin.last <= len(self.via) for pin in pins):
            return None
        return frozenset.intersection(*(pin.callees for pin in pins))

    def find_table_pin(self, site: int, via_passed: int) -> SitePin | None:
        """The pin to a table that concerns a call site after `via_passed` functions of `via`."""
        pins = self.pins.get(site, ())
        return next(
            (pin for pin in pins
             if pin.table is not None and pin.first <= via_passed < pin.last), None
        )
