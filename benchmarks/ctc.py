"""Loss and gradient of CTC on a CPU, ours beside TensorFlow's and PyTorch's: a table in benchmarks/README.md.

    python benchmarks/ctc.py [--rounds 9]

Random logits of 29 characters, as at the start of training (standard deviation 1) and as those of a sure model (10);
each way in turn, the least over the rounds. Errors are against PyTorch in float64.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
import torch
from tables import write_table
from tensorflow_ctc import by_tensorflow

from asr.provenance import provenance
from asr.training.ctc import ctc_loss

SIZES = ((16, 400, 80), (16, 1200, 200))
CHARACTERS = 29
Batch = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    rows = [row for size in SIZES for deviation in (1, 10) for row in measured(size, deviation, rounds)]
    made = provenance()
    write_table(
        "ctc.py",
        f"`python benchmarks/ctc.py`, {rounds} rounds; all cores.\n\n"
        "| batch × frames × labels | logits' deviation | way | ms | largest error of a gradient |\n"
        "|---|---|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\n{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}.",
    )


def measured(size: tuple[int, int, int], deviation: float, rounds: int) -> list[str]:
    """A row for each way."""
    ways = {"ours": graph(ctc_loss), "TensorFlow, sparse labels": graph(by_tensorflow), "PyTorch": by_torch}
    batch = made_batch(*size, deviation)
    exact = by_torch((batch[0].astype(np.float64), *batch[1:]))
    errors = {name: np.abs(way(batch) - exact).max() for name, way in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way(batch)
            times[name].append(time.perf_counter() - began)
    shown = " × ".join(map(str, size))
    return [f"| {shown} | {deviation} | {n} | {min(times[n]) * 1000:.1f} | {errors[n]:.1e} |" for n in ways]


def made_batch(utterances: int, frames: int, labels: int, deviation: float) -> Batch:
    """Logits (B, T, V), their lengths, labels (B, U), theirs."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, deviation, (utterances, frames, CHARACTERS)).astype(np.float32)
    spelled = rng.integers(1, CHARACTERS, (utterances, labels)).astype(np.int32)
    return logits, np.full(utterances, frames, np.int32), spelled, np.full(utterances, labels, np.int32)


def graph(loss: Callable[..., tf.Tensor]) -> Callable[[Batch], np.ndarray]:
    """The gradient (B, T, V) of the summed loss, as training computes it."""

    @tf.function(reduce_retracing=True)
    def gradient(logits: tf.Tensor, *rest: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = tf.reduce_sum(loss(logits, *rest))
        return tape.gradient(total, logits)

    return lambda batch: gradient(*map(tf.convert_to_tensor, batch)).numpy()


def by_torch(batch: Batch) -> np.ndarray:
    """The same by PyTorch, in the precision of the logits."""
    logits, lengths, labels, label_lengths = (torch.from_numpy(a) for a in batch)
    logits.requires_grad_()
    log_probs = logits.log_softmax(-1).transpose(0, 1)
    torch.nn.functional.ctc_loss(log_probs, labels, lengths, label_lengths, reduction="sum").backward()
    assert logits.grad is not None
    return logits.grad.numpy()


if __name__ == "__main__":
    main()
