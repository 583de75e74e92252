"""Resolution: from the facts of definitions to the candidates of every call site.

    resolve(definitions) -> Resolution

Reads any iterable of definitions once. The result does not depend on their order. Pure: reads
no file of the tree and no clock, and writes nothing but the log. Imports kgraph.model,
kgraph.errors and kgraph.logs, and the TOML reader for the declared models.

The stages, in order:

- `models/` adds to the facts what C code cannot show: linker sections, the module loader, lists
  that hang on one object, static calls, calls through numbers, functions that assembler names.
  Every such rule is a row of a TOML file, with its reason.
- `interning`, `fact_rows`, `linkage` and `installed_tables` turn the definitions into rows of small
  integers and say which definition a name means.
- `constraint_graph`, `operands` and `constraint_builder` turn the rows into a constraint graph:
  nodes that hold sets of functions and addresses, and inclusions between them.
- `solving/` computes the points-to sets: Andersen's analysis on a relevance slice. Slots are
  field-based; a second pass tells apart the tables that a pointer is known to point to.
- `findings/` states the results: candidates with their evidence, or the reason why there are none.
- `deferred/` matches what is registered in one place with what requests it in another.
- `incremental/` finds out whether an edit needs any of this again.

`constraint_dump` shows the constraints of one holder to whoever debugs them.

Fields that lie at one place (in a union, in records that are cast into or copied from each other)
hold what is written to the others as well. What an empty set proves rests on these assumptions:

- a void * or a number that becomes a pointer to a record points to one, also where a function
  returns memory that it filled from outside (memdup_user is known to do that);
- members of one record that are functions of different types are not called for each other, nor are
  those of a union that is declared to be discriminated;
- where one record is taken for another, a function that is read there as a number is cast to a
  pointer at once, and one that is written as a void * is not read as another void *;
- modules that are not parsed write nothing, and pass nothing to the functions that are exported.

Known limits: what inline asm does to memory is what the extractor says of it; a function in
assembler is taken to write no function into the records that it gets a pointer to, and one without
a definition only where nothing else does; a store through a pointer of which not everything is
known and that may reach more than 32 tables changes none of them; heap objects have no identity.
"""

import gc
from collections.abc import Callable, Iterable

from kgraph.logs import PackageLogger
from kgraph.model.facts import Definition
from kgraph.model.resolution import Resolution
from kgraph.model.unread_text import UnreadText
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import Nodes
from kgraph.resolve.deferred.analysis import DeferredCallAnalysis
from kgraph.resolve.deferred.specification import DeferralRules, load_deferral_rules
from kgraph.resolve.deferred.stored_callbacks import StoredCallbacks
from kgraph.resolve.fact_rows import read_definitions
from kgraph.resolve.findings.bindings import BindingRows
from kgraph.resolve.findings.call_sites import CallSiteResolver
from kgraph.resolve.findings.copied_tables import CopiedTableFinder
from kgraph.resolve.findings.unresolved import NoCandidateReasons
from kgraph.resolve.incremental.dependencies import collect_footprint
from kgraph.resolve.installed_tables import count_installs
from kgraph.resolve.models.asm_linking import link_asm_names
from kgraph.resolve.models.encoded_calls import decode_calls
from kgraph.resolve.models.linker_sections import apply_linker_sections
from kgraph.resolve.models.module_loader import bind_loader_slots
from kgraph.resolve.models.per_object_lists import separate_object_lists
from kgraph.resolve.models.static_calls import apply_static_calls
from kgraph.resolve.solving.object_sensitivity import solve_by_objects

__all__ = ["DeferralRules", "build_constraints", "load_deferral_rules", "resolve"]

_LOG = PackageLogger("kgraph.resolve")


def resolve(
    definitions: Iterable[Definition], rules: DeferralRules | None = None,
    unread: UnreadText | None = None, *, is_whole: bool = False,
    find: Callable[[str], Definition] | None = None,
) -> Resolution:
    """Resolve every call site of the definitions.

    `rules` say which calls are deferred; None for those that come with kgraph. `unread` is the text
    of units that may do more than their definitions say. `is_whole`: the definitions are a whole
    kernel, so no function without one is ever called. `find` gives the definition of a key again;
    without it all definitions are kept.

    The garbage collector is off meanwhile: going through millions of small objects, none of them
    garbage, would take longer than everything else.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        found = load_deferral_rules() if rules is None else rules
        deferred = DeferredCallAnalysis(found, find)
        return _resolve(definitions, deferred, unread, is_whole=is_whole)
    finally:
        if is_collecting:
            gc.enable()


def _resolve(
    definitions: Iterable[Definition], deferred: DeferredCallAnalysis, unread: UnreadText | None, *,
    is_whole: bool,
) -> Resolution:
    constraints = build_constraints(deferred.collect(definitions))
    nodes, facts = constraints.nodes, constraints.nodes.facts
    solution = solve_by_objects(constraints)
    bindings = BindingRows(nodes, constraints.survey)
    reasons = NoCandidateReasons(solution.solver, unread, is_whole=is_whole)
    sites = CallSiteResolver(
        constraints, solution, bindings, StoredCallbacks(deferred.rules, nodes), reasons)
    edges = deferred.find_edges(
        facts, sites.find_callees(), sites.find_functions, sites.find_overlapping)
    footprint = collect_footprint(
        constraints, solution.solver.relevance, sites.forwarding,
        deferred.relevant_functions, is_open=reasons.is_open)
    return Resolution(
        functions=tuple(facts.functions[key] for key in sorted(facts.functions)),
        objects=tuple(facts.objects[key] for key in sorted(facts.objects)),
        sites=tuple(sites.iter_sites(edges.edges)),
        bindings=bindings.rows,
        requests=edges.requests,
        callbacks=edges.callbacks,
        footprint=footprint,
        copied_tables=CopiedTableFinder(constraints, solution).find_rows(),
    )


def build_constraints(definitions: Iterable[Definition]) -> Constraints:
    """The constraints of the definitions, with what the models add to these."""
    linked = apply_linker_sections(bind_loader_slots(definitions))
    called = decode_calls(apply_static_calls(separate_object_lists(linked)))
    facts = read_definitions(called)
    link_asm_names(facts)
    constraints = Constraints(Nodes(facts), count_installs(facts))
    _LOG.debug(
        "%d definitions of %d functions and %d objects: %d nodes, %d inclusions, %d indirect calls,"
        " %d stores and %d loads through pointers", len(facts.definitions), len(facts.functions),
        len(facts.objects), len(constraints.nodes.keys),
        sum(map(len, constraints.preds.values())), len(constraints.calls), len(constraints.stores),
        len(constraints.operands.loads))
    return constraints
