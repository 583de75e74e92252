"""What the C library does with functions that it is given: the rows of libc.toml."""

from pathlib import Path

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.query import find_callees, find_function
from tests.support.one_file import index_text

TEXT = """
typedef unsigned long size_t; typedef unsigned long pthread_t;
void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
int pthread_create(pthread_t *, const void *, void *(*)(void *), void *);
void (*signal(int, void (*)(int)))(int);
int atexit(void (*)(void));
struct sigaction {
	union { void (*sa_handler)(int); void (*sa_sigaction)(int, void *, void *); } __handler;
	int sa_flags;
};
int sigaction(int, const struct sigaction *, struct sigaction *);
static int smaller(const void *a, const void *b) { return a < b; }
static void *work(void *x) { return x; }
static void on_signal(int s) { }
static void bye(void) { }
static void start(void *(*f)(void *)) { pthread_t t; pthread_create(&t, 0, f, 0); }
void *bsearch(const void *key, const void *base, int (*compare)(const void *, const void *),
               size_t n, int (*unused)(const void *, const void *))
{ return compare(key, base) ? 0 : (void *)base; }
int main(void)
{
	struct sigaction sa = { .__handler.sa_handler = 0 };
	int v[3];
	qsort(v, 3, 4, smaller);
	start(work);
	signal(2, on_signal);
	atexit(bye);
	bsearch(v, v, smaller, 3, smaller);
	return sa.sa_flags;
}
"""


def later(graph: CallGraph, caller: str) -> set[tuple[str, str]]:
    """(what a function requests, what it is called by)"""
    return {(hop.site.expression, str(hop.callee))
            for hop in find_callees(graph, find_function(graph, caller))
            if hop.kind is EdgeKind.DEFERRED}


def test_callbacks_of_the_library_run_where_it_is_called(tmp_path: Path) -> None:
    """Also through a wrapper. A function that the tree defines does what its body does."""
    with index_text(tmp_path, TEXT) as graph:
        assert later(graph, "main") == {
            ("qsort", "smaller"), ("start", "work"), ("signal", "on_signal"), ("atexit", "bye")}


def test_sigaction_as_glibc_declares_it(tmp_path: Path) -> None:
    with index_text(tmp_path, """
        struct sigaction {
            union { void (*sa_handler)(int); void (*sa_sigaction)(int, void *, void *); }
                __sigaction_handler;
        };
        int sigaction(int, const struct sigaction *, struct sigaction *);
        static void on_term(int s) { }
        static void on_hup(int s, void *info, void *context) { }
        void one(void)
        {
            struct sigaction sa = { .__sigaction_handler.sa_handler = on_term };
            sigaction(15, &sa, 0);
        }
        void other(void)
        {
            struct sigaction sa;
            sa.__sigaction_handler.sa_sigaction = on_hup;
            sigaction(1, &sa, 0);
        }
    """) as graph:
        assert later(graph, "one") == {("sigaction", "on_term")}
        assert later(graph, "other") == {("sigaction", "on_hup")}
