"""Reads the facts of C and assembler sources with libclang.

    extractor = Extractor(root, build, seen)   # one per worker process
    facts = extractor.extract(unit)            # TranslationUnit -> UnitFacts

A definition whose key is in `seen` is listed in UnitFacts.keys and not read again.

Owns everything that touches libclang: the only package that imports clang. Sub-packages:
`clang` binds libclang, `asm` reads assembler, `pch` makes precompiled headers. Must not know
how facts are stored or resolved.
"""

from kgraph.extract.extractor import Extractor

__all__ = [
    "Extractor",
]
