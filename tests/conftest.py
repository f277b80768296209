"""Where the real recordings are, and what is skipped, by name, where they are not."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.pop("ASR_MODEL", None)  # the tests speak of the default of the package

ROOT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("ASR_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Fuzz:
    """What ``--fuzz`` and ``--fuzz-seed`` ask for; draw ``number`` is the same in every run, alone and among others."""

    count: int
    seed: int

    def draws(self) -> Iterator[random.Random]:
        """One generator of random numbers for each damaged input."""
        for number in range(self.count):
            yield random.Random(f"{self.seed}/{number}")


SLOW = (
    "tests/cli",
    "tests/conf",
    "tests/docs",
    "tests/export",
    "tests/inference/test_shipped.py",
    "tests/inference/test_stitched.py",
    "tests/inference/test_transcriber.py",
    "tests/tuning/test_tune.py",
    "tests/models",
    "tests/recipes",
    "tests/safety",
    "tests/server",
    "tests/training",
    "tests/audio/test_voice_activity.py",
    "tests/corpora/test_recipe_corpora.py",
    "tests/data/test_alter_samples.py",
    "tests/decoding/test_alignment.py",
    "tests/evaluation/report/test_browser.py",
    "tests/evaluation/test_matched_pairs.py",
    "tests/text/test_pronounce.py",
    "asr/export",
    "asr/models",
    "asr/training",
)
"""Folders and files whose tests train, start processes or import TensorFlow; the rest take about a minute."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("asr")
    group.addoption("--kills", type=int, default=3, help="how often tests/training/test_kill.py kills (default: 3)")
    group.addoption(
        "--recordings", type=int, default=24, help="how many tests/inference/test_one_reading.py reads (default: 24)"
    )
    group.addoption("--kill-seed", type=int, default=7, help="of the moments at which it does")
    group.addoption("--fuzz", type=int, default=25, help="how many damaged inputs of each kind are tried (default: 25)")
    group.addoption("--fuzz-seed", type=int, default=20, help="of the damage")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As nohup and a background job have it; the programs that tests interrupt would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "slow: left out of the choice for each commit, -m 'not slow'")
    config.addinivalue_line("markers", "real_data: needs the recordings of ../shared/data (or ASR_REAL_DATA)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = [ROOT / place for place in SLOW]
    for item in items:
        if any(item.path.is_relative_to(place) for place in slow):
            item.add_marker(pytest.mark.slow)
    if REAL_DATA.is_dir():
        return
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.skip(reason=f"{item.name} needs real recordings in {REAL_DATA}"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    return REAL_DATA


@pytest.fixture(scope="session")
def fuzz(request: pytest.FixtureRequest) -> Fuzz:
    """How many damaged inputs of each kind a fuzz test tries, and the seed of the damage."""
    return Fuzz(request.config.getoption("--fuzz"), request.config.getoption("--fuzz-seed"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """(name, make) → a folder that ``make`` has filled, once for all processes of pytest-xdist.

    The first process that asks for it holds a lock while it makes it, and the others wait. Tests must not change it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def folder(name: str, make: Callable[[Path], object]) -> Path:
        made = shared / "made_once" / name
        made.parent.mkdir(exist_ok=True)
        with open(made.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = made.with_suffix(".done")
            if not done.exists():
                shutil.rmtree(made, ignore_errors=True)
                make(made)
                done.touch()
        return made

    return folder


class InThisProcess:
    """As `ProcessPoolExecutor`, without processes: each of them takes seconds to begin on a busy machine."""

    def __init__(self, processes: int, initializer: Callable, initargs: tuple, mp_context: object) -> None:
        initializer(*initargs)

    def __enter__(self) -> InThisProcess:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable, items: Iterable) -> Iterator:
        return map(function, items)


@contextmanager
def _few_choices() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for grid, only in {"ALPHAS": 0.5, "BETAS": 0.0, "UNKNOWN_SCORES": -5.0, "PRIOR_SCALES": 0.5}.items():
            patch.setattr(f"asr.tuning.search.{grid}", (only,))
        patch.setattr("asr.tuning.search.ProcessPoolExecutor", InThisProcess)
        yield


@pytest.fixture
def few_choices() -> Iterator[None]:
    """One of each weight in the coarse grid that is tuned over, tried in this process."""
    with _few_choices():
        yield


@pytest.fixture(scope="module")
def few_choices_in_module() -> Iterator[None]:
    """As ``few_choices``, for all tests of a module, its own fixtures included."""
    with _few_choices():
        yield
