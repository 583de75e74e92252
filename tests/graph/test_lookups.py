from kgraph.graph import CallGraph
from kgraph.model.resolution import SiteStatus


def names(functions: list) -> list[str]:
    return [function.id.name for function in functions]


def test_functions_of_a_file_and_of_a_folder(mini: CallGraph) -> None:
    of_file = mini.find_functions_in("drivers/net/veth.c")
    of_folder = mini.find_functions_in("drivers/net")
    assert "veth_xmit" in names(of_file)
    assert set(names(of_file)) < set(names(of_folder))
    assert all(f.location and f.location.path.startswith("drivers/net/") for f in of_folder)
    assert mini.find_functions_in("drivers/ne") == []


def test_what_is_loaded_by_numbers_is_ascending(mini: CallGraph) -> None:
    numbers = range(len(mini) - 1, -1, -1)
    functions = mini.load_functions(numbers)
    assert [function.number for function in functions] == list(range(len(mini)))
    sites = mini.load_sites(range(len(mini.edge_start) - 1))
    assert [site.number for site in sites] == list(range(len(mini.edge_start) - 1))
    assert mini.load_site_locations([3, 1]) == (sites[1].location, sites[3].location)


def test_calls_of_a_macro_are_found_by_its_name(mini: CallGraph) -> None:
    [first, *_] = sites = mini.find_sites_of_macro("NF_HOOK", 100) or mini.load_sites(
        number for number in range(len(mini.edge_start) - 1) if mini.site(number).macro)
    assert first in mini.find_sites_of_macro(first.macro, len(sites))
    assert len(mini.find_sites_of_macro(first.macro, 1)) == 1
    assert mini.is_call_macro(first.macro)
    assert first.caller in mini.find_callers_using(first.macro)
    assert not mini.is_call_macro("no_such_macro")


def test_indirect_calls_are_found_by_record_field_and_text(mini: CallGraph) -> None:
    by_record = mini.find_calls_through(["proto_ops"], [])
    assert by_record
    assert all(call.holder.startswith("proto_ops.") for call in by_record)
    by_field = mini.find_calls_through([], ["->ops->sendmsg"])
    assert {call.holder for call in by_field} == {"proto_ops.sendmsg"}
    assert mini.has_call_through_field("ops")
    [call, *_] = by_field
    assert mini.site(call.site).caller in mini.find_callers_through(call.expression)
    assert mini.find_sites_through("proto_ops.sendmsg") == [
        call.site for call in by_record if call.holder == "proto_ops.sendmsg"]


def test_every_unresolved_call_is_listed(mini: CallGraph) -> None:
    expected = [number for number in range(len(mini.edge_start) - 1)
                if mini.site(number).status is SiteStatus.UNRESOLVED]
    assert [call.site for call in mini.find_unresolved_calls()] == expected


def test_bindings_are_found_from_every_side(mini: CallGraph) -> None:
    [table] = mini.find_objects("veth_netdev_ops")
    bindings = mini.find_bindings_in_table(table.number)
    assert bindings == mini.find_bindings_in_tables("veth_netdev_ops")
    [xmit] = [row for row in bindings if row.holder.endswith("ndo_start_xmit")]
    assert xmit.function is not None
    assert mini.find_table_binding(table.number, xmit.function, xmit.holder) == xmit
    for found in (
        mini.find_bindings_of_function(xmit.function),
        mini.find_bindings_of_functions("veth_xmit"),
        mini.find_bindings_to_field("net_device_ops", "ndo_start_xmit"),
        mini.find_bindings_to_record("net_device_ops"),
    ):
        assert xmit in found
    assert table in mini.find_tables_of_type(table.type)
    assert "veth_netdev_ops" in mini.find_table_names("net_device_ops")
    assert mini.find_installs(table.number) == mini.find_installs_of_objects("veth_netdev_ops")


def test_files_are_found_by_their_end(mini: CallGraph) -> None:
    assert mini.find_cited_files("drivers/net/veth.c") == ["drivers/net/veth.c"]
    assert mini.find_cited_files("net/veth.c") == ["drivers/net/veth.c"]
    assert mini.find_cited_files("veth.c") == ["drivers/net/veth.c"]
    assert mini.find_cited_files("et/veth.c") == []
    files = mini.find_read_files()
    assert sorted(files, key=lambda path: (not path.endswith(".h"), path)) == files
    assert set(mini.find_read_headers()) == {path for path in files if path.endswith(".h")}


def test_a_text_that_no_index_can_have_finds_nothing(mini: CallGraph) -> None:
    assert mini.find_functions("\udc80") == []
    assert not mini.is_holder("\udc80")
