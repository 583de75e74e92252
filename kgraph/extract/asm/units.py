"""Reads assembler units, and assembler at file scope in C."""

import os
from pathlib import Path

from kgraph.extract.asm.definitions import AsmDefinitions
from kgraph.extract.asm.inline import parse_asm_statements
from kgraph.extract.asm.parser import (
    SourceLine,
    find_marked_files,
    iter_marked_lines,
    parse_statements,
)
from kgraph.extract.asm.preprocess import PreprocessorFailed, preprocess
from kgraph.extract.sources import SourceMap, has_line
from kgraph.model.facts import Definition, UnitFacts
from kgraph.model.location import Location
from kgraph.model.units import TranslationUnit


def read_assembly_unit(unit: TranslationUnit, sources: SourceMap, seen: set[str]) -> UnitFacts:
    """The facts of an assembler unit; `seen` takes in their keys."""
    names: dict[str, str] = {}

    def placed(line: SourceLine) -> SourceLine:
        """The line with a place that can be cited; `#line` may say anything."""
        name = os.path.join(unit.directory, line.path)  # noqa: PTH118  no file is opened
        path = names.setdefault(name, sources.find_citation_path(name))
        if not path or has_line(name, line.number):
            return line._replace(path=path)
        return line._replace(path=unit.path, number=1)

    try:
        text = preprocess(unit)
        marked = find_marked_files(text)
        read = {placed(SourceLine(name, 1, "")).path for name in marked}
        lines = map(placed, iter_marked_lines(text))
        found = AsmDefinitions(unit.path, unit.image).read(
            parse_statements(line for line in lines if line.path))
    except (PreprocessorFailed, ValueError) as error:
        return UnitFacts(unit.path, unit.object, (), (), failed=str(error))
    keys = tuple(sorted({definition.key for definition in found}))
    files = tuple(sorted(read - {""}))
    fresh = tuple(definition for definition in found if definition.key not in seen)
    seen.update(keys)
    whole = (Path(unit.directory, name) for name in marked)  # `#line` may name what is no file
    foreign = any(path.is_file() and sources.is_foreign(str(path)) for path in whole)
    return UnitFacts(unit.path, unit.object, keys, fresh, files=files, foreign=foreign)


def read_file_scope_asm(
    printed: str, location: Location, unit: str, image: str
) -> list[Definition]:
    """What assembler at file scope defines, all at the place where it starts."""
    lines = [SourceLine(location.path, location.line, text)
             for asm in parse_asm_statements(printed, all_of_them=True)
             for text in asm.template.split("\n")]
    return AsmDefinitions(unit, image).read(parse_statements(lines))
