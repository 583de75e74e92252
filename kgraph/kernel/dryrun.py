"""The Kbuild dry run: every command make would run for vmlinux and modules, none of them run.

Owns asking make for it, and reading compile commands out of what it prints. `-k`: the run ends with
an error where something linked is missing, and all that is printed before and after is good.
Serial on purpose: parallel sub-makes would interleave their lines.
"""

from collections.abc import Iterator
from pathlib import Path

from kgraph.errors import ToolError
from kgraph.kernel.assembly import KERNEL_DEFINE
from kgraph.kernel.commands import CompileCommand, compile_command, split_commands, split_words
from kgraph.kernel.prepare import Prepared

_LOG = "dry-run"
_TARGETS = ("vmlinux", "modules")


def dry_run(prepared: Prepared) -> str:
    """What `make -n` prints for the prepared folder; raises ToolError when it prints no command."""
    prepared.make.run("-n", "-k", "V=1", *_TARGETS, name=_LOG)
    log: Path = prepared.make.logs / f"{_LOG}.log"
    text = log.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    if KERNEL_DEFINE not in text:
        raise prepared.make.failure(_LOG, "the dry run of make vmlinux modules")
    return text


def compile_commands(text: str) -> Iterator[CompileCommand]:
    """The compile commands of the kernel's objects in the text of a dry run."""
    found = False
    for line in text.splitlines():
        if KERNEL_DEFINE in line and " -c " in line:
            for command in _of_line(line):
                found = True
                yield command
    if not found:
        raise ToolError(
            "the dry run of make printed no compile command that kgraph can read",
            "record a build with a tool such as bear, and give its list: --compile-commands FILE",
        )


def _of_line(line: str) -> Iterator[CompileCommand]:
    for command in split_commands(line):
        if KERNEL_DEFINE in command and " -c " in command:
            found = compile_command(split_words(command))
            if found is not None:
                yield found
