"""Finds functions by the name that a user writes: `name` or `path:name`."""

import difflib

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.results import KnownFunction
from kgraph.textfile import escape_if_undecodable

_MAX_LISTED = 12


def find_function(graph: CallGraph, text: str) -> KnownFunction:
    """The function that `text` names.

    Before a colon you can write the path of its definition (or the end of the path), its scope or
    its image. A definition beats a declaration. An alias leads to the function that it stands for.

    Raises LookupFailed; the hint has similar names where there is none, and unique names where
    there are several.
    """
    qualifier, _, name = text.rpartition(":")
    qualifier = escape_if_undecodable(qualifier)
    named = graph.find_functions(name)
    if not named:
        raise LookupFailed(f"no function `{name}` in the index", suggest_functions(graph, name))
    found = [function for function in named if _matches(function, qualifier)]
    if not found:
        raise LookupFailed(
            f"no function `{name}` in {qualifier}", f"there is {_list_functions(named)}"
        )
    defined = [function for function in found if function.location is not None] or found
    exact = [function for function in defined if _path(function) == qualifier] or defined
    if len(exact) > 1:
        raise LookupFailed(
            f"`{text}` is ambiguous: {len(exact)} functions have this name",
            f"write one of {', '.join(f'`{each}`' for each in _find_unique_names(exact))}",
        )
    return resolve_alias(graph, exact[0])


def resolve_alias(graph: CallGraph, function: KnownFunction) -> KnownFunction:
    """The function that an alias stands for (`SyS_x` for `sys_x`): in its own scope, external, or
    static in its file. A function that is not an alias is returned as it is.
    """
    seen = {function.number}
    while function.alias_of:
        scopes = (function.id.scope, "", _path(function))
        named = [each for each in graph.find_functions(function.alias_of)
                 if each.id.image == function.id.image and each.id.scope in scopes]
        target = min(named, key=lambda each: scopes.index(each.id.scope), default=None)
        if target is None or target.number in seen:
            break
        seen.add(target.number)
        function = target
    return function


def qualify_name(graph: CallGraph, text: str) -> str:
    """The name to write for the function that `text` names. For an alias that is the name of the
    function behind it, with its path where the name is ambiguous.
    """
    found = find_function(graph, text)
    name = found.id.name
    if name == text.rpartition(":")[2]:
        return text
    return name if len(graph.find_functions(name)) == 1 else f"{_path(found)}:{name}"


def is_alias(named: str, found: KnownFunction) -> bool:
    """Whether the name that led to a function is an alias of it."""
    return named.rpartition(":")[2] not in ("", found.id.name)


def describe_alias(named: str, found: KnownFunction) -> str:
    """A note that a name is an alias of the function that was found; "" if it is not."""
    return f"{named.rpartition(':')[2]} is an alias of {found}" if is_alias(named, found) else ""


def suggest_functions(graph: CallGraph, name: str) -> str:
    """A hint with similar names of functions."""
    start = name.strip("_")[:3]
    names = graph.find_function_names(start, len(name))
    close = difflib.get_close_matches(name, names, n=5, cutoff=0.6)
    if close:
        return f"did you mean {', '.join(f'`{other}`' for other in close)}?"
    return "it may not be compiled in this configuration; `kgraph status` shows what is indexed"


def suggest_slots(graph: CallGraph, name: str) -> str:
    """A hint with similar slots, of the same record or with the same field; "" if there is none."""
    record, _, field = name.rpartition(".")
    if not record:
        return ""
    close = difflib.get_close_matches(
        name, graph.find_bound_slots(record, field), n=5, cutoff=0.5)
    return f"did you mean {', '.join(f'`{other}`' for other in close)}?" if close else ""


def _matches(function: KnownFunction, qualifier: str) -> bool:
    path = _path(function)
    return (
        not qualifier
        or qualifier in (path, function.id.scope, function.id.image)
        or path.endswith("/" + qualifier)
        or function.id.scope.endswith("@" + qualifier)
    )


def _path(function: KnownFunction) -> str:
    return "" if function.location is None else function.location.path


def _list_functions(functions: list[KnownFunction]) -> str:
    lines = [
        f"{function.id.name} ({function.location or function.id.image})"
        for function in functions[:_MAX_LISTED]
    ]
    more = len(functions) - len(lines)
    return ", ".join(lines) + (f" and {more} more" if more else "")


def _find_unique_names(functions: list[KnownFunction]) -> list[str]:
    """For each function a name that only it matches, by its path, its scope or its image."""
    names = []
    for function in functions[:_MAX_LISTED]:
        for qualifier in (_path(function), function.id.scope, function.id.image):
            alike = [other for other in functions if _matches(other, qualifier)]
            if qualifier and len(alike) == 1:
                names.append(f"{qualifier}:{function.id.name}")
                break
    return names or [f"{_path(functions[0])}:{functions[0].id.name}"]
