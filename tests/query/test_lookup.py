from collections.abc import Iterable
from pathlib import Path

import pytest

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph, KnownMacroDefinition, MacroSite
from kgraph.model.ids import FunctionId
from kgraph.model.location import Location
from kgraph.model.results import IndexDescription, KnownFunction
from kgraph.query import find_function
from kgraph.query.lookup import (
    WrittenName,
    describe_alias,
    qualify_name,
    resolve_function,
    write_name,
)
from kgraph.query.spellings import iter_spellings, load_spellings
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
    assert "it is nowhere in the tree" in raised.value.hint


def test_a_name_that_is_not_compiled_is_found_in_the_tree(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("one", "two")
    graph = tiny.graph(tmp_path, {"read.h": "struct zebra_state {\n};\n"})
    (tmp_path / "tree" / "off.c").write_text("\nint yak_probe(void)\n{\n}\n")
    for name, hint in (("yak_probe", "it stands at off.c:2, which this index has not"),
                       ("zebra_state", "it stands at read.h:1, but not as a function")):
        with pytest.raises(LookupFailed, match="no function") as raised:
            find_function(graph, name)
        assert hint in raised.value.hint


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


class Names(CallGraph):
    """A graph of functions alone: (name, scope, image, path of the definition or "")."""

    def __init__(self, *rows: tuple[str, str, str, str]) -> None:
        self._known = [
            KnownFunction(number, FunctionId(name, scope, image),
                          Location(path, 7, 1) if path else None)
            for number, (name, scope, image, path) in enumerate(rows)
        ]

    def find_functions(self, name: str) -> list[KnownFunction]:
        return [each for each in self._known if each.id.name == name]

    def find_functions_in_any_case(self, name: str) -> list[KnownFunction]:
        return [each for each in self._known if each.id.name.lower() == name.lower()]

    def find_function_names(self, part: str, length: int) -> list[str]:
        return []

    def find_macro_definitions(self, name: str) -> list[KnownMacroDefinition]:
        return []

    @property
    def description(self) -> IndexDescription:
        return IndexDescription("/nowhere", "", "")

    def find_macros_mentioning(self, name: str) -> list[str]:
        return []

    def find_sites_of_macros(self, macros: Iterable[str]) -> list[MacroSite]:
        return []


def test_vmlinux_is_meant_unless_another_image_is_named() -> None:
    head = "include/list.h"
    graph = Names(("add", head, "vdso", head), ("add", head, "vmlinux", head),
                  ("add", head, "a_module", head), ("boot", "", "realmode", "boot.S"))
    found = resolve_function(graph, "add")
    assert found.function.id.image == "vmlinux"
    assert found.remarks == (
        "`add` of vmlinux is meant (include/list.h:7); there is also `vdso:add`, `a_module:add`",)
    assert resolve_function(graph, "list.h:add").function.id.image == "vmlinux"
    assert resolve_function(graph, "vdso:add").function.id.image == "vdso"
    assert resolve_function(graph, "vdso:add").remarks == ()
    assert resolve_function(graph, "boot").function.id.image == "realmode"  # the only one
    assert {write_name(graph, each) for each in graph.find_functions("add")} == {
        "vdso:add", "vmlinux:add", "a_module:add"}


def test_a_declaration_of_vmlinux_does_not_hide_a_definition_elsewhere() -> None:
    graph = Names(("copy", "", "vmlinux", ""), ("copy", "", "boot", "boot/copy.S"))
    assert resolve_function(graph, "copy").function.id.image == "boot"


def test_a_scope_that_equals_the_qualifier_wins() -> None:
    both = "fs/elf.c", "fs/elf.c@fs/compat.c"
    graph = Names(*(("load", scope, "vmlinux", "fs/elf.c") for scope in both))
    own, included = graph.find_functions("load")
    assert find_function(graph, "fs/elf.c:load") == own
    assert find_function(graph, "fs/elf.c@fs/compat.c:load") == included
    assert find_function(graph, "fs/compat.c:load") == included
    found = resolve_function(graph, "load")
    assert found.function == own
    assert found.remarks == (
        "`load` is meant (fs/elf.c:7); there is also `fs/elf.c@fs/compat.c:load`",)


def test_twins_stay_ambiguous() -> None:
    graph = Names(("probe", "a.c", "vmlinux", "a.c"), ("probe", "b.c", "vmlinux", "b.c"),
                  ("probe", "v.c", "vdso", "v.c"))
    with pytest.raises(LookupFailed, match="ambiguous") as raised:
        find_function(graph, "probe")
    assert raised.value.hint == "write one of `a.c:probe`, `b.c:probe`"


@pytest.mark.parametrize(("text", "qualifier", "name"), [
    ("f()", "", "f"), ("f(a, b)", "", "f"), (" f ", "", "f"), ("&f", "", "f"),
    ("f+0x1a/0x50", "", "f"), ("f.isra.0", "", "f"), ("f.constprop.12+0x5/0x9", "", "f"),
    ("net/a.c:f()", "net/a.c", "f"), ("vdso:f", "vdso", "f"), ("()", "", "()"), ("", "", ""),
])
def test_what_people_copy_along_is_stripped(text: str, qualifier: str, name: str) -> None:
    assert WrittenName.parse(text) == WrittenName(qualifier, name)


def test_names_of_other_releases_lead_to_what_this_one_has() -> None:
    old = Names(("SyS_tell", "", "vmlinux", "a.c"), ("SYSC_tell", "a.c", "vmlinux", "a.c"))
    new = Names(("__x64_sys_tell", "", "vmlinux", "a.c"),
                ("__do_sys_tell", "a.c", "vmlinux", "a.c"),
                ("__se_sys_tell", "a.c", "vmlinux", "a.c"), ("keep_noprof", "", "vmlinux", "a.c"))
    for name in ("__x64_sys_tell", "sys_tell", "syscall:tell", "__se_sys_tell"):
        assert find_function(old, name).id.name == "SyS_tell", name
    for name in ("ksys_tell", "__do_sys_tell"):
        assert find_function(old, name).id.name == "SYSC_tell", name
    for name in ("sys_tell", "SyS_tell", "syscall:tell"):
        assert find_function(new, name).id.name == "__x64_sys_tell", name
    assert find_function(new, "SYSC_tell").id.name == "__do_sys_tell"
    found = resolve_function(new, "keep")
    assert found.remarks == ("this release has no `keep`: `keep_noprof` is what it has instead",)
    assert qualify_name(new, "syscall:tell") == "__x64_sys_tell"


def test_rows_of_spellings_say_why() -> None:
    assert all(row.reason and len(row.names) > 1 for row in load_spellings())
    assert len({name.count("*") for row in load_spellings() for name in row.names}) == 2
    assert "SyS_read" in iter_spellings("ksys_read")


def test_case_is_ignored_where_nothing_else_fits() -> None:
    graph = Names(("Rcv", "", "vmlinux", "a.c"), ("send", "", "vmlinux", "a.c"),
                  ("Send", "", "vmlinux", "a.c"))
    found = resolve_function(graph, "RCV")
    assert found.function.id.name == "Rcv"
    assert found.remarks == ("there is no `RCV`, but `Rcv`",)
    with pytest.raises(LookupFailed, match="no function `SEND`"):
        find_function(graph, "SEND")
