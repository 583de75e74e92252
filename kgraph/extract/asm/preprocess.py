"""Runs the C preprocessor (`-E` of a compiler) on assembler sources, which libclang cannot do.

Runs a compiler of this machine, never one that a compile database names, with the few flags
that a preprocessor needs. This executes nothing of the tree.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path

from kgraph.extract.clang.api import bypass_driver_includes
from kgraph.model.units import TranslationUnit

_COMPILERS = ("gcc", "clang", "cc")
_WITH_VALUE = ("-include", "-imacros", "-isystem", "-iquote", "-idirafter")
_KEPT = ("-D", "-U", "-I", "-m16", "-m32", "-m64", "-nostdinc", "-undef")
_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
_SECONDS = 60


class PreprocessorFailed(Exception):
    """Why a source could not be preprocessed, in a few words."""


@cache
def find_compiler() -> str:
    """The compiler to run, "" where there is none."""
    path = _absolute(os.environ.get("PATH", os.defpath))
    return next((found for name in _COMPILERS if (found := shutil.which(name, path=path))), "")


def preprocess(unit: TranslationUnit) -> str:
    """The text of an assembler unit after preprocessing, with line markers."""
    if not find_compiler():
        raise PreprocessorFailed(f"no compiler ({', '.join(_COMPILERS)}) to preprocess it")
    command = [find_compiler(), "-E", "-x", "assembler-with-cpp", "-w", *_flags(unit), unit.file]
    try:
        # In no folder of the tree: what a compiler loads may be sought in the current one.
        process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, env=_environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise PreprocessorFailed(f"it could not be preprocessed: {error}") from None
    with process:
        try:
            text, told = process.communicate(timeout=_SECONDS)
        except BaseException as error:
            _end(process)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise PreprocessorFailed(
                f"the preprocessor took more than {_SECONDS} seconds") from None
    if process.returncode:
        first = told.decode("utf-8", "replace").strip().partition("\n")[0]
        raise PreprocessorFailed(f"it could not be preprocessed: {first}")
    return text.decode("utf-8", "surrogateescape")


def _end(driver: "subprocess.Popen[bytes]") -> None:
    """End a compiler's driver and the program that it has started, which would go on alone."""
    with contextlib.suppress(OSError):  # where the system does not tell
        children = Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text()
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
    driver.kill()


def _environment() -> dict[str, str]:
    """What a compiler may see of the user's: it would look for headers, and write, elsewhere."""
    return {name: value for name in _ENVIRONMENT
            if (value := _absolute(os.environ.get(name, "")))}


def _absolute(folders: str) -> str:
    """The folders of a list that are the same wherever one is: an empty one is the current one."""
    return os.pathsep.join(
        folder for folder in folders.split(os.pathsep) if Path(folder).is_absolute())


def _flags(unit: TranslationUnit) -> list[str]:
    words = iter(unit.arguments)
    kept: list[str] = []
    for word in words:
        if word in _WITH_VALUE:
            kept += [word, next(words, "")]
        elif word.startswith(_KEPT):
            kept.append(word)
    # clang's driver would take a precompiled header for one
    return bypass_driver_includes(kept) if "clang" in Path(find_compiler()).resolve().name else kept
