"""An edit's impact ends with the functions that it changes, or it is said why it may not."""

from dataclasses import dataclass, field

from kgraph.model.facts import Definition
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import GraphChange, MarkKey
from kgraph.model.values import Constant
from kgraph.resolve.fact_rows import read_definitions
from kgraph.resolve.incremental.change_impact import analyse_impact
from kgraph.resolve.incremental.dependencies import OPEN, count_mentions
from tests.support.facts_in_c import call, function, give, param, put, stubs, var


@dataclass
class Previous:
    """Answers of an index of these definitions, in which nothing had to be solved."""

    definitions: list[Definition]
    declared: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.weights = count_mentions(read_definitions(self.definitions))
        self.functions = {definition.subject.id for definition in self.definitions}

    def find_weight(self, key: MarkKey) -> int:
        return self.weights[key]

    def link(self, function: FunctionId) -> tuple[FunctionId, bool]:
        return function, function in self.functions

    def is_table(self, identity: ObjectId) -> bool:
        return False

    def is_pointer(self, identity: ObjectId) -> bool:
        return True

    def is_declared(self, *names: str) -> bool:
        return self.declared.issuperset(names)


def change(before: Definition, after: Definition, *declared: str) -> GraphChange | str:
    previous = Previous([before, *stubs("g", "h")], set(declared))
    return analyse_impact([before], [after], previous)


def test_lines_that_move_change_no_function() -> None:
    found = change(function("f", call("f", "g", line=2)), function("f", call("f", "g", line=5)))
    assert isinstance(found, GraphChange)
    assert not found.rewritten_functions
    assert len(found.moved_definitions) == 1


def test_a_direct_call_more_concerns_its_function_only() -> None:
    one = call("f", "g", line=2)
    found = change(function("f", one), function("f", one, call("f", "h", line=3)))
    assert isinstance(found, GraphChange)
    [rewritten] = found.rewritten_functions
    assert [site.callee for site in rewritten.sites] == [FunctionId("g"), FunctionId("h")]


def test_a_call_of_a_declared_function_is_an_effect() -> None:
    one = call("f", "g", line=2)
    found = change(function("f", one), function("f", one, call("f", "h", line=3)), "h")
    assert found == "the effects of f changed"


def test_a_function_that_is_returned_is_an_effect() -> None:
    found = change(function("f"), function("f", give("f", "g")))
    assert found == "f uses other functions as values"


def test_a_copy_between_locals_that_nothing_calls_is_inert() -> None:
    copy = put(var("f", "x"), param("f"))
    found = change(function("f", parameters=1), function("f", copy, parameters=1))
    assert isinstance(found, GraphChange)
    assert found.rewritten_functions[0].sites == ()


def test_a_number_is_inert_where_a_library_may_fill_something() -> None:
    before, after = function("f", parameters=1), function(
        "f", call("f", "g", line=2), put(var("f", "n"), Constant(3)), parameters=1)
    previous = Previous([before, function("g")])
    previous.weights[OPEN] = 1
    assert isinstance(analyse_impact([before], [after], previous), GraphChange)


def test_no_pointer_is_inert_where_a_library_may_fill_something() -> None:
    copy = put(var("f", "x"), param("f"))
    before, after = function("f", parameters=1), function("f", copy, parameters=1)
    previous = Previous([before])
    previous.weights[OPEN] = 1
    assert analyse_impact([before], [after], previous) == (
        "functions without a definition may fill something")
    assert isinstance(analyse_impact([before], [function("f", parameters=1, line=3)], previous),
                      GraphChange)
