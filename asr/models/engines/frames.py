"""Conversion of a batch of utterances to frames in the order in which a direction reads them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from asr.models.cells.compiled import compiled


@compiled
def gather(rows: np.ndarray, lengths: np.ndarray, backwards: bool, frames: np.ndarray) -> None:
    """Copy each utterance's frames from ``rows`` (B, T, F) to ``frames`` (T, B, F), in reverse if ``backwards``.

    Frames beyond an utterance's length become zero.
    """
    for t in range(frames.shape[0]):
        for b in range(frames.shape[1]):
            if t >= lengths[b]:
                frames[t, b] = 0
            else:
                frames[t, b] = rows[b, lengths[b] - 1 - t if backwards else t]


@compiled
def scatter(frames: np.ndarray, lengths: np.ndarray, backwards: bool, rows: np.ndarray) -> None:
    """Copy ``frames`` (T, B, F), as ``gather`` fills them, back to ``rows`` (B, T, F); zero beyond each utterance."""
    for b in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            if t >= lengths[b]:
                rows[b, t] = 0
            else:
                rows[b, t] = frames[lengths[b] - 1 - t if backwards else t, b]


def reversed_within(frames: Any, lengths: Any) -> Any:
    """Return the tensor (T, B, F) with each utterance's frames reversed and its padding left in place."""
    return tf.reverse_sequence(frames, lengths, seq_axis=0, batch_axis=1)
