"""The direct edges of an index beside the call instructions of the compiler's objects.

    python tests/bench/objects.py TREE [--index FILE] [--units N] [--seed N] [--jobs N] [--list FILE]

Units drawn by the seed from the whole configuration are compiled by gcc with their own commands and
`-fno-inline -fno-optimize-sibling-calls -g`. Each call instruction has to be an edge from the
function that it was written in (functions that are always inlined are told by the debugging
information) to the function that it calls. The other way round, each direct edge from a function
that an object holds has to be a call in it, but for what the compiler drops: both are listed.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from machine_calls import MachineCall, function_symbols, inlined, machine_calls, plain_name

from kgraph.kernel import configuration_of, open_tree, translation_units
from kgraph.kernel.commands import CompileCommand
from kgraph.kernel.dryrun import compile_commands
from kgraph.model.edges import EdgeKind
from kgraph.model.units import TranslationUnit
from kgraph.pipeline import open_index
from kgraph.store import cache_folder, index_path

# Calls that the compiler makes: nobody writes them, and the functions may be written calls elsewhere.
COMPILER_MADE = frozenset({
    "memcpy", "memset", "memmove", "memcmp", "strlen", "strcmp", "strcpy", "strchr", "strncmp",
    "strcat", "strncat", "__fentry__", "mcount", "__stack_chk_fail",
})
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
        for command in compile_commands(text)
    }


def compile_unit(unit: TranslationUnit, command: CompileCommand, build: Path, folder: Path
                 ) -> Compiled:
    """Compile a unit into `folder` and read its object. Functions whose call is an error by their
    attribute stand for assertions that need inlining: without the attribute they are plain calls."""
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
    found = Compiled(unit, machine_calls(made))
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
