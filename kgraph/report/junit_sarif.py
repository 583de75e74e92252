"""Verdicts for programs that show test results: JUnit XML and SARIF 2.1.0."""

import json
import os
import re
from collections.abc import Sequence
from urllib.parse import quote
from xml.etree import ElementTree as ET

from kgraph.model.verdicts import ChainCheck, LineVerdict

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
# Also excludes what a terminal would obey that shows the file.
_NOT_XML = re.compile("[^\t\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def format_junit(checks: Sequence[ChainCheck]) -> str:
    """A suite per document, a test case per claim. Wrong claims fail, open ones are skipped."""
    root = ET.Element("testsuites", name="kgraph check")
    for check in checks:
        lines = check.claims
        suite = ET.SubElement(
            root, "testsuite", name=_replace_invalid(check.document.file), tests=str(len(lines)),
            failures=str(sum(line.verdict.is_wrong for line in lines)), errors="0",
            skipped=str(sum(line.verdict.is_open for line in lines)),
        )
        for line in lines:
            case = ET.SubElement(
                suite, "testcase", classname=_replace_invalid(check.document.file),
                name=_replace_invalid(f"{line.line.file_line}: {line.line.text.strip()}"),
                file=_replace_invalid(check.document.file), line=str(line.line.file_line),
            )
            if line.verdict.is_wrong or line.verdict.is_open:
                kind = "failure" if line.verdict.is_wrong else "skipped"
                ET.SubElement(case, kind, message=_replace_invalid(f"{line.verdict}: {line.note}"))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _replace_invalid(text: str) -> str:
    """The text with U+FFFD for each character that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def format_sarif(checks: Sequence[ChainCheck]) -> str:
    """One result for each wrong or open claim."""
    reported = [
        (check.document.file, line) for check in checks for line in check.claims
        if line.verdict.is_wrong or line.verdict.is_open
    ]
    rules = sorted({line.verdict.value for _, line in reported})
    log = {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "kgraph", "rules": [{"id": rule} for rule in rules]}},
            "results": [_result(file, line) for file, line in reported],
        }],
    }
    return json.dumps(log, indent=2, ensure_ascii=True) + "\n"


def _result(file: str, line: LineVerdict) -> dict[str, object]:
    return {
        "ruleId": line.verdict.value,
        "level": "error" if line.verdict.is_wrong else "warning",
        "message": {"text": f"{line.line.text.strip()}: {line.note}"},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": quote(os.fsencode(file.replace("\\", "/")))},
                "region": {"startLine": line.line.file_line},
            },
        }],
    }
