"""What a path may do: what it passes and avoids, what pins leave to call sites."""

from dataclasses import dataclass, field
from typing import NamedTuple


class SitePin(NamedTuple):
    """The only callees of a call site, on the part of a way where at least `first` and fewer than
    `last` of the functions to pass were passed. `table` (an object's number, -1 for none) is what
    the pin says that `slot` holds.
    """

    callees: frozenset[int]
    first: int = 0
    last: int = 1 << 30
    table: int = -1
    slot: str = ""


@dataclass(frozen=True)
class Rules:
    """What a path may do. `via` are the functions to pass, in order; `pins` what is left to some
    call sites (see allowed).
    """

    via: tuple[int, ...] = ()
    avoid: frozenset[int] = frozenset()
    pins: dict[int, tuple[SitePin, ...]] = field(default_factory=dict)
    deferred: bool = True
    types: bool = False

    def allowed(self, site: int, passed: int | None = None) -> frozenset[int] | None:
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

    def pin(self, site: int, passed: int) -> SitePin | None:
        """The pin to a table that concerns a call site where `passed` of `via` were passed."""
        pins = self.pins.get(site, ())
        return next(
            (pin for pin in pins if pin.table >= 0 and pin.first <= passed < pin.last), None
        )
