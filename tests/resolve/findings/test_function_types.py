"""Which functions may be called as a type."""

import pytest

from kgraph.resolve.findings.function_types import fit


@pytest.mark.parametrize(("function", "called"), [
    ("int (struct sock *, int)", "int (const struct sock *, enum kind)"),
    ("int (struct sock *)", "int (void *)"),
    ("void *(struct sock *)", "struct sock *(const struct sock *)"),
    ("int (unsigned long)", "int (struct sock *)"),
    ("int (char *)", "int (struct sock *)"),
    ("int (struct sock **)", "int (void **)"),
    ("int (struct sock *)", "void (struct sock *)"),
    ("int ()", "int (struct sock *)"),
    ("int (const char *, ...)", "int (char *, int, struct sock *)"),
    ("int (int (*)(struct sock *))", "int (int (*)(void *))"),
    ("int (struct sock *)", "int (*)(struct sock *)"),
    ("int (struct sock *)", "void *"),
    ("int (struct sock *)", "unsigned long"),
    ("", "int (struct sock *)"),
])
def test_types_that_a_compiler_passes_alike(function, called):
    assert fit(function, called)


@pytest.mark.parametrize(("function", "called"), [
    ("int (struct sock *)", "int (struct rq *)"),
    ("int (struct sock *)", "int (struct sock *, int)"),
    ("int (void)", "int (struct sock *)"),
    ("int (struct pair)", "int (struct other)"),
    ("int (struct sock *)", "int (int *)"),
    ("struct sock *(void)", "struct rq *(void)"),
    ("int (struct sock *)", "int (*)(struct rq *)"),
    ("int (struct sock *)", "struct sock *"),
])
def test_types_that_are_passed_differently(function, called):
    assert not fit(function, called)
