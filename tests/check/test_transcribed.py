"""The text of a function is a true document about it: copied out, no line of it is wrong."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph.graph import CallGraph, SourceText
from kgraph.model.document import LineKind
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import ChainCheck, Verdict
from tests.support.judging import check_text
from tests.support.one_file import index_text

FORMS = Path(__file__).with_name("every_form.c").read_text()


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallGraph]:
    with index_text(tmp_path_factory.mktemp("forms"), FORMS) as graph:
        yield graph


def transcribed(graph: CallGraph, function: KnownFunction) -> str:
    place = function.location
    assert place is not None
    lines = SourceText(graph).read_lines(place.path)[place.line - 1:function.end_line]
    return "\n".join(["```", *lines, "```", ""])


def wrongs(check: ChainCheck) -> list[tuple[str, Verdict, str]]:
    good = (
        Verdict.HOLDS, Verdict.STANDS, Verdict.PROSE, Verdict.ONE_OF, Verdict.DEFERRED)
    return [(each.line.text, each.verdict, each.note) for each in check.lines
            if each.verdict not in good]


def test_every_form_holds(forms: CallGraph) -> None:
    function, = forms.find_functions("every_form")
    check = check_text(forms, transcribed(forms, function))
    said = "third at a.c:45 is not a call of the function in this configuration: it is a macro"
    assert [each for each in wrongs(check) if not each[2].startswith(said)] == []
    claims = [each.line for each in check.lines if each.verdict is not Verdict.PROSE]
    assert len(claims) > 40
    assert not [line.text for line in claims if "is what" in line.text]


def test_every_function_of_mini_linux_holds(mini: CallGraph) -> None:
    count = 0
    for (number,) in mini.reader.fetch_rows("SELECT id FROM function"):
        function = mini.function(number)
        place = function.location
        if place is None or not place.path.endswith(".c") or function.macro:
            continue
        if any(other.number != number for other in mini.find_functions(function.id.name)):
            continue
        count += 1
        assert wrongs(check_text(mini, transcribed(mini, function))) == [], function
    assert count > 100


@pytest.mark.parametrize(("found", "put", "number"), [
    (r"if \(n == 3\)", "if (n != 3)", 1), (r"if \(!p\)", "if (p)", 1),
    (r"first\(2\)", "first(3)", 0), (r"first\(3\);", "first(2);", 0),
    (r"first\(4\); second\(4\)", "first(4); third(6)", 0),
    (r"i = second\(5\)", "third(6)", 0), (r"third\(6\)", "second(5)", 0),
    (r"case MY_LABEL:", "case MY_OTHER:", 0), (r"    p->name\) {", "    p->a) {", 1),
    (r"\.b = n,", ".b = i,", 0), (r"    \* 2;", "    * 3;", -1), (r"third\(8\)", "third(7)", 0),
])
def test_a_wrong_word_is_found(forms: CallGraph, found: str, put: str, number: int) -> None:
    """The line that a wrong word stands in, or that its condition leads to (`number` lines on)."""
    function, = forms.find_functions("every_form")
    text = transcribed(forms, function)
    place, = re.finditer(found, text)
    check = check_text(forms, text[:place.start()] + put + text[place.end():])
    judged = check.lines[text[:place.start()].count("\n") + number]
    assert judged.line.kind is not LineKind.CONTINUATION
    noted = "arguments are" in judged.note or "is not returned there" in judged.note
    assert judged.verdict is Verdict.REFUTED or (judged.verdict is Verdict.HOLDS and noted), judged
