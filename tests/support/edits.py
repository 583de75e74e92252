"""Random edits of one C file, of the kinds that are made all the time. They keep it compilable.

Each takes the text and gives another, or None where the file has nothing to edit so.
"""

import re
from collections.abc import Callable
from random import Random

CodeEdit = Callable[[str, Random], str | None]
_CALL = re.compile(r"^(\t+)(\w+)\([^;{}\"]*\);$", re.MULTILINE)
_BODY = re.compile(r"^\{\n(?=\t)", re.MULTILINE)
_ROW = re.compile(r"^\t\.\w+\s*=\s*\w+,$", re.MULTILINE)
_NO_CALL = {"if", "while", "for", "switch", "return", "sizeof", "BUILD_BUG_ON", "EXPORT_SYMBOL"}


def _calls(text: str) -> list[re.Match[str]]:
    """Statements that are one call, behind a statement that ends: none is the branch of an if."""
    found = []
    for call in _CALL.finditer(text):
        before = text[:call.start()].rstrip("\n").rpartition("\n")[2].rstrip()
        if call[2] not in _NO_CALL and before.endswith((";", "{")):
            found.append(call)
    return found


def _replaced(text: str, place: re.Match[str], new: str) -> str:
    return text[:place.start()] + new + text[place.end():]


def repeat_call(text: str, random: Random) -> str | None:
    calls = _calls(text)
    if not calls:
        return None
    call = random.choice(calls)
    return _replaced(text, call, f"{call[0]}\n{call[0]}")


def remove_call(text: str, random: Random) -> str | None:
    calls = _calls(text)
    if not calls:
        return None
    call = random.choice(calls)
    return _replaced(text, call, f"{call[1]};")


def put_under_condition(text: str, random: Random) -> str | None:
    calls = _calls(text)
    if not calls:
        return None
    call = random.choice(calls)
    return _replaced(text, call, f"{call[1]}if (sizeof(int) > 2)\n\t{call[0]}")


def add_local(text: str, random: Random) -> str | None:
    bodies = list(_BODY.finditer(text))
    if not bodies:
        return None
    body = random.choice(bodies)
    return _replaced(text, body, f"{body[0]}\tint local_{random.randrange(10**9)} = 3;\n")


def add_static_function(text: str, random: Random) -> str | None:
    """A static function, and a call of it."""
    bodies = list(_BODY.finditer(text))
    if not bodies:
        return None
    body = random.choice(bodies)
    name = f"helper_{random.randrange(10**9)}"
    text = _replaced(text, body, f"{body[0]}\t{name}(7);\n")
    lines = text.split("\n")
    last = max((n for n, line in enumerate(lines) if line.startswith("#include")), default=-1)
    lines.insert(last + 1, f"static int {name}(int a)\n{{\n\treturn a + 1;\n}}\n")
    return "\n".join(lines)


def change_row(text: str, random: Random) -> str | None:
    """A row of an ops table is no more."""
    rows = list(_ROW.finditer(text))
    return _replaced(text, random.choice(rows), "") if rows else None


def assign_slot(text: str, random: Random) -> str | None:
    """A function is put where a pointer of another type is called."""
    bodies = list(_BODY.finditer(text))
    if not bodies:
        return None
    body = random.choice(bodies)
    name = f"late_{random.randrange(10**9)}"
    text = _replaced(text, body, f"{body[0]}\t{name}_ops.call = {name};\n")
    lines = text.split("\n")
    last = max((n for n, line in enumerate(lines) if line.startswith("#include")), default=-1)
    lines.insert(last + 1, f"static void {name}(void)\n{{\n}}\n"
                           f"static struct {{ void (*call)(void); }} {name}_ops;\n")
    return "\n".join(lines)


CARRIED: tuple[CodeEdit, ...] = (
    repeat_call, remove_call, put_under_condition, add_local, add_static_function)
RESOLVED: tuple[CodeEdit, ...] = (change_row, assign_slot)
ALWAYS_CARRIED: tuple[CodeEdit, ...] = (add_local, add_static_function)
"""Those of which nothing but the edited function can depend, whatever file it is."""
