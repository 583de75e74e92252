"""What an audit says: never that something is clean of which nobody knows anything."""

import json

import pytest

from tests.audit import describe_answer, find_needed_versions, read

CLEAN = {"name": "click", "version": "8.1.7", "vulns": []}
BAD = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
UNKNOWN = {"name": "mdurl", "skip_reason": "not found"}


def lines(*packages: object) -> list[str]:
    return list(describe_answer(read(json.dumps({"dependencies": packages})), "osv"))


def test_what_is_audited_is_counted() -> None:
    assert lines(CLEAN, UNKNOWN) == ["osv: 1 packages audited, 0 findings", "not audited: mdurl"]
    assert lines(CLEAN, BAD) == ["osv: 2 packages audited, 1 findings", "jinja2 2.0: PYSEC-1"]


@pytest.mark.parametrize("output", ["", "Traceback", "[]", '{"dependencies": []}', "{}"])
def test_no_answer_is_no_clean_one(output: str) -> None:
    [line] = describe_answer(read(output), "osv")
    assert "nothing could be audited" in line
    [line] = lines(UNKNOWN)
    assert "nothing could be audited" in line


def test_what_kgraph_needs_is_asked_about() -> None:
    found = find_needed_versions()
    assert {"libclang", "click", "jinja2", "markupsafe", "pygments"} <= found.keys()
    assert "tornado" in found  # through distributed, an extra
    assert not {"pip", "setuptools", "kgraph"} & found.keys()
