"""The macros that clang predefines for a target."""

from functools import cache

from clang.cindex import CursorKind, Index, TranslationUnit, TranslationUnitLoadError

# Every preprocessor defines these itself.
_STANDARD = "__STDC"


@cache
def list_predefined_macros(flags: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The name and the value of each macro that clang predefines with these flags; none if it does
    not know the flags."""
    try:
        unit = Index.create().parse(
            "none.c", args=[*flags, "--no-default-config"], unsaved_files=[("none.c", "")],
            options=TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
    except TranslationUnitLoadError:
        return ()
    found = []
    for cursor in unit.cursor.get_children():
        if cursor.kind == CursorKind.MACRO_DEFINITION:
            name, *value = (token.spelling for token in cursor.get_tokens())
            # One with parameters cannot be told from one whose value is in parentheses.
            if not name.startswith(_STANDARD) and value[:1] != ["("]:
                found.append((name, " ".join(value)))
    return tuple(found)
