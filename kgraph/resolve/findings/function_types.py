"""Which functions may be called as a type.

A function that reached a call by way of a `void *`, or of a pointer to another type of function
that was cast back, is called only as what it is: a call casts to the type of what it means. Two
types fit if a compiler passes the same: qualifiers may differ, integers and enumerations, numbers
and pointers, and a `void *` or `char *` fits every pointer.

A function that is itself put somewhere under another type may be called as anything. So is one that
is put where the type is not known. The type of a parameter is known, unless that is a `void *` or a
number, and of what is called itself.
"""

import re
from functools import cache

from kgraph.model.codes import is_token, operand_token
from kgraph.model.ids import FunctionId
from kgraph.model.resolution import Candidate
from kgraph.resolve.constraint_builder import Constraints, Copy
from kgraph.resolve.fact_rows import SiteRow, WriteRow
from kgraph.resolve.installed_tables import is_export_row
from kgraph.resolve.interning import NONE, FunctionRow, LoadRow

_QUALIFIERS = re.compile(r"\b(?:const|volatile|restrict|_Atomic)\b|__attribute__\(\(.*?\)\)")
_SPACES = re.compile(r"\s+")
_INTEGER = re.compile(
    r"(?:enum .*|_Bool|__int128|(?:(?:unsigned|signed|char|short|int|long) ?)+)")
_ANY_POINTEE = frozenset(("void", "char", "unsigned char", "signed char"))


class FunctionTypes:
    """Tells which candidates of a call site have a type that the call may mean."""

    def __init__(self, constraints: Constraints) -> None:
        self._nodes = nodes = constraints.nodes
        self._rows = nodes.interner.value_rows
        self._called_as = self._find_called_types()
        self._copied_to = self._find_copied(constraints.copies)
        self._retyped = self._find_retyped()

    def select(
        self, candidates: tuple[Candidate, ...], signature: str
    ) -> tuple[Candidate, ...]:
        """The candidates that a call of this type may mean; all, if it would be none."""
        if not signature:
            return candidates
        kept = tuple(each for each in candidates if self._may_be_called(each, signature))
        return kept or candidates

    def _may_be_called(self, candidate: Candidate, signature: str) -> bool:
        function = self._nodes.facts.functions.get(candidate.callee)
        return (function is None or fit(function.signature, signature)
                or candidate.callee in self._retyped)

    def _find_called_types(self) -> dict[int, set[str]]:
        """For each holder the types that calls through it have."""
        found: dict[int, set[str]] = {}
        for definition in self._nodes.facts.definitions:
            for site in definition.sites:
                if site.target != NONE and site.signature:
                    row = self._rows[site.target]
                    if isinstance(row, LoadRow):
                        node = self._nodes.holder_nodes[row.holder]
                        found.setdefault(node, set()).add(site.signature)
        return found

    def _find_copied(self, copies: list[Copy]) -> dict[int, set[int]]:
        """For each holder that is copied as bytes where to, as far as both have a name."""
        token_nodes = self._nodes.token_nodes
        found: dict[int, set[int]] = {}
        for copy in copies:
            if is_token(copy.source) and is_token(copy.destination):
                source = token_nodes[operand_token(copy.source)]
                target = token_nodes[operand_token(copy.destination)]
                found.setdefault(source, set()).add(target)
        return found

    def _find_retyped(self) -> set[FunctionId]:
        """The functions that are put somewhere under a type that may not be theirs."""
        facts = self._nodes.facts
        functions = {value for value, row in enumerate(self._rows) if isinstance(row, FunctionRow)}
        found: set[FunctionId] = set()
        for definition in facts.definitions:
            if not is_export_row(facts, definition):
                for write in definition.writes:
                    if write.value in functions:
                        self._add_retyped(write.value, self._find_types(write), found)
            for site in definition.sites:
                for index, choice in enumerate(site.arguments):
                    for value in functions.intersection(choice):
                        self._add_retyped(value, self._find_parameter_type(site, index), found)
        return found

    def _find_types(self, write: WriteRow) -> set[str]:
        """The types that are known of what is written to."""
        node = self._nodes.holder_nodes[write.holder]
        types = set(self._called_as.get(node, ()))
        for target in self._copied_to.get(node, ()):
            types |= self._called_as.get(target, set())
        return types

    def _add_retyped(self, value: int, types: set[str], found: set[FunctionId]) -> None:
        """Add the function that a value is, unless it is put where all of `types` fit."""
        row = self._rows[value]
        assert isinstance(row, FunctionRow)
        identity = self._nodes.function_id(self._nodes.linked_functions[row.function])
        function = self._nodes.facts.functions.get(identity)
        if function is not None and not (
                types and all(fit(function.signature, each) for each in types)):
            found.add(identity)

    def _find_parameter_type(self, site: SiteRow, index: int) -> set[str]:
        """The type of the parameter that a call passes an argument to, if it is known."""
        signature = site.signature
        if site.callee != NONE:
            callee = self._nodes.function_id(self._nodes.linked_functions[site.callee])
            function = self._nodes.facts.functions.get(callee)
            signature = "" if function is None else function.signature
        parts = _split(signature)
        if parts is None or index >= len(parts[1]) or _carries_any(parts[1][index]):
            return set()
        return {parts[1][index]}


@cache
def fit(function: str, called: str) -> bool:
    """Whether a function of one type may be called as another; also the type that a pointer to it
    is kept as ("int (*)(void)", "void *")."""
    if function == called:
        return True
    one, other = _split(function), _split(called.replace("(*)", "", 1))
    if one is None:
        return True
    if other is None:
        return _fits(f"{function} *", called) if "(" in called else _is_any(called)
    if "void" not in (one[0], other[0]) and not _fits(one[0], other[0]):
        return False
    return _have_same_parameters(one[1], other[1])


def _is_any(kept_as: str) -> bool:
    """Whether a type that is no function may carry one as what it is."""
    type_ = _plain(kept_as)
    return bool(_INTEGER.fullmatch(type_)) or type_ == "void *"


def _carries_any(type_: str) -> bool:
    """Whether a value of this type may be the address of any function."""
    return "(" not in type_ and _is_any(type_)


def _have_same_parameters(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    if not first or not second:  # declared without parameters: any
        return True
    is_variadic = "..." in (first[-1], second[-1])
    one = [each for each in first if each not in ("void", "...")]
    other = [each for each in second if each not in ("void", "...")]
    return (is_variadic or len(one) == len(other)) and all(
        _fits(a, b) for a, b in zip(one, other, strict=False))


@cache
def _split(signature: str) -> tuple[str, tuple[str, ...]] | None:
    """The result type and the parameter types; None for what is not read."""
    text = _plain(signature)
    if not text.endswith(")"):
        return None
    depth, start = 0, len(text)
    while start:
        start -= 1
        depth += (text[start] == ")") - (text[start] == "(")
        if not depth:
            break
    result = text[:start].rstrip()
    if not result or "(" in result:
        return None
    return result, tuple(_split_list(text[start + 1:-1]))


def _split_list(text: str) -> list[str]:
    """The parts between commas that stand in no parentheses."""
    found, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and not depth:
            found.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*found, last] if last else found


def _plain(type_: str) -> str:
    """A type without its qualifiers; an array is a pointer."""
    text = _SPACES.sub(" ", _QUALIFIERS.sub("", type_)).strip()
    head, bracket, _ = text.partition("[")
    return f"{head.rstrip()} *" if bracket and "(" not in text else text.replace("* ", "*")


@cache
def _fits(first: str, second: str) -> bool:
    """Whether a value of one type may be passed as the other."""
    one, other = _plain(first), _plain(second)
    if one == other or "(" in one + other:  # a pointer to a function, a record without a name
        return True
    pointers = one.endswith("*"), other.endswith("*")
    if pointers == (True, True):
        one, other = one[:-1].rstrip(), other[:-1].rstrip()
        return not _ANY_POINTEE.isdisjoint((one, other)) or _fits(one, other)
    integers = bool(_INTEGER.fullmatch(one)), bool(_INTEGER.fullmatch(other))
    return all(map(any, zip(pointers, integers, strict=True)))
