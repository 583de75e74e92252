"""Resolution: from the facts of definitions to the candidates of every call site.

    resolve(definitions) -> Resolution

`definitions` may be any iterable and is read once, in any order: the result is the same. Pure:
no file of the tree, no clock, no printing. Imports only kgraph.model and kgraph.errors.

How it works, one rule a module. walks joins what lies in a section with the loop over it; loaded
binds what a loader fills in; registries keeps the lists of declared objects apart. intake reads
definitions into numbers (numbering); symbols settles what assembler text names. linkage says which
definition a name means in an image. tables says which objects are installed. values and constraints
turn facts into an inclusion graph over holders (nodes), in which functions flow; slots are field-
based, except that what an object of known identity is filled with stays apart (tables as objects).
need finds what can matter to an indirect call; solver computes the sets, pointers closes them over
pointers to pointers, beside adds what lies at a slot's place; addresses says which tables a base
may point to; refine solves again with what that tells. parameters finds forwarded callbacks;
deferred, with keys, duties, table_rows, requests and deferral_rows, what is run later, stored what
a call runs that was stored before; bindings the rows of `ops`, held those that come by copies;
evidence the citations; emptiness the reasons; sites puts everything together. What code cannot show
is declared in data/*.toml (declared).

Fields that lie at one place (in a union, in records cast into each other or copied from each other)
hold what is written to the others as well, as the facts say: cited as overlays. What an empty set
proves rests on this:
- a void * or a number that becomes a pointer to a record points to one, also where a function gives
  back memory that it filled from outside (memdup_user is known to do that);
- members of one record that are functions of different types are not called for each other, nor are
  those of a union that is declared to be told apart;
- where one record is taken for another, a function that is read there as a number is cast to a
  pointer at once, and one that is written as a void * is not read as another void *;
- modules that are not parsed write nothing.

Known to be missing: what inline asm does to memory is what the extractor says of it; what functions
without a definition do to records that they are handed a pointer to is not known, and taken to be
no write of a function; a pointer that is stored through, of which not everything is known and that
is seen to reach more than 32 tables, changes none of them; heap objects have no identity.
"""

import gc
from collections.abc import Iterable

from kgraph.model.facts import Definition
from kgraph.model.resolution import Resolution
from kgraph.resolve.bindings import Bindings
from kgraph.resolve.constraints import Constraints
from kgraph.resolve.deferral_rows import Rows, deferral_rows
from kgraph.resolve.deferred import Deferred
from kgraph.resolve.footprint import footprint
from kgraph.resolve.held import HeldTables
from kgraph.resolve.intake import read
from kgraph.resolve.loaded import filled
from kgraph.resolve.nodes import Nodes
from kgraph.resolve.refine import solve
from kgraph.resolve.registries import joined
from kgraph.resolve.sites import Sites
from kgraph.resolve.stored import Stored
from kgraph.resolve.symbols import settle_symbols
from kgraph.resolve.tables import installed_objects
from kgraph.resolve.walks import laid_out


def resolve(definitions: Iterable[Definition], rows: Rows | None = None) -> Resolution:
    """Resolve every call site of the definitions; `rows` declare deferred calls, None for those
    that come with kgraph.

    The garbage collector rests meanwhile: millions of small tuples without a cycle cost it more
    time than the rest takes.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _resolve(definitions, deferral_rows() if rows is None else rows)
    finally:
        if collecting:
            gc.enable()


def _resolve(definitions: Iterable[Definition], rows: Rows) -> Resolution:
    deferred = Deferred(rows)
    facts = read(joined(laid_out(filled(deferred.watch(definitions)))))
    settle_symbols(facts)
    nodes = Nodes(facts)
    constraints = Constraints(nodes, installed_objects(facts))
    solution = solve(constraints)
    bindings = Bindings(nodes, constraints.values)
    sites = Sites(constraints, solution, bindings, Stored(rows, nodes))
    later = deferred.found(facts, sites.callees(), sites.functions_of)
    trace = footprint(constraints, solution.solver.need, sites.forwarding, deferred.duties())
    return Resolution(
        functions=tuple(facts.functions[key] for key in sorted(facts.functions)),
        objects=tuple(facts.objects[key] for key in sorted(facts.objects)),
        sites=tuple(sites.resolved(later.edges)),
        bindings=bindings.rows,
        requests=later.requests,
        later=later.callbacks,
        footprint=trace,
        held=HeldTables(constraints, solution).rows(),
    )


__all__ = ["Rows", "deferral_rows", "resolve"]
