"""The acoustic model: features → convolution → recurrent layers → logits of characters, and of phones beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from asr.errors import ConfigError
from asr.models.recurrent import Recurrent


@keras.saving.register_keras_serializable("asr")
class MaskedConv(keras.layers.Layer):  # type: ignore[misc]
    """Convolution over time and frequency (B, T, F, C) that padding cannot reach, then a rectifier.

    Frames beyond an utterance's length are zeroed first, and the zeros added at the ends do not depend on the batch, so
    the result is the utterance's own. Time becomes ``ceil(T / stride[0])``.

    Args:
        filters: channels out.
        kernel: (time, frequency), both odd.
        stride: (time, frequency).
    """

    def __init__(self, filters: int, kernel: Sequence[int], stride: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if any(k % 2 == 0 for k in kernel):
            raise ConfigError(f"a convolution's kernel must be odd in time and frequency, got {list(kernel)}")
        self.filters, self.kernel, self.stride = filters, tuple(kernel), tuple(stride)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the filters (time, frequency, C, filters) and a bias for each."""
        shape = (*self.kernel, input_shape[-1], self.filters)
        self.weight = self.add_weight(name="weight", shape=shape, initializer="he_normal")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        super().build(input_shape)

    def shortened(self, lengths: Any) -> Any:
        """Frames out for frames in."""
        return (lengths + self.stride[0] - 1) // self.stride[0]

    def call(self, inputs: Any, lengths: Any) -> Any:
        """(B, T, F, C), (B,) → (B, T', F', filters)."""
        mask = tf.sequence_mask(lengths, tf.shape(inputs)[1], dtype=inputs.dtype)[:, :, None, None]
        time, frequency = (k // 2 for k in self.kernel)
        padding = ((0, 0), (time, time), (frequency, frequency), (0, 0))
        return tf.nn.relu(tf.nn.conv2d(inputs * mask, self.weight, self.stride, padding) + self.bias)

    def get_config(self) -> dict[str, Any]:
        """As Keras serialises it."""
        config: dict[str, Any] = super().get_config() | {
            "filters": self.filters,
            "kernel": self.kernel,
            "stride": self.stride,
        }
        return config


@keras.saving.register_keras_serializable("asr")
class SequenceDropout(keras.layers.Dropout):  # type: ignore[misc]
    """Drops the same inputs in every frame of an utterance (B, T, F), and others on each replica of the model."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """(B, T, F) → (B, T, F)."""
        if not training or not self.rate:
            return inputs
        seed = tf.cast(self.seed_generator.next() % (tf.int32.max - 1), tf.int32)
        context = tf.distribute.get_replica_context()
        if context and context.num_replicas_in_sync > 1:
            seed = tf.random.experimental.stateless_fold_in(seed, context.replica_id_in_sync_group)
        shape = (tf.shape(inputs)[0], 1, tf.shape(inputs)[2])
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed, noise_shape=shape)


@keras.saving.register_keras_serializable("asr")
class AcousticModel(keras.Model):  # type: ignore[misc]
    """Stacked recurrent layers over features, a linear layer y_t = W_hy h_t to V logits, perhaps another to P.

    Args:
        num_features: F.
        vocabulary_size: V, the blank included.
        phones: P, labels of phones with a blank of their own, which a second linear layer tells apart; 0 for none.
        cell: a name of ``CELLS``: ``rnn``, ``lstm``, ``gru``.
        units: the width of each recurrent layer, one direction.
        bidirectional: read each utterance from both ends.
        convolution: layers in front, each ``{filters, kernel: [time, frequency], stride: [time, frequency]}``.
        dropout: share of a layer's inputs dropped, the same ones in every frame of an utterance.
        layer_norm: normalise the inputs of each recurrent layer and of the output (Ba et al. 2016).
        dtype: Keras' name of what is computed in: ``float32``, ``mixed_bfloat16``, ``mixed_float16``. It is no part of
            ``options``: the weights are float32 and run as well in another.
    """

    def __init__(
        self,
        num_features: int,
        vocabulary_size: int,
        *,
        phones: int = 0,
        cell: str,
        units: Sequence[int],
        bidirectional: bool = True,
        convolution: Sequence[dict[str, Any]] = (),
        dropout: float = 0.0,
        layer_norm: bool = True,
        dtype: str = "float32",
    ) -> None:
        super().__init__(dtype=dtype)
        if not units:
            raise ConfigError("an acoustic model needs at least one recurrent layer, got units: []")
        self.options = {
            "num_features": num_features,
            "vocabulary_size": vocabulary_size,
            **({"phones": phones} if phones else {}),
            "cell": cell,
            "units": list(units),
            "bidirectional": bidirectional,
            "convolution": [dict(c) for c in convolution],
            "dropout": dropout,
            "layer_norm": layer_norm,
        }
        self.convolutions = [MaskedConv(**c, dtype=dtype) for c in convolution]
        self.recurrent = [Recurrent(n, cell=cell, bidirectional=bidirectional, dtype=dtype) for n in units]
        places = len(units) + 1
        norm = {"epsilon": 1e-5, "dtype": dtype}
        self.norms = [keras.layers.LayerNormalization(**norm) for _ in range(places)] if layer_norm else []
        self.dropouts = [SequenceDropout(dropout, dtype=dtype) for _ in range(places)]
        self.output_layer = keras.layers.Dense(vocabulary_size, use_bias=False, name="output", dtype="float32")
        self.phone_layer = keras.layers.Dense(phones, use_bias=False, dtype="float32") if phones else None
        self._make_weights()

    def _make_weights(self) -> None:
        self(tf.zeros((1, 1, self.options["num_features"])), tf.ones(1, tf.int32))

    @property
    def output_layers(self) -> list[keras.layers.Dense]:
        """Of characters, and of phones where there are some."""
        return [self.output_layer, self.phone_layer] if self.phone_layer else [self.output_layer]

    @property
    def time_reduction(self) -> int:
        """Frames of features to one frame of logits."""
        product = 1
        for convolution in self.convolutions:
            product *= convolution.stride[0]
        return product

    def output_lengths(self, lengths: Any) -> Any:
        """T' for T, as int or array."""
        for convolution in self.convolutions:
            lengths = convolution.shortened(lengths)
        return lengths

    def call(self, features: Any, lengths: Any, training: bool = False) -> Any:
        """Logits (B, T', V + P) float32 of ``features`` (B, T, F) float32 with ``lengths`` (B,) int32."""
        x, lengths = features[..., None], tf.convert_to_tensor(lengths, tf.int32)
        for convolution in self.convolutions:
            x, lengths = convolution(x, lengths), convolution.shortened(lengths)
        x = tf.reshape(x, (tf.shape(x)[0], tf.shape(x)[1], x.shape[2] * x.shape[3]))
        for place, layer in enumerate(self.recurrent):
            x = layer(self._prepared(place, x, training), lengths)
        x = self._prepared(len(self.recurrent), x, training)
        logits = [layer(x) for layer in self.output_layers]
        return tf.concat(logits, axis=2) if len(logits) > 1 else logits[0]

    def _prepared(self, place: int, x: Any, training: bool) -> Any:
        """The inputs of a recurrent layer, or of the output, normalised and some of them dropped."""
        x = self.norms[place](x) if self.norms else x
        return self.dropouts[place](x, training=training)

    def log_probs(self, features: Any, lengths: Any) -> Any:
        """Natural log-probabilities (B, T', V + P): of the characters, then of the phones, each summing to 1."""
        sizes = [layer.units for layer in self.output_layers]
        return tf.concat([tf.nn.log_softmax(part) for part in tf.split(self(features, lengths), sizes, axis=2)], axis=2)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return self.options
