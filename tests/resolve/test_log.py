"""The log shows what the stages of resolving decide."""

import pytest

from kgraph.resolve import resolve
from tests.support.facts_in_c import call, field, function, param, put, stubs


def test_the_log_counts_what_the_stages_decide(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="kgraph.resolve")
    resolve([
        *stubs("open_it"),
        function("fill", put(field("ops", "open", param("fill")), "open_it")),
        function("use", call("use", field("ops", "open", param("use")))),
    ])
    said = "\n".join(caplog.messages)
    assert "1 indirect calls" in said
    assert "nodes are relevant to a call through a pointer" in said
    assert "go through 1 holders: Counter({'resolved': 1})" in said
    assert "0 deferred requests" in said
