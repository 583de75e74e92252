"""Headers whose meaning depends on earlier ones: precompiled, they give the same facts."""

import json
from pathlib import Path

import pytest

from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from tests.support.index_contents import differences

ASKS = """void slow(void);
void fast(void);
#if SPEED > 1
static inline void go(void) { fast(); }
#else
static inline void go(void) { slow(); }
#endif"""
USES = "void user_N(void) { go(); }\n"
LAYOUTS = {
    # headers, what most units include, what a few do
    "a header brings the macro before the file, most have read the file": (
        {"first": "#include <linux/asks.h>",
         "both": "#include <linux/has.h>\n#include <linux/asks.h>"},
        "first both", "both"),
    "a header brings the file before the macro, most have read the macro": (
        {"first": "#include <linux/has.h>\n#include <linux/asks.h>",
         "both": "#include <linux/asks.h>\n#include <linux/has.h>"},
        "first both", "both"),
    "the macro is taken back at the end": (
        {"first": "#include <linux/has.h>\n#include <linux/asks.h>\n#include <linux/last.h>",
         "last": "#undef SPEED"},
        "first", "asks"),
    "two headers define the macro": (
        {"first": "#include <linux/has.h>\n#include <linux/asks.h>",
         "other": "#ifndef SPEED\n#define SPEED 1\n#endif"},
        "first", "other asks"),
}


def index(tree: Path, name: Path, *, precompiled: bool) -> IndexSummary:
    return index_tree(IndexRequest(tree, jobs=0, index=name, precompiled=precompiled, again=True))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_file_was_read_after_does_not_matter(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    headers, most, few = LAYOUTS[layout]
    tree = tmp_path / "tree"
    folder = tree / "include/linux"
    folder.mkdir(parents=True)
    for name, text in {"asks": ASKS, "has": "#define SPEED 2", **headers}.items():
        body = text if name in ("last", "other") else (
            f"#ifndef {name.upper()}_H\n#define {name.upper()}_H\n{text}\n#endif")
        (folder / f"{name}.h").write_text(body + "\n")
    commands = []
    for number in range(24):
        includes = few if number < 4 else most
        file = f"u{number}.c"
        (tree / file).write_text("".join(
            f"#include <linux/{name}.h>\n" for name in includes.split())
            + USES.replace("N", str(number)))
        commands.append({"directory": str(tree), "file": file,
                         "arguments": ["gcc", "-Iinclude", "-c", "-o", f"u{number}.o", file]})
    (tree / "compile_commands.json").write_text(json.dumps(commands))
    with_them = index(tree, tmp_path / "with", precompiled=True)
    without = index(tree, tmp_path / "without", precompiled=False)
    assert not differences(with_them.index, without.index)
