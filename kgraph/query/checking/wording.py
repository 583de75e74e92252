"""Conditions and labels in the words of the source, where a verdict tells of them."""

import re
from collections.abc import Iterable

_MOST_TOLD = 3
_TIGHT = re.compile(
    r"(?<=[(\[!~]) | (?=[)\],;.]|->)|(?<=->) |(?<=\.) (?=\w)|(?<=\w) (?=\()", re.ASCII)


def as_line(words: Iterable[str]) -> str:
    """Tokens with the blanks between them that most people write."""
    return _TIGHT.sub("", " ".join(words))


def innermost(texts: list[str]) -> str:
    """Conditions in a sentence, outermost first: the last of them."""
    left_out = len(texts) - _MOST_TOLD
    told = ", ".join(texts[-_MOST_TOLD:])
    return f"{told} and {left_out} around them" if left_out > 0 else told
