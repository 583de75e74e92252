"""Which tokens of a body run under which conditions and labels."""

import pytest

from kgraph.check.source.condition_forms import normalise_condition
from kgraph.check.source.control_flow import ControlFlow
from kgraph.check.source.tokens import list_tokens, strip_directives, tokenise

BODY = """
{
    first();
    if (a && b) {
        both();
        if (c)
            return early();
        later();
    } else if (d)
        other();
    else
        neither();
    switch (kind) {
    case 1:
    case TWO:
        low();
        break;
    default:
        if (!e)
            goto out;
        high();
    }
    while (more)
        again();
    last();
out:
    clean();
}
"""


@pytest.fixture(scope="module")
def flow() -> ControlFlow:
    tokens, ends = strip_directives(tokenise(BODY))
    words = [word for word, _ in tokens]
    return ControlFlow(words, ends, words)


@pytest.mark.parametrize(("name", "conditions"), [
    ("first", []), ("both", ["a", "b"]), ("early", ["a", "b", "c"]), ("later", ["a", "b", "!c"]),
    ("other", ["!(a && b)", "d"]), ("neither", ["!(a && b)", "!d"]), ("again", ["more"]),
    ("low", ["kind == 1 || kind == TWO"]), ("high", ["kind == default", "e"]), ("clean", []),
])
def test_what_holds_at_a_call(flow: ControlFlow, name: str, conditions: list[str]) -> None:
    holds = flow.find_enclosing([flow.words.index(name)]).holds
    assert holds == {normalise_condition(list_tokens(text)) for text in conditions}


def test_conditions_and_labels_are_shown_as_they_are_written(flow: ControlFlow) -> None:
    assert [flow.text_at(each.place) for each in flow.branches] == [
        "a && b", "c", "d", "!e", "more"]
    assert [flow.text_at(each.place) for each in flow.labels] == ["case 1", "case TWO", "default"]
    assert {each.switch for each in flow.labels} == {"kind"}


def test_jumps_lead_behind_their_label(flow: ControlFlow) -> None:
    assert flow.goto_labels == ["out"]
    clean, = (flow.words.index("clean"),)
    branch = next(each for each in flow.branches if flow.text_at(each.place) == "!e")
    assert clean not in branch.then
    assert any(clean in part for part in flow.follow_jumps(branch.then))
    assert any(clean in run for run in flow.find_runs_behind("out"))


def test_both_parts_of_an_ifdef_open_one_brace() -> None:
    tokens, ends = strip_directives(tokenise(
        "{\n#ifdef A\nif (x) {\n#else\nif (y) {\n#endif\nf();\n}\ng();\n}"))
    words = [word for word, _ in tokens]
    flow = ControlFlow(words, ends, words)
    assert not flow.find_enclosing([words.index("g")]).branches
    assert len(flow.find_enclosing([words.index("f")]).branches) == 2
