"""Which names a function may write, read from its text as clang prints it.

A name that some expression assigns, increments, takes the address of or gives to assembler as an
output. One declared and initialised is not written by that. What only looks like a write (in
another scope, of a field through the name) may count as one; no write is missed: clang prints
macros expanded, one space around binary operators and none behind unary ones.
"""

import re

_WRITE = re.compile(
    r""""[+=][^"]*"\ \(+(?P<output>\w+)      # "=r" (x)
    | "(?:[^"\\]|\\.)*"                      # other strings
    | '(?:[^'\\]|\\.)*'
    | &\(*(?P<address>\w+)\b(?!\)*(?:->|\[))  # &x, &x.field
    | (?:\+\+|--)\(*(?P<prefix>\w+)
    | (?<![\w.>])(?P<postfix>\w+)(?:\+\+|--)  # also *x++
    | (?<![\w.>*])(?P<name>\w+)\)*(?:\+\+|--|\ (?P<compound>[-+*/%&|^]|<<|>>)?=(?!=))
    """, re.VERBOSE)
_GROUPS = ("output", "address", "prefix", "postfix", "name")
_STATEMENT_WORDS = frozenset(("return", "else", "do", "case", "goto", "in"))


def find_written_names(printed: str) -> frozenset[str]:
    """The names that the text of a definition may write."""
    found: set[str] = set()
    for match in _WRITE.finditer(printed):
        if match.lastgroup is None:
            continue
        if match.lastgroup == "name" and _is_declaration(printed, match):
            continue
        found.update(match.group(group) or "" for group in _GROUPS)
    return frozenset(found - {""})


def _is_declaration(printed: str, match: "re.Match[str]") -> bool:
    """Whether `name =` follows the last word of a type: `int name =`."""
    start = match.start("name")
    if match[0][len(match["name"]):] != " =" or printed[start - 1:start] != " ":
        return False
    word = re.search(r"\w+$", printed[max(0, start - 40):start - 1])
    return word is not None and word[0] not in _STATEMENT_WORDS
