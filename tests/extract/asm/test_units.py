"""Assembler sources: preprocessed with their flags, cited where a reader finds them."""

import os
import shutil
from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.asm import preprocess
from kgraph.model.facts import UnitFacts
from kgraph.model.units import TranslationUnit
from kgraph.textfile import escape_name

compiler_needed = pytest.mark.skipif(
    not any(map(shutil.which, ("gcc", "clang", "cc"))), reason="no compiler is installed")


def assembled(folder: Path, text: str, *arguments: str) -> UnitFacts:
    (folder / "a.S").write_text(text)
    unit = TranslationUnit("a.S", "a.o", "vmlinux", str(folder / "a.S"), str(folder), arguments)
    return Extractor(folder, None, set()).extract(unit)


@compiler_needed
def test_a_unit_is_preprocessed_with_its_flags(tmp_path: Path) -> None:
    (tmp_path / "own.h").write_text("#define GO call far\n")
    found = assembled(tmp_path, '#include "own.h"\n.globl f\nf:\n#ifdef YES\n GO // told\n#endif\n',
                      "-DYES", "-fno-such-flag", "-std=gnu89")
    [definition] = found.definitions
    assert [(call.expression, str(call.location)) for call in definition.calls] == [
        ("far", "a.S:5")]
    assert found.files == ("a.S", "own.h")
    assert found.keys == (definition.key,)


@compiler_needed
def test_places_that_are_not_there_are_not_cited(tmp_path: Path) -> None:
    found = assembled(tmp_path, '.globl f\nf:\n#line 900 "a.S"\ncall g\n#line 3 "other.S"\ncall h')
    [definition] = found.definitions
    assert [str(call.location) for call in definition.calls] == ["a.S:1", "a.S:1"]


@compiler_needed
def test_a_header_whose_name_is_no_text_is_cited(tmp_path: Path) -> None:
    name = os.fsdecode(b'odd\xff" .h')
    (tmp_path / name).write_text("call g\n")
    source = f".globl f\nf:\n#include <{name}>\n".encode("utf-8", "surrogateescape")
    (tmp_path / "a.S").write_bytes(source)
    unit = TranslationUnit("a.S", "a.o", "vmlinux", str(tmp_path / "a.S"), str(tmp_path),
                           (f"-I{tmp_path}",))
    [definition] = Extractor(tmp_path, None, set()).extract(unit).definitions
    assert [call.location.path for call in definition.calls] == [escape_name(name)]


@compiler_needed
def test_a_unit_that_cannot_be_preprocessed_fails(tmp_path: Path) -> None:
    found = assembled(tmp_path, '#include "missing.h"\n')
    assert "missing.h" in found.failed
    assert not found.definitions


def test_a_unit_fails_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocess, "find_compiler", lambda: "")
    assert "no compiler" in assembled(tmp_path, "").failed
