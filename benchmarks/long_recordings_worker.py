"""Transcribe one recording in a process of its own, and print what that took, as JSON.

    python benchmarks/long_recordings_worker.py BUNDLE RECORDING

Memory is the process's own peak (VmHWM of /proc/self/status): ``getrusage`` counts what its parent held, too.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from asr import load_model


def main() -> None:
    """Load, transcribe, print; the clocks run for the transcription alone."""
    bundle, recording = sys.argv[1:]
    model = load_model(bundle, threads=2)
    wall, processor = time.perf_counter(), time.process_time()
    transcript = model.transcribe(recording)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    words = [(word.text, word.start, word.end) for segment in transcript.segments for word in segment.words]
    result = {"duration": transcript.duration, "wall": wall, "processor": processor, "peak_mb": peak_mb()}
    print(json.dumps(result | {"words": words}))


def peak_mb() -> float:
    """The most memory of this process so far, in 10^6 bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise SystemExit("this system's /proc/self/status does not say how much memory a process took")
    return int(found[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()
