"""The dump of a holder's constraints shows what it holds, and from where."""

from kgraph.resolve.constraint_dump import dump_holder
from tests.support.facts_in_c import call, field, function, param, put, stubs, var


def test_a_holder_is_shown_with_its_edges_and_their_places() -> None:
    definitions = [
        *stubs("open_it"),
        function("fill", put(field("ops", "open", param("fill")), "open_it", line=3)),
        function("use", call("use", field("ops", "open", param("use")))),
    ]
    lines = list(dump_holder(definitions, "ops.open"))
    assert "Slot ops.open: relevant" in lines
    assert "  first pass: holds open_it" in lines
    assert "  is given open_it  binding a.c:3" in lines


def test_a_local_is_shown_as_not_relevant_where_nothing_is_called_through_it() -> None:
    definitions = [function("f", put(var("f", "x"), param("f"), line=2))]
    lines = list(dump_holder(definitions, "x"))
    assert lines[0] == "Variable x of f: not relevant"


def test_an_unknown_name_is_said() -> None:
    assert list(dump_holder([], "nobody")) == ["no node is called nobody"]
