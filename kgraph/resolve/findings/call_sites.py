"""The candidates of every call site of every definition.

Judges each called node: candidates with their kind and evidence, or the reason why there are
none. Call sites that call through one node share its result.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
from kgraph.model.values import Holder, SymbolUse, Value
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import FIELD, LOADED
from kgraph.resolve.deferred.stored_callbacks import StoredCallbacks
from kgraph.resolve.fact_rows import SiteRow
from kgraph.resolve.findings.bindings import BindingRows
from kgraph.resolve.findings.callback_forwarding import CallbackForwarding
from kgraph.resolve.findings.evidence import ChainStep, EvidenceChains, starts_at_initialiser
from kgraph.resolve.findings.unresolved import NoCandidateReasons
from kgraph.resolve.interning import NONE, OBJECT, PARAMETER, RESULT, RETURN, SLOT, VARIABLE
from kgraph.resolve.operands import NOTHING
from kgraph.resolve.solving.object_sensitivity import Solution
from kgraph.resolve.solving.solver import EMPTY

RULES = {SLOT: "slot", OBJECT: "object", VARIABLE: "variable", PARAMETER: "parameter",
         RETURN: "return", RESULT: "return", LOADED: "pointer"}
BY_ASSEMBLER: dict[SymbolUse | None, str] = {
    SymbolUse.CALLED: "assembler", SymbolUse.REFERRED: REFERENCE_RULE,
}


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
    ) -> None:
        self._stored = stored
        self._constraints = constraints
        self._solution = solution
        self._solver = solution.solver
        self._nodes = constraints.nodes
        self._installs = bindings.installs
        self._forwards = CallbackForwarding(constraints)
        self._emptiness = NoCandidateReasons(self._solver)
        self._chains = EvidenceChains(self._solver, self._solver.sets)
        self._base_chains = EvidenceChains(solution.first_pass, solution.table_points_to.sets)
        self._pointers = {node: code for code, node in constraints.operands.loads}
        self._direct: dict[tuple[int, EdgeKind], tuple[Candidate, ...]] = {}
        self._installed_by: dict[tuple[int, int], Evidence | None] = {}
        called = {position: self._called(position) for position in constraints.call_numbers}
        self._called_nodes = called
        self._verdicts = self._judge(set(called.values()))

    @property
    def forwarding(self) -> set[int]:
        """The linked functions with parameters that are called or handed on."""
        return self._forwards.forwarding

    def find_callees(self) -> dict[tuple[str, int], list[FunctionId]]:
        """What each call through a pointer reaches, by definition and position."""
        found: dict[tuple[str, int], list[FunctionId]] = {}
        for (number, index), node in self._called_nodes.items():
            row = self._nodes.facts.definitions[number]
            found[row.key, row.sites[index].position] = [
                candidate.callee for candidate in self._verdicts[node].candidates]
        return found

    def find_functions(self, value: Value) -> set[FunctionId]:
        """The functions that a value may be, where it was solved."""
        code = self._constraints.operands.operand(self._nodes.interner.intern_value(value))
        held = self._solver.sets.get(self._constraints.operands.as_node(code), EMPTY) if (
            code != NOTHING) else EMPTY
        found = map(self._nodes.function_of, held)
        return {self._nodes.function_id(function) for function in found if function != NONE}

    def iter_sites(
        self, deferred: Mapping[tuple[str, int], tuple[Candidate, ...]]
    ) -> Iterator[ResolvedSite]:
        """All sites, by key and position, with what is run later (`deferred`)."""
        for number, row in enumerate(self._nodes.facts.definitions):
            for position, site in enumerate(row.sites):
                caller = self._nodes.interner.function_ids[site.caller]
                later = deferred.get((row.key, site.position), ())
                if site.callee != NONE:
                    yield ResolvedSite(
                        row.key, site.position, caller, SiteStatus.DIRECT,
                        self._callee(site) + later,
                        rule=BY_ASSEMBLER.get(site.named, "direct"),
                        forwards=self._forwards.list_forwards((number, position)))
                    continue
                verdict = self._verdicts[self._called_nodes[number, position]]
                yield ResolvedSite(
                    row.key, site.position, caller, verdict.status, verdict.candidates + later,
                    verdict.holder, verdict.rule, verdict.reason, proof=verdict.proof)

    def _callee(self, site: SiteRow) -> tuple[Candidate, ...]:
        callee = self._nodes.linked_functions[site.callee]
        kind = EdgeKind.ASM if site.named in BY_ASSEMBLER else EdgeKind.DIRECT
        known = self._direct.get((callee, kind))
        if known is None:
            candidate = Candidate(self._nodes.function_id(callee), kind)
            known = self._direct[callee, kind] = (candidate,)
        return known

    def _called(self, position: tuple[int, int]) -> int:
        """The node that a site calls through: a parameter, also where a local copy is called; a
        whole slot, where the base tells no tables apart.
        """
        number, index = position
        parameter = self._forwards.called_parameters.get(position)
        if parameter is not None:
            site = self._nodes.facts.definitions[number].sites[index]
            caller = self._nodes.linked_functions[site.caller]
            return self._nodes.intern_node((PARAMETER, caller, parameter))
        code = self._constraints.calls[self._constraints.call_numbers[position]].target
        if code == NOTHING:
            return NOTHING
        node = self._constraints.operands.as_node(code)
        return self._solution.slots.get(node, node)

    def _judge(self, nodes: set[int]) -> dict[int, CalleeSet]:
        """The verdicts on called nodes. Chains are searched once for each function."""
        function_of = self._nodes.function_of
        wanted: dict[int, list[int]] = {}
        for node in nodes:
            for token in self._solver.sets.get(node, EMPTY):
                if function_of(token) != NONE:
                    wanted.setdefault(token, []).append(node)
        found: dict[int, list[Candidate]] = {}
        for token, targets in wanted.items():
            chains = self._chains.find_chains(token, targets)
            for node in targets:
                candidate = self._candidate(token, node, chains.get(node, []))
                found.setdefault(node, []).append(candidate)
        return {node: self._verdict(node, found.get(node, [])) for node in nodes}

    def _verdict(self, node: int, candidates: list[Candidate]) -> CalleeSet:
        holder = self._holder(node)
        if not candidates:
            status, reason, proof = self._emptiness.explain(node)
            return CalleeSet(status, (), holder, "", reason, proof)
        ordered = tuple(sorted(candidates, key=lambda candidate: candidate.callee))
        return CalleeSet(SiteStatus.RESOLVED, ordered, holder, self._rule(node), "")

    def _rule(self, node: int) -> str:
        if node in self._solution.tables:
            return "table"
        return RULES.get(self._nodes.keys[node][0], "function")

    def _holder(self, node: int) -> Holder | None:
        """The holder for people: of a pointer's pointee, the holder of the pointer."""
        for _ in range(8):
            if node < 0:
                return None
            if node not in self._pointers:
                break
            node = self._pointers[node]
        return self._nodes.holder(node) if node >= 0 else None

    def _candidate(self, token: int, node: int, chain: list[ChainStep]) -> Candidate:
        callee = self._nodes.function_id(self._nodes.function_of(token))
        evidence = self._chains.cite(chain)
        install = self._install(chain, node)
        if install is not None:
            evidence.append(install)
        stored = self._stored.find_key(node, chain)
        if stored and evidence:
            first = Evidence(Role.BINDING, evidence[0].location, stored)
            return Candidate(callee, EdgeKind.DEFERRED, (first, *evidence[1:]))
        return Candidate(callee, self._kind(node, chain), tuple(evidence))

    def _kind(self, node: int, chain: list[ChainStep]) -> EdgeKind:
        key = self._nodes.keys[node]
        if key[0] == PARAMETER:
            return EdgeKind.CALLBACK
        is_slot = key[0] == SLOT or (key[0] == LOADED and key[1] != NONE)
        return EdgeKind.OPS if is_slot and starts_at_initialiser(chain) else EdgeKind.POINTER

    def _install(self, chain: list[ChainStep], node: int) -> Evidence | None:
        """Where the table that binds the function is installed: on the way into the base that is
        called through if that is known, else the first install there is.
        """
        if not chain:
            return None
        key = self._nodes.keys[chain[0][1]]
        if key[0] != FIELD or self._nodes.keys[key[1]][0] != OBJECT:
            return None
        root = key[1]
        if node in self._solution.tables:
            base = self._constraints.operands.loaded[node][2]
            if base >= 0:
                place = (root, base)
                if place not in self._installed_by:
                    token = self._nodes.address_token(root, root)
                    self._installed_by[place] = self._base_chains.find_install(token, base)
                known = self._installed_by[place]
                if known is not None:
                    return known
        first = self._installs.get(self._nodes.keys[root][1])
        return Evidence(Role.INSTALL, first.location, str(first.holder)) if first else None
