"""Finds functions by the name that a user writes: `name` or `path:name`.

A name passes one pipeline. What is written beside the name is stripped (`f()`, `f+0x12/0x40`); the
names that it may be spelled with are looked up in turn (as it is written, as another release spells
it, in any case); of the functions found, one rule after another chooses, until one is left. What a
reader should know of the choice is a remark.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.ids import VMLINUX
from kgraph.model.results import KnownFunction
from kgraph.query.macros import (
    MACRO,
    MacroUses,
    describe_macro,
    find_macro,
    find_macro_callees,
    find_meant_function,
    has_calls_in,
)
from kgraph.query.spellings import SYSCALL, iter_spellings, iter_syscall_names
from kgraph.textfile import escape_if_undecodable

_MAX_LISTED = 12
_MAX_OTHERS = 3  # that a remark names
# What people copy along with a name: arguments, an offset in a stack, what a compiler appends.
_BESIDE = re.compile(
    r"\s*\([^()]*\)\s*$|\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?$|(?:\.(?:isra|constprop|part|cold)(?:\.\d+)?)+$")


class FoundFunction(Struct, frozen=True):
    """The function that a name means. `alias`: the name, if it is one of an alias of the function.
    `remarks` say what else it might have meant, or why it has another name here.
    """

    function: KnownFunction
    alias: str = ""
    remarks: tuple[str, ...] = ()


class FoundMacro(Struct, frozen=True):
    """The macro that a name means, and what there is to say about it."""

    uses: MacroUses
    remarks: tuple[str, ...]


class WrittenName(Struct, frozen=True):
    """A name as it is written: `qualifier:name`, the qualifier may be ""."""

    qualifier: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "WrittenName":
        """The name in a text, without what people copy along with it."""
        bare = text.strip()
        while (stripped := _BESIDE.sub("", bare)) != bare and stripped:
            bare = stripped
        qualifier, _, name = bare.rpartition(":")
        return cls(escape_if_undecodable(qualifier), name.strip().lstrip("&*") or name)


def find_function(graph: CallGraph, text: str) -> KnownFunction:
    """The function that `text` names (see resolve_function)."""
    return resolve_function(graph, text).function


def resolve_function(graph: CallGraph, text: str) -> FoundFunction:
    """The function that `text` names, or that all calls through a macro of this name reach.

    Before a colon you can write the path of its definition (or the end of the path), its scope, its
    image, or `syscall`. A definition beats a declaration, and vmlinux other images. An alias leads
    to the function that it stands for.

    Raises LookupFailed; the hint has similar names where there is none, and unique names where
    there are several.
    """
    found = resolve_name(graph, text)
    if isinstance(found, FoundFunction):
        return found
    function, macro = find_meant_function(graph, found.uses), found.uses.macro
    if function is None:
        where = f" ({macro.location})" if macro.location else ""
        callees = [str(each) for each in find_macro_callees(graph, found.uses)[:_MAX_OTHERS]]
        raise LookupFailed(
            f"`{macro}` is a macro{where}, no function",
            f"its uses call {', '.join(f'`{each}`' for each in callees)}: name one of these;"
            f" `kgraph callers {macro}` shows the uses" if callees else "no call comes through it")
    return FoundFunction(function, remarks=found.remarks)


def resolve_name(graph: CallGraph, text: str) -> FoundFunction | FoundMacro:
    """The function or the macro that `text` names, as for resolve_function. `macro:NAME` is a macro
    for sure. Raises LookupFailed.
    """
    written = WrittenName.parse(text)
    macro = _find_meant_macro(graph, written)
    if macro is not None:
        return macro
    named, remark = _find_named(graph, written)
    if not named:
        raise LookupFailed(f"no function `{written.name}` in the index",
                           suggest_functions(graph, written.name))
    qualifier = "" if written.qualifier == SYSCALL else written.qualifier
    found = _select_qualified(named, qualifier)
    if not found:
        raise LookupFailed(f"no function `{named[0].id.name}` in {qualifier}",
                           f"there is {_list_functions(named)}")
    function, others = _choose(text, found)
    target = resolve_alias(graph, function)
    remarks = [remark, _describe_others(function, others)]
    if not qualifier and graph.find_macro_definitions(written.name) and graph.is_call_macro(
            written.name):
        remarks.append(f"`{written.name}` is a macro, too: `macro:{written.name}` means that")
    alias = function.id.name if target.id.name != function.id.name else ""
    return FoundFunction(target, alias, tuple(filter(None, remarks)))


def _find_meant_macro(graph: CallGraph, written: WrittenName) -> FoundMacro | None:
    """The macro that a name means: where vmlinux has no function of the name but uses the macro, or
    where there is no function at all. Raises LookupFailed if `macro:NAME` is none.
    """
    if written.qualifier not in ("", MACRO):
        return None
    named = [] if written.qualifier else graph.find_functions(written.name)
    if any(each.id.image == VMLINUX and each.location is not None for each in named):
        return None
    uses = find_macro(graph, written.name)
    if uses is None and written.qualifier:
        raise LookupFailed(f"no macro `{written.name}` in the files that were indexed",
                           "macros of other files are not known")
    if uses is None or (named and not has_calls_in(graph, uses, VMLINUX)):
        return None
    remarks = describe_macro(graph, uses)
    others = [_find_unique_name(each, named) or f"{each.id.image}:{each.id.name}"
              for each in named if each.location is not None]
    if others:
        remarks += (f"there is also the function {', '.join(f'`{each}`' for each in others)}",)
    return FoundMacro(uses, remarks)


def has_function(graph: CallGraph, text: str) -> bool:
    """Whether any function or macro has the name in `text`, in whatever file."""
    written = WrittenName.parse(text)
    if not written.name:
        return False
    return bool(_find_named(graph, written)[0] or graph.find_macro_definitions(written.name))


def _find_named(graph: CallGraph, written: WrittenName) -> tuple[list[KnownFunction], str]:
    """(the functions of the first spelling of a name that the index has, a remark if that is not
    the one that was written)."""
    name = written.name
    if written.qualifier == SYSCALL:
        return _find_first_defined(graph, iter_syscall_names(name)), ""
    named = graph.find_functions(name)
    if named:
        return named, ""
    named = _find_first_defined(graph, iter_spellings(name))
    if named:
        return named, f"this release has no `{name}`: `{named[0].id.name}` is what it has instead"
    named = graph.find_functions_in_any_case(name)
    if len({each.id.name for each in named}) == 1:
        return named, f"there is no `{name}`, but `{named[0].id.name}`"
    return [], ""


def _find_first_defined(graph: CallGraph, names: Iterator[str]) -> list[KnownFunction]:
    """The functions of the first of some names that has a definition, or is an alias."""
    for name in names:
        named = [each for each in graph.find_functions(name)
                 if each.location is not None or each.alias_of]
        if named:
            return named
    return []


def _select_qualified(
    functions: Sequence[KnownFunction], qualifier: str
) -> list[KnownFunction]:
    """The functions that a qualifier leaves, as its most exact meaning has them."""
    if not qualifier:
        return list(functions)
    meanings: tuple[Callable[[KnownFunction], bool], ...] = (
        lambda each: each.id.scope == qualifier,
        lambda each: qualifier in (_path(each), each.id.image),
        lambda each: _matches(each, qualifier),
    )
    for is_meant in meanings:
        found = [each for each in functions if is_meant(each)]
        if found:
            return found
    return []


def _choose(
    text: str, found: Sequence[KnownFunction]
) -> tuple[KnownFunction, list[KnownFunction]]:
    """(the function that is meant, the others that are defined). Raises LookupFailed."""
    defined = [each for each in found if each.location is not None] or list(found)
    rules: tuple[Callable[[KnownFunction], bool], ...] = (
        lambda each: each.id.image == VMLINUX,
        # A unit that includes the .c file of another one compiles its functions a second time.
        lambda each: each.id.scope == _path(each),
    )
    meant = defined
    for is_preferred in rules:
        meant = [each for each in meant if is_preferred(each)] or meant
        if len(meant) == 1:
            return meant[0], [each for each in defined if each is not meant[0]]
    raise LookupFailed(
        f"`{text}` is ambiguous: {len(meant)} functions have this name",
        f"write one of {', '.join(f'`{each}`' for each in _find_unique_names(meant))}",
    )


def _describe_others(function: KnownFunction, others: Sequence[KnownFunction]) -> str:
    """A remark that names the functions that a name does not mean; "" without any."""
    if not others:
        return ""
    every = [function, *others]
    names = [_find_unique_name(each, every) or str(each.location) for each in others]
    more = f" and {len(names) - _MAX_OTHERS} more" if len(names) > _MAX_OTHERS else ""
    shown = ", ".join(f"`{name}`" for name in names[:_MAX_OTHERS])
    where = f" ({function.location})" if function.location else ""
    image = f" of {function.id.image}" if len({each.id.image for each in every}) > 1 else ""
    return f"`{function.id.name}`{image} is meant{where}; there is also {shown}{more}"


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
    found = resolve_function(graph, text).function
    written = WrittenName.parse(text)
    if found.id.name == written.name and written.qualifier != SYSCALL:
        return f"{written.qualifier}:{written.name}" if written.qualifier else written.name
    return write_name(graph, found)


def write_name(graph: CallGraph, function: KnownFunction) -> str:
    """The shortest name that means a function."""
    named = graph.find_functions(function.id.name)
    defined = [each for each in named if each.location is not None] or named
    if len(defined) == 1:
        return function.id.name
    return _find_unique_name(function, defined) or function.id.name


def describe_alias(named: str, found: KnownFunction) -> str:
    """A note that a name is an alias of the function that was found; "" if it is not."""
    name = WrittenName.parse(named).name
    return f"{name} is an alias of {found}" if name not in ("", found.id.name) else ""


def suggest_functions(graph: CallGraph, name: str) -> str:
    """A hint with similar names of functions; without any, where the tree's text has the name."""
    start = name.strip("_")[:3]
    names = graph.find_function_names(start, len(name))
    close = difflib.get_close_matches(name, names, n=5, cutoff=0.6)
    if close:
        return f"did you mean {', '.join(f'`{other}`' for other in close)}?"
    return _describe_in_tree(graph, name)


def _describe_in_tree(graph: CallGraph, name: str) -> str:
    """A hint with where the tree has a name that no function has."""
    if not name.isidentifier():
        return "`kgraph find` finds names by a part, or by a pattern"
    from kgraph.graph.tree_search import TreeSearch

    place = TreeSearch(graph.description).find_name(name)
    if place is None:
        return "it is nowhere in the tree; `kgraph find` finds names by a part, or by a pattern"
    if place.path in graph.find_read_files():
        return f"it stands at {place}, but not as a function that is compiled"
    return f"it stands at {place}, which this index has not: `kgraph status` shows what it has"


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


def _list_functions(functions: Sequence[KnownFunction]) -> str:
    lines = [
        f"{function.id.name} ({function.location or function.id.image})"
        for function in functions[:_MAX_LISTED]
    ]
    more = len(functions) - len(lines)
    return ", ".join(lines) + (f" and {more} more" if more else "")


def _find_unique_names(functions: Sequence[KnownFunction]) -> list[str]:
    """For each function a name that only it matches, by its path, its scope or its image."""
    names = [_find_unique_name(function, functions) for function in functions[:_MAX_LISTED]]
    return list(filter(None, names)) or [f"{_path(functions[0])}:{functions[0].id.name}"]


def _find_unique_name(function: KnownFunction, among: Sequence[KnownFunction]) -> str:
    """A name that means only one of some functions of its name; "" if there is none."""
    for qualifier in (_path(function), function.id.scope, function.id.image):
        if qualifier and _select_qualified(among, qualifier) == [function]:
            return f"{qualifier}:{function.id.name}"
    return ""
