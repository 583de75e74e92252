"""How much a run tries: `pytest --thorough` draws more examples and reads larger inputs.

A run without it finds what is wrong at all; it may miss what is wrong seldom.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

Test = Callable[..., Any]
_PART = 10
_thorough = False


def set_thorough(value: bool) -> None:
    """Say once, before tests are imported, how much they try."""
    global _thorough  # noqa: PLW0603  decorators of tests read it
    _thorough = value


def examples(most: int) -> Callable[[Test], Test]:
    """Decorates a property test: it draws `most` examples, a tenth of them in a quick run."""
    return settings(max_examples=scale_effort(most))


def scale_effort(most: int) -> int:
    """How much of `most` a run tries: all, or a tenth in a quick run."""
    return most if _thorough else max(_PART, most // _PART)


def seeds(count: int, quick: int = 1) -> list[Any]:
    """Seeds to parametrize a test by; all but the first `quick` ones are marked slow."""
    return [seed if seed < quick else pytest.param(seed, marks=pytest.mark.slow)
            for seed in range(count)]
