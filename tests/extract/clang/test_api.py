"""What libclang tells of a translation unit: files, macros, skipped lines, errors, places."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph.extract.clang import api, kinds
from kgraph.extract.clang.api import C
from kgraph.extract.clang.tree import SyntaxNode, get_operands, read_tree, unwrap

SOURCE = """\
#include "a.h"
#define TWICE(x) ((x) + (x))
#ifdef NEVER
int never;
#endif
struct record { int first; union { int second; }; };
int f(int one, int two)
{
\treturn TWICE(one) + sizeof(two);
}
int wrong = nowhere;
"""
_DETAILED = 0x01  # CXTranslationUnit_DetailedPreprocessingRecord


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "a.h").write_text('#include "b.h"\n')
    (tmp_path / "b.h").write_text("#define INNER 1\n")
    (tmp_path / "u.c").write_text(SOURCE)
    code, handle = api.parse_file(
        C.clang_createIndex(0, 0), str(tmp_path / "u.c"), ["-w"], _DETAILED)
    assert code == 0
    assert handle is not None
    yield handle
    C.clang_disposeTranslationUnit(handle)


def find(unit: int, name: str) -> api.Cursor:
    [found] = [cursor for cursor in api.list_children(C.clang_getTranslationUnitCursor(unit))
               if api.get_spelling(cursor) == name and cursor.kind < kinds.FIRST_ATTRIBUTE]
    return found


def nodes(node: SyntaxNode) -> Iterator[SyntaxNode]:
    yield node
    for child in node.children:
        yield from nodes(child)


def test_files_and_who_included_them(unit: int, tmp_path: Path) -> None:
    assert api.list_inclusions(unit) == [
        (f"{tmp_path}/u.c", ""), (f"{tmp_path}/a.h", f"{tmp_path}/u.c"),
        (f"{tmp_path}/b.h", f"{tmp_path}/a.h")]


def test_macros_and_what_conditions_left_out(unit: int, tmp_path: Path) -> None:
    macros = api.list_macro_definitions(unit)
    assert ("INNER", f"{tmp_path}/b.h") in macros
    assert ("TWICE", f"{tmp_path}/u.c") in macros
    assert api.list_skipped_lines(unit) == {f"{tmp_path}/u.c": [(3, 5)]}


def test_errors_are_counted(unit: int) -> None:
    assert api.count_errors(unit) == 1


def test_a_missing_file_has_no_handle(tmp_path: Path) -> None:
    code, handle = api.parse_file(C.clang_createIndex(0, 0), f"{tmp_path}/none.c", [], 0)
    assert code
    assert handle is None


def test_parameters_fields_and_places(unit: int) -> None:
    function, record = find(unit, "f"), find(unit, "record")
    assert list(map(api.get_spelling, api.list_parameters(function))) == ["one", "two"]
    assert len(api.list_fields(C.clang_getCursorType(record))) == 2
    assert api.decode_location(C.clang_getCursorLocation(function))[1:] == (7, 5)
    assert api.print_declaration(function).startswith("int f(int one, int two) {")


def test_a_tree_leaves_out_what_is_not_evaluated(unit: int) -> None:
    root = read_tree(find(unit, "f"))
    names = [api.get_spelling(node.cursor) for node in nodes(root)
             if node.kind == kinds.DECL_REF]
    assert names == ["one", "one"]
    [returned] = [node for node in nodes(root) if node.kind == kinds.RETURN]
    [value] = get_operands(returned)
    assert unwrap(value).kind == kinds.BINARY


def test_forced_includes_bypass_the_driver() -> None:
    assert api.bypass_driver_includes(["-DX", "-include", "a.h", "-include"]) == [
        "-DX", "-Xclang", "-include", "-Xclang", "a.h", "-Xclang", "-include", "-Xclang", ""]
