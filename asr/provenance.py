"""The provenance of a result: commit, seed, hardware, versions, time."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asr import __version__


def provenance(seed: int | None = None) -> dict[str, Any]:
    """Collect what a result must record so that it can be reproduced."""
    return {
        "asr": __version__,
        "commit": commit(),
        "seed": seed,
        "hardware": f"{os.cpu_count()} cores of {_processor()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def commit() -> str:
    """Return the checkout's commit, with ``+changes`` if files are modified; ``installed`` outside a checkout.

    A virtual environment inside another repository is not a checkout: git must track this file.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", __file__)
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
