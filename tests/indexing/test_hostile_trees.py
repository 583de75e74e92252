"""Hostile trees: strange names, links, pipes, endless syntax. Nothing outside the tree is read."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kgraph.build.compile_database import read_compile_database
from kgraph.errors import KgraphError
from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.matrix import read_matrix
from kgraph.indexing.workers.pool import Limits
from kgraph.indexing.write_index import IndexRequest
from kgraph.store import IndexReader
from kgraph.textfile import escape_name, read_regular_file, unescape_name
from tests.support.effort import examples
from tests.support.places import ROOT
from tests.support.processes import PATIENCE, nothing_runs_for


def index(tree: Path, sources: dict[bytes, str], *listed: bytes, jobs: int = 0,
          seconds: float = 60) -> IndexSummary:
    """Index a tree of these files. Its units are the files that end in .c or .S, and `listed`."""
    tree.mkdir(exist_ok=True)
    for name, text in sources.items():
        (tree / os.fsdecode(name)).write_text(text)
    units = [os.fsdecode(name) for name in (*sources, *listed) if name.endswith((b".c", b".S"))]
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": unit,
         "arguments": ["gcc", "-I.", "-c", "-o", f"{unit}.o", unit]} for unit in units
    ]))
    return index_tree(IndexRequest(
        tree, index=tree.parent / "x.kgraph", jobs=jobs, limits=Limits(seconds, 6 << 30)))


def calls(summary: IndexSummary, *names: str) -> set[tuple[str, str, str]]:
    """(caller, citation, text) of every call."""
    graph = CallGraph(IndexReader(summary.index))
    text = SourceText(graph)
    found = {
        (name, str(site.location), text.read_line(site.location))
        for name in names for function in graph.find_functions(name)
        for site in graph.find_sites_of(function.number)
    }
    graph.close()
    return found


ODD = [b"q\"uo'te.c", b"new\nline.c", b"caf\xe9.c", b"back\\slash.c", "中文.c".encode(),
       "line\u2028end.c".encode(), b"a b.c"]


def test_names_that_are_not_text_are_cited_and_opened(tmp_path: Path) -> None:
    sources = {
        name: f"int g(int);\nint f{number}(int a)\n{{\n\treturn g(a);\n}}\n"
        for number, name in enumerate(ODD)
    }
    summary = index(tmp_path / "tree", sources)
    assert summary.failed_units == ()
    assert calls(summary, *(f"f{number}" for number in range(len(ODD)))) == {
        (f"f{number}", f"{escape_name(os.fsdecode(name))}:4", "return g(a);")
        for number, name in enumerate(ODD)
    }
    again = index_tree(IndexRequest(tmp_path / "tree", index=summary.index, jobs=0))
    assert (again.units_read, again.units_kept) == (0, len(ODD))


def test_headers_with_such_names(tmp_path: Path) -> None:
    inline = "int g(int);\nstatic inline int h(int a)\n{\n\treturn g(a);\n}\n"
    source = tmp_path / "tree" / "f.c"
    source.parent.mkdir()
    source.write_bytes(b'#include "h\xe9.h"\nint f(int a)\n{\n\treturn h(a);\n}\n')
    summary = index(tmp_path / "tree", {b"h\xe9.h": inline}, b"f.c")
    assert calls(summary, "h") == {("h", "h\\xe9.h:4", "return g(a);")}


@given(st.binary(max_size=20))
def test_no_two_names_are_cited_alike(name: bytes) -> None:
    text = os.fsdecode(name)
    assert unescape_name(escape_name(text)) == text
    assert escape_name(text).isprintable()


def test_a_citation_never_leaves_the_tree(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = "int g(int);\nstatic inline int secret(int a)\n{\n\treturn g(a);\n}\n"
    (outside / "out.h").write_text(secret)
    (outside / "out.c").write_text("int stolen(int a)\n{\n\treturn 0;\n}\n")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link.h").symlink_to(outside / "out.h")
    (tree / "link.c").symlink_to(outside / "out.c")
    (tree / "inner.h").write_text("static inline int inner(int a)\n{\n\treturn a;\n}\n")
    (tree / "alias.h").symlink_to("inner.h")
    (tree / "folder").symlink_to(outside)
    (tree / "loop").symlink_to("loop")
    (tree / "self").symlink_to(".")
    summary = index(tree, {
        b"a.c": '#include "link.h"\n#include "alias.h"\n'
                "int f(int a)\n{\n\treturn secret(inner(a));\n}\n",
    }, b"link.c", b"folder/out.c", b"self/a.c")
    reader = IndexReader(summary.index)
    cited = {path for path, in reader.fetch_rows("SELECT path FROM file")}
    assert cited <= {"a.c", "alias.h", "self/a.c", "self/alias.h"}
    assert not reader.fetch_rows("SELECT 1 FROM function WHERE name = 'stolen'")
    assert not reader.fetch_rows("SELECT 1 FROM function WHERE name = 'secret' AND file NOT NULL")
    reader.close()


def test_a_configuration_of_clang_in_the_tree_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, victim = tmp_path / "tree", tmp_path / "victim"
    victim.write_text("important")
    (tree / "x86_64-unknown-linux-gnu").mkdir(parents=True)
    for name in ("clang.cfg", "x86_64-unknown-linux-gnu-clang.cfg", "x86_64-linux-gnu-clang.cfg",
                 "x86_64-unknown-linux-gnu.cfg", "x86_64-unknown-linux-gnu/x-clang.cfg"):
        (tree / name).write_text(f"-MD -MF {victim} -DGIVEN")
    (tree / "a.c").write_text("#ifdef GIVEN\n#error given\n#endif\nint f(void) { return 1; }\n")
    targets = ("x86_64-linux-gnu", "x86_64-unknown-linux-gnu", "x86_64-linux-gnu/x")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "output": f"{number}.o",
         "arguments": ["gcc", f"--target={target}", "-c", "-o", f"{number}.o", "a.c"]}
        for number, target in enumerate(targets)]))
    monkeypatch.chdir(tree)
    made = index_tree(IndexRequest(Path(), index=tmp_path / "x.kgraph", jobs=0))
    assert victim.read_text() == "important"
    assert not made.failed_units
    assert not made.units_with_errors


@pytest.mark.parametrize("ending", ["pch", "gch"])
def test_a_precompiled_header_in_the_tree_is_not_read(tmp_path: Path, ending: str) -> None:
    """Clang's driver would use one beside the header of `-include`."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / f"k.h.{ending}").write_bytes(b"CPCH and no more")
    (tree / "k.h").write_text("int real(void);\n")
    (tree / "a.c").write_text("int asks(void) { return real(); }\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-include", "k.h", "-c", "a.c"]}]))
    made = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0))
    assert not made.failed_units
    assert not made.units_with_errors
    assert len(calls(made, "asks")) == 1


@pytest.mark.parametrize("entry", [
    {"file": "x" * 300 + ".c"}, {"directory": "x" * 300}, {"arguments": ["-I" + "x" * 300]},
    {"arguments": ["-include", "x" * 300 + ".h"]}, {"output": "x" * 300 + ".o"},
])
def test_names_that_are_too_long_cost_their_entry(tmp_path: Path, entry: dict[str, object]) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("a.c", "b.c"):
        (tree / name).write_text("int f(void) { return 1; }\n")
    given = {"directory": ".", "file": "b.c", "arguments": []} | entry
    given["arguments"] = ["gcc", *given["arguments"], "-c", given["file"]]
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-c", "a.c"]}, given]))
    made = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0))
    assert made.coverage.units >= 1
    assert not [path for path, _ in made.failed_units if path == "a.c"]


def test_modules_in_the_current_folder_are_not_run(tmp_path: Path) -> None:
    """Workers start in a folder whose modules are named like those that they import, and the
    program indexes at its top level.
    """
    here = tmp_path / "here"
    here.mkdir()
    for name in ("multiprocessing", "pickle", "socket", "kgraph", "ctypes", "sqlite3", "encodings"):
        (here / name).mkdir()
        (here / name / "__init__.py").write_text("open('RUN', 'w')\nraise SystemExit(9)\n")
    program = tmp_path / "program" / "asks.py"
    program.parent.mkdir()
    program.write_text(
        "import kgraph\nprint(kgraph.open_index().function('veth_xmit').location)\n")
    found = subprocess.run(
        [sys.executable, program], cwd=here, capture_output=True, text=True, timeout=PATIENCE,
        check=False, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert (found.returncode, found.stderr) == (0, "")
    assert "drivers/net/veth.c" in found.stdout
    assert not (here / "RUN").exists()


def test_a_file_that_became_a_link_out_has_no_text(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    summary = index(tree, {b"a.c": "int g(int);\nint f(int a)\n{\n\treturn g(a);\n}\n"})
    (tmp_path / "copy.c").write_bytes((tree / "a.c").read_bytes())
    (tree / "a.c").unlink()
    (tree / "a.c").symlink_to(tmp_path / "copy.c")
    assert calls(summary, "f") == {("f", "a.c:4", "")}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    sources = {b"a.c": "int f(int a)\n{\n\treturn a;\n}\n"}
    summary = index(tree, sources)
    (tree / "a.c").unlink()
    os.mkfifo(tree / "a.c")
    with pytest.raises(OSError, match="not a regular file"):
        read_regular_file(tree / "a.c")
    assert calls(summary, "f") == set()
    with pytest.raises(KgraphError):
        index(tree, {}, b"a.c")
    (tree / "Makefile").unlink(missing_ok=True)
    os.mkfifo(tree / "Makefile")
    with pytest.raises(KgraphError):
        index_tree(IndexRequest(tree, index=summary.index, jobs=0))


@pytest.mark.parametrize("name", ["a.c", "a.S"])
def test_a_header_that_is_a_pipe_costs_its_unit(tmp_path: Path, name: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    os.mkfifo(tree / "pipe.h")
    summary = index(tree, {
        name.encode(): '#include "pipe.h"\n', b"b.c": "int f(int a)\n{\n\treturn a;\n}\n",
    }, jobs=2, seconds=5)
    assert dict(summary.failed_units) == {name: "it took more than 5 seconds"}
    assert summary.coverage.units == 2
    nothing_runs_for(tree)


DEEP = {
    "sum": "int g(int);\nint f(int a)\n{\n\treturn " + "+".join(["g(a)"] * 5000) + ";\n}\n",
    "else if": "int g(int);\nint f(int a)\n{\n" + "".join(
        f"\tif (a == {n})\n\t\treturn g({n});\n\telse\n" for n in range(400)) + "\treturn 0;\n}\n",
    "conditional": "int g(int);\nint f(int a)\n{\n\treturn " + "".join(
        f"a == {n} ? g({n}) :\n" for n in range(400)) + "0;\n}\n",
    "pointers": "int g(int);\nint " + "*" * 5000 + "p;\nint f(int a)\n{\n\treturn g(a);\n}\n",
    "long line": "int g(int);\nint f(int a)\n{\n\treturn g(a); /*" + "x" * 10_000_000 + "*/\n}\n",
    "line of calls": "int g(int);\nint f(int a)\n{\n" + "g(a);" * 20_000 + "\nreturn 0;\n}\n",
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_and_long_sources_are_read(tmp_path: Path, kind: str) -> None:
    summary = index(tmp_path / "tree", {b"a.c": DEEP[kind]}, jobs=1)
    assert summary.failed_units == ()
    found = calls(summary, "f")
    assert found
    assert all(len(text) < 2000 for _, _, text in found)


SHARED = {
    "deep": DEEP["else if"].replace("int f(", "static inline int f("),
    "long": DEEP["long line"].replace("int f(", "static inline int f("),
    "brackets": "int g(int);\nstatic inline int f(int a) { return " + "g(" * 300 + "a"
                + ")" * 300 + "; }\n",
    "includes itself": "#include <linux/shared.h>\nint f(int);\n",
    "no header": "",
}


@pytest.mark.parametrize("kind", SHARED)
def test_a_shared_header_that_is_precompiled(tmp_path: Path, kind: str) -> None:
    """Hostile headers give the same facts precompiled and not."""
    tree = tmp_path / "tree"
    (tree / "linux").mkdir(parents=True)
    sources = {f"u{n}.c".encode(): "#include <linux/shared.h>\n"
               f"int u{n}(int a)\n{{\n\treturn f(a);\n}}\n" for n in range(12)}
    if kind == "no header":
        (tree / "linux/shared.h").mkdir()
    else:
        sources[b"linux/shared.h"] = SHARED[kind]
    summary = index(tree, sources, jobs=2)
    plain = index_tree(IndexRequest(
        tree, index=tmp_path / "plain.kgraph", jobs=2, precompiled=False, again=True))
    assert summary.failed_units == plain.failed_units == ()
    assert summary.units_with_errors == plain.units_with_errors
    assert bool(plain.units_with_errors) == (kind not in ("deep", "long"))
    assert calls(summary, "f", "u0") == calls(plain, "f", "u0")


@pytest.mark.parametrize(("source", "says"), [
    ("int g(int);\nint f(int a) { return " + "g(" * 300 + "a" + ")" * 300 + "; }\n", "bracket"),
    ('#include "a.c"\n', "nested too deeply"),
    ("#define A0(x) x x\n" + "".join(
        f"#define A{n}(x) A{n - 1}(x) A{n - 1}(x)\n" for n in range(1, 32))
     + "int g(int);\nint f(int a) { A31(g(a);) return 0; }\n", "more than 5 seconds"),
])
def test_limits_are_reported(tmp_path: Path, source: str, says: str) -> None:
    summary = index(tmp_path / "tree", {
        b"a.c": source, b"b.c": "int h(int a)\n{\n\treturn a;\n}\n"}, jobs=1, seconds=5)
    [(path, reason)] = (*summary.failed_units, *summary.units_with_errors)
    assert path == "a.c"
    assert says in reason
    assert summary.coverage.units == 2


def doubling(innermost: str) -> str:
    """Assembler macros, each of which calls the previous one twice."""
    return f".macro a0\n{innermost}.endm\n" + "".join(
        f".macro a{n}\n a{n - 1}\n a{n - 1}\n.endm\n" for n in range(1, 35))


FUNCTION = ".globl f\nf:\n call g\n"
ENDLESS = {
    "doubles": doubling(" nop\n") + FUNCTION + " a34\n",
    "doubles nothing": doubling("") + FUNCTION + " a34\n",
    "calls itself": ".macro a\n a\n.endm\n" + FUNCTION + " a\n",
    "grows": ".macro a x\n a \\x\\x\n.endm\n" + FUNCTION + " a 1234567890\n",
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_endless_assembler_macros_are_reported(tmp_path: Path, kind: str) -> None:
    summary = index(tmp_path / "tree", {
        b"a.S": ENDLESS[kind], b"b.c": "int h(int a)\n{\n\treturn a;\n}\n"}, jobs=1)
    assert dict(summary.failed_units) == {"a.S": "macros of the assembler expand without end"}
    assert summary.coverage.units == 2


HUGE = {
    "repeats": FUNCTION + ".rept 1000000000\n nop\n.endr\n",
    "includes itself": '.include "a.S"\n' + FUNCTION,
    "holds a device": FUNCTION + '.incbin "/dev/zero"\n',
    "deep condition": FUNCTION + ".if " + "(" * 100_000 + "1" + ")" * 100_000 + "\n.endif\n",
    "conditions in each other": ".if 1\n" * 100_000 + FUNCTION + ".endif\n" * 100_000,
    "large number": f".if {'*'.join(['99999999999'] * 20_000)}\n.endif\n" + FUNCTION,
    "many calls": FUNCTION + " call g\n" * 60_000,
    "long line": FUNCTION + " call g;" * 200_000 + "\n",
    "string without end": FUNCTION + ' .ascii "' + '\\"' * 1_000_000 + "\n",
    "another": FUNCTION + ' .ascii "' + '\\"' * 1_000_000 + "\\\\\\ \n",
}


@pytest.mark.parametrize("kind", HUGE)
def test_huge_assembler_sources_are_read(tmp_path: Path, kind: str) -> None:
    summary = index(tmp_path / "tree", {b"a.S": HUGE[kind]}, jobs=1)
    assert (summary.failed_units, summary.units_with_errors) == ((), ())
    graph = CallGraph(IndexReader(summary.index))
    [function] = graph.find_functions("f")
    assert graph.find_sites_of(function.number)
    graph.close()


WORDS = st.sampled_from(["gcc", "/usr/bin/clang-19", "ccache", "distcc", "icecc", "-c", "-o", "-I",
                         "-include", "-D", "-x", "@r", "a.c", "a.o", "--", "-", "", "'", '"',
                         "\\", ";", "&&", ".", "/", "~", "$(CC)"])
ENTRIES = st.fixed_dictionaries({"file": st.just("a.c") | WORDS}, optional={
    "directory": st.just(".") | WORDS, "output": WORDS}).flatmap(lambda entry: st.one_of(
        st.lists(WORDS, max_size=3).map(lambda words: {"arguments": words, **entry}),
        st.lists(WORDS, max_size=3).map(lambda words: {"command": " ".join(words), **entry})))
JSON = ENTRIES | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("/x\0") | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["directory", "file", "command", "arguments", "output", "x"]), inner,
        max_size=5), max_leaves=20)


@given(JSON)
@examples(200)
def test_any_list_of_commands_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory,
                                                 content: object) -> None:
    tree = tmp_path_factory.mktemp("tree")
    (tree / "a.c").write_text("int a;\n")
    path = tree / "compile_commands.json"
    path.write_text(json.dumps([content, {"file": "a.c", "arguments": ["gcc", "-c", "a.c"]}]))
    with contextlib.suppress(KgraphError):  # anything else is a traceback
        index_tree(IndexRequest(tree, index=tree / "x.kgraph", jobs=0))


TEXTS = st.sampled_from(["tree", "path", "configuration", "config", "defconfig", "trees", "only",
                         "compile_commands", "prepare", "x"])
STRINGS = st.sampled_from(['"tree"', '"."', '"~"', '"~nobody-has-this/x"', '"\\u0000"', '"x\\ny"',
                           '""', '"/"', '"tree/a.c"'])
VALUES = st.recursive(
    st.one_of(st.booleans().map(lambda value: str(value).lower()), st.integers().map(str),
              st.sampled_from(["nan", "1979-05-27", "9" * 5000]), STRINGS),
    lambda inner: st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]")
    | st.tuples(TEXTS, inner).map(lambda pair: f"{{ {pair[0]} = {pair[1]} }}"), max_leaves=4)
LINES = st.one_of(
    st.sampled_from(["[[tree]]\npath = 'tree'", "[[configuration]]", "[tree]", "]", '"""', "\0"]),
    st.tuples(TEXTS, VALUES).map(" = ".join))


WHOLE = st.tuples(STRINGS, STRINGS, TEXTS, STRINGS | VALUES).map(
    lambda parts: "[[tree]]\npath = {}\n[[configuration]]\ntrees = [{}]\n{} = {}".format(*parts))


@given(WHOLE | st.lists(LINES, max_size=8).map("\n".join) | st.text())
@example("[[tree]]\npath = 'tree'\n[[configuration]]\ntrees = []")
@example("only = " + "[" * 100_000)
@example("only = " + "{ a = " * 100_000)
@example("a." * 100_000 + "b = 1")
@example("x = " + "9" * 5000)
@example("# " + "x" * 2_000_000)
@example("[[tree]]\npath = '" + "x/" * 100_000 + "'\n[[configuration]]")
@examples(300)
def test_any_matrix_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("set")
    (folder / "tree").mkdir()
    (folder / "tree/a.c").write_text("int a;\n")
    (folder / "tree/compile_commands.json").write_text("[]")
    path = folder / "set.toml"
    path.write_text(text, "utf-8", "surrogatepass")
    try:
        assert read_matrix(path, IndexRequest(folder))
    except KgraphError as error:  # anything else is a traceback
        message = error.message
    else:
        message = str(path)
    assert str(path) in message


@pytest.mark.parametrize("content", [
    b"[" * 100_000, b"\xff\xfe", b"{}", b"[1]", b"[]", b"\0", b"[" + b"1" * 5000 + b"]"])
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "compile_commands.json"
    path.write_bytes(content)
    with pytest.raises(KgraphError) as raised:
        read_compile_database(path)
    assert str(path) in raised.value.message


FORBIDDING = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        address = arguments[1] if len(arguments) > 1 else ""
        if not isinstance(address, (str, bytes)) or event == "socket.getaddrinfo":
            open({log!r}, "a").write(f"{{event}} {{arguments}}\\n")
            raise PermissionError("no network")
sys.addaudithook(refuse)
"""
VERBS = [
    ["status"], ["path", "SyS_sendto", "veth_xmit"],
    *(["path", "SyS_sendto", "veth_xmit", "--format", form]
      for form in ("json", "html", "svg", "dot", "mermaid")),
    ["callers", "veth_xmit"],
    ["callees", "veth_xmit"], ["ops", "veth_netdev_ops"], ["site", "net/socket.c:1"],
    ["find", "veth"], ["cscope", "-dL4", "veth"], ["reach", "veth_xmit"],
    ["check", "veth"], ["export"], ["export", "--facts"], ["report", "veth", "-o", "site"],
]
OF_THE_CACHE_FOLDER = [["index", "--matrix", "set.toml"], ["status", "--all"], ["index", "--prune"]]


@pytest.mark.slow
def test_no_verb_uses_the_network(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "sitecustomize.py").write_text(FORBIDDING.format(log=str(log)))
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}",
                   "XDG_CACHE_HOME": str(tmp_path / "cache")}
    index_path = tmp_path / "x.kgraph"
    for verb in [["index", str(ROOT / "fixtures/mini-linux"), "-j2"], *VERBS]:
        answer = subprocess.run(
            [sys.executable, "-m", "kgraph", *verb, "--index", str(index_path)], cwd=tmp_path,
            env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert "Traceback" not in answer.stderr
        assert answer.returncode in (0, 1, 3) or verb[0] == "site", (verb, answer.stderr)
    (tmp_path / "set.toml").write_text(
        f"[[tree]]\npath = '{ROOT}/fixtures/mini-linux'\n[[configuration]]\n")
    for verb in OF_THE_CACHE_FOLDER:
        answer = subprocess.run(
            [sys.executable, "-m", "kgraph", *verb], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert answer.returncode == 0, (verb, answer.stderr)
    assert not log.exists(), log.read_text()
    probe = subprocess.run(
        [sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 1))"],
        env=environment, capture_output=True, text=True, check=False)
    assert "no network" in probe.stderr
    assert log.exists()
