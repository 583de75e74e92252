"""Call trees as text, and lists of system calls."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kgraph.model.results import Hop, KnownFunction
from kgraph.report.text import format_definition, format_short_note

if TYPE_CHECKING:
    from kgraph.query.call_tree import CallTree, ReachingCall, TreeNode


def format_call_tree(tree: "CallTree", *, callers: bool) -> Iterator[str]:
    """A function a line, with the place of the call and how many more callers or callees it has."""
    word = "caller" if callers else "callee"
    top = tree.top
    yield (f"{top.function}() ({format_definition(top.function)})"
           f"  // {_count(top.neighbours, word)}")
    waiting, shown = [(node, 0) for node in reversed(top.below)], {top.function.number}
    while waiting:
        node, depth = waiting.pop()
        where = ""
        if node.is_repeated:
            where = f"shown {'above' if node.function.number in shown else 'below'}"
        else:
            shown.add(node.function.number)
        yield f"{'  ' * depth}|-{_format_node(node, where or _count_hidden(node, word))}"
        waiting += [(below, depth + 1) for below in reversed(node.below)]


def _format_node(node: "TreeNode", about: str) -> str:
    """A function, the place of the call, what the call goes through, and a note."""
    hop = node.hop
    notes = [] if hop is None else [format_short_note(hop)]
    if hop is not None and hop.sites:
        notes.append(f"{len(hop.sites) + 1} calls")
    notes = [note for note in (*notes, about) if note]
    place = "" if hop is None else f" ({hop.site.location})"
    note = f"  // {', '.join(notes)}" if notes else ""
    return f"{node.function}(){place}{note}"


def _count_hidden(node: "TreeNode", word: str) -> str:
    """How many callers or callees a function has, unless all of them are below it."""
    if node.neighbours <= len({each.function.number for each in node.below}):
        return ""
    return f"{'in all ' if node.below else ''}{_count(node.neighbours, word)}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def format_left_out(tree: "CallTree") -> str:
    """What the limit cut off, in words; "" for nothing."""
    if not tree.left_out:
        return ""
    count = f"at least {tree.left_out}" if tree.is_stopped else str(tree.left_out)
    return (f"{tree.shown} calls are shown; {count} more are next to them"
            " (--limit shows more, --in fewer)")


def format_reaching(found: "Sequence[ReachingCall]") -> Iterator[str]:
    """A system call a line, the nearest first."""
    for each in found:
        away = f"{each.distance} call{'' if each.distance == 1 else 's'} away"
        yield f"{each.function}() ({format_definition(each.function)})  // {away}"


def count_functions(hops: Sequence[Hop], *, callers: bool) -> str:
    """How many calls, and of how many functions."""
    functions: set[KnownFunction] = {hop.caller if callers else hop.callee for hop in hops}
    calls = sum(1 + len(hop.sites) for hop in hops)
    return (f"{_count(calls, 'call')} {'by' if callers else 'to'}"
            f" {_count(len(functions), 'function')}")
