"""Links the names that assembler text and attributes give to functions and variables.

A name without a scope is the function of external linkage, else the static function of the file
that names it, else, for an attribute, the only one of a header. What assembler code refers to
and is none of these may be a variable: if functions are put into it, the code may go on wherever
it points, so that is a call through the variable. All else is data, or a label, and no call site.
A function that data in assembler names is put into the object that the data belongs to.
"""

from msgspec.structs import replace

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Load, Place, SymbolUse, TransferKind
from kgraph.resolve.fact_rows import DefinitionRow, FactRows, SiteRow, WriteRow
from kgraph.resolve.interning import NONE, FunctionRow, ObjectKey
from kgraph.resolve.linkage import FunctionLinker


def link_asm_names(facts: FactRows) -> None:
    """Link the callees that are known by their names alone, and drop call sites that name none.

    Changes the rows in place, and collects the names in `facts.asm_names`.
    """
    linker = _AsmLinker(facts)
    ids = facts.interner.function_ids
    named = [row for row in facts.definitions if any(site.symbol_use for site in row.sites)]
    for row in named:
        facts.asm_names.update(ids[site.callee].name for site in row.sites if site.symbol_use)
        if row.object != NONE:
            linker.bind_named_functions(row)
    pointers = _find_function_pointers(facts)
    for row in named:
        linked = (linker.link_site(site, pointers) for site in row.sites)
        row.sites = [site for site in linked if site is not None]


def _find_function_pointers(facts: FactRows) -> frozenset[tuple[str, str]]:
    """The variables that functions are put into, by name and scope."""
    interner = facts.interner
    keys = (
        interner.holder_keys[write.holder] for row in facts.definitions for write in row.writes
        if isinstance(interner.value_rows[write.value], FunctionRow))
    objects = {key.object for key in keys if isinstance(key, ObjectKey)}
    return frozenset(
        (identity.name, identity.scope)
        for identity in map(interner.object_ids.__getitem__, objects))


class _AsmLinker:
    def __init__(self, facts: FactRows) -> None:
        self._facts = facts
        self._linker = FunctionLinker(facts.functions)
        self._in_headers: dict[str, list[FunctionId]] = {}
        for function in facts.functions:
            if function.scope.endswith(".h"):
                self._in_headers.setdefault(function.name, []).append(function)

    def bind_named_functions(self, row: DefinitionRow) -> None:
        """Make bindings of the functions that an object in assembler names."""
        for site in row.sites:
            function = self._find_function(site) if site.symbol_use else None
            if function is not None:
                interner = self._facts.interner
                holder = interner.intern_holder(interner.object_ids[row.object])
                row.writes.append(WriteRow(
                    interner.intern_value(function), holder, NONE, site.location,
                    TransferKind.INITIALISER, row.object, is_binding=True))
        row.sites = [site for site in row.sites if not site.symbol_use]

    def link_site(self, site: SiteRow, pointers: frozenset[tuple[str, str]]) -> SiteRow | None:
        """The call site with its callee; None if it is not a call site. `pointers` are the
        variables that it may go through.
        """
        if site.symbol_use is None:
            return site
        interner = self._facts.interner
        function = self._find_function(site)
        if function is not None:
            return replace(site, callee=interner.intern_function(function))
        if site.symbol_use is not SymbolUse.REFERRED:
            return site
        named = interner.function_ids[site.callee]
        if (named.name, named.scope) not in pointers:
            return None
        variable = ObjectId(named.name, named.scope, named.image)
        target = interner.intern_value(Load(Place(variable)))
        return replace(site, callee=NONE, target=target, symbol_use=None)

    def _find_function(self, site: SiteRow) -> FunctionId | None:
        """The function of the index that a call site names."""
        function = self._facts.interner.function_ids[site.callee]
        if self._linker.link(function) in self._facts.functions:
            return function
        return self._find_static(site, function)

    def _find_static(self, site: SiteRow, function: FunctionId) -> FunctionId | None:
        """The static function that a name means at a call site."""
        interner = self._facts.interner
        path = interner.location(site.location).path
        unit = interner.function_ids[site.caller].scope.rpartition("@")[2]
        for scope in (path, f"{path}@{unit}"):
            static = FunctionId(function.name, scope, function.image)
            if static in self._facts.functions:
                return static
        if site.symbol_use is not SymbolUse.CLEANUP:
            return None
        headers = [static for static in self._in_headers.get(function.name, ())
                   if static.image == function.image]
        return headers[0] if len(headers) == 1 else None
