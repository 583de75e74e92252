"""All checks in one command: ruff, mypy --strict, import-linter, pip-audit where it is installed,
pytest. Arguments go to pytest."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    (sys.executable, "tests/audit.py"),
    ("pytest", "-n", "auto", *sys.argv[1:]),
)


def main() -> int:
    """Run every check, also after one has failed; the number of those that failed."""
    scripts = sysconfig.get_path("scripts")
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        # The checkout comes before an installed kgraph: what is checked is what is here.
        "PYTHONPATH": str(ROOT),
    }
    failed = 0
    for check in CHECKS:
        print(f"== {' '.join(check)}", flush=True)  # noqa: T201
        status = subprocess.run(check, cwd=ROOT, env=environment, check=False).returncode
        failed += status != 0
    print(f"== {failed} of {len(CHECKS)} checks failed" if failed else "== all is well")  # noqa: T201
    return failed


if __name__ == "__main__":
    sys.exit(main())
