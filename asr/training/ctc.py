"""Connectionist temporal classification (Graves et al. 2006)."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from asr.training.ctc_kernel import losses_and_gradient
from asr.training.tensor import Tensor


def ctc_loss(logits: Tensor, logit_lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
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
    def differentiable(logits: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the losses (B,) of ``logits`` (B, T, V), and dL/dlosses (B,) → dL/dlogits (B, T, V)."""
        arguments = (logits, *(tf.cast(a, tf.int32) for a in (logit_lengths, labels, label_lengths)))
        losses, gradient = tf.numpy_function(losses_and_gradient, arguments, [tf.float32] * 2, stateful=False)
        losses.set_shape(logits.shape[:1])
        gradient.set_shape(logits.shape)
        return losses, lambda d_losses: d_losses[:, None, None] * gradient

    return differentiable(tf.cast(tf.convert_to_tensor(logits), tf.float32))
