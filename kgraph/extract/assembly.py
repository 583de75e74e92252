"""Assembler units, and assembler at file scope in C -> their definitions."""

import os
from pathlib import Path

from kgraph.extract.assembler import asm_texts
from kgraph.extract.gas import Line, marked_files, marked_lines, statements
from kgraph.extract.preprocessor import PreprocessorFailed, preprocessed
from kgraph.extract.sources import Sources, has_line
from kgraph.extract.symbols import Symbols
from kgraph.model.facts import Definition, UnitFacts
from kgraph.model.location import Location
from kgraph.model.units import TranslationUnit


def read_assembly(unit: TranslationUnit, sources: Sources, seen: set[str]) -> UnitFacts:
    """The facts of an assembler unit; `seen` takes in their keys."""
    names: dict[str, str] = {}

    def placed(line: Line) -> Line:
        """The line with a place that can be cited; `#line` may say anything."""
        name = os.path.join(unit.directory, line.path)  # noqa: PTH118  no file is opened
        path = names.setdefault(name, sources.citation_path(name))
        if not path or has_line(name, line.number):
            return line._replace(path=path)
        return line._replace(path=unit.path, number=1)

    try:
        text = preprocessed(unit)
        marked = marked_files(text)
        read = {placed(Line(name, 1, "")).path for name in marked}
        lines = map(placed, marked_lines(text))
        found = Symbols(unit.path, unit.image).definitions(
            statements(line for line in lines if line.path))
    except (PreprocessorFailed, ValueError) as error:
        return UnitFacts(unit.path, unit.object, (), (), failed=str(error))
    keys = tuple(sorted({definition.key for definition in found}))
    files = tuple(sorted(read - {""}))
    fresh = tuple(definition for definition in found if definition.key not in seen)
    seen.update(keys)
    whole = (Path(unit.directory, name) for name in marked)  # `#line` may name what is no file
    foreign = any(path.is_file() and sources.is_foreign(str(path)) for path in whole)
    return UnitFacts(unit.path, unit.object, keys, fresh, files=files, foreign=foreign)


def read_file_scope(printed: str, location: Location, unit: str, image: str) -> list[Definition]:
    """What assembler at file scope defines, all at the place where it starts."""
    lines = [Line(location.path, location.line, text)
             for asm in asm_texts(printed, all_of_them=True)
             for text in asm.template.split("\n")]
    return Symbols(unit, image).definitions(statements(lines))
