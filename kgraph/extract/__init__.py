"""libclang -> facts: the only importer of clang.cindex.

    extractor = Extractor(root, build, seen)   # one a worker process
    facts = extractor.extract(unit)            # TranslationUnit -> UnitFacts

Definitions whose key is in `seen` are listed in UnitFacts.keys and not read again.
"""

from kgraph.extract.extractor import Extractor

__all__ = ["Extractor"]
