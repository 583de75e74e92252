"""What all tests share: a cache folder of their own, mini-linux indexed once, the command line."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from kgraph.store import IndexReader
from tests.support import effort
from tests.support.command_line import Answer, answer_apart, answer_here
from tests.support.made_once import make_once

# How long an example takes says what else the machine does, and nothing of the code.
settings.register_profile("thorough", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("thorough"), max_examples=20)
Run = Callable[..., Answer]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="Rewrite the golden outputs.")
    parser.addoption("--thorough", action="store_true",
                     help="Draw all examples of property tests, read inputs of full size.")


def pytest_configure(config: pytest.Config) -> None:
    effort.set_thorough(config.getoption("--thorough"))
    settings.load_profile("thorough" if config.getoption("--thorough") else "quick")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the user's cache folder or chosen index."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("KGRAPH_INDEX", raising=False)


@pytest.fixture(scope="session")
def mini_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of mini-linux."""
    def make(folder: Path) -> Path:
        request = IndexRequest(find_mini_linux(), index=folder / "mini.kgraph", jobs=0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(folder))
            return index_tree(request).index

    return make_once(tmp_path_factory, "mini", make)


@pytest.fixture(scope="session")
def mini(mini_index: Path) -> Iterator[CallGraph]:
    """The graph of mini-linux."""
    graph = CallGraph(IndexReader(mini_index))
    yield graph
    graph.close()


@pytest.fixture
def kgraph(tmp_path: Path) -> Run:
    """Runs the command line: kgraph("path", "a", "b", env={...}, cwd=...)."""

    def run(*arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None
            ) -> Answer:
        return answer_here([*map(str, arguments)], cwd or tmp_path, env or {})

    return run


@pytest.fixture
def kgraph_apart(tmp_path: Path) -> Run:
    """Runs the command line in a process of its own."""

    def run(*arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None
            ) -> Answer:
        return answer_apart([*map(str, arguments)], cwd or tmp_path, env or {})

    return run


@pytest.fixture
def tools() -> None:
    """Skips where the programs that any tree needs are not installed."""
    missing = [name for name in ("make", "gcc", "ld", "perl") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="session")
def linux() -> Path:
    """The real tree."""
    named = os.environ.get("KGRAPH_LINUX")
    root = Path(named) if named else Path.home() / ".cache/kgraph/trees/linux-4.6.2"
    if not (root / "Makefile").is_file():
        pytest.skip(f"no kernel tree at {root}: set KGRAPH_LINUX")
    return root
