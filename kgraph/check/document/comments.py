"""Comments beside a claim: where they begin, and which function they say a pointer calls.

Comments name the target in any language. In every language a function's name is an ASCII word
with an underscore or with parentheses behind it, and writers put it last or after words such as
`i.e.`.
"""

import re
from collections.abc import Iterator

_PLAIN = re.compile(r"/\*(.*?)(?:\*/|$)|(?<![:\w/])//(.*)$")
# Strings are found first: what stands in one is no comment.
_COMMENT = re.compile(rf"{_PLAIN.pattern}|\"(?:[^\"\\]|\\.)*+(\"|\\?$)")
_MARKER = re.compile(
    r"i\.\s?e\.?|->|=>|即是|就是|就是指|对应的方法是|对应|指向|\bcalls\b|\bis\b|:="
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\s*\(\s*\))?", re.ASCII)


def split_comment(text: str) -> tuple[str, str]:
    """(what stands outside comments, what the comments say)."""
    if "/" not in text:
        return text.rstrip(), ""
    found = list(_comments(text))
    said = [(match[1] or match[2] or "").strip() for match in found]
    starts = [0, *(match.end() for match in found)]
    ends = [*(match.start() for match in found), len(text)]
    outside = " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))
    return outside.rstrip(), " ".join(part for part in said if part)


def _comments(text: str) -> Iterator[re.Match[str]]:
    """The comments of a line, in linear time: a quote that nothing closes is an inch mark, and
    none behind it begins a string.
    """
    pattern, place = _COMMENT, 0
    while place <= len(text) and (match := pattern.search(text, place)) is not None:
        if not match[0].startswith('"'):
            yield match
            place = max(match.end(), place + 1)
        elif match[3] == '"':
            place = match.end()
        else:
            pattern, place = _PLAIN, match.start() + 1


def find_claimed_target(comment: str) -> str:
    """The function that a comment names: the first after the last marker, else the last; "" where
    none looks like one.
    """
    marker = 0
    for match in _MARKER.finditer(comment):
        marker = match.end()
    after = list(_NAME.finditer(comment, marker)) if marker else []
    if after and (_looks_so(after[0]) or _stands_alone(comment, after[0])):
        return after[0][0].rstrip("() \t")
    for found in after:
        if _looks_so(found):
            return found[0].rstrip("() \t")
    looking = [match for match in _NAME.finditer(comment) if _looks_so(match)]
    return looking[-1][0].rstrip("() \t") if looking else ""


def _looks_so(match: re.Match[str]) -> bool:
    word = match[0].rstrip("() \t")
    return (match[1] is not None or "_" in word.strip("_")) and not word.isupper()


def _stands_alone(comment: str, match: re.Match[str]) -> bool:
    """Whether nothing but punctuation follows the name, so that it need not look like one."""
    return not comment[match.end():].strip(" .,;。，；)")
