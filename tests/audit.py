"""Asks pip-audit whether a package that kgraph needs has a known vulnerability.

It checks the installed versions of what kgraph and its extras need, directly or not, and nothing
else in the environment (such as pip). It exits with 1 if a vulnerability is known. If no service
answers, it says so and reports nothing as clean.
"""

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

SERVICES = ("osv", "pypi")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


@dataclass(frozen=True)
class Answer:
    """What a service told: packages that it knows, those it does not, and what is wrong."""

    known: tuple[str, ...]
    unknown: tuple[str, ...]
    vulnerable: tuple[str, ...]


def find_needed_versions(root: str = "kgraph") -> dict[str, str]:
    """Name and version of the installed packages that `root` needs, with all its extras but the
    one that brings the auditor."""
    found: dict[str, str] = {}
    waiting = [(root, True)]
    while waiting:
        name, extras = waiting.pop()
        for requirement in distribution(name).requires or ():
            other = _NAME.match(requirement)
            extra = _EXTRA.search(requirement)
            if other is None or (extra and (not extras or extra[1] == "audit")):
                continue
            key = re.sub(r"[-_.]+", "-", other[0]).lower()
            if key not in found:
                try:
                    found[key] = distribution(key).version
                except PackageNotFoundError:  # an extra that is not installed, another platform
                    continue
                waiting.append((key, False))
    return found


def read(output: str) -> Answer | None:
    """What pip-audit printed as JSON; None where that is none: its service does not answer."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return Answer(
        tuple(each["name"] for each in packages if "vulns" in each),
        tuple(each["name"] for each in packages if "vulns" not in each),
        tuple(f"{each['name']} {each['version']}: {bad['id']}"
              for each in packages for bad in each.get("vulns", ())))


def describe_answer(answer: Answer | None, service: str) -> Iterator[str]:
    """The answer in words."""
    if answer is None or not answer.known:
        yield f"{service}: nothing could be audited, the service does not answer or knows nothing"
        return
    yield f"{service}: {len(answer.known)} packages audited, {len(answer.vulnerable)} findings"
    yield from answer.vulnerable
    if answer.unknown:
        yield f"not audited: {', '.join(answer.unknown)}"


def main() -> int:
    """1 where something is vulnerable, else 0; what was audited is printed."""
    if importlib.util.find_spec("pip_audit") is None:
        print("NOT AUDITED: pip-audit is not installed (pip install '.[audit]')")  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("".join(
            f"{name}=={version}\n" for name, version in find_needed_versions().items()))
        for service in SERVICES:
            done = subprocess.run(
                [sys.executable, "-m", "pip_audit", "-r", listed, "--no-deps", "--disable-pip",
                 "--format", "json", "--progress-spinner", "off", "--timeout", "15",
                 "--vulnerability-service", service],
                capture_output=True, text=True, check=False)
            answer = read(done.stdout)
            print(*describe_answer(answer, service), sep="\n", flush=True)  # noqa: T201
            if answer is not None and answer.known:
                return int(bool(answer.vulnerable))
    print("NOT AUDITED: no service of advisories could be asked")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
