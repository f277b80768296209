"""Connectionist temporal classification (Graves et al. 2006)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from asr.training.ctc_kernel import losses_and_gradient


def ctc_loss(logits: Any, logit_lengths: Any, labels: Any, label_lengths: Any) -> Any:
    """Compute the negative log-likelihood (B,) of labels over all alignments (Graves et al. 2006, eq. 7-8).

    Compiled loops on the CPU (``ctc_kernel.py``) compute the loss together with its gradient, even where a GPU computes
    the rest: on a GPU, TensorFlow's own loss has a wrong gradient for padded frames (tensorflow issue 41280).

    Args:
        logits: (B, T, V), before softmax; read as float32.
        logit_lengths: (B,) int32, number of frames of each utterance; the padding does not affect the loss.
        labels: (B, U) int32; the padding may have any value.
        label_lengths: (B,) int32, number of labels of each utterance, at least 1.

    An utterance with fewer frames than ``frames_needed`` has an infinite loss; the pre-flight finds it before training.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def differentiable(logits: Any) -> tuple[Any, Any]:
        arguments = (logits, *(tf.cast(a, tf.int32) for a in (logit_lengths, labels, label_lengths)))
        losses, gradient = tf.numpy_function(losses_and_gradient, arguments, [tf.float32] * 2, stateful=False)
        losses.set_shape(logits.shape[:1])
        gradient.set_shape(logits.shape)
        return losses, lambda d_losses: d_losses[:, None, None] * gradient

    return differentiable(tf.cast(tf.convert_to_tensor(logits), tf.float32))
