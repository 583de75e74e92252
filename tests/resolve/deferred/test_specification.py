"""Deferred calls by the user's own rows; what is wrong in a row is said with file and line."""

from pathlib import Path

import pytest

from kgraph.errors import ConfigurationError
from kgraph.model.facts import Flow
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.resolution import DeferredCallback, EdgeKind
from kgraph.model.values import Address, Constant, Load, Place, Slot, TransferKind
from kgraph.resolve import DeferralRules, load_deferral_rules, resolve
from tests.support.facts_in_c import (
    addr,
    addr_field,
    at,
    call,
    function,
    give,
    names,
    obj,
    param,
    put,
    result,
    row,
    sites,
    stubs,
)

OWN = """
[[slot]]
kind = "job"
slot = "job.fn"
reason = "start_job fills it"

[[run]]
kind = "job"
function = "kick"
key = 0
reason = "puts the job on a list"
"""
HOOK = '[[register]]\nkind="x"\nfunction="f"\nkey=0\ncallback=1\nreason="r"\n'


@pytest.fixture
def own(tmp_path: Path) -> DeferralRules:
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    return load_deferral_rules([file])


def job_of(member: str, base):
    return addr_field("disk", member, base)


def test_what_lies_in_another_field_is_not_run(own: DeferralRules) -> None:
    here = Load(Place(Slot("job", "fn"), job_of("read", param("init"))))
    there = Load(Place(Slot("job", "fn"), job_of("write", param("init"))))
    init = function("init", put(here, "reader"), put(there, "writer"), parameters=1)
    start = function("start", call("start", "kick", job_of("read", param("start"))), parameters=1)
    found = resolve([init, start, *stubs("kick", "reader", "writer")], own)
    assert names(sites(found, "start")[0]) == ["kick", "reader"]


def test_a_job_that_is_handed_on_belongs_to_who_hands_it(own: DeferralRules) -> None:
    fill = Load(Place(Slot("job", "fn"), param("fill", 0)))
    found = resolve([
        function("fill", put(fill, param("fill", 1)), parameters=2),
        function("again", call("again", "kick", param("again")), parameters=1),
        function("f", call("f", "fill", addr("j"), "run_j"), call("f", "again", addr("j"), line=2)),
        function("g", call("g", "fill", addr("k"), "run_k")), *stubs("kick", "run_j", "run_k"),
    ], own)
    assert names(sites(found, "f")[1]) == ["again", "run_j"]
    assert names(sites(found, "again")[0]) == ["kick"]


def test_without_a_row_nothing_is_deferred() -> None:
    here = Load(Place(Slot("job", "fn"), addr("j")))
    found = resolve([function("f", put(here, "run_j"), call("f", "kick", addr("j"))),
                     *stubs("kick", "run_j")])
    assert names(sites(found, "f")[0]) == ["kick"]


@pytest.mark.parametrize(("text", "line", "said"), [
    ("[[run]\n", 1, "Expected"),
    ("a = 1\n[[run", 2, "Expected"),
    ('[[jump]]\nkind = "x"\n', 1, "no table is named jump"),
    ("# first\nrun = 3\n", 2, "no table is named run|has no|must be a table"),
    ("run = [3]\n", 1, "must be a table"),
    (OWN + '[[run]]\nkind = "x"\n', 12, "has no function"),
    (HOOK.replace("key=0", "key=[0, 1]") + 'key_fields=["hook.nr"]\n', 1, "is one argument"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=true\nreason="r"\n', 1, "key must be an argument"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=0\nreason=""\n', 1, "reason must be a text"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=0\nreason="r"\nx=1\n', 1, "takes no x"),
    ('[[slot]]\nkind="x"\nslot="job"\nreason="r"\n', 1, "slot must be a slot"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=[]\nreason="r"\n', 1, "key must be an argument"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=[0, "1"]\nreason="r"\n', 1, "key must be an argument"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=0\nfile=3\nreason="r"\n', 1, "file must be a text"),
    (HOOK + 'key_fields=["hook.nr", "bits"]\n', 1, "key_fields must be a slot"),
    (HOOK + "key_fields=7\n", 1, "key_fields must be a slot"),
    (HOOK + "key_fields=[]\n", 1, "key_fields must be a slot"),
    (HOOK.replace("key=0", "key=[0, 1]") + 'key_fields=["hook.nr"]\n', 1, "one argument"),
    (HOOK + "field=[]\n", 1, "field must be a slot"),
    ('[[stored]]\nkind="x"\nslot="queue.fn"\n', 1, "has no reason"),
])
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said) as error:
        load_deferral_rules([file])
    assert str(error.value).startswith(f"{file}:{line}: ")


def rows_of(tmp_path: Path, text: str) -> DeferralRules:
    file = tmp_path / "rows.toml"
    file.write_text(text)
    return load_deferral_rules([file])


KICK = '[[run]]\nkind="job"\nfunction="kick"\nkey=0\nreason="r"\n'
JOB = '[[slot]]\nkind="job"\nslot="job.fn"\nreason="r"\n'


@pytest.mark.parametrize(("scope", "file", "meant"), [
    ("", "", True),
    ("", "a.c", True),  # defined there
    ("", "b.c", False),
    ("b.c", "", False),  # a static twin
    ("b.c", "b.c", True),
    ("b.c@a.c", "b.c", True),  # b.c is included by a.c
    ("include/linux/job.h", "", True),
    ("arch/x86/include/asm/job.h", "", True),
    ("drivers/disk/job.h", "", False),
    ("drivers/disk/job.h", "drivers/disk/job.h", True),
])
def test_a_row_means_the_function_of_its_file(
    tmp_path: Path, scope: str, file: str, meant: bool
) -> None:
    rows = rows_of(tmp_path, JOB + KICK + (f'file="{file}"\n' if file else ""))
    kick = FunctionId("kick", scope)
    fill = put(Load(Place(Slot("job", "fn"), addr("j"))), "run_j")
    found = resolve([function("f", fill, call("f", kick, addr("j"))), function(kick),
                     *stubs("run_j")], rows)
    assert names(sites(found, "f")[0]) == (["kick", "run_j"] if meant else ["kick"])


HOOKS = """
[[register]]
kind = "hook"
function = "hang"
key = 0
key_fields = ["hook.family", "bits hook.numbers"]
callback = 0
field = ["old_hook.fn", "hook.fn"]
reason = "hangs a hook where its record says"

[[run]]
kind = "hook"
function = "ask"
key = [1, 0]
reason = "runs the hooks of a number and family"

[[stored]]
kind = "later"
slot = "queue.fn"
reason = "kept until the packet comes back"
"""


def number(table: str, name: str, value: int, line: int) -> Flow:
    place = Place(Slot("hook", name), Address(Place(ObjectId(table))))
    return Flow(Constant(value), place, at(line), TransferKind.INITIALISER)


def test_hooks_are_asked_for_by_the_numbers_beside_them(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, HOOKS)
    hooks = obj(
        "hooks", row("hooks", "hook", "fn", "first", 1), number("hooks", "family", 2, 2),
        number("hooks", "numbers", 0b101, 3),
        row("hooks", "hook", "fn", "second", 4), number("hooks", "family", 7, 5),
        number("hooks", "numbers", 0b10, 6), row("hooks", "hook", "fn", "third", 7))
    asked = [(0, 2), (1, 2), (2, 2), (1, 7)]
    found = resolve([
        hooks, function("init", call("init", "hang", addr("hooks"))),
        function("f", *(call("f", "ask", Constant(nr), Constant(family), line=line)
                        for line, (nr, family) in enumerate(asked, start=1))),
        *stubs("hang", "ask", "first", "second", "third"),
    ], rows)
    reached = [names(site) for site in sites(found, "f")]
    assert reached == [["ask", "first"], ["ask"], ["ask", "first"], ["ask", "second"]]
    [request] = [request for request in found.requests if not request.edges]
    assert (request.requested, request.reason, request.key_unknown) == (
        "2 1", "nothing known is registered under its key", False)
    assert [later for later in found.callbacks if later.key_unknown] == [
        DeferredCallback("hook", FunctionId("third"), key_unknown=True)]


def test_what_a_slot_stores_is_run_later(tmp_path: Path) -> None:
    slot = Load(Place(Slot("queue", "fn"), param("f")))
    found = resolve([
        function("f", put(slot, "resume"), call("f", slot), parameters=1), *stubs("resume"),
    ], rows_of(tmp_path, HOOKS))
    [candidate] = sites(found, "f")[0].candidates
    assert candidate.kind is EdgeKind.DEFERRED
    assert candidate.evidence[0].holder == "later queue.fn"


def test_what_a_call_gives_back_is_asked_for(own: DeferralRules) -> None:
    here = Load(Place(Slot("job", "fn"), job_of("read", param("init"))))
    found = resolve([
        function("init", put(here, "reader"), parameters=1),
        function("job_of", give("job_of", job_of("read", param("job_of"))), parameters=1),
        function("start", call("start", "kick", result("job_of"))), *stubs("kick", "reader"),
    ], own)
    assert names(sites(found, "start")[0]) == ["kick", "reader"]


def test_a_request_through_a_pointer_reaches_what_the_caller_hands_over(own: DeferralRules) -> None:
    here = Load(Place(Slot("job", "fn"), addr("j")))
    ops = Load(Place(Slot("ops", "start"), param("f")))
    found = resolve([
        function("f", put(here, "run_j"), put(ops, "begin"), call("f", ops, addr("j")),
                 parameters=1),
        function("begin", call("begin", "kick", param("begin")), parameters=1),
        *stubs("kick", "run_j"),
    ], own)
    kinds = {c.callee.name: c.kind for c in sites(found, "f")[0].candidates}
    assert kinds == {"begin": EdgeKind.POINTER, "run_j": EdgeKind.DEFERRED}


def test_a_key_that_cannot_be_told_is_said(own: DeferralRules) -> None:
    here = Load(Place(Slot("job", "fn"), addr("j")))
    found = resolve([
        function("f", put(here, "run_j"), call("f", "kick", result("unknown"))),
        *stubs("kick", "run_j"),
    ], own)
    [request] = found.requests
    assert (request.edges, request.reason, request.key_unknown) == (
        0,
        "its key cannot be told",
        True,
    )
    assert found.callbacks == (DeferredCallback("job", FunctionId("run_j"), key_unknown=False),)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "own.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"own\.toml: cannot be read"):
        load_deferral_rules([file])
