"""Backpropagation through time on a CPU: a whole recurrent layer as one differentiable operation.

Write z_t = W_xh x_t + b + W_hh h_{t-1} for the gates' arguments.

1. W_xh x_t does not depend on h: one product over all frames.
2. Forward in time, the kernel adds W_hh h_{t-1} and b, squashes, and keeps what step 3 needs (gates, cell).
3. Backward in time, the kernel computes δ_t = ∂L/∂z_t from ∂L/∂h_t, which comes from above (the layer's output) and
   from the right (W_hhᵀ δ_{t+1}). The second term is a product of T Jacobians W_hhᵀ diag(tanh'): where their norm
   is below one it vanishes with distance (Bengio et al. 1994). The LSTM adds a path: c_t = f_t c_{t-1} + i_t g_t
   passes ∂L/∂c back through f_t alone, and with f_t near one it lives (Hochreiter & Schmidhuber 1997).
4. After the loop, each one product over all frames: ∂L/∂W_hh = Σ_t h_{t-1} δ_tᵀ, ∂L/∂W_xh = Σ_t x_t δ_tᵀ and
   ∂L/∂x_t = W_xhᵀ δ_t.

The backward direction reads each utterance reversed within its own length, so padding is always last in both
directions: it cannot reach a real frame forward, and its δ is zero because its ∂L/∂h is. So the loop needs no mask.

The work is cut into jobs, a direction and a share of the utterances each, as many as there are cores. A job does its
steps from first to last on one thread, BLAS included: the cores meet once a layer, and not once a product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from asr.models.cells import CellSpec
from asr.models.engines.frames import gather, scatter
from asr.models.threads import cores, threads


@dataclass(frozen=True)
class Job:
    """One thread's part of a layer: ``direction`` 0 or 1, and the ``share``-th of ``shares`` of the utterances."""

    direction: int
    share: int
    shares: int

    @property
    def backwards(self) -> bool:
        """Whether it reads from the end."""
        return self.direction == 1

    def rows(self, array: np.ndarray) -> np.ndarray:
        """Its utterances of an array (B, …)."""
        size = len(array)
        return array[size * self.share // self.shares : size * (self.share + 1) // self.shares]

    def side(self, array: np.ndarray, width: int) -> np.ndarray:
        """Its direction's part of an array (B, T, D·width)."""
        return array[:, :, self.direction * width : (self.direction + 1) * width]


def layer(cell: CellSpec, inputs: Any, lengths: Any, kernel: Any, recurrent: Any, *biases: Any) -> Any:
    """Outputs (B, T, D·H) of ``inputs`` (B, T, F) with ``lengths`` (B,) int32; zero beyond each length.

    In float32 all of it is in the jobs. Under mixed precision ``inputs`` and ``kernel`` come in bfloat16 or float16,
    and their product over all frames is TensorFlow's, which uses the processor's own instructions for it, if any.

    Args:
        cell: one of ``CELLS``.
        inputs: (B, T, F).
        lengths: own frames of each utterance.
        kernel: W_xh (D, F, G·H), of the inputs' type.
        recurrent: W_hh (D, H, G·H) float32.
        biases: b (D, G·H) float32, and the recurrent one of a cell that has it.
    """
    if inputs.dtype == tf.float32:
        return _run(cell, inputs, lengths, kernel, recurrent, *biases)
    projected = tf.matmul(inputs, tf.concat(tf.unstack(kernel), -1))
    none = tf.zeros((kernel.shape[0], 0, kernel.shape[2]))
    outputs = _run(cell, tf.cast(projected, tf.float32), lengths, none, recurrent, *biases)
    return tf.cast(outputs, inputs.dtype)


def _run(cell: CellSpec, inputs: Any, lengths: Any, *weights: Any) -> Any:
    """The layer as one operation; with F = 0 in the kernel ``inputs`` are the projections (B, T, D·G·H) already."""
    directions, units = weights[1].shape[:2]
    jobs = _jobs(directions, cores())
    kept_each, num_weights = cell.kept, len(weights)

    def forward(inputs: np.ndarray, lengths: np.ndarray, *weights: np.ndarray) -> list[np.ndarray]:
        outputs = np.empty((*inputs.shape[:2], directions * units), np.float32)
        kept = threads().map(lambda job: _forward(cell, job, inputs, lengths, weights, outputs), jobs)
        return [outputs, *(array for arrays in kept for array in arrays)]

    def backward(
        inputs: np.ndarray, lengths: np.ndarray, outputs: np.ndarray, d_outputs: np.ndarray, *rest: np.ndarray
    ) -> list[np.ndarray]:
        weights, kept = rest[:num_weights], rest[num_weights:]

        def one(i: int) -> list[np.ndarray]:
            arrays = kept[i * kept_each : (i + 1) * kept_each]
            return _backward(cell, jobs[i], inputs, lengths, outputs, d_outputs, weights, arrays, d_inputs)

        projected = weights[0].shape[1] == 0
        d_inputs = np.empty((1 if projected else directions, *inputs.shape), np.float32)
        results = list(threads().map(one, range(len(jobs))))
        return [_sum(d_inputs), *(_joined(jobs, directions, parts) for parts in zip(*results, strict=True))]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def differentiable(inputs: Any, *weights: Any) -> tuple[Any, Callable[..., Any]]:
        outputs, *kept = _call(forward, (inputs, lengths, *weights), 1 + len(jobs) * kept_each)
        outputs.set_shape((*inputs.shape[:2], directions * units))

        def gradient(d_outputs: Any) -> list[Any]:
            arguments = (inputs, lengths, outputs, d_outputs, *weights, *kept)
            gradients = _call(backward, arguments, 1 + num_weights)
            for found, variable in zip(gradients, (inputs, *weights), strict=True):
                found.set_shape(variable.shape)
            return gradients

        return outputs, gradient

    return differentiable(inputs, *weights)


def _call(function: Callable[..., Any], arguments: Sequence[Any], outputs: int) -> list[Any]:
    results: list[Any] = tf.nest.flatten(tf.numpy_function(function, arguments, [tf.float32] * outputs, stateful=False))
    return results


def _forward(
    cell: CellSpec,
    job: Job,
    inputs: np.ndarray,
    lengths: np.ndarray,
    weights: Sequence[np.ndarray],
    outputs: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Fill the job's part of ``outputs``; what its way back needs."""
    kernel, recurrent, *biases = (w[job.direction] for w in weights)
    lengths = job.rows(lengths)
    if len(kernel) == 0:
        z = _time_major(job, job.side(inputs, recurrent.shape[1]), lengths)
    else:
        z = _over_frames(_time_major(job, inputs, lengths), kernel)
    hidden, *kept = cell.forward(z, recurrent, *biases)
    scatter(hidden, lengths, job.backwards, job.rows(job.side(outputs, len(recurrent))))
    return tuple(kept)


def _backward(
    cell: CellSpec,
    job: Job,
    inputs: np.ndarray,
    lengths: np.ndarray,
    outputs: np.ndarray,
    d_outputs: np.ndarray,
    weights: Sequence[np.ndarray],
    kept: Sequence[np.ndarray],
    d_inputs: np.ndarray,
) -> list[np.ndarray]:
    """Fill the job's part of ``d_inputs`` (D, B, T, F); its share of the gradient of each weight."""
    kernel, recurrent, *biases = (w[job.direction] for w in weights)
    lengths = job.rows(lengths)
    hidden, d_hidden = (_time_major(job, job.side(a, len(recurrent)), lengths) for a in (outputs, d_outputs))
    dz, d_product = cell.backward(d_hidden, np.ascontiguousarray(recurrent.T), hidden, *kept)
    d_recurrent = _outer(hidden[:-1], d_product[1:])
    d_biases = [d.sum((0, 1)) for d in (dz, d_product)[: len(biases)]]
    if len(kernel) == 0:
        d_frames, rows, d_kernel = dz, job.side(d_inputs[0], dz.shape[2]), np.zeros_like(kernel)
    else:
        d_kernel = _outer(_time_major(job, inputs, lengths), dz)
        d_frames, rows = _over_frames(dz, kernel.T), d_inputs[job.direction]
    scatter(d_frames, lengths, job.backwards, job.rows(rows))
    return [d_kernel, d_recurrent, *d_biases]


def _time_major(job: Job, array: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    rows = job.rows(array)
    frames = np.empty((rows.shape[1], rows.shape[0], rows.shape[2]), np.float32)
    gather(rows, lengths, job.backwards, frames)
    return frames


def _over_frames(frames: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(T, b, F) times (F, G), as one product."""
    product: np.ndarray = (frames.reshape(-1, frames.shape[2]) @ matrix).reshape(*frames.shape[:2], matrix.shape[1])
    return product


def _outer(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Σ over frames of before afterᵀ: (T, b, F), (T, b, G) → (F, G), as one product."""
    product: np.ndarray = before.reshape(-1, before.shape[2]).T @ after.reshape(-1, after.shape[2])
    return product


def _sum(parts: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def _joined(jobs: Sequence[Job], directions: int, parts: Sequence[np.ndarray]) -> np.ndarray:
    """A weight's gradient (D, …): the shares of each direction summed, always in the same order."""
    return np.stack(
        [_sum([p for job, p in zip(jobs, parts, strict=True) if job.direction == d]) for d in range(directions)]
    )


def _jobs(directions: int, at_once: int) -> list[Job]:
    shares = max(1, at_once // directions)
    return [Job(d, share, shares) for d in range(directions) for share in range(shares)]
