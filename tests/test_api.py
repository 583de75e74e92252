"""The use cases: what the command line, reports and Python get."""

import subprocess
import sys
from pathlib import Path

import pytest

import kgraph
from kgraph import api
from kgraph.cli.entry import cli
from kgraph.errors import LookupFailed, StoreError
from kgraph.graph import CallGraph
from kgraph.model.document import Scenario
from kgraph.model.resolution import SiteStatus
from kgraph.model.verdicts import Verdict
from tests.support.tiny import Tiny


def test_every_verb_that_answers_has_a_function_of_its_name() -> None:
    shown_otherwise = {"cscope", "help", "lsp", "report", "status", "mcp"}
    assert set(cli.commands) - shown_otherwise <= set(api.__all__)
    for name in api.__all__:
        assert getattr(api, name) is not None
    for name in kgraph.__all__:
        assert getattr(kgraph, name) is not None


def test_importing_the_package_loads_neither_the_indexer_nor_the_checker() -> None:
    program = (
        "import sys, kgraph.api\n"
        "bad = {'kgraph.check', 'kgraph.indexing', 'kgraph.query', 'sqlite3'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_path_takes_the_scenario_of_the_query_that_documents_it(mini: CallGraph) -> None:
    question = api.PathQuestion("SyS_sendto", "veth_xmit")
    result = api.path(mini, question)
    assert result.documented is not None
    assert (result.documented.query, result.documented.misfit) == ("veth", "")
    assert result.question.scenario == result.documented.scenario
    assert result.answer.paths
    free = api.path(mini, question, documented=False)
    assert (free.documented, free.question.scenario) == (None, None)
    own = api.path(mini, api.PathQuestion("SyS_sendto", "veth_xmit", via=("raw_sendmsg",)))
    assert own.documented is None


def test_a_scenario_that_does_not_fit_is_named_and_not_used(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("SyS_sendto", "veth_xmit")
    result = api.path(tiny.graph(tmp_path), api.PathQuestion("SyS_sendto", "veth_xmit"))
    assert result.documented is not None
    assert "raw_sendmsg" in result.documented.misfit
    assert result.question.scenario is None
    assert len(result.answer.paths[0].hops) == 1


def test_a_scenario_can_be_named(mini: CallGraph) -> None:
    result = api.path(mini, api.PathQuestion("sock_sendmsg", "veth_xmit"), "veth")
    assert result.question.scenario is not None
    assert result.question.scenario.name == "veth"
    assert result.documented is None
    given = api.path(
        mini, api.PathQuestion("SyS_sendto", "veth_xmit", scenario=Scenario("of my own")))
    assert given.documented is None


def test_aliases_are_resolved_and_told(mini: CallGraph) -> None:
    result = api.path(mini, api.PathQuestion("sys_sendto", "sock_sendmsg"))
    assert result.question.caller == "SyS_sendto"
    [alias] = result.aliases
    assert (alias.name, str(alias.function)) == ("sys_sendto", "SyS_sendto")
    found = api.callers(mini, "sys_sendto")
    assert found.alias == alias
    assert api.callers(mini, "SyS_sendto").alias is None


def test_callees_name_the_calls_without_a_callee(tmp_path: Path) -> None:
    tiny = Tiny(signatures={"b": "int (int)"}, taken={"b"})
    tiny.calls("a", slot=("ops", "run"), signature="int (int)")
    found = api.callees(tiny.graph(tmp_path), "a")
    assert not found.hops
    [open_site] = found.open_sites
    assert (open_site.site.status, open_site.by_type) == (SiteStatus.UNRESOLVED, 1)


def test_a_query_is_checked_by_its_name(mini: CallGraph) -> None:
    result = api.check(mini, "veth")
    assert result.query is not None
    assert result.check.scenario.name == "veth"
    assert Verdict.HOLDS in {line.verdict for line in result.check.lines}


def test_the_index_is_closed_at_the_end(mini_index: Path) -> None:
    with api.use_index(mini_index) as graph:
        assert api.ops(graph, "veth_netdev_ops")
        assert api.site(graph, "net/ipv4/af_inet.c:37")
        with pytest.raises(LookupFailed):
            api.callers(graph, "no_such_function")
    with pytest.raises(StoreError):
        graph.find_functions("veth_xmit")


def test_an_error_of_the_caller_is_not_taken_for_a_damaged_index(mini_index: Path) -> None:
    with pytest.raises(KeyError, match="a mistake"), api.use_index(mini_index):
        raise KeyError("a mistake")
