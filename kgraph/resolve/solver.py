"""The inclusion solver: least sets of tokens that satisfy all constraints (Andersen's analysis).

Each node's set grows by differences along edges. Calls, loads and stores through pointers add
edges as functions and addresses arrive at them. The result is the least fixed point, and so does
not depend on the order of work. `reads` says what each LOADED node of a tagged slot reads: first
the whole slot, in the second solution only what the tables in its base's set hold.
"""

from collections import deque
from collections.abc import Mapping

from kgraph.resolve.constraints import Constraints
from kgraph.resolve.labels import RETURNED, UNCITED, label, location_of
from kgraph.resolve.need import Need
from kgraph.resolve.nodes import CONSTANT_OF, FIELD, TOP
from kgraph.resolve.numbering import NONE, PARAMETER, RETURN, SLOT
from kgraph.resolve.values import NOTHING, token_of

EMPTY: frozenset[int] = frozenset()


class Solver:
    """Solves constraints; `sets` holds the tokens of each node, `succ` all edges there are."""

    def __init__(
        self, constraints: Constraints, need: Need, reads: Mapping[int, list[int]]
    ) -> None:
        self.constraints = constraints
        self.nodes = constraints.nodes
        self.need = need
        self.sets: dict[int, set[int]] = {}
        self.succ: dict[int, list[int]] = {}
        self.labels: dict[tuple[int, int], int] = {}
        self.copied: set[int] = set()
        self._delta: dict[int, set[int]] = {}
        self._work: deque[int] = deque()
        self._calls: dict[int, list[int]] = {}
        self._loads: dict[int, list[int]] = {}
        self._stores: dict[int, list[tuple[int, int]]] = {}
        self._copies: set[int] = set()
        self._escaped: set[int] = set()
        self.called: set[int] = set()
        self._linked: set[tuple[int, int]] = set()
        self._fields = self._fields_of_roots()
        self._set_up(reads)

    def _fields_of_roots(self) -> dict[int, list[int]]:
        fields: dict[int, list[int]] = {}
        for node, key in enumerate(self.nodes.keys):
            if key[0] == FIELD:
                fields.setdefault(key[1], []).append(node)
        return fields

    def _set_up(self, reads: Mapping[int, list[int]]) -> None:
        constraints = self.constraints
        for node, preds in constraints.preds.items():
            if self.wanted(node):
                for source, cited in preds:
                    self._connect(source, node, cited)
        for node, sources in reads.items():
            for source in sources:
                self._connect(source, node, UNCITED)
        for node, given in constraints.given.items():
            if self.wanted(node):
                self._gain(node, {token for token in given if self._relevant(token)})
        self._listen()
        self.run()

    def _listen(self) -> None:
        """Enter the constraints that act as sets grow."""
        constraints = self.constraints
        for number, call in enumerate(constraints.calls):
            self._calls.setdefault(self._as_node(call.target), []).append(number)
        for pointer, node in constraints.values.loads:
            if pointer < NOTHING:
                self._load({token_of(pointer)}, node)
            elif self.wanted(node):
                self._loads.setdefault(pointer, []).append(node)
        for store in constraints.stores:
            source = self._as_node(store.source)
            if store.pointer < NOTHING:
                self._store({token_of(store.pointer)}, source, store.label)
            else:
                self._stores.setdefault(store.pointer, []).append((source, store.label))
        for _, origin in constraints.copies:
            if origin < NOTHING:
                self._copy_records({token_of(origin)})
            else:
                self._copies.add(origin)
        for node in list(self.sets):
            self._react(node, self.sets[node])

    def wanted(self, node: int) -> bool:
        """Whether a node has to be solved."""
        return node >= len(self.need.needed) or bool(self.need.needed[node])

    def _relevant(self, token: int) -> bool:
        node, root = self.nodes.tokens[token]
        return node == NONE or root in self.need.roots or self.wanted(node)

    def _as_node(self, code: int) -> int:
        if code >= 0 or code == NOTHING:
            return code
        node = self.nodes.number((CONSTANT_OF, token_of(code)))
        self._gain(node, {token_of(code)})
        return node

    def _gain(self, node: int, tokens: set[int]) -> None:
        """Add tokens to a node; what is new is propagated later."""
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

    def _connect(self, source: int, target: int, cited: int) -> None:
        """Let `target` hold what `source` holds."""
        if source < 0 or source == target or not self.wanted(target):
            return
        edge = (source, target)
        known = self.labels.get(edge)
        if known is not None:
            order = self.constraints.order
            if known != cited and order(cited) < order(known):
                self.labels[edge] = cited
            return
        self.labels[edge] = cited
        self.succ.setdefault(source, []).append(target)
        held = self.sets.get(source)
        if held:
            self._gain(target, held)

    def unknown(self, reason: str, target: int) -> None:
        """Let a node hold anything, for a reason; call `run` afterwards."""
        source = self.constraints.values.reason(reason)
        self._gain(source, {TOP})
        self._connect(source, target, UNCITED)

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
                    self._gain(target, delta)
            self._react(node, delta)

    def _react(self, node: int, delta: set[int]) -> None:
        for number in self._calls.get(node, ()):
            self._call(number, delta)
        for target in self._loads.get(node, ()):
            self._load(delta, target)
        for source, cited in self._stores.get(node, ()):
            self._store(delta, source, cited)
        if node in self._copies:
            self._copy_records(delta)
        if node == self.constraints.escape:
            self._escape(delta)

    def _call(self, number: int, delta: set[int]) -> None:
        """Join the arguments of a call to the parameters of the functions it may call."""
        call = self.constraints.calls[number]
        function_of = self.nodes.function_of
        for token in delta:
            function = function_of(token)
            if function == NONE:
                if token == TOP and call.result != NONE:
                    self.unknown("the result of a call that could not be followed", call.result)
                continue
            if (number, function) in self._linked:
                continue
            self._linked.add((number, function))
            self.called.add(function)
            self._join(call.arguments, function, call.label)
            returned = self.nodes.find((RETURN, function))
            if NONE not in (call.result, returned):
                cited = label(location_of(call.label), RETURNED)
                self._connect(returned, call.result, cited)

    def _join(self, arguments: tuple[tuple[int, ...], ...], function: int, cited: int) -> None:
        known = self.nodes.defined(function) is not None
        for index, choice in enumerate(arguments):
            find = self.nodes.find((PARAMETER, function, index))
            target = find if known else self.constraints.escape
            if target != NONE:
                for code in choice:
                    self._connect(self._as_node(code), target, cited)

    def _load(self, delta: set[int], target: int) -> None:
        """`target` holds what the addressed nodes hold. Of a record as a whole no field is
        known: its fields then count for every table.
        """
        for token in delta:
            node, root = self.nodes.tokens[token]
            if node != NONE:
                self._connect(node, target, UNCITED)
                if self._is_record(node):
                    self._copy_root(root)
            elif token == TOP:
                self.unknown("it is read through a pointer that could not be followed", target)

    def _store(self, delta: set[int], source: int, cited: int) -> None:
        for token in delta:
            node, _ = self.nodes.tokens[token]
            if node != NONE:
                self._connect(source, self._entry(node), cited)

    def _entry(self, node: int) -> int:
        """Where a write through a pointer goes in."""
        if self.nodes.keys[node][0] != SLOT:
            return node
        entry = self.constraints.values.anonymous(node)
        self._connect(entry, node, UNCITED)
        return entry

    def _is_record(self, node: int) -> bool:
        values = self.constraints.values
        return node in values.tagged_roots or node in values.record_slots

    def _copy_records(self, delta: set[int]) -> None:
        for token in delta:
            node, root = self.nodes.tokens[token]
            if node != NONE:
                self._copy_root(root)

    def _copy_root(self, root: int) -> None:
        """Once its record is copied, what a table's fields hold may be anywhere."""
        if root in self.copied:
            return
        self.copied.add(root)
        for node in self._fields.get(root, ()):
            self._connect(node, self._entry(self.nodes.keys[node][2]), UNCITED)

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
        defined = self.nodes.defined(function)
        for index in range(len(defined.parameters) if defined else 0):
            node = self.nodes.find((PARAMETER, function, index))
            if node != NONE:
                self.unknown("code outside the parsed units may pass it", node)

    def close(self) -> None:
        """Account for callers that are not seen: of functions whose address is taken and that no
        call reaches, and of what is passed in calls of which nothing is known.
        """
        for function in self.need.taken_functions - self.called:
            self.open_parameters(function)
        for call in self.constraints.calls:
            held = self.sets.get(self._as_node(call.target), EMPTY)
            if TOP in held and not any(self.nodes.function_of(t) != NONE for t in held):
                for choice in call.arguments:
                    for code in choice:
                        self._connect(self._as_node(code), self.constraints.escape, UNCITED)
        self.run()
