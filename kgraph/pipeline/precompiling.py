"""Precompiled headers for the units of one run: made in worker processes, kept for that run."""

import contextlib
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from kgraph.extract import Extractor
from kgraph.extract.headers import forget_headers
from kgraph.extract.precompile import HeaderPlan, Precompiled, plan_headers
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.workers import Place
from kgraph.store import cache_folder
from kgraph.store.facts import EncodedDefinition, encode_definitions

Made = tuple[Precompiled, tuple[EncodedDefinition, ...]]
_NAME = "precompiled-"


@contextlib.contextmanager
def precompiled_folder() -> Iterator[Path]:
    """A folder of this run's own, removed at its end; those of runs that were killed too."""
    parent = cache_folder() / "build"
    parent.mkdir(parents=True, exist_ok=True)
    for other in parent.glob(f"{_NAME}*"):
        if not _lives(other.name[len(_NAME):]):
            shutil.rmtree(other, ignore_errors=True)
    folder = parent / f"{_NAME}{os.getpid()}"
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lives(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def make_headers(
    units: Sequence[TranslationUnit], place: Place, folder: Path, jobs: int
) -> list[Made]:
    """The precompiled headers that pay for `units`, with the definitions in them. One that cannot
    be made is left out: its units are read without.
    """
    forget_headers()
    plans = plan_headers(units)
    if not plans:
        return []
    context = multiprocessing.get_context("spawn")
    made: list[Made] = []
    with ProcessPoolExecutor(max(1, min(jobs, len(plans))), context, _let_parent_decide) as pool:
        tasks = [pool.submit(_make, plan, place, folder / str(number))
                 for number, plan in enumerate(plans)]
        for task in tasks:
            with contextlib.suppress(BrokenProcessPool):
                if (result := task.result()) is not None:
                    made.append(result)
    return made


def _let_parent_decide() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make(plan: HeaderPlan, place: Place, stem: Path) -> Made | None:
    result = Extractor(place.root, place.build, set()).extract_header(plan, stem)
    if result is None:
        return None
    header, definitions = result
    encoded = encode_definitions(definitions, {})
    keys: dict[str, tuple[str, ...]] = {}
    for definition, (key, *_) in zip(definitions, encoded, strict=True):
        path = definition.subject.location.path
        keys[path] = (*keys.get(path, ()), key)
    return replace(header, keys=keys), encoded
