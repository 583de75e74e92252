"""The inclusion solver: the least sets of tokens that satisfy all constraints.

This is Andersen's analysis. Sets grow by differences along edges. Calls, loads and stores through
pointers add edges as functions and addresses arrive at them. The result is the least fixed point,
so it does not depend on the order of work.

Only functions and marks flow here. table_points_to computes the addresses of tables;
pointer_closure admits the few addresses of pointers that matter.
"""

from collections import deque
from collections.abc import Iterable, Mapping

from msgspec import Struct

from kgraph.model.codes import NOTHING, Operand, is_node, is_token, operand_token
from kgraph.resolve.constraint_builder import NOT_A_POINTER, Constraints, IndirectCall
from kgraph.resolve.constraint_graph import (
    POINTER,
    RETURNED,
    SOMEWHERE,
    TOP,
    UNCITED,
    label_location,
    pack_label,
)
from kgraph.resolve.interning import NONE, ParameterKey, ReturnKey
from kgraph.resolve.solving.relevance import RelevanceSlice

EMPTY: frozenset[int] = frozenset()
_ARGUMENTS = 16  # no kernel function takes more; an undefined one is not given what follows them


class Callee(Struct, frozen=True):
    """What a call of a function joins: its parameters (index, node), from which argument on the
    node `variadic` takes the rest, and the node of what it returns. NONE for what is not solved."""

    parameters: list[tuple[int, int]]
    named: int
    variadic: int
    returned: int


class Solver:
    """Solves constraints.

    `sets` has the tokens of each node. A node that only one other flows into shares its set, until
    it gets something else. `succ` and `preds` are all edges, in `preds` with their
    labels. `reads` says what each node of a SlotReadKey reads: in the first pass the whole slot, in
    the second what the tables in its base's set hold. `admitted` are the addresses of pointers that
    flow. `called_functions` are those that a call reaches.
    """

    def __init__(
        self,
        constraints: Constraints,
        relevance: RelevanceSlice,
        reads: Mapping[int, Iterable[int]],
        admitted: Iterable[int] = (),
    ) -> None:
        self.constraints = constraints
        self.nodes = constraints.nodes
        self.relevance = relevance
        self.admitted = set(admitted)
        self.sets: dict[int, set[int]] = {}
        self.succ: dict[int, list[int]] = {}
        self.preds: dict[int, dict[int, int]] = {}
        self.called_functions: set[int] = set()
        self._origins: dict[int, int] = {}  # of nodes that share a set: the node that it belongs to
        self._followers: dict[int, list[int]] = {}  # of a node that others share the set of: these
        self._carried: tuple[int, set[int]] = (NONE, set())  # the node that is carried on, and what
        self._grown: set[int] = set()  # since `take_grown` was last asked
        self._needed = relevance.is_needed
        self._delta: dict[int, set[int]] = {}
        self._work: deque[int] = deque()
        self._calls: dict[int, list[IndirectCall]] = {}
        self._loads: dict[int, list[int]] = {}
        self._stores: dict[int, list[tuple[int, int]]] = {}
        self._escaped: set[int] = set()
        self._parameters: dict[int, list[tuple[int, int]]] = {}
        self._callees: dict[int, Callee] = {}
        self._set_up(reads)
        self._listen()
        self.propagate()

    def find_reached(self, nodes: Iterable[int]) -> set[int]:
        """All nodes that the content of some can reach."""
        found, stack = set(nodes), list(nodes)
        while stack:
            new = set(self.succ.get(stack.pop(), ())) - found
            found |= new
            stack += new
        return found

    def _set_up(self, reads: Mapping[int, Iterable[int]]) -> None:
        """Enter the constraints that do not change."""
        constraints = self.constraints
        for node, preds in constraints.preds.items():
            if self.is_relevant(node):
                for source, label in preds:
                    self.add_edge(source, node, label)
        for node, sources in reads.items():
            for source in sources:
                self.add_edge(source, node, UNCITED)
        given = {
            node: tokens for node, labels in constraints.given.items() if self.is_relevant(node)
            and (tokens := {token for token in labels if self._admits(token)})}
        self._share_sets(given)
        for node, tokens in given.items():
            self.add_tokens(node, tokens)

    def _share_sets(self, given: Mapping[int, set[int]]) -> None:
        """Let nodes with one predecessor, and nothing that is given to them, share its set."""
        only = {node: next(iter(preds)) for node, preds in self.preds.items()
                if len(preds) == 1 and node not in given}
        origins = self._origins
        for node, before in only.items():
            path = {node: None} if node not in origins else {}
            while before in only and before not in origins and before not in path:
                path[before] = None
                before = only[before]  # noqa: PLW2901  the way back from here
            origin = origins.get(before, before)  # in a circle the first that is met again
            for each in path:
                if each != origin:
                    origins[each] = origin
                    self._followers.setdefault(origin, []).append(each)

    def _separate(self, node: int) -> set[int]:
        """Give a node that shares a set one of its own, which is returned."""
        origin = self._origins.pop(node)
        self._followers[origin].remove(node)
        own = self.sets[node] = set(self.sets.get(origin, EMPTY))
        pending = set(self._delta.get(origin, EMPTY))
        if self._carried[0] == origin:
            pending |= self._carried[1]
        if pending:
            self._delta[node] = pending
            self._work.append(node)
        return own

    def _listen(self) -> None:
        """Enter the constraints that act as sets grow."""
        constraints = self.constraints
        for call in constraints.calls:
            self._calls.setdefault(self.as_node(call.target), []).append(call)
        for load in constraints.operands.loads:
            if is_token(load.pointer):
                self._load({operand_token(load.pointer)}, load.target)
            elif self.is_relevant(load.target):
                self._loads.setdefault(load.pointer, []).append(load.target)
        for store in constraints.stores:
            source = self.as_node(store.source)
            if is_token(store.pointer):
                self._store({operand_token(store.pointer)}, source, store.label)
            else:
                self._stores.setdefault(store.pointer, []).append((source, store.label))

    def is_relevant(self, node: int) -> bool:
        """Whether a node has to be solved."""
        return node >= len(self._needed) or bool(self._needed[node])

    def _admits(self, token: int) -> bool:
        """Whether a token flows: functions and marks do, and addresses that were admitted."""
        return self.nodes.token_nodes[token] == NONE or token in self.admitted

    def as_node(self, operand: Operand) -> int:
        """The node of an operand; of a token one that holds it. NOTHING stays as it is."""
        if is_node(operand) or operand == NOTHING:
            return operand
        token = operand_token(operand)
        node = self.nodes.token_holder(token)
        tokens = {token} if self._admits(token) else set()
        if self.nodes.token_nodes[token] != NONE:
            tokens.add(POINTER)
            if self.nodes.token_roots[token] == NONE:
                tokens.add(SOMEWHERE)
        self.add_tokens(node, tokens)
        return node

    def add_tokens(self, node: int, tokens: set[int]) -> None:
        """Add tokens to a node. `propagate` carries on what is new."""
        known = self.sets.get(node)
        new = tokens if known is None else tokens - known
        if not new:
            return
        if node in self._origins:
            known = self._separate(node)
        elif known is None:
            known = self.sets[node] = set()
            for follower in self._followers.get(node, ()):
                self.sets[follower] = known
        known |= new
        delta = self._delta.get(node)
        if delta is None:
            self._delta[node] = set(new)
            self._work.append(node)
        else:
            delta |= new

    def add_edge(self, source: int, target: int, label: int) -> None:
        """Let `target` hold what `source` holds; NOTHING holds nothing."""
        if source == NOTHING:
            return
        if source == target or not self.is_relevant(target):
            return
        preds = self.preds.get(target)
        if preds is None:
            preds = self.preds[target] = {}
        known = preds.get(source)
        if known is not None:
            if label < known:
                preds[source] = label
            return
        preds[source] = label
        self.succ.setdefault(source, []).append(target)
        tokens = self.sets.get(source)
        if tokens:
            self.add_tokens(target, tokens)

    def take_grown(self) -> set[int]:
        """The nodes that got something since this was last asked."""
        grown, self._grown = self._grown, set()
        return grown

    def mark_unknown(self, reason: str, target: int) -> None:
        """Let a node hold anything, for a reason."""
        source = self.constraints.operands.reason_node(reason)
        self.add_tokens(source, {TOP})
        self.add_edge(source, target, UNCITED)

    def propagate(self) -> None:
        """Carry tokens along edges until nothing changes."""
        work, deltas, succ = self._work, self._delta, self.succ
        sets = self.sets
        while work:
            node = work.popleft()
            delta = deltas.pop(node)
            own = sets[node]
            self._carried = node, delta
            for each in (node, *self._followers.get(node, ())):
                self._grown.add(each)
                for target in succ.get(each, ()):
                    known = sets.get(target)
                    if known is None or (known is not own and not delta <= known):
                        self.add_tokens(target, delta)
                self._react(each, delta)
        self._carried = NONE, set()

    def _react(self, node: int, delta: set[int]) -> None:
        """Add the edges that new tokens of a node make."""
        for call in self._calls.get(node, ()):
            self._call(call, delta)
        for target in self._loads.get(node, ()):
            self._load(delta, target)
        for source, label in self._stores.get(node, ()):
            self._store(delta, source, label)
        if node == self.constraints.escape:
            self._escape(delta)

    def _call(self, call: IndirectCall, delta: set[int]) -> None:
        """Join a call with the functions that it may call."""
        has_result = call.result != NONE
        functions, callees = self.nodes.token_functions, self._callees
        label = pack_label(label_location(call.label), RETURNED)
        for token in delta:
            function = functions[token]
            if function == NONE:
                if token == TOP and has_result:
                    self.mark_unknown(
                        "the result of a call that could not be followed", call.result)
                continue
            callee = callees.get(function)
            if callee is None:
                callee = callees[function] = self._make_callee(function)
            if callee.parameters:
                self._pass(call, callee.parameters)
            if callee.variadic != NONE:
                self._pass_variadic(call, callee)
            if has_result and callee.returned != NONE:
                self.add_edge(callee.returned, call.result, label)

    def _make_callee(self, function: int) -> Callee:
        self.called_functions.add(function)
        defined = self.nodes.find_definition(function)
        variadic = self.nodes.find_variadic(function)
        if variadic != NONE and not self.is_relevant(variadic):
            variadic = NONE
        return Callee(
            self._find_parameters(function), 0 if defined is None else len(defined.parameters),
            variadic, self.nodes.find_node(ReturnKey(function)))

    def _pass(self, call: IndirectCall, parameters: list[tuple[int, int]]) -> None:
        """Join the arguments of a call with parameters."""
        given = len(call.arguments)
        for index, parameter in parameters:
            choice = call.arguments[index] if index < given else ()
            if not choice and parameter != self.constraints.escape:
                self.mark_unknown(NOT_A_POINTER, parameter)
            for operand in choice:
                self.add_edge(self.as_node(operand), parameter, call.label)

    def _pass_variadic(self, call: IndirectCall, callee: Callee) -> None:
        """Join the arguments behind a function's named ones with what it takes them from."""
        for choice in call.arguments[callee.named:]:
            for operand in choice:
                self.add_edge(self.as_node(operand), callee.variadic, call.label)

    def _find_parameters(self, function: int) -> list[tuple[int, int]]:
        """The parameters of a function that have to be solved: index and node.

        What a function without a definition in C is given escapes, and assembler may call it.
        """
        known = self._parameters.get(function)
        if known is None:
            defined = self.nodes.find_definition(function)
            count = _ARGUMENTS if defined is None else len(defined.parameters)
            nodes = [self.nodes.find_node(ParameterKey(function, index)) for index in range(count)]
            known = [(index, node) for index, node in enumerate(nodes)
                     if node != NONE and self.is_relevant(node)]
            if defined is None:
                known += [(index, self.constraints.escape) for index in range(_ARGUMENTS)]
            self._parameters[function] = known
        return known

    def _load(self, delta: set[int], target: int) -> None:
        """Let `target` hold what the addressed nodes hold."""
        for token in delta:
            node = self.nodes.token_nodes[token]
            if node != NONE:
                self.add_edge(node, target, UNCITED)
            elif token in (TOP, POINTER):
                self.mark_unknown("it is read through a pointer that could not be followed", target)

    def _store(self, delta: set[int], source: int, label: int) -> None:
        """Let the addressed nodes hold what `source` holds."""
        for token in delta:
            node = self.nodes.token_nodes[token]
            if node != NONE:
                self.add_store(node, source, label)

    def add_store(self, node: int, source: int, label: int) -> None:
        """Let what `source` holds be written to a node through a pointer."""
        self.add_edge(source, self.store_target(node), label)

    def store_target(self, node: int) -> int:
        """The node that a write through a pointer to `node` goes into."""
        if not self.nodes.is_slot(node):
            return node
        target = self.constraints.operands.anonymous_node(node)
        self.add_edge(target, node, UNCITED)
        return target

    def _escape(self, delta: set[int]) -> None:
        for token in delta:
            function = self.nodes.token_functions[token]
            if function != NONE:
                self.open_parameters(function)

    def open_parameters(self, function: int) -> None:
        """Unknown code may call a function: its parameters may be anything."""
        if function in self._escaped:
            return
        self._escaped.add(function)
        for _, node in self._find_parameters(function):
            if node != self.constraints.escape:
                self.mark_unknown("code outside the parsed units may pass it", node)
