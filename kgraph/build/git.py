"""Asks git for the changes of a range of commits."""

import re
import subprocess
import tempfile
from pathlib import Path

from kgraph.build.programs import run_program
from kgraph.errors import TreeError

_RANGE = re.compile(r"[\w./@^~{}:-]*\w[\w./@^~{}-]*", re.ASCII)
_SECONDS = 120
# The configuration of a tree that you do not trust may name programs that git would run.
_HARMLESS = ("-c", "core.fsmonitor=false")



def is_range(text: str) -> bool:
    """Whether a word may name commits: `A..B`, or one commit, whose change is meant."""
    return not text.startswith("-") and _RANGE.fullmatch(text) is not None


def read_range(tree: Path, commits: str) -> str:
    """The unified diff of a range of commits, or of one commit.

    Raises TreeError where git is missing, or does not know the commits.
    """
    span = commits if ".." in commits else f"{commits}^!"
    command = ["git", *_HARMLESS, "-C", str(tree), "diff", "--no-ext-diff", "--no-textconv",
               "--no-color", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/", span, "--"]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            status = run_program(command, timeout=_SECONDS, stdout=output, stderr=errors)
        except FileNotFoundError:
            raise TreeError("git is not installed", "give a patch file instead") from None
        except subprocess.TimeoutExpired:
            raise TreeError(f"git took more than {_SECONDS} s for {commits}",
                            "give a patch file instead") from None
        if status:
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").splitlines() or ["no message"]
            raise TreeError(f"git does not give {commits} of {tree}: {lines[0]}",
                            "give a range of commits that the tree has, or a patch file")
        output.seek(0)
        return output.read().decode("utf-8", "replace")
