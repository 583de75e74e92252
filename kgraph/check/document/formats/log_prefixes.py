"""What logs and mails put before a line: a quote mark, a date, a host, a level, a time."""

import re

QUOTE = re.compile(r"(?:>[ ]?)+(?=[^>]|$)")
_MONTH_DATE = r"[A-Z][a-z]{2}\s+\d{1,2}\s+\d\d:\d\d:\d\d(?:\.\d+)?\s+"
_ISO_DATE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\s+"
_PREFIX = re.compile(
    rf"\s*(?:<\d{{1,2}}>|(?:{_MONTH_DATE}|{_ISO_DATE})(?:[\w.-]+\s+)?(?:kernel:\s?)?"
    r"|kern\s*:\s*\w+\s*:\s?"
    r"|\[\s*\d+\.\d+\](?:\s?\[\s*[CT]\d+\])?:?"
    r"|\[[A-Z][a-z]{2} [A-Z][a-z]{2}\s+\d{1,2} \d\d:\d\d:\d\d \d{4}\]"
    r"|\[\s*[CT]\d+\])", re.ASCII)
_MAX_PREFIXES = 5


def strip_log_prefix(text: str) -> str:
    """The text behind the prefixes of a log; a printed stack keeps the blanks before a frame."""
    text = text.removeprefix("\ufeff")
    quote = QUOTE.match(text)
    place = quote.end() if quote else 0
    for _ in range(_MAX_PREFIXES):
        found = _PREFIX.match(text, place)
        if found is None:
            break
        place = found.end()
    return text[place:]
