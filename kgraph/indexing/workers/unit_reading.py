"""Read units: extract their facts in worker processes, or in this process.

A unit that a worker loses (it died, hung or ran out of memory) is read again after all others,
alone and without precompiled headers. If that fails too, the unit is reported as failed.
Results come in any order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kgraph.extract import Extractor, PrecompiledHeader
from kgraph.indexing.workers.pool import DEFAULT_LIMITS, Limits, run_tasks
from kgraph.indexing.workers.worker_main import LostTask, describe_error
from kgraph.model.facts import UnitFacts
from kgraph.model.units import TranslationUnit
from kgraph.store.facts_writer import EncodedUnit, encode_unit


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What units are read with: the tree, the folder of generated files, precompiled headers."""

    root: Path
    build: Path | None
    headers: tuple[PrecompiledHeader, ...] = ()


class UnitReader:
    """Extracts the facts of units, one after another."""

    def __init__(self, context: ReadingContext) -> None:
        self._extractor = Extractor(context.root, context.build, set(), context.headers)
        self._known: dict[str, str] = {}

    def __call__(self, unit: TranslationUnit) -> EncodedUnit:
        """The facts of a unit, encoded.

        Each definition is handed over once. After an exception, use another reader: this one may
        have recorded definitions that it did not hand over.
        """
        return encode_unit(self._extractor.extract(unit), self._known)


def encode_failed_unit(unit: TranslationUnit, reason: str) -> EncodedUnit:
    """The facts of a unit that could not be read."""
    return encode_unit(UnitFacts(unit.path, unit.object, (), (), failed=reason), {})


ReadUnits = Callable[
    [ReadingContext, Sequence[TranslationUnit]],
    Iterator[tuple[TranslationUnit, EncodedUnit | LostTask]],
]
"""Reads units and yields each with its facts, or as lost, in the order of completion. Closing the
generator ends all that it started."""


def read_in_processes(jobs: int, limits: Limits = DEFAULT_LIMITS) -> ReadUnits:
    """Read units in `jobs` worker processes; with 0, in this process and without limits."""
    return partial(_read_units_locally, jobs, limits)


def extract_units(
    units: Sequence[TranslationUnit], context: ReadingContext, read: ReadUnits,
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[tuple[TranslationUnit, EncodedUnit]]:
    """Yield every unit with its facts, in the order of completion.

    `say` receives a message for each unit that must be read again. Closing the generator stops the
    workers.
    """
    again: list[TranslationUnit] = []
    for unit, facts in read(context, units):
        if isinstance(facts, LostTask):
            say(f"{unit.path}: {facts.reason}; it is read again, alone")
            again.append(unit)
        else:
            yield unit, facts
    alone = replace(context, headers=())
    for unit in again:
        for _, facts in read(alone, [unit]):
            if isinstance(facts, LostTask):
                yield unit, encode_failed_unit(unit, facts.reason)
            else:
                yield unit, facts


def _read_units_locally(
    jobs: int, limits: Limits, context: ReadingContext, units: Sequence[TranslationUnit]
) -> Iterator[tuple[TranslationUnit, EncodedUnit | LostTask]]:
    if jobs:
        yield from run_tasks(units, partial(READER, context), jobs, limits)
        return
    reader = READER(context)
    for unit in units:
        try:
            yield unit, reader(unit)
        except Exception as error:  # noqa: BLE001  it concerns this unit only
            yield unit, LostTask(describe_error(error))
            reader = READER(context)


READER = UnitReader  # each worker makes its own
