from pathlib import Path

import pytest

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.query import find_function
from kgraph.query.lookup import describe_alias, qualify_name
from tests.support.tiny import Tiny


def test_unknown_names_get_suggestions(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("netdev_start_xmit", "veth_xmit")
    graph = tiny.graph(tmp_path)
    with pytest.raises(LookupFailed, match="no function `vet_xmit`") as raised:
        find_function(graph, "vet_xmit")
    assert "`veth_xmit`" in raised.value.hint
    with pytest.raises(LookupFailed) as raised:
        find_function(graph, "qqqqqq")
    assert "kgraph status" in raised.value.hint


def test_static_twins_are_listed_and_distinguished_by_path(mini: CallGraph) -> None:
    rows = mini.reader.fetch_rows(
        "SELECT name FROM function WHERE file IS NOT NULL GROUP BY name HAVING count(*) > 1"
    )
    assert rows, "mini-linux has no static twins"
    for (name,) in rows:
        with pytest.raises(LookupFailed, match="is ambiguous") as raised:
            find_function(mini, name)
        twins = mini.find_functions(name)
        for twin in twins:
            assert twin.location is not None
            assert f"{twin.location.path}:{name}" in raised.value.hint
            assert find_function(mini, f"{twin.location.path}:{name}") == twin
            assert find_function(mini, f"{Path(twin.location.path).name}:{name}") == twin


def test_an_alias_is_followed(mini: CallGraph) -> None:
    found = find_function(mini, "sys_sendto")
    assert found.id.name == "SyS_sendto"
    assert find_function(mini, "net/socket.c:sys_sendto") == found
    assert (
        describe_alias("net/socket.c:sys_sendto", found) == "sys_sendto is an alias of SyS_sendto"
    )
    assert qualify_name(mini, "sys_sendto") == "SyS_sendto"
    assert describe_alias("SyS_sendto", found) == ""
    assert qualify_name(mini, "net/socket.c:SyS_sendto") == "net/socket.c:SyS_sendto"
