"""How far cuDNN's recurrent layers, and TensorFlow's CTC on a GPU, are from the same in float64, beside our loops.

    python benchmarks/cudnn.py

Each cell reads 16 utterances of up to 400 frames both ways. The figures are ‖found - exact‖ / ‖exact‖ of the outputs
and of the worst gradient (inputs and weights), exact being TensorFlow's own loop in float64; CTC is compared with our
compiled loops (benchmarks/ctc.py says how exact those are). Without TensorFloat-32, which training leaves on. Needs an
NVIDIA GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tables import gpu_name, write_table
from tensorflow_ctc import by_tensorflow

from asr.models import CELLS, Recurrent
from asr.models.engines import ENGINES, engine
from asr.provenance import provenance
from asr.training.ctc import ctc_loss

BATCH, FRAMES, FEATURES, UNITS = 16, 400, 160, 256
LABELS, VOCABULARY = 60, 29
Gradients = list[np.ndarray]


def main() -> None:
    """Measure, print, write."""
    card, made = gpu_name(), provenance()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    rows = [row for cell in CELLS for row in cell_rows(cell)] + ctc_rows()
    write_table(
        "cudnn.py",
        f"`python benchmarks/cudnn.py`; the engine chosen here is {engine()}.\n\n"
        "| what | by | outputs | worst gradient |\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"{card}, TensorFlow {tf.__version__}, commit {made['commit']}, {made['date']}.",
    )


def cell_rows(cell: str) -> list[str]:
    """By cuDNN and by our loops, against float64."""
    rng = np.random.default_rng(0)
    layer = Recurrent(UNITS, cell=cell)
    layer.build((None, None, FEATURES))
    weights = [rng.normal(0, 1 / np.sqrt(UNITS), w.shape) for w in layer.weights]
    arrays = [rng.normal(size=(BATCH, FRAMES, FEATURES)), *weights]
    lengths = tf.constant(np.linspace(FRAMES // 4, FRAMES, BATCH), tf.int32)
    weighting = rng.normal(size=(BATCH, FRAMES, 2 * UNITS))

    def run(name: str, dtype: str) -> tuple[np.ndarray, Gradients]:
        tensors = [tf.constant(a, dtype) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            outputs = ENGINES[name](layer.spec, tensors[0], lengths, *tensors[1:])
            loss = tf.reduce_sum(outputs * tf.constant(weighting, dtype))
        return outputs.numpy(), [g.numpy() for g in tape.gradient(loss, tensors)]

    exact = run("loop", "float64")
    rows = []
    for what, name in (("cuDNN", "cudnn"), ("our loops", "cpu")):
        outputs, gradients = run(name, "float32")
        worst = max(error(g, e) for g, e in zip(gradients, exact[1], strict=True))
        rows.append(f"| {cell}, both ways | {what} | {error(outputs, exact[0]):.1e} | {worst:.1e} |")
    return rows


def ctc_rows() -> list[str]:
    """TensorFlow's loss on the GPU against our loops."""
    rng = np.random.default_rng(1)
    logits = tf.constant(rng.normal(size=(BATCH, FRAMES, VOCABULARY)), tf.float32)
    labels = tf.constant(rng.integers(1, VOCABULARY, (BATCH, LABELS)), tf.int32)
    frames = tf.constant(np.linspace(FRAMES // 2, FRAMES, BATCH), tf.int32)
    characters = tf.constant(np.linspace(LABELS // 2, LABELS, BATCH), tf.int32)

    def run(loss: Callable[..., Any]) -> tuple[np.ndarray, np.ndarray]:
        @tf.function
        def graph() -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                tape.watch(logits)
                losses = loss(logits, frames, labels, characters)
            return losses, tape.gradient(losses, logits)

        losses, gradient = graph()
        return losses.numpy(), gradient.numpy()

    theirs, ours = run(by_tensorflow), run(ctc_loss)
    return [
        f"| CTC | TensorFlow, against our loops | {error(theirs[0], ours[0]):.1e} | {error(theirs[1], ours[1]):.1e} |"
    ]


def error(found: np.ndarray, exact: np.ndarray) -> float:
    """‖found - exact‖ / ‖exact‖."""
    return float(np.linalg.norm(found.astype(np.float64) - exact) / np.linalg.norm(exact))


if __name__ == "__main__":
    main()
