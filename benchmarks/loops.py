"""Ways to run the time loop of a bidirectional layer on a CPU, forward and backward: a table in benchmarks/README.md.

    python benchmarks/loops.py [--rounds 7]

One layer of 256 units a direction over 512 inputs, 16 utterances of 400 frames and 64 of 200; each way in turn, the
median over the rounds. The first call, which compiles or traces, is told apart.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow as tf
from tables import write_table

from asr.models import CELLS, Recurrent
from asr.models.engines import cpu, loop
from asr.provenance import provenance

UNITS, INPUTS = 256, 512
SIZES = ((16, 400), (64, 200))
WAYS: dict[str, tuple[Callable[..., Any], bool]] = {
    "TensorFlow's loop, as a graph": (loop.layer, False),
    "TensorFlow's loop, compiled by XLA": (loop.layer, True),
    "compiled loops and BLAS, a job a direction (in use)": (cpu.layer, False),
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    rows = [row for cell in CELLS for batch, frames in SIZES for row in measured(cell, batch, frames, arguments.rounds)]
    made = provenance()
    write_table(
        "loops.py",
        f"`python benchmarks/loops.py`, {arguments.rounds} rounds; {INPUTS} inputs, {UNITS} units a direction, forward "
        "and backward.\n\n| cell | batch × frames | way | ms | first call, s |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\n{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}.",
    )


def measured(cell: str, batch: int, frames: int, rounds: int) -> list[str]:
    """A row for each way."""
    layer = Recurrent(UNITS, cell=cell)
    layer.build((None, None, INPUTS))
    inputs, lengths = tf.random.normal((batch, frames, INPUTS)), tf.fill((batch,), frames)
    steps = {name: step(way, compiled, layer, lengths) for name, (way, compiled) in WAYS.items()}
    first = {name: seconds(run, inputs) for name, run in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, run in steps.items():
            times[name].append(seconds(run, inputs))
    medians = {name: 1000 * statistics.median(values) for name, values in times.items()}
    return [f"| {cell.upper()} | {batch} × {frames} | {n} | {medians[n]:.0f} | {first[n]:.1f} |" for n in steps]


def step(way: Callable[..., Any], compiled: bool, layer: Recurrent, lengths: Any) -> Callable[[Any], Any]:
    """Gradients of a sum of squares by the inputs and all weights."""
    weights = [w.value for w in layer.trainable_weights]

    @tf.function(jit_compile=compiled)
    def gradients(inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([inputs, *weights])
            loss = tf.reduce_sum(way(layer.spec, inputs, lengths, *map(tf.convert_to_tensor, weights)) ** 2)
        return tape.gradient(loss, [inputs, *weights])

    return gradients


def seconds(run: Callable[[Any], Any], inputs: Any) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    run(inputs)[0].numpy()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
