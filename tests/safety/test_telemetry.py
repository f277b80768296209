"""Nothing is written to a home, and nothing sent, by a transcription."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile


@pytest.mark.parametrize("way", ["asr transcribe", "asr.load_model", "a session"])
def test_a_fresh_home_stays_empty(way: str, tmp_path: Path, spoken_bundle: Path, tones: dict[str, Any]) -> None:
    home, sound = tmp_path / "home", tmp_path / "a.wav"
    home.mkdir()
    soundfile.write(sound, np.tile(tones["speak"]("CAB A CAGE"), 4), 16_000)
    argv = ["transcribe", str(sound), "--model", str(spoken_bundle)]
    code = {
        "asr transcribe": f"from asr.cli.main import main; main({argv!r})",
        "asr.load_model": f"import asr; print(asr.load_model({str(spoken_bundle)!r}).transcribe({str(sound)!r}).text)",
        "a session": "from asr.onnx_runtime import import_onnxruntime; o = import_onnxruntime(); "
        f"o.InferenceSession({str(spoken_bundle / 'float32.onnx')!r}); print('CAB A CAGE')",
    }[way]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    environment |= {"HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "CAB A CAGE" in done.stdout
    assert not list(home.rglob("*"))
