"""All checks in one command: ruff, mypy --strict, import-linter, pytest.

    python tests/checks.py [--fast | --all] [arguments for pytest]

Without an option it leaves out tests marked `slow`. `--fast` also leaves out those that need a
kernel tree, a browser or a cluster, and those that index trees again and again. `--all` runs every
test with all examples, and pip-audit where it is installed.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = (("ruff", "check", "."), ("mypy",), ("lint-imports",))
AUDIT = (sys.executable, "tests/audit.py")
TESTS = {
    "": ("-m", "not slow"),
    "--fast": ("-m", "not (slow or reindexing or kernel or browser or cluster)"),
    "--all": ("--thorough",),
}


def main() -> int:
    """Run every check, also after one has failed. Returns the number of those that failed."""
    how = sys.argv[1] if sys.argv[1:2] in (["--fast"], ["--all"]) else ""
    arguments = sys.argv[2:] if how else sys.argv[1:]
    checks = [*STATIC, *([AUDIT] if how == "--all" else []),
              ("pytest", "-n", "auto", "--dist", "worksteal", *TESTS[how], *arguments)]
    scripts = sysconfig.get_path("scripts")
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        # The checkout comes before an installed kgraph: what is checked is what is here.
        "PYTHONPATH": str(ROOT),
    }
    failed = 0
    for check in checks:
        print(f"== {' '.join(check)}", flush=True)  # noqa: T201
        status = subprocess.run(check, cwd=ROOT, env=environment, check=False).returncode
        failed += status != 0
    print(f"== {failed} of {len(checks)} checks failed" if failed else "== all is well")  # noqa: T201
    return failed


if __name__ == "__main__":
    sys.exit(main())
