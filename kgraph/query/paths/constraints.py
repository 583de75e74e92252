"""What a path must pass, must avoid, and may call."""

from dataclasses import dataclass, field

from kgraph.query.scenarios import SitePin


@dataclass(frozen=True)
class PathConstraints:
    """What a path may do. `via` are the functions to pass, in order; `pins` what is left to some
    call sites (see allowed).
    """

    via: tuple[int, ...] = ()
    avoid: frozenset[int] = frozenset()
    pins: dict[int, tuple[SitePin, ...]] = field(default_factory=dict)
    deferred: bool = True
    types: bool = False

    def get_allowed_callees(self, site: int, passed: int | None = None) -> frozenset[int] | None:
        """The callees that pins leave to a call site once `passed` of `via` were passed (None:
        anywhere on the way); None where no pin concerns it there.
        """
        pins = self.pins.get(site)
        if pins is None:
            return None
        if passed is not None:
            here = [pin.callees for pin in pins if pin.first <= passed < pin.last]
            return frozenset.intersection(*here) if here else None
        if any(pin.first > 0 or pin.last <= len(self.via) for pin in pins):
            return None
        return frozenset.intersection(*(pin.callees for pin in pins))

    def find_table_pin(self, site: int, passed: int) -> SitePin | None:
        """The pin to a table that concerns a call site where `passed` of `via` were passed."""
        pins = self.pins.get(site, ())
        return next(
            (pin for pin in pins if pin.table >= 0 and pin.first <= passed < pin.last), None
        )
