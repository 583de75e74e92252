"""The candidates of every call site of every definition.

Judges each called node: candidates with their kind and evidence, or the reason why there are
none. Call sites that call through one node share its result.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kgraph.logs import PackageLogger
from kgraph.model.codes import NOTHING, is_node, node_operand
from kgraph.model.ids import FunctionId
from kgraph.model.resolution import (
    REFERENCE_RULE,
    Candidate,
    EdgeKind,
    Evidence,
    ResolvedSite,
    Role,
    SiteStatus,
)
from kgraph.model.values import Holder, Slot, SymbolUse, Value
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import (
    FieldKey,
    NodeKey,
    OverlapKey,
    PointeeKey,
    SlotReadKey,
    WithinKey,
)
from kgraph.resolve.deferred.stored_callbacks import StoredCallbacks
from kgraph.resolve.deferred.summaries import SitePosition
from kgraph.resolve.fact_rows import SiteRow
from kgraph.resolve.findings.access_paths import AccessPaths
from kgraph.resolve.findings.argument_sets import ArgumentSets
from kgraph.resolve.findings.bindings import BindingRows
from kgraph.resolve.findings.callback_forwarding import CallbackForwarding
from kgraph.resolve.findings.direct_callers import DirectCallers
from kgraph.resolve.findings.evidence import Chain, EvidenceChains, starts_at_initialiser
from kgraph.resolve.findings.function_types import FunctionTypes
from kgraph.resolve.findings.unresolved import NoCandidateReasons
from kgraph.resolve.interning import (
    NONE,
    ObjectKey,
    ParameterKey,
    ResultKey,
    ReturnKey,
    SlotKey,
    VariableKey,
)
from kgraph.resolve.solving.object_sensitivity import Solution
from kgraph.resolve.solving.solver import EMPTY

_RULES: dict[type[NodeKey], str] = {
    SlotKey: "slot", ObjectKey: "object", VariableKey: "variable", ParameterKey: "parameter",
    ReturnKey: "return", ResultKey: "return", SlotReadKey: "pointer", PointeeKey: "pointer",
    WithinKey: "slot",
}
_RULES_OF_ASSEMBLER: dict[SymbolUse | None, str] = {
    SymbolUse.CALLED: "assembler", SymbolUse.REFERRED: REFERENCE_RULE,
}
_MOST_POINTERS = 8  # that are followed for the name of a holder

_LOG = PackageLogger("kgraph.resolve")


@dataclass(frozen=True, slots=True)
class CalleeSet:
    """What is found of one called node."""

    status: SiteStatus
    candidates: tuple[Candidate, ...]
    holder: Holder | None
    rule: str
    reason: str
    proof: tuple[Evidence, ...] = ()


class CallSiteResolver:
    """Makes a ResolvedSite of every call site."""

    def __init__(
        self,
        constraints: Constraints,
        solution: Solution,
        bindings: BindingRows,
        stored: StoredCallbacks,
        reasons: NoCandidateReasons,
    ) -> None:
        self._constraints = constraints
        self._solution = solution
        self._nodes = constraints.nodes
        callers = DirectCallers(self._nodes)
        self._forwards = CallbackForwarding(
            constraints, ArgumentSets(constraints, solution.solver, reasons), callers)
        self._types = FunctionTypes(constraints)
        self._direct: dict[tuple[int, EdgeKind], tuple[Candidate, ...]] = {}
        self._called_nodes = {
            position: self._find_called_node(position) for position in constraints.call_numbers}
        judge = _NodeJudge(constraints, solution, bindings, stored, reasons)
        self._callee_sets = judge.judge(set(self._called_nodes.values()))
        self._paths = AccessPaths(constraints, solution, reasons, callers, (
            position for position, node in self._called_nodes.items()
            if len(self._callee_sets[node].candidates) > 1))
        _LOG.debug("%d indirect calls go through %d holders: %s", len(self._called_nodes),
                   len(self._callee_sets),
                   Counter(found.status.value for found in self._callee_sets.values()))

    @property
    def forwarding(self) -> set[int]:
        """The linked functions with parameters that are called or handed on, or that known tables
        are handed to."""
        return self._forwards.forwarding | self._paths.handing

    def find_callees(self) -> dict[SitePosition, list[FunctionId]]:
        """The candidates of each call through a pointer."""
        found: dict[SitePosition, list[FunctionId]] = {}
        for (number, index), node in self._called_nodes.items():
            row = self._nodes.facts.definitions[number]
            site = row.sites[index]
            found[row.key, site.position] = [
                candidate.callee for candidate in self._types.select(
                    self._callee_sets[node].candidates, site.signature)]
        return found

    def find_functions(self, value: Value) -> set[FunctionId]:
        """The functions that a value may be, if it was solved."""
        operands, nodes = self._constraints.operands, self._nodes
        operand = operands.operand(nodes.interner.intern_value(value))
        if operand == NOTHING:
            return set()
        return self._list_functions(operands.as_node(operand))

    def find_overlapping(self, slot: Slot) -> set[FunctionId]:
        """The functions that come to a slot from what shares its storage."""
        node = self._nodes.find_node(SlotKey(slot.record, slot.field, slot.scope))
        return self._list_functions(self._nodes.find_node(OverlapKey(node)))

    def _list_functions(self, node: int) -> set[FunctionId]:
        tokens = self._solution.solver.sets.get(node, EMPTY)
        found = {self._nodes.token_functions[token] for token in tokens}
        return {self._nodes.function_id(function) for function in found if function != NONE}

    def iter_sites(
        self, deferred: Mapping[SitePosition, tuple[Candidate, ...]]
    ) -> Iterator[ResolvedSite]:
        """All call sites, by key and position, with their deferred candidates."""
        for number, row in enumerate(self._nodes.facts.definitions):
            for index, site in enumerate(row.sites):
                caller = self._nodes.function_id(site.caller)
                later = deferred.get((row.key, site.position), ())
                if site.callee != NONE:
                    yield ResolvedSite(
                        row.key, site.position, caller, SiteStatus.DIRECT,
                        self._find_callee(site) + later,
                        rule=_RULES_OF_ASSEMBLER.get(site.symbol_use, "direct"),
                        forwards=self._forwards.list_forwards((number, index)),
                        handed=self._paths.list_handed((number, index)))
                    continue
                found = self._callee_sets[self._called_nodes[number, index]]
                candidates = self._types.select(found.candidates, site.signature)
                yield ResolvedSite(
                    row.key, site.position, caller, found.status, candidates + later,
                    found.holder, found.rule, found.reason, proof=found.proof,
                    handed=self._paths.list_handed((number, index)),
                    through=self._paths.find_called((number, index)))

    def _find_callee(self, site: SiteRow) -> tuple[Candidate, ...]:
        """The callee of a direct call; one object for all calls of it."""
        callee = self._nodes.linked_functions[site.callee]
        kind = EdgeKind.ASM if site.symbol_use in _RULES_OF_ASSEMBLER else EdgeKind.DIRECT
        known = self._direct.get((callee, kind))
        if known is None:
            candidate = Candidate(self._nodes.function_id(callee), kind)
            known = self._direct[callee, kind] = (candidate,)
        return known

    def _find_called_node(self, position: tuple[int, int]) -> int:
        """The node that a site calls through.

        That is a parameter also where a local copy of it is called, and a whole slot where the base
        tells no tables apart.
        """
        number, index = position
        parameter = self._forwards.called_parameters.get(position)
        if parameter is not None:
            site = self._nodes.facts.definitions[number].sites[index]
            caller = self._nodes.linked_functions[site.caller]
            return self._nodes.intern_node(ParameterKey(caller, parameter))
        target = self._constraints.calls[self._constraints.call_numbers[position]].target
        if target == NOTHING:
            return NOTHING
        node = self._constraints.operands.as_node(target)
        return self._solution.slots.get(node, node)


class _NodeJudge:
    """Judges called nodes."""

    def __init__(
        self,
        constraints: Constraints,
        solution: Solution,
        bindings: BindingRows,
        stored: StoredCallbacks,
        reasons: NoCandidateReasons,
    ) -> None:
        self._nodes = constraints.nodes
        self._sets = solution.solver.sets
        self._tables = solution.tables
        self._slot_reads = constraints.operands.slot_reads
        self._pointers = {load.target: load.pointer for load in constraints.operands.loads}
        self._installs = bindings.installs
        self._stored = stored
        self._reasons = reasons
        self._solver = solution.solver
        self._chains = EvidenceChains(solution.solver, self._sets)
        self._base_chains = EvidenceChains(solution.first_pass, solution.table_points_to.sets)
        self._base_installs: dict[tuple[int, int], Evidence | None] = {}

    def judge(self, nodes: set[int]) -> dict[int, CalleeSet]:
        """What is found of each node. Chains are searched once for each function."""
        functions = self._nodes.token_functions
        wanted: dict[int, list[int]] = {}
        for node in nodes:
            for token in self._sets.get(node, EMPTY):
                if functions[token] != NONE:
                    wanted.setdefault(token, []).append(node)
        found: dict[int, list[Candidate]] = {}
        self._chains = EvidenceChains(self._solver, self._sets, nodes)
        for token, targets in wanted.items():
            callee = self._nodes.function_id(functions[token])
            chains = self._chains.find_chains(token, targets)
            for node in targets:
                candidate = self._make_candidate(callee, node, chains.get(node, []))
                found.setdefault(node, []).append(candidate)
        return {node: self._make_callee_set(node, found.get(node, [])) for node in nodes}

    def _make_callee_set(self, node: int, candidates: list[Candidate]) -> CalleeSet:
        holder = self._find_holder(node)
        if not candidates:
            status, reason, proof = self._reasons.explain(node)
            return CalleeSet(status, (), holder, "", reason, proof)
        ordered = tuple(sorted(candidates, key=lambda candidate: candidate.callee))
        rule = "table" if node in self._tables else _RULES.get(
            type(self._nodes.keys[node]), "function")
        return CalleeSet(SiteStatus.RESOLVED, ordered, holder, rule, "")

    def _find_holder(self, node: int) -> Holder | None:
        """The holder for people: of a pointer's pointee, the holder of the pointer."""
        if node == NOTHING:
            return None
        operand = node_operand(node)
        for _ in range(_MOST_POINTERS):
            pointer = self._pointers.get(operand)
            if pointer is None:
                break
            operand = pointer
        return self._nodes.holder(operand) if is_node(operand) else None

    def _make_candidate(self, callee: FunctionId, node: int, chain: Chain) -> Candidate:
        evidence = self._chains.cite(chain)
        install = self._find_install(chain, node)
        if install is not None:
            evidence.append(install)
        stored = self._stored.find_key(node, (step.node for step in chain))
        if stored and evidence:
            first = Evidence(Role.BINDING, evidence[0].location, stored)
            return Candidate(callee, EdgeKind.DEFERRED, (first, *evidence[1:]))
        return Candidate(callee, self._find_kind(node, chain), tuple(evidence))

    def _find_kind(self, node: int, chain: Chain) -> EdgeKind:
        key = self._nodes.keys[node]
        if isinstance(key, ParameterKey):
            return EdgeKind.CALLBACK
        if isinstance(key, SlotKey | SlotReadKey | WithinKey) and starts_at_initialiser(chain):
            return EdgeKind.OPS
        return EdgeKind.POINTER

    def _find_install(self, chain: Chain, node: int) -> Evidence | None:
        """Where the table that binds the function is installed.

        That is on the way into the base that is called through, if that is known, else the first
        install that there is.
        """
        key = self._nodes.keys[chain[0].node] if chain else None
        if not isinstance(key, FieldKey):
            return None
        table = self._nodes.keys[key.root]
        if not isinstance(table, ObjectKey):
            return None
        known = self._find_base_install(key.root, node)
        if known is not None:
            return known
        first = self._installs.get(table.object)
        return Evidence(Role.INSTALL, first.location, str(first.holder)) if first else None

    def _find_base_install(self, table: int, node: int) -> Evidence | None:
        """Where a table is put on its way into the base of a called node."""
        if node not in self._tables:
            return None
        base = self._slot_reads[node].base
        if not is_node(base):
            return None
        place = (table, base)
        if place not in self._base_installs:
            token = self._nodes.address_token(table, table)
            self._base_installs[place] = self._base_chains.find_install(token, base)
        return self._base_installs[place]
