"""Places: what fields, parameters and pointers are called."""

from tests.support.shorthand import Facts, value_text

OPS = """
struct ops { int (*read)(int); int (*write)(int); };
struct dev { const struct ops *ops; struct ops own; void *data; int n; };
int f(int x); int g(int x);
"""


def test_parameters_written_as_functions_and_arrays_are_pointers(facts: Facts) -> None:
    reading = facts(OPS + """
    int inner(int cb(int), struct ops table[]);
    int u(int cb(int), struct ops table[], struct ops *o) {
        o->read = cb;
        table[1].write = cb;
        return inner(cb, table) + table->read(1);
    }""")
    assert reading.puts("u") == ["ops.read{u(#2)} = u(#0)", "ops.write{u(#1)} = u(#0)"]
    site, indirect = reading.sites("u")
    assert [[value_text(v) for v in argument] for argument in site.arguments] == [
        ["u(#0)"], ["u(#1)"]]
    assert value_text(indirect.target) == "ops.read{u(#1)}"
