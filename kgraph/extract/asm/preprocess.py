"""Runs the C preprocessor (`-E` of a compiler) on assembler sources, which libclang cannot do.

Runs a compiler of this machine, never one that a compile database names, with the few flags that a
preprocessor needs. For a unit of another target it gets the macros that libclang predefines there,
so no cross compiler is needed. This executes nothing of the tree.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path

from kgraph.extract.clang.api import bypass_driver_includes
from kgraph.extract.clang.predefined import list_predefined_macros
from kgraph.model.units import TranslationUnit

_COMPILERS = ("gcc", "clang", "cc")
_FLAGS_WITH_VALUE = ("-include", "-imacros", "-isystem", "-iquote", "-idirafter")
_FLAGS = ("-D", "-U", "-I", "-nostdinc", "-undef")
_NATIVE_FLAGS = ("-m16", "-m32", "-m64")
_TARGET = "--target="
_TARGET_FLAGS = ("-m32", "-m64", "-mlittle-endian", "-mbig-endian", "-mabi=")
_VARIABLES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
_TIME_LIMIT = 60  # seconds


class PreprocessorFailed(Exception):
    """Says in a few words why a source could not be preprocessed."""


@cache
def find_compiler() -> str:
    """The compiler to run, "" if there is none."""
    path = _keep_absolute(os.environ.get("PATH", os.defpath))
    return next((found for name in _COMPILERS if (found := shutil.which(name, path=path))), "")


def preprocess(unit: TranslationUnit) -> str:
    """The text of an assembler unit after preprocessing, with line markers.

    Raises PreprocessorFailed.
    """
    if not find_compiler():
        raise PreprocessorFailed(f"no compiler ({', '.join(_COMPILERS)}) to preprocess it")
    command = [find_compiler(), "-E", "-x", "assembler-with-cpp", "-w", *_select_flags(unit),
               unit.file]
    try:
        # Runs outside the tree: a compiler may load files from the current folder.
        process = subprocess.Popen(
            command, cwd="/", stdin=subprocess.DEVNULL, env=_make_environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise PreprocessorFailed(f"it could not be preprocessed: {error}") from None
    with process:
        try:
            text, messages = process.communicate(timeout=_TIME_LIMIT)
        except BaseException as error:
            _kill_driver(process)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise PreprocessorFailed(
                f"the preprocessor took more than {_TIME_LIMIT} seconds") from None
    if process.returncode:
        first = messages.decode("utf-8", "replace").strip().partition("\n")[0]
        raise PreprocessorFailed(f"it could not be preprocessed: {first}")
    return text.decode("utf-8", "surrogateescape")


def _kill_driver(driver: "subprocess.Popen[bytes]") -> None:
    """Kill a compiler's driver and the program that it has started, which would go on alone."""
    with contextlib.suppress(OSError):  # the system may not list child processes
        children = Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text()
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
    driver.kill()


def _make_environment() -> dict[str, str]:
    """The user's environment, without what makes a compiler search or write elsewhere."""
    return {name: value for name in _VARIABLES
            if (value := _keep_absolute(os.environ.get(name, "")))}


def _keep_absolute(folders: str) -> str:
    """The absolute folders of a path list. An empty entry means the current folder."""
    return os.pathsep.join(
        folder for folder in folders.split(os.pathsep) if Path(folder).is_absolute())


def find_target(unit: TranslationUnit) -> str:
    """The target that a unit is compiled for (aarch64-linux-gnu), "" for this machine."""
    return next((word.removeprefix(_TARGET) for word in unit.arguments
                 if word.startswith(_TARGET)), "")


def _select_flags(unit: TranslationUnit) -> list[str]:
    """The flags of a unit that a preprocessor needs."""
    target = find_target(unit)
    kept: list[str] = []
    if target:
        machine = tuple(word for word in unit.arguments if word.startswith(_TARGET_FLAGS))
        macros = list_predefined_macros((_TARGET + target, *machine))
        if not macros:
            raise PreprocessorFailed(f"libclang does not know {target}")
        kept = ["-undef", *(f"-D{name}={value}" for name, value in macros)]
    known = _FLAGS if target else (*_FLAGS, *_NATIVE_FLAGS)
    words = iter(unit.arguments)
    for word in words:
        if word in _FLAGS_WITH_VALUE:
            kept += [word, next(words, "")]
        elif word.startswith(known):
            kept.append(word)
    is_clang = "clang" in Path(find_compiler()).resolve().name
    return bypass_driver_includes(kept) if is_clang else kept
