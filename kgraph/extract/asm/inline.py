"""Reads inline assembler: the functions that its text calls by name, and the values that it moves.

libclang shows the operands of an asm statement, but not its text; a definition as clang prints it
holds both. The asm statements of the printed text are those of the syntax tree, in the same order.
Only definitions whose text calls or jumps are looked at. A name may contain operands:
`call __put_user_%P2` has a size, `call %P[old]` a function.

Limits: where the statements of text and tree cannot be paired (asm inside sizeof), a text is paired
with the first statement that has as many operands. Calls through registers are not seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, get_start
from kgraph.extract.clang.tree import SyntaxNode, get_operands
from kgraph.extract.definition_context import AsmText, DefinitionContext, Values, WrittenCall
from kgraph.extract.reader import Reader, statement_rule
from kgraph.model.ids import FunctionId
from kgraph.model.values import Address, Constant, Load, Opaque, Symbol, TransferKind, Value

CALL_INSTRUCTIONS = (
    "call", "callq", "calll", "jmp", "jmpq", "bl", "blx", "brasl", "jal", "tail", "b",
)
"""Instructions that call, or that end a function in another (x86, arm, s390, mips, riscv)."""
UNKNOWN_ARGUMENTS = ((Opaque("assembler passes it"),),) * 6
"""The arguments of a call from assembler: as many as there are registers for them."""

_STRING = r'"((?:[^"\\]|\\.)*)"'
_ASM = re.compile(r"\b(?:asm|__asm)(?: volatile| goto| inline)* \(" + _STRING)
_OPERAND = re.compile(r"[ :,]*(?:\[(\w+)\] )?" + _STRING + r"( \()?")
_QUOTED = re.compile(_STRING + r"|'(?:[^'\\]|\\.)*'|[()]")
_CALL = re.compile(r"(?:^|[\s;:|])(" + "|".join(CALL_INSTRUCTIONS) + r")[ \t]+(\*?)([^\s;,|]+)")
_REFERENCE = re.compile(r"%([a-zA-Z]?)(?:(\d+)|\[(\w+)\])")
_NAME = re.compile(r"[A-Za-z_]\w*")
_LABEL = re.compile(r"(?:^|[\s;])([A-Za-z_]\w*):")


# ---- asm statements in the text of a definition


def parse_asm_statements(printed: str) -> list[AsmText]:
    """The asm statements of a printed definition, in order."""
    if "asm" not in printed:
        return []
    return [AsmText(_unescape(match[1]), tuple(_iter_operand_names(printed, match.end())))
            for match in _ASM.finditer(printed)]


def parse_asm_calls(printed: str) -> list[AsmText]:
    """The asm statements of a printed definition, [] if none of them calls anything."""
    found = parse_asm_statements(printed)
    return found if any(_CALL.search(text.template) for text in found) else []


def _unescape(literal: str) -> str:
    """The text of a C string literal, as far as assembler needs it."""
    for escape, character in (("\\n", "\n"), ("\\t", "\t"), ('\\"', '"'), ("\\\\", "\\")):
        literal = literal.replace(escape, character)
    return literal


def _iter_operand_names(printed: str, position: int) -> Iterator[str]:
    """The names of the operands after an asm template. Clobbers have no parentheses."""
    while match := _OPERAND.match(printed, position):
        if match[3] is None:
            return
        yield match[1] or ""
        position = _find_closing(printed, match.end())


def _find_closing(printed: str, position: int) -> int:
    """The end of the parenthesis that was opened before `position`."""
    depth = 1
    for match in _QUOTED.finditer(printed, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(printed)


def pair_with_syntax(texts: list[AsmText], root: SyntaxNode) -> dict[int, AsmText]:
    """The text of each asm statement below a node, by the statement's node key."""
    statements: dict[int, SyntaxNode] = {}
    _collect_statements(root, statements)
    nodes = list(statements.values())
    if len(nodes) == len(texts):
        return {node.key: text for node, text in zip(nodes, texts, strict=True)}
    paired: dict[int, AsmText] = {}
    for text in texts:
        for node in nodes:
            if node.key not in paired and len(get_operands(node)) == len(text.operands):
                paired[node.key] = text
                break
    return paired


def _collect_statements(node: SyntaxNode, found: dict[int, SyntaxNode]) -> None:
    if node.kind == kinds.ASM:
        found.setdefault(node.key, node)
    for child in node.children:
        _collect_statements(child, found)


# ---- one asm statement


@dataclass(frozen=True, slots=True)
class _InlineAsm:
    """An asm statement: its node, its operands and their values, and its text if that calls."""

    node: SyntaxNode
    operands: list[SyntaxNode]
    values: list[Values]
    text: AsmText | None


@statement_rule(kinds.ASM)
def _read_asm(reader: Reader, node: SyntaxNode) -> Values:
    """Record the calls of an asm statement and what it moves.

    It may move any operand into any other (xchg, cmpxchg, this_cpu_read, and moves that only hide
    a value from the compiler do); libclang does not tell which.
    """
    context = reader.context
    operands = get_operands(node)
    values = [reader.read_values(operand) for operand in operands]
    asm = _InlineAsm(node, operands, values, context.asm_texts.get(node.key))
    if asm.text is not None and context.function is not None:
        _record_calls(context, asm, asm.text)
    if len(operands) > 1 and any(
            reader.types.of(operand.cursor).can_lead_to_function for operand in operands):
        _record_moves(context, asm)
    return ()


def _record_moves(context: DefinitionContext, asm: _InlineAsm) -> None:
    called = _find_called_operands(asm)
    location = context.locate(asm.node)
    for target in asm.values:
        for place in (value.place for value in target if isinstance(value, Load)):
            for source in asm.values:
                if source is not target:
                    kept = tuple(value for value in source if value not in called)
                    context.assign(place, kept, location, TransferKind.ASSIGNMENT)


def _find_called_operands(asm: _InlineAsm) -> set[FunctionId]:
    """The functions among the operands, if the text calls them: then nothing holds them later."""
    if asm.text is None or not _CALL.search(asm.text.template):
        return set()
    return {value for choice in asm.values for value in choice if isinstance(value, FunctionId)}


def _record_calls(context: DefinitionContext, asm: _InlineAsm, text: AsmText) -> None:
    own_labels = set(_LABEL.findall(text.template))
    seen: set[Value] = set()
    for match in _CALL.finditer(text.template):
        target = _find_target(context, asm, text, match[3])
        if match[2]:  # call *operand: through what it holds, or what it is the address of
            target = Load(target.place) if isinstance(target, Address) else target
        elif isinstance(target, FunctionId):
            target = None if target.name in own_labels else Symbol(target)
        if isinstance(target, Symbol | Load) and target not in seen:
            seen.add(target)
            _record_call(context, asm.node, target)


def _find_target(
    context: DefinitionContext, asm: _InlineAsm, text: AsmText, written: str
) -> Value | None:
    """What an instruction calls as `written`: a function, or the value of an asm operand."""
    parts: list[str] = []
    end = 0
    for match in _REFERENCE.finditer(written):
        position = int(match[2]) if match[2] else _find_operand(text, match[3])
        if match[1] == "l" or not 0 <= position < len(asm.operands):
            return None
        values = asm.values[position]
        if match[0] == written and values and not isinstance(values[0], Constant):
            return values[0]
        number = evaluate_integer(asm.operands[position].cursor)
        if number is None:
            return None
        parts += [written[end:match.start()], str(number)]
        end = match.end()
    name = "".join([*parts, written[end:]]).partition("@")[0]  # f@PLT
    if not _NAME.fullmatch(name):
        return None
    return FunctionId(name, "", context.unit.identities.image)


def _find_operand(text: AsmText, name: str) -> int:
    return text.operands.index(name) if name in text.operands else -1


def _record_call(context: DefinitionContext, node: SyntaxNode, target: Symbol | Load) -> None:
    sources = context.unit.sources
    extent = C.clang_getCursorExtent(node.cursor)
    written = WrittenCall(
        sources.locate_range(extent),
        target.function.name if isinstance(target, Symbol) else "*",
        sources.find_hiding_macro(get_start(extent), "asm"))
    context.add_call(written, target, UNKNOWN_ARGUMENTS)
