"""Seconds of one training step, ours beside stock Keras and PyTorch, as a table in benchmarks/README.md.

    python benchmarks/train_step.py MANIFEST [LONGER_MANIFEST] [--rounds 5]

Every system trains the same stack of bidirectional layers and a linear layer by CTC and AdamW on the same batches:
lengths and numbers of characters are those of real utterances, batched by duration as training batches them; the
features are noise, which costs the same. Each system is a process of its own that waits for its turn, so that they are
measured in turns, one step each, on an otherwise idle machine. A system's figure is the median over the rounds.

With ``--gpu`` all run on the first NVIDIA GPU, ours by cuDNN as PyTorch does; the table is one of its own. PyTorch may
live in another environment there (``--torch-python``).

The machine's peak is that of a large product of matrices in float32 by numpy on all cores, measured in the same turns;
a step's operations are 6 for each weight and frame, padding not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tables import gpu_name, write_table

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
ON_GPU = ("ours", "bfloat16", "keras_sparse", "torch")
GPU_CASES = [
    Case("lstm", 3, 256, 16, systems=ON_GPU),
    Case("lstm", 3, 256, 64, longer=True, systems=ON_GPU),
    Case("lstm", 5, 512, 64, longer=True, systems=ON_GPU),
    Case("gru", 3, 256, 64, longer=True, systems=("ours", "torch")),
]


class Worker:
    """A process that trains one system, a step at a time."""

    def __init__(self, system: str, case: Case, batches: Path, *, torch_python: str, gpu: bool) -> None:
        script = Path(__file__).with_name("train_step_worker.py")
        python = torch_python if system == "torch" else sys.executable
        self.process = subprocess.Popen(
            [python, str(script), system, json.dumps(asdict(case)), str(batches)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_environment(other=python != sys.executable)
            | {"ASR_BENCH_GPU": str(int(gpu)), "TF_FORCE_GPU_ALLOW_GROWTH": "true"},
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
    parser.add_argument("--cases", type=int, nargs="*", help="which of them, from 0")
    parser.add_argument("--gpu", action="store_true", help="on the first NVIDIA GPU")
    parser.add_argument("--torch-python", default=sys.executable, help="the Python that has PyTorch")
    arguments = parser.parse_args()
    rows, peaks = [], []
    card = gpu_name() if arguments.gpu else ""
    cases = GPU_CASES if arguments.gpu else CASES
    for case in (cases[i] for i in arguments.cases or range(len(cases))):
        manifest = arguments.longer if case.longer else arguments.manifest
        if manifest is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            batches = Path(folder) / "batches.npz"
            write_batches(case, manifest, batches, arguments.rounds)
            workers = {
                system: Worker(system, case, batches, torch_python=arguments.torch_python, gpu=arguments.gpu)
                for system in (*([] if arguments.gpu else ["peak"]), *case.systems)
            }
            found = measured(case, workers, batches, arguments.rounds)
        if arguments.gpu:
            rows += gpu_table(case, found)
        else:
            peaks.append(found["peak"]["speed"] * found["peak"]["operations"])
            rows += table(case, found, peaks[-1])
        print(*rows[-len(case.systems) :], sep="\n", flush=True)
    if arguments.gpu:
        write_table("train_step.py on a GPU", gpu_page(rows, arguments.rounds, card))
    else:
        write_table("train_step.py", page(rows, peaks, arguments.rounds))


def _environment(*, other: bool) -> dict[str, str]:
    """For a worker; without what belongs to this Python alone where the worker's is another."""
    own = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH") if other else ()
    return {name: value for name, value in os.environ.items() if name not in own}


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


def measured(case: Case, workers: dict[str, Worker], batches: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Audio seconds a second, memory and CTC's share of each system; of the peak, products a second."""
    audio = np.load(batches)["frames"].sum(1) * FRAME_S
    speeds: dict[str, list[float]] = {s: [] for s in workers}
    for turn in range(rounds + 1):
        for system, worker in workers.items():
            seconds = worker.ask(f"step {turn}")["seconds"]
            time.sleep(0.3)  # PyTorch's threads spin for a while
            if turn:
                speeds[system].append((1 if system == "peak" else audio[turn]) / seconds)
    best = {s: max(v) if s == "peak" else statistics.median(v) for s, v in speeds.items()}
    found = {s: worker.ask("done") | {"speed": best[s]} for s, worker in workers.items()}
    for worker in workers.values():
        worker.process.wait()
    return found


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


def gpu_table(case: Case, found: dict[str, dict[str, float]]) -> list[str]:
    """A row for each system."""
    ours = found["ours"]["speed"]
    return [
        f"| {case.name} | {SYSTEMS[s]} | {found[s]['speed']:.0f} | "
        f"{'' if s == 'ours' else format(ours / found[s]['speed'], '.2f')} |"
        for s in case.systems
    ]


def gpu_page(rows: list[str], rounds: int, card: str) -> str:
    """The text between the markers of the GPU's table."""
    made = provenance()
    return (
        f"`python benchmarks/train_step.py --gpu`, {rounds} rounds; {FEATURES} features a frame, "
        f"{1 / FRAME_S:.0f} frames a second.\n\n"
        "| network | system | audio-s/s | ours is faster by |\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"{card}, {made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}."
    )


if __name__ == "__main__":
    main()
