"""Cold start and real-time factor of `asr transcribe`, as a table in benchmarks/README.md.

    python benchmarks/transcribe.py FOLDER_OF_RECORDINGS [--model BUNDLE]

Cold start is the wall time of a whole process that transcribes the recording nearest to five seconds; the real-time
factor is seconds of one process that transcribes the whole folder, features and decoding included, model loading not,
over seconds of audio. Medians of several runs; bytecode is compiled beforehand, as pip does.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tables import write_table

from asr import load_model
from asr.audio import AUDIO_SUFFIXES, audio_info
from asr.provenance import provenance


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", help="default: the bundle that ships")
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    recordings = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
    durations = [audio_info(p).duration for p in recordings]
    table = "\n".join(
        [*cold_start(recordings, durations, arguments), *real_time_factor(recordings, durations, arguments)]
    )
    made = provenance()
    text = (
        f"`python benchmarks/transcribe.py` on {len(recordings)} recordings, {sum(durations):.0f} s of audio, "
        f"two threads at most.\n\n| what | median | least to most |\n|---|---|---|\n{table}\n\n"
        f"{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}."
    )
    write_table("transcribe.py", text)


def cold_start(recordings: list[Path], durations: list[float], arguments: argparse.Namespace) -> list[str]:
    """Rows for whole processes."""
    five = min(range(len(recordings)), key=lambda i: abs(durations[i] - 5))
    model = ["--model", arguments.model] if arguments.model else []
    command = [sys.executable, "-m", "asr", "transcribe", *model, str(recordings[five])]
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(Path(__file__).parents[1] / "asr")], check=True)
    rows = []
    for name, line in [
        (f"cold start, {durations[five]:.1f} s of audio", command),
        ("`asr transcribe --help`", [sys.executable, "-m", "asr", "transcribe", "--help"]),
    ]:
        rows.append(row(name, [timed(line) for _ in range(arguments.runs + 1)][1:], "s"))
    return rows


def timed(command: list[str]) -> float:
    """Wall seconds of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def real_time_factor(recordings: list[Path], durations: list[float], arguments: argparse.Namespace) -> list[str]:
    """Rows for one process, recordings one by one and in batches."""
    model = load_model(arguments.model, threads=2)
    rows = []
    for batch_size in (1, 32):
        seconds = []
        for _ in range(arguments.runs):
            start = time.perf_counter()
            list(model.transcribe_many(recordings, batch_size=batch_size))
            seconds.append((time.perf_counter() - start) / sum(durations))
        rows.append(row(f"real-time factor, batch {batch_size}, {model.bundle.precisions[0]}", seconds, ""))
    return rows


def row(name: str, values: list[float], unit: str) -> str:
    """One line of the table."""
    digits = 2 if unit else 4
    shown = [f"{v:.{digits}f}" for v in (statistics.median(values), min(values), max(values))]
    return f"| {name} | {shown[0]} {unit} | {shown[1]} to {shown[2]} |"


if __name__ == "__main__":
    main()
