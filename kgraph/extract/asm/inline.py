"""Reads inline assembler: the functions that its text calls by name.

libclang shows the operands of an asm statement, but not its text; a definition as clang prints
it holds both. The asm statements of the printed text are those of the syntax tree, in the same
order. Only definitions whose text calls or jumps are looked at. A name may contain operands:
`call __put_user_%P2` has a size, `call %P[old]` a function.

Limits: where the statements of text and tree cannot be paired (asm inside sizeof), a text is
paired with the first statement that has as many operands. Calls through registers are not seen.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, start_of
from kgraph.extract.clang.tree import SyntaxNode
from kgraph.extract.definition_context import AsmText, DefinitionContext, Values
from kgraph.model.facts import CallSite
from kgraph.model.ids import FunctionId
from kgraph.model.values import Address, Constant, Load, Opaque, Symbol, Value

if TYPE_CHECKING:
    from kgraph.extract.expressions import Reader

_STRING = r'"((?:[^"\\]|\\.)*)"'
_ASM = re.compile(r"\b(?:asm|__asm)(?: volatile| goto| inline)* \(" + _STRING)
_OPERAND = re.compile(r"[ :,]*(?:\[(\w+)\] )?" + _STRING + r"( \()?")
_QUOTED = re.compile(_STRING + r"|'(?:[^'\\]|\\.)*'|[()]")
CALL_INSTRUCTIONS = (
    "call",
    "callq",
    "calll",
    "jmp",
    "jmpq",
    "bl",
    "blx",
    "brasl",
    "jal",
    "tail",
    "b",
)
"""Instructions that call, or that end a function in another (x86, arm, s390, mips, riscv)."""
_CALL = re.compile(r"(?:^|[\s;:|])(" + "|".join(CALL_INSTRUCTIONS) + r")[ \t]+(\*?)([^\s;,|]+)")
_REFERENCE = re.compile(r"%([a-zA-Z]?)(?:(\d+)|\[(\w+)\])")
_NAME = re.compile(r"[A-Za-z_]\w*")
_LABEL = re.compile(r"(?:^|[\s;])([A-Za-z_]\w*):")
# what a function called from assembler is given: as many as there are registers for
UNKNOWN_ARGUMENTS = ((Opaque("assembler passes it"),),) * 6


def parse_asm_statements(printed: str, *, all_of_them: bool = False) -> list[AsmText]:
    """The asm statements of a printed definition, in order; empty where none calls anything, unless
    `all_of_them` are asked for."""
    if "asm" not in printed:
        return []
    found = [AsmText(_plain(match[1]), tuple(_operands(printed, match.end())))
             for match in _ASM.finditer(printed)]
    calls = all_of_them or any(_CALL.search(text.template) for text in found)
    return found if calls else []


def _plain(literal: str) -> str:
    """The text of a C string literal, as far as assembler needs it."""
    for escape, character in (("\\n", "\n"), ("\\t", "\t"), ('\\"', '"'), ("\\\\", "\\")):
        literal = literal.replace(escape, character)
    return literal


def _operands(printed: str, position: int) -> Iterator[str]:
    """The names of the operands behind an asm's text; what is clobbered has no parentheses."""
    while match := _OPERAND.match(printed, position):
        if match[3] is None:
            return
        yield match[1] or ""
        position = _behind(printed, match.end())


def _behind(printed: str, position: int) -> int:
    """Where the parenthesis ends that was opened before `position`."""
    depth = 1
    for match in _QUOTED.finditer(printed, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(printed)


def pair_with_syntax(texts: list[AsmText], root: SyntaxNode) -> dict[int, AsmText]:
    """The text of each asm statement below a node, by the statement's key."""
    statements: dict[int, SyntaxNode] = {}
    _collect(root, statements)
    nodes = list(statements.values())
    if len(nodes) == len(texts):
        return {node.key: text for node, text in zip(nodes, texts, strict=True)}
    paired: dict[int, AsmText] = {}
    for text in texts:
        for node in nodes:
            if node.key not in paired and len(_expressions(node)) == len(text.operands):
                paired[node.key] = text
                break
    return paired


def _collect(node: SyntaxNode, found: dict[int, SyntaxNode]) -> None:
    if node.kind == kinds.ASM:
        found.setdefault(node.key, node)
    for kid in node.kids:
        _collect(kid, found)


def _expressions(node: SyntaxNode) -> list[SyntaxNode]:
    return [kid for kid in node.kids if kid.kind in kinds.EXPRESSIONS]


def record_named_calls(
    reader: "Reader", node: SyntaxNode, operands: list[SyntaxNode], values: list[Values]
) -> None:
    """Record the calls that an asm statement's text makes."""
    context = reader.context
    text = context.asm_texts.get(node.key)
    if text is None or context.function is None:
        return
    own = set(_LABEL.findall(text.template))
    seen: set[Value] = set()
    for match in _CALL.finditer(text.template):
        target = _target(match[3], text, operands, values, context)
        if match[2]:
            target = _pointed(target)
        elif isinstance(target, FunctionId):
            target = None if target.name in own else Symbol(target)
        if isinstance(target, Symbol | Load) and target not in seen:
            seen.add(target)
            _record(context, node, target)


def find_called_operands(text: AsmText | None, values: list[Values]) -> set[FunctionId]:
    """The functions among an asm's operands that its text calls: nothing holds them afterwards."""
    if text is None or not _CALL.search(text.template):
        return set()
    return {value for choice in values for value in choice if isinstance(value, FunctionId)}


def _target(written: str, text: AsmText, operands: list[SyntaxNode], values: list[Values],
            context: DefinitionContext) -> Value | None:
    """What an instruction's operand is: a function, or the value of an operand of the asm."""
    parts: list[str] = []
    end = 0
    for match in _REFERENCE.finditer(written):
        position = int(match[2]) if match[2] else _position(match[3], text)
        if match[1] == "l" or not 0 <= position < len(operands):
            return None
        whole = match[0] == written
        if whole and values[position] and not isinstance(values[position][0], Constant):
            return values[position][0]
        number = evaluate_integer(operands[position].cursor)
        if number is None:
            return None
        parts += [written[end:match.start()], str(number)]
        end = match.end()
    name = "".join([*parts, written[end:]]).partition("@")[0]  # f@PLT
    if not _NAME.fullmatch(name):
        return None
    return FunctionId(name, "", context.unit.identities.image)


def _position(name: str, text: AsmText) -> int:
    return text.operands.index(name) if name in text.operands else -1


def _pointed(value: Value | None) -> Value | None:
    """What `call *operand` goes through: what the operand holds, or what it is the address of."""
    return Load(value.place) if isinstance(value, Address) else value


def _record(context: DefinitionContext, node: SyntaxNode, target: Symbol | Load) -> None:
    assert context.function is not None
    sources = context.unit.sources
    found = C.clang_getCursorExtent(node.cursor)
    extent = sources.locate_range(found)
    index = -1
    expression = "*"
    if isinstance(target, Symbol):
        expression = target.function.name
    else:
        index = context.indirect
        context.indirect += 1
    context.calls.append(CallSite(
        caller=context.function, location=extent.start, extent=extent,
        ordinal=context.take_ordinal(extent.start), target=target, expression=expression,
        macro=sources.find_hiding_macro(start_of(found), "asm"), arguments=UNKNOWN_ARGUMENTS,
        guards=tuple(context.guards), index=index))
