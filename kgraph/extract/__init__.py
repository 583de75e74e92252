"""Reads the facts of C and assembler sources with libclang.

    extractor = Extractor(root, build, seen)      # one per worker process
    facts = extractor.extract(unit)               # TranslationUnit -> UnitFacts

    for plan in plan_headers(units):              # optional: precompiled headers save time
        made = extractor.extract_header(plan, stem)

A definition whose key is in `seen` is listed in UnitFacts.keys and not read again.

Owns everything that touches libclang: the only package that imports clang. Sub-packages: `clang`
binds libclang, `asm` reads assembler, `pch` makes precompiled headers. Must not know how facts are
stored or resolved.
"""

from kgraph.extract.extractor import Extractor
from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.extract.pch.select import HeaderPlan, plan_headers

__all__ = ["Extractor", "HeaderPlan", "PrecompiledHeader", "plan_headers"]
