"""Where functions and calls are drawn."""

import re

import pytest

from kgraph.graph import CallGraph
from kgraph.model.results import Path
from kgraph.query import PathQuestion, find_paths
from kgraph.report.picture.drawing import Drawing
from kgraph.report.picture.lanes import load_lanes
from kgraph.report.picture.layout import draw_hops, draw_ways


@pytest.fixture(scope="module")
def ways(mini: CallGraph) -> tuple[Path, ...]:
    return find_paths(mini, PathQuestion("SyS_sendto", "veth_xmit", count=3)).paths


@pytest.fixture(scope="module")
def merged(ways: tuple[Path, ...]) -> Drawing:
    found = draw_ways("ways", [[(hop, "") for hop in way.hops] for way in ways], load_lanes())
    assert found is not None
    return found


def test_a_function_that_recurs_in_a_document_is_drawn_again(mini: CallGraph) -> None:
    question = PathQuestion("br_handle_frame", "br_dev_queue_push_xmit", via=("br_forward",))
    [path] = find_paths(mini, question).paths
    drawing = draw_hops("bridge", [(hop, "") for hop in (*path.hops, path.hops[-1])], load_lanes())
    assert drawing is not None
    functions = [path.hops[0].caller, *(hop.callee for hop in path.hops)]
    assert [box.name for box in drawing.boxes] == [str(function) for function in functions]
    assert len({box.name for box in drawing.boxes}) < len(functions)
    assert [(a.caller, a.callee) for a in drawing.arrows] == [
        (place, place + 1) for place in range(len(path.hops))
    ]


def test_several_ways_are_one_picture(ways: tuple[Path, ...], merged: Drawing) -> None:
    assert len(ways) == 3
    passed = {function.number: str(function) for way in ways for hop in way.hops
              for function in (hop.caller, hop.callee)}
    assert sorted(box.name for box in merged.boxes) == sorted(passed.values())
    calls = {(str(hop.caller), str(hop.callee), hop.site.number) for way in ways
             for hop in way.hops}
    assert len(merged.arrows) == len(calls)
    first = {str(ways[0].hops[0].caller), *(str(hop.callee) for hop in ways[0].hops)}
    assert {box.name for box in merged.boxes if not box.is_other} == first


@pytest.mark.parametrize("narrow", [False, True])
def test_calls_lead_down_and_boxes_lie_apart(merged: Drawing, *, narrow: bool) -> None:
    drawing = merged.narrow if narrow else merged
    assert drawing is not None
    for arrow in drawing.arrows:
        caller, callee = drawing.boxes[arrow.caller], drawing.boxes[arrow.callee]
        assert caller.top + caller.height < callee.top
    for number, box in enumerate(drawing.boxes):
        assert box.left >= 0
        assert box.left + box.width <= drawing.width
        for other in drawing.boxes[:number]:
            assert (box.top + box.height <= other.top or other.top + other.height <= box.top
                    or box.left + box.width <= other.left or other.left + other.width <= box.left)


@pytest.mark.parametrize("narrow", [False, True])
def test_no_arrow_crosses_a_box(merged: Drawing, *, narrow: bool) -> None:
    drawing = merged.narrow if narrow else merged
    assert drawing is not None
    for arrow in drawing.arrows:
        for left, top, right, bottom in iter_lines(arrow.line):
            for number, box in enumerate(drawing.boxes):
                if number not in (arrow.caller, arrow.callee):
                    assert (right < box.left or left > box.left + box.width
                            or bottom < box.top or top > box.top + box.height), arrow.text


def iter_lines(path: str):
    """The straight lines of SVG path data that has only M, H and V."""
    x = y = 0
    for letter, numbers in re.findall(r"([MHV])([\d ]+)", path):
        before = x, y
        if letter == "M":
            x, y = map(int, numbers.split())
            continue
        x, y = (int(numbers), y) if letter == "H" else (x, int(numbers))
        yield min(x, before[0]), min(y, before[1]), max(x, before[0]), max(y, before[1])


def test_lanes_are_in_the_order_of_the_way(ways: tuple[Path, ...], merged: Drawing) -> None:
    first = merged.boxes[0]
    assert first.name == str(ways[0].hops[0].caller)
    assert merged.columns[0].title == first.lane
    assert first.left < merged.columns[0].width
    order = list(dict.fromkeys(
        box.lane for box in sorted(merged.boxes, key=lambda box: box.top) if not box.is_other))
    assert [column.title for column in merged.columns][:len(order)] == order


def test_ways_that_pass_two_functions_in_different_order(mini: CallGraph) -> None:
    hops = [graph_hop for caller in ("dev_queue_xmit", "__dev_queue_xmit")
            for graph_hop in [first_hop(mini, caller)]]
    there = [(hop, "") for hop in hops]
    back = [(hops[1], ""), (hops[0], "")]
    drawing = draw_ways("both", [there, back], load_lanes())
    assert drawing is not None
    for arrow in drawing.arrows:
        assert drawing.boxes[arrow.caller].top < drawing.boxes[arrow.callee].top


def first_hop(graph: CallGraph, name: str):
    from kgraph.query import find_callees, find_function

    return find_callees(graph, find_function(graph, name))[0]
