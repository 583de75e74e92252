"""Precompiled headers for the units of one run: made in worker processes, kept for that run."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from kgraph.extract import Extractor
from kgraph.extract.headers import forget_headers
from kgraph.extract.plans import HeaderPlan, plan_headers
from kgraph.extract.precompiled import Precompiled
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.attendant import Lost
from kgraph.pipeline.pool import Limits, run_tasks
from kgraph.pipeline.workers import Place
from kgraph.store.facts import EncodedDefinition, encode_definitions

Made = tuple[Precompiled, tuple[EncodedDefinition, ...]]
_Task = tuple[HeaderPlan, Path]
_NAME = "precompiled"


@contextlib.contextmanager
def precompiled_folder(work: Path) -> Iterator[Path]:
    """A folder in the work folder of a run, which is alone in that; removed at its end, and first
    if a run that was killed left it."""
    folder = work / _NAME
    forget_precompiled(work)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        forget_precompiled(work)


def forget_precompiled(work: Path) -> None:
    """Remove what a run that was killed left."""
    shutil.rmtree(work / _NAME, ignore_errors=True)


def precompiled_left(work: Path) -> Path | None:
    """What a run that was killed left, if it did; to be asked while no run is there."""
    return work / _NAME if (work / _NAME).is_dir() else None


def make_headers(
    units: Sequence[TranslationUnit], place: Place, folder: Path, jobs: int, limits: Limits
) -> list[Made]:
    """The precompiled headers that pay for `units`, with the definitions in them. One that cannot
    be made, or not within the limits, is left out: its units are read without.
    """
    forget_headers()
    tasks = [(plan, folder / f"{number:03}") for number, plan in enumerate(plan_headers(units))]
    done = run_tasks(tasks, partial(_maker, place), max(1, jobs), limits)
    made = {task[1].name: result for task, result in done
            if result is not None and not isinstance(result, Lost)}
    return [made[name] for name in sorted(made)]


def _maker(place: Place) -> Callable[[_Task], Made | None]:
    """What makes headers in a worker: one extractor, which remembers what it read of files."""
    return partial(_make, Extractor(place.root, place.build, set()))


def _make(extractor: Extractor, task: _Task) -> Made | None:
    plan, stem = task
    result = extractor.extract_header(plan, stem)
    if result is None:
        return None
    header, definitions = result
    encoded = encode_definitions(definitions, {})
    keys: dict[str, tuple[str, ...]] = {}
    for definition, (key, *_) in zip(definitions, encoded, strict=True):
        path = definition.subject.location.path
        keys[path] = (*keys.get(path, ()), key)
    return replace(header, keys=keys), encoded
