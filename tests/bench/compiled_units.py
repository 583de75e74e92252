"""Units compiled by gcc with their own commands, so that every call that is written stays a call.

Owns the commands and what has to be changed in them. Knows nothing of the graph.
"""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.build.compile_commands import CompileCommand
from kgraph.build.dry_run import iter_compile_commands
from kgraph.model.units import TranslationUnit
from tests.bench.machine_calls import (
    MachineCall,
    function_symbols,
    inlined,
    machine_calls,
    plain_name,
)

_ERROR_ATTRIBUTE = re.compile(r"__attribute__\(\(error\([^()]*\)\)\)")


@dataclass(slots=True)
class Compiled:
    """What came of one unit: the calls of its object, the functions in it, and which of them its
    functions have as code of their own (caller, inlined function)."""

    unit: TranslationUnit
    calls: list[MachineCall] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    inlined: set[tuple[str, str]] = field(default_factory=set)
    failed: str = ""


def commands_by_object(work: Path, tree: Path) -> dict[str, CompileCommand]:
    """The compile commands of the dry run that the index was made by, by object."""
    text = (work / "log" / "dry-run.log").read_text(encoding="utf-8", errors="replace")
    text = text.replace("\\\n", " ").replace(str(work / "shadow"), str(tree))
    return {
        os.path.normpath(command.object).replace("/.tmp_", "/"): command
        for command in iter_compile_commands(text)
    }


def compile_unit(unit: TranslationUnit, command: CompileCommand, build: Path, folder: Path
                 ) -> Compiled:
    """Compile a unit into `folder` and read its object. Functions whose call is an error by their
    attribute stand for assertions that need inlining: without it they are plain calls."""
    stem = folder / unit.object.replace("/", "+")
    arguments = [word for word in command.arguments if not word.startswith("-Wp,-MD")]
    words = ["gcc", *arguments, "-w", "-fno-inline", "-fno-optimize-sibling-calls", "-g"]
    source, made = stem.with_suffix(".i"), stem.with_suffix(".o")
    done = subprocess.run([*words, "-E", "-o", str(source), command.source], cwd=build,
                          capture_output=True, check=False)
    if done.returncode == 0:
        text = source.read_text(encoding="utf-8", errors="surrogateescape")
        source.write_text(_ERROR_ATTRIBUTE.sub("", text), encoding="utf-8",
                          errors="surrogateescape")
        bare = _without_preprocessing(words)
        done = subprocess.run([*bare, "-fpreprocessed", "-c", "-o", str(made), str(source)],
                              cwd=build, capture_output=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.decode("utf-8", "replace").splitlines()
                  if "error" in line.lower()]
        return Compiled(unit, failed=(errors or ["gcc failed"])[0])
    found = Compiled(unit, machine_calls(made, real_mode="-m16" in words))
    found.functions = {plain_name(name) for name in function_symbols(made).values()}
    found.inlined = inlined(made)
    source.unlink()
    made.unlink()
    return found


def _without_preprocessing(words: list[str]) -> list[str]:
    kept = []
    remaining = iter(words)
    for word in remaining:
        if word in ("-include", "-isystem"):
            next(remaining)
        elif not word.startswith(("-D", "-I", "-Wp,")):
            kept.append(word)
    return kept
