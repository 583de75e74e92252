"""The inclusion solver: the least sets of tokens that satisfy all constraints (Andersen's
analysis).

Sets grow by differences along edges. Calls, loads and stores through pointers add edges as
functions and addresses arrive at them. The result is the least fixed point, so it does not
depend on the order of work.

Only functions and marks flow here. table_points_to computes the addresses of tables;
pointer_closure admits the few addresses of pointers that matter.
"""

from collections import deque
from collections.abc import Iterable, Mapping

from kgraph.resolve.constraint_builder import UNREAD, Constraints, IndirectCall
from kgraph.resolve.constraint_graph import (
    CONSTANT_OF,
    POINTER,
    RETURNED,
    SOMEWHERE,
    TOP,
    UNCITED,
    label_location,
    pack_label,
)
from kgraph.resolve.interning import NONE, PARAMETER, RETURN, SLOT
from kgraph.resolve.operands import NOTHING, operand_token
from kgraph.resolve.solving.relevance import RelevanceSlice

EMPTY: frozenset[int] = frozenset()
Callee = tuple[list[tuple[int, int]], int, int]
_ARGUMENTS = 16  # no kernel function takes more; what follows them is not called


class Solver:
    """Solves constraints; `sets` holds the tokens of each node, `succ` and `preds` all edges that
    there are, `preds` with what each is cited with. `plain` are admitted addresses of pointers."""

    def __init__(
        self,
        constraints: Constraints,
        need: RelevanceSlice,
        reads: Mapping[int, Iterable[int]],
        plain: Iterable[int] = (),
    ) -> None:
        self.constraints = constraints
        self.nodes = constraints.nodes
        self.relevance = need
        self.admitted = set(plain)
        self.sets: dict[int, set[int]] = {}
        self.succ: dict[int, list[int]] = {}
        self.preds: dict[int, dict[int, int]] = {}
        self.called_functions: set[int] = set()
        self._delta: dict[int, set[int]] = {}
        self._work: deque[int] = deque()
        self._calls: dict[int, list[int]] = {}
        self._loads: dict[int, list[int]] = {}
        self._stores: dict[int, list[tuple[int, int]]] = {}
        self._escaped: set[int] = set()
        self._parameters: dict[int, list[tuple[int, int]]] = {}
        self._joints: dict[int, Callee] = {}
        self._set_up(reads)

    def _set_up(self, reads: Mapping[int, Iterable[int]]) -> None:
        constraints = self.constraints
        for node, preds in constraints.preds.items():
            if self.is_relevant(node):
                for source, cited in preds:
                    self.add_edge(source, node, cited)
        for node, sources in reads.items():
            for source in sources:
                self.add_edge(source, node, UNCITED)
        for node, given in constraints.given.items():
            if self.is_relevant(node):
                self.add_tokens(node, {token for token in given if self._admits(token)})
        self._listen()
        self.propagate()

    def _listen(self) -> None:
        """Enter the constraints that act as sets grow."""
        constraints = self.constraints
        for number, call in enumerate(constraints.calls):
            self._calls.setdefault(self.as_node(call.target), []).append(number)
        for pointer, node in constraints.operands.loads:
            if pointer < NOTHING:
                self._load({operand_token(pointer)}, node)
            elif self.is_relevant(node):
                self._loads.setdefault(pointer, []).append(node)
        for store in constraints.stores:
            source = self.as_node(store.source)
            if store.pointer < NOTHING:
                self._store({operand_token(store.pointer)}, source, store.label)
            else:
                self._stores.setdefault(store.pointer, []).append((source, store.label))

    def is_relevant(self, node: int) -> bool:
        """Whether a node has to be solved."""
        return node >= len(self.relevance.is_needed) or bool(self.relevance.is_needed[node])

    def _admits(self, token: int) -> bool:
        return self.nodes.tokens[token][0] == NONE or token in self.admitted

    def as_node(self, code: int) -> int:
        """The node of a code; of a token one that holds it."""
        if code >= 0 or code == NOTHING:
            return code
        token = operand_token(code)
        node = self.nodes.intern_node((CONSTANT_OF, token))
        tokens = {token} if self._admits(token) else set()
        place, root = self.nodes.tokens[token]
        if place != NONE:
            tokens |= {POINTER} if root != NONE else {POINTER, SOMEWHERE}
        self.add_tokens(node, tokens)
        return node

    def add_tokens(self, node: int, tokens: set[int]) -> None:
        """Add tokens to a node; what is new is propagated by `run`."""
        held = self.sets.get(node)
        if held is None:
            if not tokens:
                return
            held = self.sets[node] = set()
            new = tokens
        else:
            new = tokens - held
            if not new:
                return
        held |= new
        delta = self._delta.get(node)
        if delta is None:
            self._delta[node] = set(new)
            self._work.append(node)
        else:
            delta |= new

    def add_edge(self, source: int, target: int, cited: int) -> None:
        """Let `target` hold what `source` holds."""
        if source < 0 or source == target or not self.is_relevant(target):
            return
        preds = self.preds.get(target)
        if preds is None:
            preds = self.preds[target] = {}
        known = preds.get(source)
        if known is not None:
            order = self.constraints.label_order
            if known != cited and order(cited) < order(known):
                preds[source] = cited
            return
        preds[source] = cited
        self.succ.setdefault(source, []).append(target)
        held = self.sets.get(source)
        if held:
            self.add_tokens(target, held)

    def mark_unknown(self, reason: str, target: int) -> None:
        """Let a node hold anything, for a reason."""
        source = self.constraints.operands.reason_node(reason)
        self.add_tokens(source, {TOP})
        self.add_edge(source, target, UNCITED)

    def propagate(self) -> None:
        """Propagate until nothing changes."""
        work, deltas, succ = self._work, self._delta, self.succ
        sets = self.sets
        while work:
            node = work.popleft()
            delta = deltas.pop(node)
            for target in succ.get(node, ()):
                held = sets.get(target)
                if held is None or not delta <= held:
                    self.add_tokens(target, delta)
            self._react(node, delta)

    def _react(self, node: int, delta: set[int]) -> None:
        for number in self._calls.get(node, ()):
            self._call(number, delta)
        for target in self._loads.get(node, ()):
            self._load(delta, target)
        for source, cited in self._stores.get(node, ()):
            self._store(delta, source, cited)
        if node == self.constraints.escape:
            self._escape(delta)

    def _call(self, number: int, delta: set[int]) -> None:
        """Join the arguments of a call to the parameters of the functions it may call."""
        call = self.constraints.calls[number]
        has_result = call.result != NONE
        tokens, joints = self.nodes.tokens, self._joints
        cited = NONE
        for token in delta:
            node, function = tokens[token]
            if node != NONE or function == NONE:
                if token == TOP and has_result:
                    self.mark_unknown(
                        "the result of a call that could not be followed", call.result
                    )
                continue
            joint = joints.get(function)
            if joint is None:
                joint = joints[function] = self._joint(function)
            parameters, rest, returned = joint
            if parameters:
                self._pass(call, parameters)
            if rest != NONE:
                self._rest(call, rest)
            if has_result and returned != NONE:
                if cited == NONE:
                    cited = pack_label(label_location(call.label), RETURNED)
                self.add_edge(returned, call.result, cited)

    def _joint(self, function: int) -> Callee:
        """What a call of a function joins: the parameters, what takes the arguments behind the
        named ones, and what is returned; NONE for what need not be solved."""
        self.called_functions.add(function)
        rest = self.nodes.find_variadic(function)
        return (
            self._parameters_of(function),
            rest if rest != NONE and self.is_relevant(rest) else NONE,
            self.nodes.find_node((RETURN, function)),
        )

    def _pass(self, call: IndirectCall, parameters: list[tuple[int, int]]) -> None:
        """Join the arguments of a call to parameters."""
        given = len(call.arguments)
        for index, parameter in parameters:
            choice = call.arguments[index] if index < given else ()
            if not choice and parameter != self.constraints.escape:
                self.mark_unknown(UNREAD, parameter)
            for code in choice:
                self.add_edge(self.as_node(code), parameter, call.label)

    def _rest(self, call: IndirectCall, rest: int) -> None:
        """Join the arguments behind a function's named ones to what it takes them from."""
        for choice in call.arguments[self.nodes.keys[rest][2]:]:
            for code in choice:
                self.add_edge(self.as_node(code), rest, call.label)

    def _parameters_of(self, function: int) -> list[tuple[int, int]]:
        """The parameters of a function that have to be solved: index and node. What an undefined
        function is given escapes."""
        known = self._parameters.get(function)
        if known is None:
            defined = self.nodes.find_definition(function)
            if defined is None:
                known = [(index, self.constraints.escape) for index in range(_ARGUMENTS)]
            else:
                nodes = [self.nodes.find_node((PARAMETER, function, index))
                         for index in range(len(defined.parameters))]
                known = [(index, node) for index, node in enumerate(nodes)
                         if node != NONE and self.is_relevant(node)]
            self._parameters[function] = known
        return known

    def _load(self, delta: set[int], target: int) -> None:
        """`target` holds what the addressed nodes hold."""
        for token in delta:
            node = self.nodes.tokens[token][0]
            if node != NONE:
                self.add_edge(node, target, UNCITED)
            elif token in (TOP, POINTER):
                self.mark_unknown("it is read through a pointer that could not be followed", target)

    def _store(self, delta: set[int], source: int, cited: int) -> None:
        for token in delta:
            node = self.nodes.tokens[token][0]
            if node != NONE:
                self.add_store(node, source, cited)

    def add_store(self, node: int, source: int, cited: int) -> None:
        """Let what `source` holds be written to a node through a pointer."""
        self.add_edge(source, self.store_target(node), cited)

    def store_target(self, node: int) -> int:
        """Where a write through a pointer goes in."""
        if self.nodes.keys[node][0] != SLOT:
            return node
        entry = self.constraints.operands.anonymous_node(node)
        self.add_edge(entry, node, UNCITED)
        return entry

    def _escape(self, delta: set[int]) -> None:
        for token in delta:
            function = self.nodes.function_of(token)
            if function != NONE:
                self.open_parameters(function)

    def open_parameters(self, function: int) -> None:
        """Unknown code may call a function: its parameters may be anything."""
        if function in self._escaped:
            return
        self._escaped.add(function)
        if self.nodes.find_definition(function) is not None:
            for _, node in self._parameters_of(function):
                self.mark_unknown("code outside the parsed units may pass it", node)
