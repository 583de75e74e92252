"""Reads assembler units, and assembler at file scope in C."""

import os
from pathlib import Path

from kgraph.extract.asm.definitions import AsmDefinitions
from kgraph.extract.asm.dialects import find_dialect
from kgraph.extract.asm.inline import parse_asm_statements
from kgraph.extract.asm.parser import (
    SourceLine,
    find_marked_files,
    iter_marked_lines,
    parse_statements,
)
from kgraph.extract.asm.preprocess import PreprocessorFailed, find_target, preprocess
from kgraph.extract.sources import SourceMap, has_line
from kgraph.model.facts import Definition, UnitFacts
from kgraph.model.location import Location
from kgraph.model.units import TranslationUnit


def read_assembly_unit(unit: TranslationUnit, sources: SourceMap, seen: set[str]) -> UnitFacts:
    """The facts of an assembler unit.

    Definitions whose key is in `seen` are left out; the keys of all others are added to it.
    """
    paths: dict[str, str] = {}

    def cite(line: SourceLine) -> SourceLine:
        """The line at a place that can be cited: `#line` may name any file and line."""
        name = os.path.join(unit.directory, line.path)  # noqa: PTH118  no file is opened
        path = paths.setdefault(name, sources.find_citation_path(name))
        if not path or has_line(name, line.number):
            return line._replace(path=path)
        return line._replace(path=unit.path, number=1)

    try:
        text = preprocess(unit)
        marked = find_marked_files(text)
        read = {cite(SourceLine(name, 1, "")).path for name in marked}
        lines = map(cite, iter_marked_lines(text))
        dialect = find_dialect(find_target(unit))
        found = AsmDefinitions(unit.path, unit.image, dialect).read(
            parse_statements((line for line in lines if line.path), dialect))
    except (PreprocessorFailed, ValueError) as error:
        return UnitFacts(unit.path, unit.object, (), (), failed=str(error))
    keys = tuple(sorted({definition.key for definition in found}))
    files = tuple(sorted(read - {""}))
    fresh = tuple(definition for definition in found if definition.key not in seen)
    seen.update(keys)
    absolute = (Path(unit.directory, name) for name in marked)  # some may be no file: see `#line`
    foreign = any(path.is_file() and sources.is_foreign(str(path)) for path in absolute)
    return UnitFacts(unit.path, unit.object, keys, fresh, files=files, foreign=foreign)


def read_file_scope_asm(
    printed: str, location: Location, unit: str, image: str, target: str
) -> list[Definition]:
    """What assembler at file scope defines, all of it at the place where it starts.

    `unit` is the path of the unit for assembler in its own file, "" for that in a header. `target`
    is what the unit is compiled for, "" for this machine.
    """
    dialect = find_dialect(target)
    lines = [SourceLine(location.path, location.line, text)
             for asm in parse_asm_statements(printed)
             for text in asm.template.split("\n")]
    return AsmDefinitions(unit, image, dialect).read(parse_statements(lines, dialect))
