"""Links the names that assembler text and attributes give to functions.

A name without a scope is the function of external linkage, else the static function of the file
that names it, else, for an attribute, the only one of a header. What assembler only refers to
and is none of these is data, or a label, and no call site.
"""

from msgspec.structs import replace

from kgraph.model.ids import FunctionId
from kgraph.model.values import SymbolUse
from kgraph.resolve.fact_rows import FactRows, SiteRow
from kgraph.resolve.linkage import FunctionLinker


def link_asm_names(facts: FactRows) -> None:
    """Link the callees that are known by their names alone, and drop call sites that name none.

    Changes the rows in place, and collects the names in `facts.asm_names`.
    """
    linker = _AsmLinker(facts)
    ids = facts.interner.function_ids
    for row in facts.definitions:
        named = [site for site in row.sites if site.symbol_use]
        if named:
            facts.asm_names.update(ids[site.callee].name for site in named)
            linked = map(linker.link_site, row.sites)
            row.sites = [site for site in linked if site is not None]


class _AsmLinker:
    def __init__(self, facts: FactRows) -> None:
        self._facts = facts
        self._linker = FunctionLinker(facts.functions)
        self._in_headers: dict[str, list[FunctionId]] = {}
        for function in facts.functions:
            if function.scope.endswith(".h"):
                self._in_headers.setdefault(function.name, []).append(function)

    def link_site(self, site: SiteRow) -> SiteRow | None:
        """The call site with its callee; None if it is not a call site."""
        if site.symbol_use is None:
            return site
        interner = self._facts.interner
        function = interner.function_ids[site.callee]
        if self._linker.link(function) in self._facts.functions:
            return site
        static = self._find_static(site, function)
        if static is not None:
            return replace(site, callee=interner.intern_function(static))
        return None if site.symbol_use is SymbolUse.REFERRED else site

    def _find_static(self, site: SiteRow, function: FunctionId) -> FunctionId | None:
        """The static function that a name means at a call site."""
        interner = self._facts.interner
        path = interner.location_list[site.location].path
        unit = interner.function_ids[site.caller].scope.rpartition("@")[2]
        for scope in (path, f"{path}@{unit}"):
            static = FunctionId(function.name, scope, function.image)
            if static in self._facts.functions:
                return static
        headers = self._in_headers.get(function.name, ())
        return headers[0] if len(headers) == 1 and site.symbol_use is SymbolUse.CLEANUP else None
