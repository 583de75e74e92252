"""Precompile headers for one run, in worker processes, and remove them afterwards."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from kgraph.extract import Extractor, HeaderPlan, PrecompiledHeader, plan_headers
from kgraph.indexing.workers.pool import Limits, run_tasks
from kgraph.indexing.workers.unit_reading import ReadingContext
from kgraph.indexing.workers.worker_main import LostTask
from kgraph.model.units import TranslationUnit
from kgraph.store.facts_writer import EncodedDefinition, encode_definitions

PrecompiledWithDefinitions = tuple[PrecompiledHeader, tuple[EncodedDefinition, ...]]
_Task = tuple[HeaderPlan, Path]
_FOLDER_NAME = "precompiled"


@contextlib.contextmanager
def open_precompiled_folder(work: Path) -> Iterator[Path]:
    """A folder in the work folder, which only this run uses. It is removed at the end, and first if
    a run that was killed left it."""
    folder = work / _FOLDER_NAME
    remove_precompiled(work)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove_precompiled(work)


def remove_precompiled(work: Path) -> None:
    """Remove what a run that was killed left."""
    shutil.rmtree(work / _FOLDER_NAME, ignore_errors=True)


def find_leftover_precompiled(work: Path) -> Path | None:
    """What a run that was killed left, if anything. Ask only while you hold the folder's lock."""
    return work / _FOLDER_NAME if (work / _FOLDER_NAME).is_dir() else None


def precompile_headers(
    units: Sequence[TranslationUnit], context: ReadingContext, folder: Path, jobs: int,
    limits: Limits,
) -> list[PrecompiledWithDefinitions]:
    """Make the precompiled headers that pay off for `units`, with the definitions in them.

    One that cannot be made within the limits is left out; its units are read without it.
    """
    tasks = [(plan, folder / f"{number:03}") for number, plan in enumerate(plan_headers(units))]
    done = run_tasks(tasks, partial(_make_precompiler, context), max(1, jobs), limits)
    made = {task[1].name: result for task, result in done
            if result is not None and not isinstance(result, LostTask)}
    return [made[name] for name in sorted(made)]


def _make_precompiler(
    context: ReadingContext,
) -> Callable[[_Task], PrecompiledWithDefinitions | None]:
    """What makes headers in a worker: one extractor, which remembers the files that it read."""
    return partial(_precompile, Extractor(context.root, context.build, set()))


def _precompile(extractor: Extractor, task: _Task) -> PrecompiledWithDefinitions | None:
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
