"""Deferred calls by the user's own rows; what is wrong in a row is said with file and line."""

from pathlib import Path

import pytest
from facts_in_c import addr, addr_field, call, function, names, param, put, sites, stubs

from kgraph.errors import ConfigurationError
from kgraph.model.holders import Load, Place, Slot
from kgraph.resolve import Rows, deferral_rows, resolve

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


@pytest.fixture
def own(tmp_path: Path) -> Rows:
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    return deferral_rows([file])


def job_of(member: str, base):
    return addr_field("disk", member, base)


def test_what_lies_in_another_field_is_not_run(own: Rows) -> None:
    here = Load(Place(Slot("job", "fn"), job_of("read", param("init"))))
    there = Load(Place(Slot("job", "fn"), job_of("write", param("init"))))
    init = function("init", put(here, "reader"), put(there, "writer"), parameters=1)
    start = function("start", call("start", "kick", job_of("read", param("start"))), parameters=1)
    found = resolve([init, start, *stubs("kick", "reader", "writer")], own)
    assert names(sites(found, "start")[0]) == ["kick", "reader"]


def test_a_job_that_is_handed_on_belongs_to_who_hands_it(own: Rows) -> None:
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
    ("# first\nrun = 3\n", 2, "no table is named run|has no|is no table"),
    ("run = [3]\n", 1, "is no table"),
    (OWN + '[[run]]\nkind = "x"\n', 12, "has no function"),
    (OWN + '\n[[run]]\nkind="x"\nfunction="f"\nkey=-1\nreason="r"\n', 13, "key is no argument"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=true\nreason="r"\n', 1, "key is no argument"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=0\nreason=""\n', 1, "reason is no text"),
    ('[[run]]\nkind="x"\nfunction="f"\nkey=0\nreason="r"\nx=1\n', 1, "no use for x"),
    ('[[slot]]\nkind="x"\nslot="job"\nreason="r"\n', 1, "slot is no slot"),
])
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said) as error:
        deferral_rows([file])
    assert str(error.value).startswith(f"{file}:{line}: ")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "own.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"own\.toml: cannot be read"):
        deferral_rows([file])
