"""What a resolution depended on, in numbers: enough to tell whether other facts would change it.

A mark is a number that stands for a name with what is said of it ("this parameter had to be
solved", "so many facts mention this slot"). resolve/footprint.py makes them,
resolve/contribution.py asks for them; here is only what both, and the store, must agree on.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Key = tuple[str | int, ...]  # the kind of the mark, then the name


def mark(key: Key) -> int:
    """The number of a key: 64 bits of a digest, the same on every machine."""
    text = "\0".join(map(str, key)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def weighed(keys: Mapping[Key, int]) -> dict[int, int]:
    """Marks with the weights of their keys."""
    return {mark(key): weight for key, weight in keys.items()}


def marked(keys: Iterable[Key]) -> dict[int, int]:
    """Marks of keys that weigh nothing more than being there."""
    return {mark(key): 1 for key in keys}


@dataclass(frozen=True, slots=True)
class Footprint:
    """Marks, each with its weight: how many facts stand behind it, 1 for what is or is not."""

    weights: dict[int, int] = field(default_factory=dict)
