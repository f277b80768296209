"""Backpropagation through time on a CPU: a whole recurrent layer as one differentiable operation.

Let z_t = W_xh x_t + b + W_hh h_{t-1} be the gates' arguments.

1. W_xh x_t does not depend on h, so it is one matrix product over all frames.
2. Forward in time, the kernel adds W_hh h_{t-1} and b, applies the nonlinearities, and keeps the arrays that step 3
   needs (gates, cell).
3. Backward in time, the kernel computes δ_t = ∂L/∂z_t from ∂L/∂h_t, which comes from above (the layer's output) and
   from the right (W_hhᵀ δ_{t+1}). The second term is a product of T Jacobians W_hhᵀ diag(tanh'): where their norm
   is below one it vanishes with distance (Bengio et al. 1994). The LSTM adds a path: c_t = f_t c_{t-1} + i_t g_t
   passes ∂L/∂c back through f_t alone, and with f_t near one it does not vanish (Hochreiter & Schmidhuber 1997).
4. After the loop, each gradient is one matrix product over all frames: ∂L/∂W_hh = Σ_t h_{t-1} δ_tᵀ,
   ∂L/∂W_xh = Σ_t x_t δ_tᵀ and ∂L/∂x_t = W_xhᵀ δ_t.

The backward direction reads each utterance reversed within its own length, so padding is always last in both
directions: it cannot affect a real frame in the forward pass, and its δ is zero because its ∂L/∂h is zero. So the loop
needs no mask.

The work is divided into as many jobs as there are cores; each job has one direction and a share of the utterances. A
job runs all its steps on one thread, BLAS included, so the cores synchronise once a layer and not once a product.
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
        """Whether the job reads its utterances from the end."""
        return self.direction == 1

    def rows(self, array: np.ndarray) -> np.ndarray:
        """Return the rows of an array (B, …) that belong to the job's utterances."""
        size = len(array)
        return array[size * self.share // self.shares : size * (self.share + 1) // self.shares]

    def side(self, array: np.ndarray, width: int) -> np.ndarray:
        """Return the part (B, T, width) of an array (B, T, D·width) that belongs to the job's direction."""
        return array[:, :, self.direction * width : (self.direction + 1) * width]


def layer(cell: CellSpec, inputs: Any, lengths: Any, kernel: Any, recurrent: Any, *biases: Any) -> Any:
    """Return the outputs (B, T, D·H) for ``inputs`` (B, T, F) with ``lengths`` (B,) int32; zero beyond each length.

    In float32 the jobs compute everything. Under mixed precision ``inputs`` and ``kernel`` are bfloat16 or float16, and
    TensorFlow computes their product over all frames, with the processor's own instructions for these types, if any.

    Args:
        cell: one of ``CELLS``.
        inputs: the layer's inputs (B, T, F).
        lengths: the number of frames of each utterance (B,), without padding.
        kernel: W_xh (D, F, G·H), of the same type as the inputs.
        recurrent: W_hh (D, H, G·H) float32.
        biases: b (D, G·H) float32, and the recurrent bias of a cell that has one.
    """
    if inputs.dtype == tf.float32:
        return _run(cell, inputs, lengths, kernel, recurrent, *biases)
    frames = tf.reshape(inputs, (-1, inputs.shape[2]))
    product = tf.matmul(frames, tf.concat(tf.unstack(kernel), -1))
    projected = tf.reshape(product, (*tf.unstack(tf.shape(inputs)[:2]), product.shape[1]))
    none = tf.zeros((kernel.shape[0], 0, kernel.shape[2]))
    outputs = _run(cell, tf.cast(projected, tf.float32), lengths, none, recurrent, *biases)
    return tf.cast(outputs, inputs.dtype)


def _run(cell: CellSpec, inputs: Any, lengths: Any, *weights: Any) -> Any:
    """Compute the layer as one operation; with F = 0 in the kernel, ``inputs`` are already projected (B, T, D·G·H)."""
    directions, units = weights[1].shape[:2]
    jobs = _jobs(directions, cores())
    kept_each, num_weights = cell.kept, len(weights)

    def forward(inputs: np.ndarray, lengths: np.ndarray, *weights: np.ndarray) -> list[np.ndarray]:
        """Return the outputs (B, T, D·H), then what each job keeps for ``backward``, ``cell.kept`` arrays a job.

        Args:
            inputs: (B, T, F), or (B, T, D·G·H) already projected.
            lengths: (B,) int32.
            weights: kernel (D, F, G·H), recurrent (D, H, G·H), and the biases (D, G·H).
        """
        outputs = np.empty((*inputs.shape[:2], directions * units), np.float32)
        kept = threads().map(lambda job: _forward(cell, job, inputs, lengths, weights, outputs), jobs)
        return [outputs, *(array for arrays in kept for array in arrays)]

    def backward(
        inputs: np.ndarray, lengths: np.ndarray, outputs: np.ndarray, d_outputs: np.ndarray, *rest: np.ndarray
    ) -> list[np.ndarray]:
        """Return ∂L/∂inputs, of the shape of ``inputs``, then ∂L/∂w of each weight, of the shape of the weight.

        Args:
            inputs: as those of ``forward``.
            lengths: (B,) int32.
            outputs: (B, T, D·H), as ``forward`` returned them.
            d_outputs: ∂L/∂outputs (B, T, D·H).
            rest: the weights, as those of ``forward``, then what its jobs kept.
        """
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
        """Return the outputs (B, T, D·H), and the function ∂L/∂outputs → ∂L/∂inputs and ∂L/∂w of each weight."""
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
    """Fill the job's part of ``outputs``; return the arrays that the backward pass needs."""
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
    """Fill the job's part of ``d_inputs`` (D, B, T, F); return its share of the gradient of each weight."""
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
    """Return (T, b, F) times (F, G) → (T, b, G), as one matrix product."""
    product: np.ndarray = (frames.reshape(-1, frames.shape[2]) @ matrix).reshape(*frames.shape[:2], matrix.shape[1])
    return product


def _outer(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return Σ over frames of before afterᵀ, (T, b, F), (T, b, G) → (F, G), as one matrix product."""
    product: np.ndarray = before.reshape(-1, before.shape[2]).T @ after.reshape(-1, after.shape[2])
    return product


def _sum(parts: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def _joined(jobs: Sequence[Job], directions: int, parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return a weight's gradient (D, …): the sum of each direction's shares, always in the same order."""
    return np.stack(
        [_sum([p for job, p in zip(jobs, parts, strict=True) if job.direction == d]) for d in range(directions)]
    )


def _jobs(directions: int, at_once: int) -> list[Job]:
    shares = max(1, at_once // directions)
    return [Job(d, share, shares) for d in range(directions) for share in range(shares)]
