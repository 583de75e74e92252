"""Translate the compiler flags of a build into arguments for libclang, with absolute paths.

Owns the tables of what is kept and why. Everything else is dropped: libclang reports an unknown
flag as an error, and a flag that loads code or reads arguments from a file is never wanted.
What libclang 18 accepts was measured over the flags of Linux 4.6 and 6.1.

Builtin headers (stdarg.h, stddef.h ...): the libclang wheel has none, and a list from another
machine names gcc's folder there. kgraph always uses its own (include/ beside this file), so
facts do not depend on the compiler that happens to be installed.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kgraph.textfile import is_file, is_there

BUILTIN_HEADERS = Path(__file__).parent / "include"
# -w: only errors mean that a unit was not understood. --no-default-config: clang would look for
# files with more flags in the current folder, which may be in a hostile tree.
_LAST_FLAGS = ("-isystem", str(BUILTIN_HEADERS), "-w", "--no-default-config")
# Flags that are kept as they are, and what they change in the sources.
_KEPT: tuple[tuple[str, str], ...] = (
    (r"-[DU].+", "macros"),
    (r"-std=[\w:.+-]+", "gnu89 inline, C11 anonymous members"),
    (r"-ansi|-undef|-nostdinc", "predefined macros, where headers are searched"),
    (r"-O([0-3sgz]|fast)?", "__OPTIMIZE__ is tested by compiletime assertions"),
    (r"-m(16|32|64)", "sizes of types, __x86_64__ and __i386__"),
    (r"-m(no-)?(sse|mmx|avx|3dnow|fma|aes|bmi)[\w.]*", "__SSE__ and others guard code"),
    (r"-m(no-)?80387|-m(soft|hard)-float", "floating point"),
    (r"-march=(?!native)[\w.+-]+", "macros of the processor"),
    (r"-mcmodel=\w+", "__code_model_kernel__"),
    (r"-mno-red-zone|-mregparm=\d", "calling convention attributes"),
    # lp64 is gcc's name for what clang does on arm64 and riscv anyway; for arm64 clang refuses it.
    (r"-m(little|big)-endian|-mabi=(?!lp64$)[\w-]+|-mgeneral-regs-only", "arm64 and others"),
    (r"--target=[\w.+-]+", "the machine compiled for"),
    (r"-f(no-)?(pie|PIE|pic|PIC)", "__PIC__ and __PIE__ guard code"),
    (r"-f(no-)?(short-wchar|short-enums|signed-char|unsigned-char)", "types"),
    (r"-f(no-)?(ms-extensions|ms-anonymous-structs|plan9-extensions)",
     "anonymous struct members by tag"),
    (r"-f(no-)?(builtin|freestanding|gnu89-inline|common)(-[\w-]+)?", "what a name means"),
)
# Clang 18 does not know -fplan9-extensions, nor what kernels since 7.0 use where clang 23 is; its
# -fms-extensions accepts the same sources.
_RENAMED = {"-fplan9-extensions": "-fms-extensions", "-fms-anonymous-structs": "-fms-extensions",
            "-mno-80387": "-mno-x87"}
_KEEP = re.compile("|".join(f"(?:{pattern})" for pattern, _ in _KEPT), re.DOTALL)
# Flags that name a folder to search for headers, and flags that name a header to include first.
_FOLDER_FLAGS = ("-isystem", "-idirafter", "-iquote", "-I")
_HEADER_FLAGS = ("-include", "-imacros")
# Flags that are dropped together with their value, the next word.
_DROPPED_WITH_VALUE = frozenset(
    {"-MF", "-MT", "-MQ", "-Xclang", "-Xlinker", "-Xassembler", "-Xpreprocessor", "--param", "-x"}
    | {"-load", "-T", "-u", "-z", "-arch", "-aux-info", "-dumpbase", "-specs", "-B", "-target"}
    | {"-wrapper", "-include-pch"}
)
_SPLIT_KEPT = ("-D", "-U")
# Flags that load code into the compiler or read more flags from a file. The user gets a message.
_REFUSED = re.compile(
    r"-fplugin.*|-fpass-plugin.*|-load|-Xclang|@.*|-specs.*|-B.*|-wrapper|-include-pch", re.DOTALL)
# Kbuild puts these before every source.
_INCLUDED_FIRST = tuple(f"/include/linux/{name}.h" for name in (
    "kconfig", "compiler_types", "compiler-version"))
_COMPILERS = {"gcc", "gcc-cross", "clang"}  # folders of compilers' own headers


@dataclass(frozen=True, slots=True)
class ClangFlags:
    """The arguments for libclang, and the flags that were refused for what they would do."""

    arguments: tuple[str, ...]
    refused: tuple[str, ...]


def translate_flags(
    words: Iterable[str],
    relocate: Callable[[str], str],
    roots: Iterable[str | Path],
    find_preferred: Callable[[str], str] = lambda _folder: "",
) -> ClangFlags:
    """Translate the words of a compile command into arguments for libclang.

    `relocate` makes a path of the command absolute, on this machine. A header that a flag includes
    must be below one of `roots`, or be one that Kbuild includes first. `find_preferred` names a
    folder to search before a given one, or "": headers made outside the tree replace those of an
    in-tree build.
    """
    sorter = _FlagTranslator(relocate, tuple(str(root) for root in roots), find_preferred)
    sorter.read(list(words))
    return ClangFlags((*sorter.kept, *_LAST_FLAGS), tuple(sorter.refused))


def is_translated(arguments: Sequence[str], roots: Iterable[str | Path]) -> bool:
    """Whether arguments may be a result of translate_flags: all of them would be kept."""
    words = list(arguments)
    ends = [at for at in range(len(words)) if tuple(words[at:at + len(_LAST_FLAGS)]) == _LAST_FLAGS]
    for at in ends[-1:]:
        del words[at:at + len(_LAST_FLAGS)]
    return translate_flags(words, lambda path: path, roots).arguments == (*words, *_LAST_FLAGS)


class _FlagTranslator:
    """Goes once over the words of a command and sorts them into kept and refused."""

    def __init__(
        self, relocate: Callable[[str], str], roots: tuple[str, ...],
        find_preferred: Callable[[str], str],
    ) -> None:
        self.relocate = relocate
        self.roots = roots
        self.find_preferred = find_preferred
        self.kept: list[str] = []
        self.refused: list[str] = []
        self.searched: list[str] = []

    def read(self, words: list[str]) -> None:
        for folder in map(self.relocate, _iter_search_folders(words)):
            self.searched += filter(None, (self.find_preferred(folder), folder))
        remaining = iter(words)
        for word in remaining:
            if _REFUSED.fullmatch(word):
                self._refuse(word, remaining)
            elif flag := _find_prefix(word, _FOLDER_FLAGS):
                self._folder(flag, word[len(flag) :] or next(remaining, ""))
            elif flag := _find_prefix(word, _HEADER_FLAGS):
                self._header(flag, word[len(flag) :] or next(remaining, ""))
            elif word in _SPLIT_KEPT:
                # Without a name, the flag would take the next argument for one.
                if name := next(remaining, ""):
                    self.kept.append(word + name)
            elif word in _DROPPED_WITH_VALUE:
                next(remaining, "")
            elif _KEEP.fullmatch(word):
                self.kept.append(_RENAMED.get(word, word))

    def _refuse(self, word: str, remaining: Iterator[str]) -> None:
        value = next(remaining, "") if word in _DROPPED_WITH_VALUE else ""
        self.refused.append(f"{word} {value}".strip())

    def _folder(self, flag: str, folder: str) -> None:
        if not folder or _is_builtin(folder):
            return
        path = self.relocate(folder)
        if is_file(path):  # clang would take it for a header map
            return
        if before := self.find_preferred(path):
            self.kept += _make_folder_flag(flag, before)
        self.kept += _make_folder_flag(flag, path)

    def _header(self, flag: str, header: str) -> None:
        path = self._find_header(header) if header else ""
        is_allowed = self._inside(path) or _is_of_kernel(path)
        if path and is_allowed and (is_file(path) or not is_there(path)):
            self.kept += [flag, path]
        else:
            self.refused.append(f"{flag} {header}".strip())

    def _find_header(self, header: str) -> str:
        """Where a compiler finds a header that a flag names, or else in the folder where it runs.

        The search is not left to libclang, which might find another file of this machine.
        """
        path = self.relocate(header)
        places = [path, *(os.path.normpath(f"{folder}/{header}") for folder in self.searched)]
        return next((place for place in places if is_file(place)), path)

    def _inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        folders = (*self.roots, str(BUILTIN_HEADERS))
        return any(real.startswith(os.path.realpath(root) + os.sep) for root in folders)


def _is_of_kernel(path: str) -> bool:
    """Whether a header is one that Kbuild includes first, of whatever kernel: a module is built for
    one that is elsewhere.
    """
    top = _find_top(os.path.realpath(path))
    return bool(top) and is_file(f"{top}/Makefile") and is_there(f"{top}/include/linux")


def _find_top(header: str) -> str:
    """The top folder of the kernel whose header this is, if Kbuild includes it first; else ""."""
    return next((header.removesuffix(name) for name in _INCLUDED_FIRST if header.endswith(name)),
                "")


def find_kernel_of_flags(words: Sequence[str], directory: str) -> str:
    """The top folder of the kernel whose headers a command that runs in `directory` includes first,
    as the command names it; "" if it includes none."""
    for flag, header in pairwise(words):
        if flag == "-include" and (top := _find_top(os.path.normpath(Path(directory, header)))):
            return top
    return ""


def _iter_search_folders(words: Iterable[str]) -> Iterator[str]:
    """The folders that a compiler searches for headers, in its order; kgraph's own last."""
    remaining = iter(words)
    found: dict[str, list[str]] = {flag: [] for flag in _FOLDER_FLAGS}
    for word in remaining:
        if flag := _find_prefix(word, _FOLDER_FLAGS):
            found[flag].append(word[len(flag) :] or next(remaining, ""))
    for flag in ("-iquote", "-I", "-isystem", "-idirafter"):
        yield from (f for f in found[flag] if f and not _is_builtin(f))
    yield str(BUILTIN_HEADERS)


def _is_builtin(folder: str) -> bool:
    """Whether a folder holds a compiler's own headers, which kgraph replaces by those of clang."""
    parts = folder.removesuffix("/").split("/")
    return parts[-1] in ("include", "include-fixed") and not _COMPILERS.isdisjoint(parts[1:-1])


def _make_folder_flag(flag: str, path: str) -> list[str]:
    return [flag + path] if flag == "-I" else [flag, path]


def _find_prefix(word: str, flags: tuple[str, ...]) -> str:
    return next((flag for flag in flags if word.startswith(flag)), "")
