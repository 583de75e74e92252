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
        self.need = need
        self.plain = set(plain)
        self.sets: dict[int, set[int]] = {}
        self.succ: dict[int, list[int]] = {}
        self.preds: dict[int, dict[int, int]] = {}
        self.called: set[int] = set()
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
            if self.wanted(node):
                for source, cited in preds:
                    self.connect(source, node, cited)
        for node, sources in reads.items():
            for source in sources:
                self.connect(source, node, UNCITED)
        for node, given in constraints.given.items():
            if self.wanted(node):
                self.gain(node, {token for token in given if self._admits(token)})
        self._listen()
        self.run()

    def _listen(self) -> None:
        """Enter the constraints that act as sets grow."""
        constraints = self.constraints
        for number, call in enumerate(constraints.calls):
            self._calls.setdefault(self.as_node(call.target), []).append(number)
        for pointer, node in constraints.values.loads:
            if pointer < NOTHING:
                self._load({operand_token(pointer)}, node)
            elif self.wanted(node):
                self._loads.setdefault(pointer, []).append(node)
        for store in constraints.stores:
            source = self.as_node(store.source)
            if store.pointer < NOTHING:
                self._store({operand_token(store.pointer)}, source, store.label)
            else:
                self._stores.setdefault(store.pointer, []).append((source, store.label))

    def wanted(self, node: int) -> bool:
        """Whether a node has to be solved."""
        return node >= len(self.need.needed) or bool(self.need.needed[node])

    def _admits(self, token: int) -> bool:
        return self.nodes.tokens[token][0] == NONE or token in self.plain

    def as_node(self, code: int) -> int:
        """The node of a code; of a token one that holds it."""
        if code >= 0 or code == NOTHING:
            return code
        token = operand_token(code)
        node = self.nodes.number((CONSTANT_OF, token))
        tokens = {token} if self._admits(token) else set()
        place, root = self.nodes.tokens[token]
        if place != NONE:
            tokens |= {POINTER} if root != NONE else {POINTER, SOMEWHERE}
        self.gain(node, tokens)
        return node

    def gain(self, node: int, tokens: set[int]) -> None:
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

    def connect(self, source: int, target: int, cited: int) -> None:
        """Let `target` hold what `source` holds."""
        if source < 0 or source == target or not self.wanted(target):
            return
        preds = self.preds.get(target)
        if preds is None:
            preds = self.preds[target] = {}
        known = preds.get(source)
        if known is not None:
            order = self.constraints.order
            if known != cited and order(cited) < order(known):
                preds[source] = cited
            return
        preds[source] = cited
        self.succ.setdefault(source, []).append(target)
        held = self.sets.get(source)
        if held:
            self.gain(target, held)

    def unknown(self, reason: str, target: int) -> None:
        """Let a node hold anything, for a reason."""
        source = self.constraints.values.reason(reason)
        self.gain(source, {TOP})
        self.connect(source, target, UNCITED)

    def run(self) -> None:
        """Propagate until nothing changes."""
        work, deltas, succ = self._work, self._delta, self.succ
        sets = self.sets
        while work:
            node = work.popleft()
            delta = deltas.pop(node)
            for target in succ.get(node, ()):
                held = sets.get(target)
                if held is None or not delta <= held:
                    self.gain(target, delta)
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
                    self.unknown("the result of a call that could not be followed", call.result)
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
                self.connect(returned, call.result, cited)

    def _joint(self, function: int) -> Callee:
        """What a call of a function joins: the parameters, what takes the arguments behind the
        named ones, and what is returned; NONE for what need not be solved."""
        self.called.add(function)
        rest = self.nodes.rest_of(function)
        return (self._parameters_of(function), rest if rest != NONE and self.wanted(rest) else NONE,
                self.nodes.find((RETURN, function)))

    def _pass(self, call: IndirectCall, parameters: list[tuple[int, int]]) -> None:
        """Join the arguments of a call to parameters."""
        given = len(call.arguments)
        for index, parameter in parameters:
            choice = call.arguments[index] if index < given else ()
            if not choice and parameter != self.constraints.escape:
                self.unknown(UNREAD, parameter)
            for code in choice:
                self.connect(self.as_node(code), parameter, call.label)

    def _rest(self, call: IndirectCall, rest: int) -> None:
        """Join the arguments behind a function's named ones to what it takes them from."""
        for choice in call.arguments[self.nodes.keys[rest][2]:]:
            for code in choice:
                self.connect(self.as_node(code), rest, call.label)

    def _parameters_of(self, function: int) -> list[tuple[int, int]]:
        """The parameters of a function that have to be solved: index and node. What an undefined
        function is given escapes."""
        known = self._parameters.get(function)
        if known is None:
            defined = self.nodes.defined(function)
            if defined is None:
                known = [(index, self.constraints.escape) for index in range(_ARGUMENTS)]
            else:
                nodes = [self.nodes.find((PARAMETER, function, index))
                         for index in range(len(defined.parameters))]
                known = [(index, node) for index, node in enumerate(nodes)
                         if node != NONE and self.wanted(node)]
            self._parameters[function] = known
        return known

    def _load(self, delta: set[int], target: int) -> None:
        """`target` holds what the addressed nodes hold."""
        for token in delta:
            node = self.nodes.tokens[token][0]
            if node != NONE:
                self.connect(node, target, UNCITED)
            elif token in (TOP, POINTER):
                self.unknown("it is read through a pointer that could not be followed", target)

    def _store(self, delta: set[int], source: int, cited: int) -> None:
        for token in delta:
            node = self.nodes.tokens[token][0]
            if node != NONE:
                self.store(node, source, cited)

    def store(self, node: int, source: int, cited: int) -> None:
        """Let what `source` holds be written to a node through a pointer."""
        self.connect(source, self.entry(node), cited)

    def entry(self, node: int) -> int:
        """Where a write through a pointer goes in."""
        if self.nodes.keys[node][0] != SLOT:
            return node
        entry = self.constraints.values.anonymous(node)
        self.connect(entry, node, UNCITED)
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
        if self.nodes.defined(function) is not None:
            for _, node in self._parameters_of(function):
                self.unknown("code outside the parsed units may pass it", node)
