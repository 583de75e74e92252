"""What a picture shows: functions in lanes, and calls between them.

Several ways are merged where they are the same: a function that two of them pass is one node. A
document keeps its lines: each of them is a node below the one before it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kgraph.model.results import Hop, KnownFunction
from kgraph.report.picture.drawing import STROKES
from kgraph.report.picture.lanes import Lanes

Step = tuple[Hop, str]  # a call, and where a click on its callee leads


@dataclass(slots=True)
class Node:
    """A function. `way` is the number of the first way that passes it, `row` how far down it is."""

    function: KnownFunction
    lane: str
    below: str
    href: str
    way: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A call between nodes, by their places in the list of nodes."""

    hop: Hop
    caller: int
    callee: int
    way: int = 0


@dataclass(slots=True)
class PictureGraph:
    """Nodes from top to bottom, and the calls between them."""

    nodes: list[Node] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def describe(self) -> str:
        """The picture in words, for readers who cannot see it."""
        later = sum(STROKES[link.hop.kind] == "deferred" for link in self.links)
        through = sum(STROKES[link.hop.kind] not in ("direct", "deferred") for link in self.links)
        ways = 1 + max(link.way for link in self.links)
        among = f", {ways} ways" if ways > 1 else ""
        return (
            f"{len(self.nodes)} functions from {self.nodes[0].function} to"
            f" {self.nodes[-1].function}{among}; {len(self.links)} calls, {through} of them through"
            f" pointers, {later} deferred."
        )


def follow_steps(steps: Iterable[Step], lanes: Lanes) -> PictureGraph:
    """The calls of a document. A call continues at the last node of its caller; if there is none
    it begins a new chain. A function that recurs gets a new node, but each call of a node is drawn
    once.
    """
    graph = PictureGraph()
    latest: dict[int, int] = {}
    drawn: set[tuple[int, int, int]] = set()
    for hop, href in steps:
        if hop.caller.number not in latest:
            latest[hop.caller.number] = len(graph.nodes)
            graph.nodes.append(_make_first(hop.caller, lanes))
        caller = latest[hop.caller.number]
        key = (caller, hop.site.number, hop.callee.number)
        if key in drawn:
            continue
        drawn.add(key)
        graph.links.append(Link(hop, caller, len(graph.nodes)))
        latest[hop.callee.number] = len(graph.nodes)
        lane = lanes.find_lane(hop.callee, graph.nodes[caller].lane)
        graph.nodes.append(Node(hop.callee, lane, _describe_call(hop), href))
    for row, node in enumerate(graph.nodes):
        node.row = row
    return graph


def merge_ways(ways: Sequence[Sequence[Step]], lanes: Lanes) -> PictureGraph:
    """Some ways as one graph. Its rows are such that every call leads down."""
    graph = PictureGraph()
    nodes: dict[tuple[int, int], int] = {}  # (function, how often the way has passed it)
    drawn: set[tuple[int, int, int]] = set()
    for way, steps in enumerate(ways):
        passed: dict[int, int] = {}
        place: int | None = None
        for hop, href in steps:
            if place is None:
                place = _enter(graph, nodes, hop.caller, passed)
                if place == len(graph.nodes):
                    graph.nodes.append(_make_first(hop.caller, lanes))
                    graph.nodes[place].way = way
            callee = _enter(graph, nodes, hop.callee, passed, above=place)
            if callee == len(graph.nodes):
                lane = lanes.find_lane(hop.callee, graph.nodes[place].lane)
                graph.nodes.append(Node(hop.callee, lane, _describe_call(hop), href, way))
            if (place, callee, hop.site.number) not in drawn:
                drawn.add((place, callee, hop.site.number))
                graph.links.append(Link(hop, place, callee, way))
            place = callee
    return _sort(graph)


def _enter(
    graph: PictureGraph, nodes: dict[tuple[int, int], int], function: KnownFunction,
    passed: dict[int, int], above: int | None = None,
) -> int:
    """The node of a function that a way comes to, the next free place if it is a new one. A node
    from which calls lead back to `above` is not used again.
    """
    turn = passed.get(function.number, 0)
    while (known := nodes.get((function.number, turn))) is not None:
        if above is None or not _leads(graph, known, above):
            break
        turn += 1
    passed[function.number] = turn + 1
    return nodes.setdefault((function.number, turn), len(graph.nodes))


def _leads(graph: PictureGraph, start: int, end: int) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node == end:
            return True
        for link in graph.links:
            if link.caller == node and link.callee not in seen:
                seen.add(link.callee)
                waiting.append(link.callee)
    return False


def _sort(graph: PictureGraph) -> PictureGraph:
    """The graph with its nodes from top to bottom, each in the row below its lowest caller."""
    changed = True
    while changed:
        changed = False
        for link in graph.links:
            needed = graph.nodes[link.caller].row + 1
            if graph.nodes[link.callee].row < needed:
                graph.nodes[link.callee].row = needed
                changed = True
    order = _list_downwards(graph)
    place = {node: number for number, node in enumerate(order)}
    links = [Link(link.hop, place[link.caller], place[link.callee], link.way)
             for link in graph.links]
    return PictureGraph([graph.nodes[node] for node in order], links)


def _list_downwards(graph: PictureGraph) -> list[int]:
    """The nodes, each after its callers, and those of one way as far as possible together."""
    missing = Counter(link.callee for link in graph.links)
    ready = [(node.way, node.row, number) for number, node in enumerate(graph.nodes)
             if not missing[number]]
    order = []
    while ready:
        ready.sort()
        number = ready.pop(0)[-1]
        order.append(number)
        for link in graph.links:
            if link.caller == number:
                missing[link.callee] -= 1
                if not missing[link.callee]:
                    callee = graph.nodes[link.callee]
                    ready.append((callee.way, callee.row, link.callee))
    return order


def _make_first(function: KnownFunction, lanes: Lanes) -> Node:
    defined = str(function.location) if function.location else ""
    return Node(function, lanes.find_lane(function), defined, "")


def _describe_call(hop: Hop) -> str:
    """The line under the callee's name: the slot of an indirect call, else the citation."""
    if STROKES[hop.kind] == "direct" or not hop.site.holder:
        return str(hop.site.location)
    return f"{hop.site.holder}, 1 of {hop.candidates}" if hop.candidates > 1 else hop.site.holder
