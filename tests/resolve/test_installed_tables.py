"""Tables as objects: only what is installed, and only where it may be pointed to."""

from kgraph.model.resolution import EdgeKind, Role, SiteStatus
from kgraph.model.values import Opaque
from tests.support.facts_in_c import (
        addr,
    addr_field,
    call,
    element,
    field,
    function,
    names,
    obj,
    only_site,
    param,
    pointee,
    put,
    row,
    stubs,
    var,
)

SK_PROT = field("sock", "sk_prot", param("g"))


def table(name, callee, **options):
    return obj(name, row(name, "proto", "send", callee, line=7), **options)


def caller(base):
    return function("g", call("g", field("proto", "send", base)), parameters=1)


def set_prot(name, value):
    return function(name, put(field("sock", "sk_prot", param(name)), value, line=20), parameters=1)


BASE = [*stubs("raw", "udp", "dead"), table("raw_prot", "raw"), table("udp_prot", "udp"),
        table("dead_prot", "dead")]


def test_only_tables_that_the_base_may_hold_count():
    elsewhere = function("x", put(field("other", "prot", param("x")), addr("udp_prot")))
    site = only_site([*BASE, set_prot("s", addr("raw_prot")), elsewhere, caller(SK_PROT)], "g")
    assert (site.rule, names(site)) == ("table", ["raw"])
    assert site.candidates[0].kind is EdgeKind.OPS


def test_evidence_ends_with_the_install():
    site = only_site([*BASE, set_prot("s", addr("raw_prot")), caller(SK_PROT)], "g")
    assert [(e.role, e.location.line, e.holder) for e in site.candidates[0].evidence] == [
        (Role.BINDING, 7, "raw_prot.send"), (Role.INSTALL, 20, "sock.sk_prot")]


def test_a_base_of_which_not_all_is_known_keeps_every_installed_table():
    odd = set_prot("odd", Opaque("container_of"))
    elsewhere = function("x", put(field("other", "prot", param("x")), addr("udp_prot")))
    site = only_site([*BASE, set_prot("s", addr("raw_prot")), odd, elsewhere, caller(SK_PROT)], "g")
    assert (site.rule, names(site)) == ("slot", ["raw", "udp"])


def test_an_undefined_function_gives_back_what_is_not_known():
    odd = set_prot("odd", field("x", "p", param("odd")))
    alloc = function("a", put(field("x", "p", param("a")), Opaque("asm")))
    site = only_site([*BASE, set_prot("s", addr("raw_prot")), odd, alloc, caller(SK_PROT)], "g")
    assert site.rule == "slot"


def test_a_table_that_nothing_points_to_binds_nothing():
    site = only_site([*BASE, caller(SK_PROT)], "g")
    assert (site.status, site.reason) == (
        SiteStatus.EMPTY, "only objects that are never installed fill the field")


def test_an_export_does_not_install():
    export = obj("__ksymtab_dead", row("__ksymtab_dead", "kernel_symbol", "value",
                                       addr("dead_prot")), section="___ksymtab+dead_prot")
    assert only_site([*BASE, export, caller(SK_PROT)], "g").status is SiteStatus.EMPTY


def test_a_row_of_another_table_installs():
    other = obj("sw", row("sw", "inet_protosw", "prot", addr("raw_prot")))
    assert names(only_site([*BASE, other, caller(SK_PROT)], "g")) == ["raw"]


def test_a_table_does_not_install_itself():
    own = obj("own", row("own", "proto", "send", "raw"),
              row("own", "proto", "list", addr_field("proto", "list", addr("own"))))
    assert only_site([*stubs("raw"), own, caller(SK_PROT)], "g").status is SiteStatus.EMPTY


def test_an_object_in_a_section_of_its_own_is_found_by_its_loop():
    walked = table("early", "raw", section=".early_protos")
    assert names(only_site([*stubs("raw"), walked, caller(SK_PROT)], "g")) == ["raw"]
    plain = table("early", "raw", section=".data..read_mostly")
    assert only_site([*stubs("raw"), plain, caller(SK_PROT)], "g").status is SiteStatus.EMPTY


def test_a_table_called_by_its_name_reads_that_table_only():
    direct = caller(addr("raw_prot"))
    assert names(only_site([*BASE, set_prot("s", addr("udp_prot")), direct], "g")) == ["raw"]


def test_what_is_written_through_pointers_counts_for_every_table():
    patch = function("p", put(field("proto", "send", param("p")), "late"), parameters=1)
    site = only_site(
        [*BASE, *stubs("late"), patch, set_prot("s", addr("raw_prot")), caller(SK_PROT)], "g")
    assert names(site) == ["late", "raw"]


def test_a_table_that_is_copied_to_unknown_memory_counts_for_every_table_of_its_type():
    copy = function("c", put(pointee(param("c"), "proto"), pointee(addr("udp_prot"), "proto")),
                    parameters=1)
    site = only_site([*BASE, copy, set_prot("s", addr("raw_prot")), caller(SK_PROT)], "g")
    assert names(site) == ["raw", "udp"]


def test_a_table_that_unknown_content_is_copied_into_may_hold_anything():
    copy = function("c", put(pointee(addr("raw_prot"), "proto"),
                             pointee(Opaque("cast"), "proto")))
    elsewhere = function("x", put(field("other", "prot", param("x")), addr("udp_prot")))
    site = only_site([*BASE, copy, elsewhere, set_prot("s", addr("raw_prot")), caller(SK_PROT)],
                     "g")
    assert names(site) == ["raw", "udp"]


def test_a_row_of_tables_leads_to_the_tables_it_names():
    rows = obj("sw", row("sw", "inet_protosw", "prot", addr("raw_prot")))
    other = obj("other", row("other", "odd", "prot", addr("udp_prot")))
    create = function("create", put(var("create", "answer"), addr("sw")),
                      put(field("sock", "sk_prot", param("create")),
                          field("inet_protosw", "prot", var("create", "answer"))), parameters=1)
    assert names(only_site([*BASE, rows, other, create, caller(SK_PROT)], "g")) == ["raw"]


def test_an_array_of_tables_is_a_pointer_to_each():
    array = obj("all", element("all", addr("raw_prot")), element("all", addr("udp_prot")))
    base = [*BASE, array, set_prot("s", addr("dead_prot"))]
    from_array = function("g", call("g", field("proto", "send", var("g", "p"))),
                          put(var("g", "p"), pointee(addr("all"))))
    assert names(only_site([*base, from_array], "g")) == ["raw", "udp"]


def test_a_table_that_is_copied_to_another_counts_for_that_only():
    copy = function("c", put(pointee(addr("dead_prot"), "proto"),
                             pointee(addr("udp_prot"), "proto")))
    base = [*BASE, copy]
    assert names(only_site([*base, set_prot("s", addr("raw_prot")), caller(SK_PROT)], "g")) == [
        "raw"]
    assert names(only_site([*base, set_prot("s", addr("dead_prot")), caller(SK_PROT)], "g")) == [
        "dead", "udp"]


def test_a_record_copied_into_a_field_of_unknown_memory_counts_where_such_a_field_is():
    literal = addr("udp_prot")
    copy = function("c", put(field("unit", "own", param("c")), pointee(literal, "proto")),
                    put(var("c", "p"), addr_field("unit", "own", param("c"))), parameters=1)
    base = [*BASE, copy]
    assert names(only_site([*base, set_prot("s", addr("raw_prot")), caller(SK_PROT)], "g")) == [
        "raw"]
    inside = obj("first", row("first", "unit", "name", addr("raw_prot")))
    held = set_prot("s2", addr_field("unit", "own", addr("first")))
    both = [*base, inside, set_prot("s", addr("raw_prot")), held, caller(SK_PROT)]
    assert names(only_site(both, "g")) == ["raw", "udp"]
