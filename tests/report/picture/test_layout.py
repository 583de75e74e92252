"""Where functions and calls are drawn."""

from kgraph.graph import CallGraph
from kgraph.query import PathQuestion, find_paths
from kgraph.report.picture.lanes import load_lanes
from kgraph.report.picture.layout import draw_hops


def test_a_function_that_recurs_is_drawn_again(mini: CallGraph) -> None:
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
