"""Links the names that assembler text and attributes give to functions.

A name without a scope is the function of external linkage, else the static function of the file
that names it, else, for an attribute, the only one of a header. What assembler only refers to
and is none of these is data, or a label, and no call site.
"""

from kgraph.model.ids import FunctionId
from kgraph.model.values import SymbolUse
from kgraph.resolve.fact_rows import FactRows, SiteRow
from kgraph.resolve.linkage import FunctionLinker


def link_asm_names(facts: FactRows) -> None:
    """Replace the callees that are known by their names by the functions that are meant, and drop
    the call sites that refer to none."""
    symbols = _AsmLinker(facts)
    ids = facts.interner.function_ids
    facts.asm_names.update(ids[site.callee].name for row in facts.definitions
                         for site in row.sites if site.named)
    for row in facts.definitions:
        if any(site.named for site in row.sites):
            settled = map(symbols.settled, row.sites)
            row.sites = [site for site in settled if site is not None]


class _AsmLinker:
    def __init__(self, facts: FactRows) -> None:
        self._facts = facts
        self._linker = FunctionLinker(facts.functions)
        self._in_headers: dict[str, list[FunctionId]] = {}
        for function in facts.functions:
            if function.scope.endswith(".h"):
                self._in_headers.setdefault(function.name, []).append(function)

    def settled(self, site: SiteRow) -> SiteRow | None:
        """The call site with its callee; None where it is none."""
        if site.named is None:
            return site
        names = self._facts.interner
        function = names.function_ids[site.callee]
        if self._linker.link(function) in self._facts.functions:
            return site
        static = self._static(site, function)
        if static is not None:
            return site._replace(callee=names.intern_function(static))
        return None if site.named is SymbolUse.REFERRED else site

    def _static(self, site: SiteRow, function: FunctionId) -> FunctionId | None:
        """The static function that a name means at a call site."""
        names = self._facts.interner
        path = names.location_list[site.location].path
        unit = names.function_ids[site.caller].scope.rpartition("@")[2]
        for scope in (path, f"{path}@{unit}"):
            static = FunctionId(function.name, scope, function.image)
            if static in self._facts.functions:
                return static
        headers = self._in_headers.get(function.name, ())
        return headers[0] if len(headers) == 1 and site.named is SymbolUse.CLEANUP else None
