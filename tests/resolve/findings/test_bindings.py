"""The rows of `ops`."""

from kgraph.model.ids import ObjectId
from kgraph.model.values import Parameter, Slot, TransferKind
from kgraph.resolve import resolve
from tests.support.facts_in_c import addr, call, fn, function, obj, param, put, row, stubs

SEND = Slot("proto", "send")


def test_bindings_installs_and_arguments():
    resolution = resolve([
        *stubs("f"),
        obj("tbl", row("tbl", "proto", "send", "f", line=1)),
        function("c", put(param("c"), "f", line=2), call("c", "alloc", addr("tbl"), line=3)),
    ])
    assert [(b.holder, b.value, b.table, b.location.line, b.how) for b in resolution.bindings] == [
        (SEND, fn("f"), ObjectId("tbl"), 1, TransferKind.INITIALISER),
        (Parameter(fn("alloc"), 0), ObjectId("tbl"), None, 3, TransferKind.ARGUMENT),
    ]


def test_an_export_binds_nothing():
    resolution = resolve([
        *stubs("f"), obj("tbl", row("tbl", "proto", "send", "f")),
        obj("__ksymtab_tbl", row("__ksymtab_tbl", "kernel_symbol", "value", addr("tbl"), line=2),
            section="___ksymtab+tbl"),
        obj("__ksymtab_f", row("__ksymtab_f", "kernel_symbol", "value", "f", line=3),
            section="___ksymtab+f"),
    ])
    assert [(b.holder, b.value) for b in resolution.bindings] == [(SEND, fn("f"))]
