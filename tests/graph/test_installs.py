"""Of several installs of one table a hop cites the nearest; `ops` shows all of them."""

import json
from collections.abc import Iterator

import pytest

from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.model.resolution import Role
from kgraph.query import PathQuestion, find_bindings, find_paths
from kgraph.store import IndexReader

HEADER = """
struct sock;
struct proto { int (*connect)(struct sock *); };
struct sock { const struct proto *prot; };
struct row { int type; const struct proto *prot; };
extern const struct proto stream;
int stream_connect(struct sock *sk);
"""
FILES = {
    "net/proto.h": HEADER,
    # the first by its path, and far from all others
    "net/a6/glue.c": """
#include "../proto.h"
void convert(struct sock *sk) { sk->prot = &stream; }
""",
    "net/v4/inet.c": """
#include "../proto.h"
static struct row rows[] = { { 1, &stream } };
void create(struct sock *sk, int n) { struct row *row = &rows[n]; sk->prot = row->prot; }
int inet_connect(struct sock *sk) { return sk->prot->connect(sk); }
""",
    "net/v4/stream.c": """
#include "../proto.h"
int stream_connect(struct sock *sk) { return 0; }
const struct proto stream = { stream_connect };
""",
    "net/a6/inet6.c": """
#include "../proto.h"
int inet6_connect(struct sock *sk) { return sk->prot->connect(sk); }
""",
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallGraph]:
    tree = tmp_path_factory.mktemp("installs")
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": str(tree), "file": name, "arguments": ["cc", "-c", name]}
        for name in FILES if name.endswith(".c")]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tree / "cache"))
        made = index_tree(IndexRequest(tree, index=tree / "x.kgraph", jobs=0))
    graph = CallGraph(IndexReader(made.index))
    yield graph
    graph.close()


@pytest.mark.parametrize(("caller", "place"), [
    ("inet_connect", ("net/v4/inet.c", 3)),  # by way of the row, in the caller's file
    ("inet6_connect", ("net/a6/glue.c", 3)),  # in the caller's folder; one is in the callee's
])
def test_a_hop_cites_the_nearest_install(
    graph: CallGraph, caller: str, place: tuple[str, int]
) -> None:
    [hop] = find_paths(graph, PathQuestion(caller, "stream_connect")).paths[0].hops
    binding, install = hop.evidence
    assert binding.role is Role.BINDING
    assert (install.role, (install.location.path, install.location.line)) == (Role.INSTALL, place)


def test_a_pinned_table_is_cited_likewise(graph: CallGraph) -> None:
    question = PathQuestion("inet_connect", "stream_connect", bind=("sock.prot=stream",))
    [hop] = find_paths(graph, question).paths[0].hops
    assert hop.evidence[-1].location.path == "net/v4/inet.c"


def test_ops_shows_installs_by_name_and_by_copies(graph: CallGraph) -> None:
    [row] = find_bindings(graph, "stream")
    assert {(each.holder, each.location.path, each.location.line, each.is_copy)
            for each in row.installs} == {
        ("sock.prot", "net/a6/glue.c", 3, False),
        ("row.prot", "net/v4/inet.c", 3, False),
        ("sock.prot", "net/v4/inet.c", 4, True),
    }


def test_ops_of_the_field_shows_a_table_once(graph: CallGraph) -> None:
    [row] = find_bindings(graph, "sock.prot")
    assert (row.location.path, row.evidence) == ("net/a6/glue.c", ())
