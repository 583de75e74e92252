"""Assembler source through the C preprocessor, which libclang does not show: a compiler's `-E`.

Runs a compiler of this machine, never one that a list of commands names, with the few flags that a
preprocessor needs. Nothing of the tree is run by that.
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from kgraph.extract.libclang import past_driver
from kgraph.model.units import TranslationUnit

_COMPILERS = ("gcc", "clang", "cc")
_WITH_VALUE = ("-include", "-imacros", "-isystem", "-iquote", "-idirafter")
_KEPT = ("-D", "-U", "-I", "-m16", "-m32", "-m64", "-nostdinc", "-undef")
_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
_SECONDS = 60


class PreprocessorFailed(Exception):
    """Why a source could not be preprocessed, in a few words."""


@cache
def compiler() -> str:
    """The compiler to run, "" where there is none."""
    return next((found for name in _COMPILERS if (found := shutil.which(name))), "")


def preprocessed(unit: TranslationUnit) -> str:
    """The text of an assembler unit after preprocessing, with line markers."""
    if not compiler():
        raise PreprocessorFailed(f"no compiler ({', '.join(_COMPILERS)}) to preprocess it")
    command = [compiler(), "-E", "-x", "assembler-with-cpp", "-w", *_flags(unit), unit.file]
    try:
        done = subprocess.run(command, cwd=unit.directory, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=_SECONDS, env=_environment())
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PreprocessorFailed(f"it could not be preprocessed: {error}") from None
    if done.returncode:
        first = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise PreprocessorFailed(f"it could not be preprocessed: {first}")
    return done.stdout.decode("utf-8", "surrogateescape")


def _environment() -> dict[str, str]:
    """What a compiler may see of the user's: it would look for headers, and write, elsewhere."""
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


def _flags(unit: TranslationUnit) -> list[str]:
    words = iter(unit.arguments)
    kept: list[str] = []
    for word in words:
        if word in _WITH_VALUE:
            kept += [word, next(words, "")]
        elif word.startswith(_KEPT):
            kept.append(word)
    # clang's driver would take a precompiled header for one
    return past_driver(kept) if "clang" in Path(compiler()).resolve().name else kept
