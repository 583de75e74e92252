"""Parse shell text into compile commands, from make's output or a compile_commands.json.

Owns the quoting rules, and what counts as a compile command: a compiler, -c, one source, one
object. A dry run is ten megabytes, so all scanning is done by regular expressions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = r"""'[^']*'|"(?:\\.|[^"\\])*"|\\."""
# A shell command ends at an unquoted ; & | or newline. Parentheses and braces count as words.
_COMMAND = re.compile(rf"(?:[^;&|\n'\"\\]+|{_QUOTED})+", re.DOTALL)
_WORD = re.compile(rf"(?:[^\s'\"\\]+|{_QUOTED})+", re.DOTALL)
_PIECE = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)""", re.DOTALL)
_ESCAPED = re.compile(r"""\\(["\\])""")  # what a backslash quotes between double quotes
_COMPILER = re.compile(
    r"(?:.*/)?(?:([\w.]+-[\w.-]+)-)?(?:gcc|cc|clang|g\+\+|clang\+\+)(?:-[\d.]+)?"
)
_WITH_VALUE = frozenset(  # flags whose value is the next word, which may look like a source
    {"-include", "-imacros", "-D", "-U", "-I", "-isystem", "-idirafter", "-iquote", "-MF", "-MT"}
    | {"-MQ", "-Xclang", "-Xassembler", "-Xpreprocessor", "-B", "-dumpbase", "-aux-info"}
)
_LAUNCHERS = frozenset({"ccache", "distcc", "sccache", "icecc"})


@dataclass(frozen=True, slots=True)
class CompileCommand:
    """A command that compiles one source to one object, both as written in the command.

    `arguments` is everything after the compiler's name except -c, -o, the object and the source.
    """

    source: str
    object: str
    arguments: tuple[str, ...]


def split_commands(text: str) -> Iterator[str]:
    """Yield the simple commands of shell text, in order."""
    for match in _COMMAND.finditer(text.replace("\\\n", " ")):
        command = match.group().strip()
        if command:
            yield command


def split_words(command: str) -> list[str]:
    """The words of one simple command, unquoted. An unclosed quote is taken literally."""
    return [_unquote(word) for word in _WORD.findall(command)]


def parse_compile_command(words: list[str]) -> CompileCommand | None:
    """Parse the words of a command; None if it does not compile (a link ...)."""
    words = strip_launcher(words)
    if not words or not _COMPILER.fullmatch(words[0]):
        return None
    return parse_compile_arguments([*find_target_flag(words[0]), *words[1:]])


def strip_launcher(words: list[str]) -> list[str]:
    """The words without a compiler cache or distributor in front."""
    if words and words[0].rsplit("/", 1)[-1] in _LAUNCHERS:
        return words[1:]
    return words


def find_target_flag(compiler: str) -> list[str]:
    """The target flag that a cross compiler's name implies: aarch64-linux-gnu-gcc."""
    match = _COMPILER.fullmatch(compiler)
    return [f"--target={match.group(1)}"] if match and match.group(1) else []


def parse_compile_arguments(words: list[str], source: str = "") -> CompileCommand | None:
    """Parse the words after the compiler's name, whatever that name is.

    `source` is the source file, if that is known already. None if the command does not compile.
    """
    found = target = ""
    compiles = False
    rest: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        if word == "-c":
            compiles = True
        elif word == "-o" and position + 1 < len(words):
            position += 1
            target = words[position]
        elif word.startswith("-o") and len(word) > 2:
            target = word[2:]
        elif word.endswith((".c", ".S", ".s")) and not _is_option_value(rest, word):
            found = word
        else:
            rest.append(word)
        position += 1
    source = source or found
    if not compiles or not source:
        return None
    return CompileCommand(source, target or source.rsplit(".", 1)[0] + ".o", tuple(rest))


def _is_option_value(before: list[str], word: str) -> bool:
    """Whether `word` is an option or the value of the one before it, and so no source."""
    return word.startswith("-") or (bool(before) and before[-1] in _WITH_VALUE)


def _unquote(word: str) -> str:
    if "'" not in word and '"' not in word and "\\" not in word:
        return word
    return _PIECE.sub(_unquote_piece, word)


def _unquote_piece(piece: re.Match[str]) -> str:
    """The text that a quoted piece of a word stands for."""
    single, double, escaped = piece.groups()
    if double is not None:
        return _ESCAPED.sub(r"\1", double)
    return single if single is not None else escaped


KERNEL_DEFINE = "-D__KERNEL__"
