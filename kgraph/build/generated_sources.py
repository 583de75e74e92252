"""Make the sources that the build generates, and nothing else of the build.

A dry run names sources and headers that do not exist yet (capflags.c, vdso-image-64.c, flask.h,
crc32table.h ...) and prints the command that makes each. kgraph runs those commands, and the
commands that make what they need: a host program, the objects of the vdso. A file may be made by
several lines that append to it. One whose name does not end like that of a source counts if a
source of its folder includes it.

Limits: a command is found by the words in it, so a file whose name only a script knows is
missed; at most `_MOST_COMMANDS` commands are run.
"""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.build.compile_commands import KERNEL_DEFINE, split_commands, split_words
from kgraph.build.kbuild import PreparedBuild, lock_logs
from kgraph.build.programs import run_program
from kgraph.build.toolchain import make_environment
from kgraph.textfile import read_regular_file

_MOST_COMMANDS = 300
_SECONDS_EACH = 120
_RELATIVE_FILE = re.compile(r"(?:[\w+,-][\w.+,-]*/(?:\.\./)*)*[\w+,-][\w.+,-]*\.?[\w-]*")
_GENERATED = re.compile(r".*(?<!\.mod)\.[ch]")
_REDIRECTED = re.compile(r"(>>?)\s*([\w+,-][\w.+,/-]*/[\w.+,-]+)")
_INCLUDED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_OBJECT = re.compile(r" -o (\S+\.o)\b")
# Commands that name files and make none.
_NO_PRODUCER = frozenset({"rm", "trap", "make", "set", ":", "echo", "ar", "mkdir", "cmp", "printf"})


@dataclass(slots=True)
class _Recipes:
    """The lines of a dry run, and the files that each names.

    `first` has the first line that names a file, `appending` those that append to it. `redirected`
    are the files without a suffix that a line is written to.
    """

    lines: list[str] = field(default_factory=list)
    files: list[tuple[str, ...]] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)
    appending: dict[str, list[int]] = field(default_factory=dict)
    wanted: dict[str, None] = field(default_factory=dict)
    redirected: dict[str, None] = field(default_factory=dict)


def make_generated_sources(
    text: str, prepared: PreparedBuild, sources: Iterable[str], remark: Callable[[str], None]
) -> None:
    """Run the commands of the dry run `text` that make missing sources and headers.

    `sources` are the missing .c files of compile commands, relative to the build folder. If some
    cannot be made there is one remark and no error: a few units will have errors then.
    """
    recipes = _read_recipes(text, prepared)
    missing = [name for name in sources if name in recipes.first]
    chosen: set[int] = set()
    for name in (*missing, *recipes.wanted):
        _choose_recipes(name, recipes, prepared.build, chosen)
    failed = _run_recipes(sorted(chosen)[:_MOST_COMMANDS], recipes, prepared)
    absent = sorted(
        name
        for name in {*sources, *recipes.wanted}
        if name.endswith((".c", ".S")) and not (prepared.build / name).is_file()
    )
    if absent:
        remark(
            f"{len(absent)} generated sources could not be made ({', '.join(absent[:3])} ...); "
            f"{failed} commands failed, see {prepared.make.logs / 'generated.log'}"
        )


def _read_recipes(text: str, prepared: PreparedBuild) -> _Recipes:
    recipes, build = _Recipes(), prepared.build
    includes: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line.startswith(("make", ":")) or len(line) < 3:
            continue
        compiles = KERNEL_DEFINE in line and " -c " in line
        files = tuple(map(os.path.normpath, _OBJECT.findall(line))) if compiles else (
            _find_named_files(line))
        number = len(recipes.lines)
        recipes.lines.append(line)
        recipes.files.append(files)
        for name in files:
            recipes.first.setdefault(name, number)
            if not compiles and _GENERATED.fullmatch(name) and not (build / name).exists():
                recipes.wanted[name] = None
        if not compiles:
            _note_redirections(line, number, recipes)
    for name in recipes.redirected:
        folder, _, base = name.rpartition("/")
        if folder not in includes:
            includes[folder] = _find_includes(prepared.shadow.root / folder)
        if base in includes[folder] and not (build / name).exists():
            recipes.wanted[name] = None
    return recipes


def _note_redirections(line: str, number: int, recipes: _Recipes) -> None:
    """Note the files that a line writes its output to."""
    for operator, written in _REDIRECTED.findall(line):
        name = os.path.normpath(written)
        if operator == ">>":
            recipes.appending.setdefault(name, []).append(number)
        elif "." not in name.rpartition("/")[2]:
            recipes.redirected[name] = None


def _find_includes(folder: Path) -> set[str]:
    """The files that the sources of a folder include, as they name them."""
    found: set[str] = set()
    for source in sorted(folder.glob("*.c")):
        with contextlib.suppress(OSError):
            found.update(_INCLUDED.findall(read_regular_file(source).decode("utf-8", "replace")))
    return found


def _find_named_files(line: str) -> tuple[str, ...]:
    """The relative files that a line names in commands that may make something."""
    named: dict[str, None] = {}
    for command in split_commands(line):
        words = split_words(command)
        if words[0] in _NO_PRODUCER and ">" not in words:
            continue
        for word in words:
            # A linker script comes as -Wl,-T,arch/x86/entry/vdso/vdso.lds.
            name = word.rpartition(",")[2] if word.startswith("-Wl,") else word
            # Another option names no file that is made (-Iarch/x86/include).
            if "/" in name and not name.startswith("-") and _RELATIVE_FILE.fullmatch(name):
                named[os.path.normpath(name)] = None
    return tuple(name for name in named if not name.startswith(".."))


def _choose_recipes(name: str, recipes: _Recipes, build: Path, chosen: set[int]) -> None:
    """Add to `chosen` the line that makes `name`, and the lines that make what that one names."""
    waiting = [(name, len(recipes.lines))]
    while waiting:
        name, before = waiting.pop()
        number = recipes.first.get(name, before)
        if number >= before or number in chosen or (build / name).is_file():
            continue
        chosen.add(number)
        chosen.update(later for later in recipes.appending.get(name, ()) if later > number)
        line_files = recipes.files[number]
        # A compile line lists only its object; what it includes is wanted by name already.
        waiting += [(other, number) for other in line_files if other != name]


def _run_recipes(numbers: list[int], recipes: _Recipes, prepared: PreparedBuild) -> int:
    """Run lines in the order in which make printed them. Returns how many failed."""
    shell = shutil.which("bash") or "sh"
    variables = {
        **make_environment(),
        **prepared.toolchain.recipe_variables(),
        "AWK": "awk",
        "objtree": ".",
        "CONFIG_SHELL": shell,
        "srctree": str(prepared.shadow.root),
    }
    failed = 0
    logs = prepared.make.logs
    with lock_logs(logs) as lock, (logs / "generated.log").open("wb") as log:
        for number in numbers:
            line = recipes.lines[number]
            log.write(f"$ {line[:400]}\n".encode())
            log.flush()
            new = [
                path
                for name in recipes.files[number]
                if not (path := prepared.build / name).exists()
            ]
            for path in new:
                path.parent.mkdir(parents=True, exist_ok=True)
            if _run_line([shell, "-c", line], prepared.build, variables, log.fileno(), lock) != 0:
                failed += 1
                # Half a source would be parsed as if it were whole.
                new += [prepared.build / name
                        for name, lines in recipes.appending.items() if number in lines]
                for path in filter(Path.is_file, new):
                    path.unlink()
    return failed


def _run_line(
    command: list[str], folder: Path, variables: dict[str, str], log: int, lock: int
) -> int:
    try:
        return run_program(
            command, timeout=_SECONDS_EACH, cwd=folder, env=variables, stdout=log,
            stderr=subprocess.STDOUT, pass_fds=(lock,))
    except subprocess.TimeoutExpired:
        return -1
