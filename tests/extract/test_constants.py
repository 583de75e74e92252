"""Conditions that are constant in this configuration."""

from tests.support.shorthand import Facts

OPS = """
struct ops { int (*read)(int); int (*write)(int); };
int f(int x); int g(int x); int h(void);
"""


def test_code_under_a_false_constant_is_left_out(facts: Facts) -> None:
    reading = facts(OPS + """
    int u(int x) {
        if (0) f(1); else g(1);
        if (sizeof(int) == 4) f(2);
        switch (sizeof(long)) { case 4: f(3); break; case 8: g(3); break; default: f(4); }
        if (__builtin_constant_p(x)) f(5); else g(5);
        if (0) { out: f(6); }
        if (x) goto out;
        return 0 ? f(7) : g(7);
    }""")
    assert reading.calls("u") == ["g", "f", "g", "f", "g", "f", "g"]
