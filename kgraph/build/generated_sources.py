"""Make the sources that the build generates, and nothing else of the build.

A dry run names sources and headers that do not exist yet (capflags.c, vdso-image-64.c, flask.h,
crc32table.h ...) and prints the command that makes each. kgraph runs those commands, and the
commands that make what they need: a host program, the objects of the vdso.

Limits: a command is found by the words in it, so a file whose name only a script knows is
missed; at most `_MOST_COMMANDS` commands are run.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.build.compile_commands import KERNEL_DEFINE, split_commands, split_words
from kgraph.build.kbuild import PreparedBuild, lock_logs
from kgraph.build.toolchain import COMPILER, make_environment

_MOST_COMMANDS = 300
_SECONDS_EACH = 120
_RELATIVE_FILE = re.compile(r"(?:[\w+,-][\w.+,-]*/)*[\w+,-][\w.+,-]*\.?[\w-]*")
_GENERATED = re.compile(r".*(?<!\.mod)\.[ch]")
_OBJECT = re.compile(r" -o (\S+\.o)\b")
# Variables that Kbuild exports and recipes read.
_TOOL_VARIABLES = {
    "CC": COMPILER,
    "LD": "ld",
    "NM": "nm",
    "OBJCOPY": "objcopy",
    "OBJDUMP": "objdump",
    "AWK": "awk",
    "objtree": ".",
}
# Commands that name files and make none.
_NO_PRODUCER = frozenset({"rm", "trap", "make", "set", ":", "echo", "ar", "mkdir", "cmp", "printf"})


@dataclass(slots=True)
class _Recipes:
    """The lines of a dry run, and the files that each names."""

    lines: list[str] = field(default_factory=list)
    files: list[tuple[str, ...]] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, None] = field(default_factory=dict)


def make_generated_sources(
    text: str, prepared: PreparedBuild, sources: Iterable[str], remark: Callable[[str], None]
) -> None:
    """Run the commands of the dry run `text` that make missing sources and headers.

    `sources` are the missing .c files of compile commands, relative to the build folder. If some
    cannot be made there is one remark and no error: a few units will have errors then.
    """
    recipes = _read_recipes(text, prepared.build)
    missing = [name for name in sources if name in recipes.first]
    chosen: set[int] = set()
    for name in (*missing, *recipes.wanted):
        _choose_recipes(name, recipes, prepared.build, chosen)
    failed = _run_recipes(sorted(chosen)[:_MOST_COMMANDS], recipes, prepared)
    absent = sorted(
        name
        for name in {*sources, *recipes.wanted}
        if name.endswith(".c") and not (prepared.build / name).is_file()
    )
    if absent:
        remark(
            f"{len(absent)} generated sources could not be made ({', '.join(absent[:3])} ...); "
            f"{failed} commands failed, see {prepared.make.logs / 'generated.log'}"
        )


def _read_recipes(text: str, build: Path) -> _Recipes:
    recipes = _Recipes()
    for line in text.splitlines():
        if line.startswith(("make", ":")) or len(line) < 3:
            continue
        compiles = KERNEL_DEFINE in line and " -c " in line
        files = tuple(_OBJECT.findall(line)) if compiles else _find_named_files(line)
        number = len(recipes.lines)
        recipes.lines.append(line)
        recipes.files.append(files)
        for name in files:
            recipes.first.setdefault(name, number)
            if not compiles and _GENERATED.fullmatch(name) and not (build / name).exists():
                recipes.wanted[name] = None
    return recipes


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
            if "/" in name and _RELATIVE_FILE.fullmatch(name):
                named[os.path.normpath(name)] = None
    return tuple(named)


def _choose_recipes(name: str, recipes: _Recipes, build: Path, chosen: set[int]) -> None:
    """Add to `chosen` the line that makes `name`, and the lines that make what that one names."""
    waiting = [(name, len(recipes.lines))]
    while waiting:
        name, before = waiting.pop()
        number = recipes.first.get(name, before)
        if number >= before or number in chosen or (build / name).is_file():
            continue
        chosen.add(number)
        line_files = recipes.files[number]
        # A compile line lists only its object; what it includes is wanted by name already.
        waiting += [(other, number) for other in line_files if other != name]


def _run_recipes(numbers: list[int], recipes: _Recipes, prepared: PreparedBuild) -> int:
    """Run lines in the order in which make printed them. Returns how many failed."""
    shell = shutil.which("bash") or "sh"
    variables = {
        **make_environment(),
        **_TOOL_VARIABLES,
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
                for path in filter(Path.is_file, new):
                    path.unlink()
    return failed


def _run_line(
    command: list[str], folder: Path, variables: dict[str, str], log: int, lock: int
) -> int:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS_EACH,
            check=False,
            pass_fds=(lock,),
        ).returncode
    except subprocess.TimeoutExpired:
        return -1
