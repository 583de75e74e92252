"""C source as tokens: what is compared where white space and comments make no difference."""

import re

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|\w+|->|<<=?|>>=?|[-+*/%&|^=!<>]="
    r"|&&|\|\||\+\+|--|\n|\S",
    re.DOTALL,
)


def tokens(text: str) -> list[tuple[str, int]]:
    """(token, line from 0) of C source; comments and white space left out."""
    found, line = [], 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word != "\n" and not word.startswith(("//", "/*")):
            found.append((word, line))
        line += word.count("\n")
    return found
