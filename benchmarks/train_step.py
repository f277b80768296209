"""Seconds of one training step, ours beside stock Keras and PyTorch, as a table in benchmarks/README.md.

    python benchmarks/train_step.py MANIFEST [LONGER_MANIFEST] [--rounds 5]

Every system trains the same stack of bidirectional layers and a linear layer by CTC and AdamW on the same batches:
lengths and numbers of characters are those of real utterances, batched by duration as training batches them; the
features are noise, which costs the same. Each system is a process of its own that waits for its turn, so that they are
measured in turns, one step each, on an otherwise idle machine. A system's figure is the median over the rounds.

The machine's peak is that of a large product of matrices in float32 by numpy on all cores, measured in the same turns;
a step's operations are 6 for each weight and frame, padding not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tables import write_table

from asr.data import read_manifest
from asr.provenance import provenance

SYSTEMS = {
    "ours": "ours, float32",
    "bfloat16": "ours, mixed_bfloat16",
    "keras_sparse": "Keras layers, sparse CTC",
    "keras_dense": "Keras layers, dense CTC",
    "torch": "PyTorch, float32",
}
FRAME_S, FEATURES, VOCABULARY = 0.01, 40, 29


@dataclass(frozen=True)
class Case:
    """One network and its batches; ``batch`` utterances a step, of the first manifest or of the longer one."""

    cell: str
    layers: int
    units: int
    batch: int
    longer: bool = False
    systems: tuple[str, ...] = tuple(SYSTEMS)

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.cell.upper()} {self.layers}×{self.units}, batch {self.batch}{', long' if self.longer else ''}"


FEWER = ("ours", "keras_sparse", "torch")
CASES = [
    Case("lstm", 3, 256, 16),
    Case("lstm", 3, 256, 64),
    Case("lstm", 3, 256, 16, longer=True, systems=FEWER),
    Case("lstm", 5, 512, 16, systems=FEWER),
    Case("rnn", 3, 256, 16, systems=FEWER),
    Case("gru", 3, 256, 16, systems=FEWER),
]


class Worker:
    """A process that trains one system, a step at a time."""

    def __init__(self, system: str, case: Case, batches: Path) -> None:
        script = Path(__file__).with_name("train_step_worker.py")
        arguments = [sys.executable, str(script), system, json.dumps(asdict(case)), str(batches)]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, what: str) -> dict[str, float]:
        """Send a line, read the answer."""
        assert self.process.stdin
        assert self.process.stdout
        print(what, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.process.args} ended without an answer")
        return json.loads(answer)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("longer", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", type=int, nargs="*", default=range(len(CASES)), help="which of them, from 0")
    arguments = parser.parse_args()
    rows, peaks = [], []
    for case in (CASES[i] for i in arguments.cases):
        manifest = arguments.longer if case.longer else arguments.manifest
        if manifest is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            batches = Path(folder) / "batches.npz"
            write_batches(case, manifest, batches, arguments.rounds)
            found, peak = measured(case, batches, arguments.rounds)
        peaks.append(peak)
        rows += table(case, found, peak)
        print(*rows[-len(case.systems) :], sep="\n", flush=True)
    write_table("train_step.py", page(rows, peaks, arguments.rounds))


def write_batches(case: Case, manifest: Path, path: Path, rounds: int) -> None:
    """``rounds`` + 1 batches, the first to warm up: frames and characters of utterances of like duration."""
    ranked = sorted((u for u in read_manifest(manifest) if u.text), key=lambda u: u.duration)
    starts = np.random.default_rng(0).integers(0, len(ranked) - case.batch, rounds + 1)
    chosen = [ranked[start : start + case.batch] for start in starts]
    np.savez(
        path,
        frames=np.array([[round(u.duration / FRAME_S) for u in batch] for batch in chosen], np.int32),
        labels=np.array([[len(u.text) for u in batch] for batch in chosen], np.int32),
    )


def measured(case: Case, batches: Path, rounds: int) -> tuple[dict[str, dict[str, float]], float]:
    """Audio seconds a second, memory and CTC's share of each system; and the peak of the machine in FLOP/s."""
    workers = {s: Worker(s, case, batches) for s in ("peak", *case.systems)}
    audio = np.load(batches)["frames"].sum(1) * FRAME_S
    speeds: dict[str, list[float]] = {s: [] for s in workers}
    for turn in range(rounds + 1):
        for system, worker in workers.items():
            seconds = worker.ask(f"step {turn}")["seconds"]
            time.sleep(0.3)  # PyTorch's threads spin for a while
            if turn:
                speeds[system].append((1 if system == "peak" else audio[turn]) / seconds)
    found = {s: workers[s].ask("done") | {"speed": statistics.median(speeds[s])} for s in case.systems}
    peak = max(speeds["peak"]) * workers["peak"].ask("done")["operations"]
    for worker in workers.values():
        worker.process.wait()
    return found, peak


def operations(case: Case) -> float:
    """Floating point operations for a second of audio: forward, and twice that back."""
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[case.cell]
    inputs = [FEATURES] + [2 * case.units] * (case.layers - 1)
    weights = sum(2 * gates * case.units * (f + case.units) for f in inputs) + 2 * case.units * VOCABULARY
    return 6 * weights / FRAME_S


def table(case: Case, found: dict[str, dict[str, float]], peak: float) -> list[str]:
    """A row for each system."""
    rows = []
    for system in case.systems:
        figures = found[system]
        ratio = f"{found['ours']['speed'] / figures['speed']:.2f}" if system != "ours" else ""
        share = figures["speed"] * operations(case) / peak
        ctc = f"{figures['ctc_share']:.1%}" if "ctc_share" in figures else ""
        rows.append(
            f"| {case.name} | {SYSTEMS[system]} | {figures['speed']:.0f} | {ratio} | {share:.0%} | "
            f"{figures['peak_mb']:.0f} | {figures['peak_mb'] - figures['base_mb']:.0f} | {ctc} |"
        )
    return rows


def page(rows: list[str], peaks: list[float], rounds: int) -> str:
    """The text between the markers."""
    made = provenance()
    return (
        f"`python benchmarks/train_step.py`, {rounds} rounds; {FEATURES} features a frame, "
        f"{1 / FRAME_S:.0f} frames a second; the machine's peak {min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f} "
        "GFLOP/s in float32 on all cores.\n\n"
        "| network | system | audio-s/s | ours is faster by | of the peak | memory, MB | above import | CTC's share |\n"
        "|---|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}."
    )


if __name__ == "__main__":
    main()
