"""Where the real recordings are, and what is skipped, by name, where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("ASR_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("asr")
    group.addoption("--kills", type=int, default=3, help="how often tests/training/test_kill.py kills (default: 3)")
    group.addoption(
        "--recordings", type=int, default=24, help="how many tests/inference/test_one_reading.py reads (default: 24)"
    )
    group.addoption("--kill-seed", type=int, default=7, help="of the moments at which it does")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_data: needs the recordings of ../shared/data (or ASR_REAL_DATA)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if REAL_DATA.is_dir():
        return
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.skip(reason=f"{item.name} needs real recordings in {REAL_DATA}"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    return REAL_DATA
