"""Nothing leaves the machine, and nothing is left on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import asr

PROJECT = Path(asr.__file__).parents[1]
SAMPLE = Path(__file__).parent / "recordings" / "sample.wav"


def test_a_transcription_leaves_nothing_in_a_new_home(tmp_path: Path) -> None:
    """ONNX Runtime would keep a device's identifier and a store of events in .cache/Microsoft."""
    home = tmp_path / "home"
    home.mkdir()
    apart = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = {k: v for k, v in os.environ.items() if k not in apart} | {"HOME": str(home)}
    command = [sys.executable, "-m", "asr", "transcribe", str(SAMPLE)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT, env=environment)
    assert ran.stdout == SAMPLE.with_suffix(".txt").read_text(encoding="utf-8")
    assert list(home.rglob("*")) == []
