"""Identities of records and their fields."""

from tests.support.shorthand import Facts


def test_slots_of_one_struct_name_in_two_files_differ(facts: Facts) -> None:
    source = "struct priv { int (*cb)(int); }; int f(int x) { return x; } struct priv t = { f };"
    slots = {facts(source, path=path).definition("t").bindings[0].place.holder
             for path in ("a.c", "b.c")}
    assert {str(slot) for slot in slots} == {"priv.cb"}
    assert len(slots) == 2


def test_records_of_include_folders_have_no_scope(facts: Facts) -> None:
    reading = facts("#include <linux/o.h>\nint f(int x) { return x; } struct o t = { f };",
                    files={"include/linux/o.h": "struct o { int (*cb)(int); };"})
    assert getattr(reading.definition("t").bindings[0].place.holder, "scope", None) == ""
