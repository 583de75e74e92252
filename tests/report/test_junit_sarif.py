"""What `kgraph check` writes for other programs: valid SARIF 2.1.0, and JUnit XML that adds up."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.model.verdicts import ChainCheck, Verdict
from kgraph.report.junit_sarif import format_junit, format_sarif

NOTES = """```
sock_sendmsg() (net/socket.c:26)
|-sock_sendmsg_nosec()
  |-sock->ops->sendmsg()  // i.e. veth_xmit \x01 & < "
  |-what_is_this(a, b) && c_d(e)
veth_xmit()
|-there_is_no_such()
there_is_no_such()
|-veth_xmit()
中 prose
"""


@pytest.fixture
def checks(mini: CallGraph) -> list[ChainCheck]:
    return [check_document(mini, parse_document(name, text.encode()))
            for name, text in (("docs/a b#1.md", NOTES), ("fine.md", "sock_sendmsg()\n"))]


def wrong_or_open(checks: list[ChainCheck]) -> list[tuple[str, int]]:
    told = (Verdict.REFUTED, Verdict.CONTRADICTS, Verdict.UNDECIDED, Verdict.UNREAD)
    return [(check.document.file, line.line.number) for check in checks for line in check.lines
            if line.verdict in told]


def test_sarif_is_what_its_schema_asks_for(checks: list[ChainCheck]) -> None:
    """The model is generated from the schema and forbids what that does not know."""
    log = Sarif.model_validate_json(format_sarif(checks))
    run = log.runs[0]
    assert run.tool.driver.name == "kgraph"
    rules = {rule.id for rule in run.tool.driver.rules or ()}
    found = []
    for result in run.results or ():
        place = (result.locations or ())[0].physicalLocation
        found.append((place.artifactLocation.uri, place.region.startLine))
        assert result.ruleId in rules
        assert result.level is not None
        assert result.level.value == (
            "error" if result.ruleId in ("refuted", "contradicts") else "warning")
    assert len(found) > 3
    assert found == [(name.replace(" ", "%20").replace("#", "%23"), line)
                     for name, line in wrong_or_open(checks)]


def test_sarif_of_nothing_wrong(checks: list[ChainCheck]) -> None:
    assert Sarif.model_validate_json(format_sarif(checks[1:])).runs[0].results == []


@pytest.mark.parametrize("spoil", [
    lambda log: log.update(version="2.0.0"), lambda log: log["runs"][0].pop("tool"),
    lambda log: log["runs"][0]["results"][0].update(level="bad"),
    lambda log: log["runs"][0]["results"][0].update(other=1),
    lambda log: log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].update(
        startLine=0),
])
def test_the_model_finds_what_is_wrong(checks: list[ChainCheck], spoil) -> None:
    log = json.loads(format_sarif(checks))
    spoil(log)
    with pytest.raises(ValidationError):
        Sarif.model_validate(log)


def test_junit_adds_up(checks: list[ChainCheck], tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text(format_junit(checks), encoding="utf-8")
    root = ET.parse(file).getroot()
    assert root.tag == "testsuites"
    told = []
    for suite, check in zip(root, checks, strict=True):
        assert (suite.tag, suite.get("name")) == ("testsuite", check.document.file)
        cases = list(suite)
        inner = {tag: [case for case in cases if case.find(tag) is not None]
                 for tag in ("failure", "skipped")}
        assert [suite.get(key) for key in ("tests", "failures", "skipped", "errors")] == [
            str(number) for number in (
                len(cases), len(inner["failure"]), len(inner["skipped"]), 0)]
        for case in cases:
            assert case.tag == "testcase"
            assert set(case.attrib) == {"classname", "name", "file", "line"}
            assert {part.tag for part in case} <= {"failure", "skipped"}
            assert all(part.get("message") for part in case)
            told += [(case.get("file"), int(case.get("line") or 0)) for _ in case]
    assert told == wrong_or_open(checks)
