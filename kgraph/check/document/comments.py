"""Comments beside a claim: where they begin, and which function they say a pointer calls.

Comments name the target in any language. In every language a function's name is an ASCII word
with an underscore or with parentheses behind it, and writers put it last or after words such as
`i.e.`. Other words of a remark look alike: "set by probe_hooks, under dev_lock".
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_PLAIN = re.compile(r"/\*(.*?)(?:\*/|$)|(?<![:\w/])//(.*)$")
# Strings are found first: what stands in one is not a comment.
_COMMENT = re.compile(rf"{_PLAIN.pattern}|\"(?:[^\"\\]|\\.)*+(\"|\\?$)")
# What writers put before the name of the target; behind an English verb any word may follow.
_MARKER = re.compile(
    r"i\.\s?e\.?|(?<![\w)\]])->|->(?!\w)|=>|即是|就是|就是指|对应的方法是|对应|指向|:=|\b(calls|is)\b"
)
# A word that is no member: neither behind a dot nor behind an arrow without blanks.
_NAME = re.compile(r"(?<![\w)\]][.])(?<![\w)\]]->)\b[A-Za-z_][A-Za-z0-9_]*(\s*\(\s*\))?", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class ClaimedTarget(NamedTuple):
    """The function that a comment names, "" for none. `is_sure`: the comment is nothing else, or
    the name follows a marker; otherwise it may be any word of a remark.
    """

    name: str = ""
    is_sure: bool = False


def split_comment(text: str) -> tuple[str, str]:
    """(the text outside comments, the text of the comments)."""
    if "/" not in text:
        return text.rstrip(), ""
    found = list(_iter_comments(text))
    comments = [(match[1] or match[2] or "").strip() for match in found]
    starts = [0, *(match.end() for match in found)]
    ends = [*(match.start() for match in found), len(text)]
    outside = " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))
    return outside.rstrip(), " ".join(filter(None, comments))


def _iter_comments(text: str) -> Iterator[re.Match[str]]:
    """The comments of a line, in linear time. A quote without a partner is an inch mark; after
    it, no quote of the line begins a string.
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


def find_claimed_target(comment: str) -> ClaimedTarget:
    """The function that a comment names: the first behind the last marker, else the last one."""
    start, is_verb = 0, False
    for marker in _MARKER.finditer(comment):
        start, is_verb = marker.end(), marker[1] is not None
    behind = list(_NAME.finditer(comment, start)) if start else []
    if behind and not is_verb and (
            _is_function_like(behind[0]) or _is_alone(comment, behind[0])):
        first = _WORD.search(comment, start)
        is_next = first is not None and first.start() == behind[0].start()
        return ClaimedTarget(_strip(behind[0]), is_next)
    names = [match for match in behind if _is_function_like(match)][:1] or [
        match for match in _NAME.finditer(comment) if _is_function_like(match)][-1:]
    if not names:
        return ClaimedTarget()
    return ClaimedTarget(_strip(names[0]), len(_WORD.findall(comment)) == 1)


def _strip(match: re.Match[str]) -> str:
    return match[0].rstrip("() \t")


def _is_function_like(match: re.Match[str]) -> bool:
    """Whether a word has parentheses behind it, or an underscore within, and is not a constant."""
    word = _strip(match)
    return (match[1] is not None or "_" in word.strip("_")) and not word.isupper()


def _is_alone(comment: str, match: re.Match[str]) -> bool:
    """Whether only punctuation follows a name, so that it need not look like a function."""
    return not comment[match.end():].strip(" .,;。，；)")
