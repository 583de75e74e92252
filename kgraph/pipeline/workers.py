"""Extracting the facts of many units, in worker processes or in this one.

A unit on which a worker dies, hangs or runs out of memory is read again when all others are done,
alone and without precompiled headers; if that fails too, the unit is reported as failed. Results
come in any order. Must not know the store's tables.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kgraph.extract import Extractor
from kgraph.extract.precompiled import Precompiled
from kgraph.model.facts import UnitFacts
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.attendant import Lost, told
from kgraph.pipeline.pool import USUAL, Limits, run_tasks
from kgraph.store.facts import EncodedUnit, encode_unit


@dataclass(frozen=True, slots=True)
class Place:
    """Where units are read: the tree, the folder of generated files, precompiled headers."""

    root: Path
    build: Path | None
    headers: tuple[Precompiled, ...] = ()


class UnitReader:
    """Extracts units one after another."""

    def __init__(self, place: Place) -> None:
        self._extractor = Extractor(place.root, place.build, set(), place.headers)
        self._known: dict[str, str] = {}

    def __call__(self, unit: TranslationUnit) -> EncodedUnit:
        """The facts of a unit, encoded. After an exception another reader has to go on: what this
        one holds as seen may not have been handed over."""
        return encode_unit(self._extractor.extract(unit), self._known)


def failed_unit(unit: TranslationUnit, reason: str) -> EncodedUnit:
    """The facts of a unit of which nothing could be read."""
    return encode_unit(UnitFacts(unit.path, unit.object, (), (), failed=reason), {})


ReadUnits = Callable[
    [Place, Sequence[TranslationUnit]], Iterator[tuple[TranslationUnit, EncodedUnit | Lost]]]
"""Reads units: each with its facts, or lost, in the order in which they are done. What it starts
ends when the generator is closed."""


def local(jobs: int, limits: Limits = USUAL) -> ReadUnits:
    """Reads units in `jobs` worker processes; 0 reads in this process, without limits."""
    return partial(_run, jobs, limits)


def extract_units(
    units: Sequence[TranslationUnit], place: Place, read: ReadUnits,
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[tuple[TranslationUnit, EncodedUnit]]:
    """Every unit with its facts, in the order in which they are done.

    `say` is told of each unit that has to be read again. Closing the generator stops the workers.
    """
    again: list[TranslationUnit] = []
    for unit, facts in read(place, units):
        if isinstance(facts, Lost):
            say(f"{unit.path}: {facts.reason}; it is read again, alone")
            again.append(unit)
        else:
            yield unit, facts
    alone = replace(place, headers=())
    for unit in again:
        for _, facts in read(alone, [unit]):
            yield unit, failed_unit(unit, facts.reason) if isinstance(facts, Lost) else facts


def _run(
    jobs: int, limits: Limits, place: Place, units: Sequence[TranslationUnit]
) -> Iterator[tuple[TranslationUnit, EncodedUnit | Lost]]:
    if jobs:
        yield from run_tasks(units, partial(READER, place), jobs, limits)
        return
    reader = READER(place)
    for unit in units:
        try:
            yield unit, reader(unit)
        except Exception as error:  # noqa: BLE001  whatever it is, it is this unit's alone
            yield unit, Lost(told(error))
            reader = READER(place)


READER = UnitReader  # what reads units, made anew in each worker
