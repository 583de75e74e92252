"""Reads inline assembler: the functions that its text calls by name, and the values that it moves.

libclang shows the operands of an asm statement, but neither its text nor their constraints; a
definition as clang prints it holds all of these. The asm statements of the printed text are those
of the syntax tree, in the same order. A name may contain operands: `call __put_user_%P2` has a
size, `call %P[old]` a function.

What an input holds may come into every output, because instructions are not followed. But only
what can hold a pointer counts, a text without instructions moves nothing but from an input into the
output that has the same register, and an operand that is only called is moved nowhere.

Limits: where the statements of text and tree cannot be paired (asm inside sizeof), a text is paired
with the first statement that has as many operands. Calls through registers are not seen, nor what
is written through a register that holds an address.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, get_start
from kgraph.extract.clang.tree import SyntaxNode, get_operands
from kgraph.extract.definition_context import (
    AsmOperand,
    AsmText,
    DefinitionContext,
    Values,
    WrittenCall,
)
from kgraph.extract.reader import Reader, statement_rule
from kgraph.extract.types import TypeInfo
from kgraph.model.ids import FunctionId
from kgraph.model.values import Address, Constant, Load, Opaque, Symbol, TransferKind, Value

CALL_INSTRUCTIONS = (
    "call", "callq", "calll", "jmp", "jmpq", "bl", "blx", "brasl", "jal", "tail", "b",
)
"""Instructions that call, or that end a function in another (x86, arm, s390, mips, riscv)."""
UNKNOWN_ARGUMENTS = ((Opaque("assembler passes it"),),) * 6
"""The arguments of a call from assembler: as many as there are registers for them."""
THROUGH_REGISTER = Opaque("assembler calls through a register or the stack")
"""What a call through something else than a name calls."""

_STRING = r'"((?:[^"\\]|\\.)*)"'
_ASM = re.compile(r"\b(?:asm|__asm)(?: volatile| goto| inline)* \(" + _STRING)
_OPERAND = re.compile(r"([ :,]*)(?:\[(\w+)\] )?" + _STRING + r"( \()?")
_QUOTED = re.compile(_STRING + r"|'(?:[^'\\]|\\.)*'|[()]")
_CALL = re.compile(r"(?:^|[\s;:|])(" + "|".join(CALL_INSTRUCTIONS) + r")[ \t]+(\*?)([^\s;,|]+)")
_REFERENCE = re.compile(r"%([a-zA-Z]?)(?:(\d+)|\[(\w+)\])")
_NAME = re.compile(r"[A-Za-z_]\w*")
_MEMORY = frozenset("moV")  # letters of constraints that allow an operand in memory
_LABEL = re.compile(r"(?:^|[\s;])([A-Za-z_]\w*):")


# ---- asm statements in the text of a definition


class PrintedAsm:
    """The texts of the asm statements below a node, which are found once one is asked for.

    `printed` is the definition as clang prints it.
    """

    def __init__(self, printed: str, root: SyntaxNode) -> None:
        self._printed = printed
        self._root = root
        self._texts: dict[int, AsmText] | None = None

    def find_text(self, key: int) -> AsmText | None:
        """The text of the statement with this node key."""
        if self._texts is None:
            self._texts = _pair_with_syntax(parse_asm_statements(self._printed), self._root)
        return self._texts.get(key)


def parse_asm_statements(printed: str) -> list[AsmText]:
    """The asm statements of a printed definition, in order."""
    if "asm" not in printed:
        return []
    return [_parse_statement(printed, match) for match in _ASM.finditer(printed)]


def _parse_statement(printed: str, match: re.Match[str]) -> AsmText:
    operands: list[AsmOperand] = []
    clobbers: list[str] = []
    colons, position = 0, match.end()
    while part := _OPERAND.match(printed, position):
        colons += part[1].count(":")
        if part[4] is None:  # clobbers have no parentheses
            clobbers.append(part[3])
            position = part.end()
        else:
            operands.append(AsmOperand(part[2] or "", part[3], is_output=colons == 1))
            position = _find_closing(printed, part.end())
    return AsmText(_unescape(match[1]), tuple(operands), "memory" in clobbers)


def _unescape(literal: str) -> str:
    """The text of a C string literal, as far as assembler needs it."""
    for escape, character in (("\\n", "\n"), ("\\t", "\t"), ('\\"', '"'), ("\\\\", "\\")):
        literal = literal.replace(escape, character)
    return literal


def _find_closing(printed: str, position: int) -> int:
    """The end of the parenthesis that was opened before `position`."""
    depth = 1
    for match in _QUOTED.finditer(printed, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(printed)


def _pair_with_syntax(texts: list[AsmText], root: SyntaxNode) -> dict[int, AsmText]:
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
    """An asm statement: its node, its operands and their values, and its text if that is known."""

    node: SyntaxNode
    operands: list[SyntaxNode]
    values: list[Values]
    text: AsmText | None


@statement_rule(kinds.ASM)
def _read_asm(reader: Reader, node: SyntaxNode) -> Values:
    """Record the calls of an asm statement and what it moves."""
    context = reader.context
    operands = get_operands(node)
    values = [reader.read_values(operand) for operand in operands]
    asm = _InlineAsm(node, operands, values, context.find_asm_text(node.key))
    if asm.text is not None and context.function is not None:
        _record_calls(context, asm, asm.text)
    if len(operands) > 1 and any(
            reader.types.of(operand.cursor).can_lead_to_function for operand in operands):
        _record_moves(reader, asm)
    return ()


def _record_moves(reader: Reader, asm: _InlineAsm) -> None:
    """Record what the outputs of an asm statement may get."""
    context, text = reader.context, asm.text
    labels = sum(operand.kind == kinds.LABEL_ADDRESS for operand in asm.operands)
    if text is not None and len(text.operands) + labels != len(asm.operands):
        text = None  # not the text of this statement
    location = context.locate(asm.node)
    called = _find_called_functions(asm)
    idle = _find_idle_operands(asm)
    moved = [number for number, operand in enumerate(asm.operands)
             if number not in idle and _can_hold_pointer(reader.types.of(operand.cursor))]
    for target in moved:
        if text is not None and not _can_be_written(text, target):
            continue
        kept: Values = ()
        for source in moved:
            if source != target and (text is None or _can_be_moved(text, source, target)):
                kept += tuple(value for value in asm.values[source] if value not in called)
        for value in asm.values[target]:
            if isinstance(value, Load):
                context.assign(value.place, kept, location, TransferKind.ASSIGNMENT)


def _can_hold_pointer(type_: TypeInfo) -> bool:
    """Whether a pointer fits into an operand. Code keeps none in a number other than a long."""
    return not type_.is_number or type_.kind in kinds.T_WORD


def _can_be_written(text: AsmText, position: int) -> bool:
    """Whether an asm statement may write to an operand.

    That is an output, or an input in memory if the text may write memory that it does not name.
    """
    if position >= len(text.operands):
        return False
    operand = text.operands[position]
    return operand.is_output or (
        text.writes_memory and not _MEMORY.isdisjoint(operand.constraint))


def _can_be_moved(text: AsmText, source: int, target: int) -> bool:
    """Whether an asm statement may read one operand and write it to the other."""
    if source >= len(text.operands):
        return False
    operand = text.operands[source]
    if operand.is_output and operand.constraint.startswith("=") and (
            _MEMORY.isdisjoint(operand.constraint)):
        return False
    return bool(text.template.strip()) or _is_tied(text, source, target)


def _is_tied(text: AsmText, source: int, target: int) -> bool:
    """Whether an input stands in the register of an output."""
    constraint = text.operands[source].constraint
    return constraint in (str(target), f"[{text.operands[target].name}]")


def _find_idle_operands(asm: _InlineAsm) -> set[int]:
    """The operands that the text calls and names nowhere else: it moves nothing to or from them."""
    if asm.text is None:
        return set()
    named: Counter[int] = Counter(_iter_references(asm.text, asm.text.template))
    called: Counter[int] = Counter(
        number for match in _CALL.finditer(asm.text.template)
        for number in _iter_references(asm.text, match[3]))
    return {number for number, times in called.items() if times == named[number]}


def _iter_references(text: AsmText, part: str) -> Iterator[int]:
    """The operands that a part of a text names."""
    for match in _REFERENCE.finditer(part):
        yield int(match[2]) if match[2] else _find_operand(text, match[3])


def _find_called_functions(asm: _InlineAsm) -> set[FunctionId]:
    """The functions among the operands, if the text calls them: then nothing holds them later."""
    if asm.text is None or not _CALL.search(asm.text.template):
        return set()
    return {value for choice in asm.values for value in choice if isinstance(value, FunctionId)}


def _record_calls(context: DefinitionContext, asm: _InlineAsm, text: AsmText) -> None:
    own_labels = set(_LABEL.findall(text.template))
    seen: set[Value] = set()
    for match in _CALL.finditer(text.template):
        target = _find_target(context, asm, text, match[3])
        if isinstance(target, FunctionId):
            is_label = target.name in own_labels and not match[2]
            target = None if is_label else Symbol(target)
        elif match[2]:  # call *operand: through what it holds, or what it is the address of
            target = (
                Load(target.place) if isinstance(target, Load | Address) else THROUGH_REGISTER)
        if isinstance(target, Symbol | Load | Opaque) and target not in seen:
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
    names = [operand.name for operand in text.operands]
    return names.index(name) if name in names else -1


def _record_call(
    context: DefinitionContext, node: SyntaxNode, target: Symbol | Load | Opaque
) -> None:
    sources = context.unit.sources
    extent = C.clang_getCursorExtent(node.cursor)
    written = WrittenCall(
        sources.locate_range(extent),
        target.function.name if isinstance(target, Symbol) else "*",
        sources.find_hiding_macro(get_start(extent), "asm"))
    context.add_call(written, target, UNKNOWN_ARGUMENTS)
