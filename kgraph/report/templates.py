"""Makes text from anywhere safe to show.

A browser obeys some characters instead of showing them: control characters, and those that
reverse the direction of text. They are replaced by something visible.
"""

import re

_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
    "\ufffe\uffff]"
)


def escape_unshowable(text: str) -> str:
    """The text with its unshowable characters written as <U+XXXX>."""
    return _UNSHOWN.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)
