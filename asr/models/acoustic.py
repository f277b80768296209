"""The acoustic model: features → convolutions → recurrent layers → logits of characters, and optionally of phones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from asr.errors import ConfigError
from asr.models.recurrent import Recurrent


@keras.saving.register_keras_serializable("asr")
class MaskedConv(keras.layers.Layer):  # type: ignore[misc]
    """A convolution over time and frequency (B, T, F, C), followed by a ReLU; padding does not affect its result.

    The layer first sets frames beyond an utterance's length to zero. The zeros that it adds at the ends do not depend
    on the batch, so the result depends on the utterance alone. T frames become ``ceil(T / stride[0])``.

    Args:
        filters: the number of output channels.
        kernel: the size of the kernel, (time, frequency), both odd.
        stride: the stride, (time, frequency).

    Raises:
        ConfigError: a size of the kernel is even.
    """

    def __init__(self, filters: int, kernel: Sequence[int], stride: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if any(k % 2 == 0 for k in kernel):
            raise ConfigError(f"a convolution's kernel must be odd in time and frequency, got {list(kernel)}")
        self.filters, self.kernel, self.stride = filters, tuple(kernel), tuple(stride)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the filters (time, frequency, C, filters) and one bias for each filter."""
        shape = (*self.kernel, input_shape[-1], self.filters)
        self.weight = self.add_weight(name="weight", shape=shape, initializer="he_normal")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        super().build(input_shape)

    def shortened(self, lengths: Any) -> Any:
        """Return the number of output frames for a number of input frames."""
        return (lengths + self.stride[0] - 1) // self.stride[0]

    def call(self, inputs: Any, lengths: Any) -> Any:
        """Return the output (B, T', F', filters) for ``inputs`` (B, T, F, C) with ``lengths`` (B,)."""
        mask = tf.sequence_mask(lengths, tf.shape(inputs)[1], dtype=inputs.dtype)[:, :, None, None]
        time, frequency = (k // 2 for k in self.kernel)
        padding = ((0, 0), (time, time), (frequency, frequency), (0, 0))
        return tf.nn.relu(tf.nn.conv2d(inputs * mask, self.weight, self.stride, padding) + self.bias)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, which Keras serialises."""
        config: dict[str, Any] = super().get_config() | {
            "filters": self.filters,
            "kernel": self.kernel,
            "stride": self.stride,
        }
        return config


@keras.saving.register_keras_serializable("asr")
class LayerNorm(keras.layers.LayerNormalization):  # type: ignore[misc]
    """Layer normalisation (B, T, F) over F (Ba et al. 2016, eq. 3) in float32, with its gradient in few passes.

    With x̂ = (x - mean) / std and y = γ x̂ + β, the gradient is ∂L/∂x = (g - mean(g) - x̂ mean(g x̂)) / std, where
    g = γ ∂L/∂y. The tape would record the mean and the variance as operations of their own, which takes three times as
    long on a CPU.
    """

    def call(self, inputs: Any) -> Any:
        """Return the normalised ``inputs`` (B, T, F), in their type."""
        return _normalised(inputs, tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta), self.epsilon)


def _normalised(inputs: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def differentiable(inputs: Any, gamma: Any, beta: Any) -> tuple[Any, Any]:
        scale, x = tf.cast(gamma, tf.float32), tf.cast(inputs, tf.float32)
        x = x - tf.reduce_mean(x, -1, keepdims=True)
        inverse = tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + epsilon)
        x = x * inverse

        def gradient(d_outputs: Any) -> tuple[Any, Any, Any]:
            d = tf.cast(d_outputs, tf.float32)
            g = d * scale
            d_inputs = (
                g - tf.reduce_mean(g, -1, keepdims=True) - x * tf.reduce_mean(g * x, -1, keepdims=True)
            ) * inverse
            rows = tuple(range(len(inputs.shape) - 1))
            d_gamma, d_beta = tf.reduce_sum(d * x, rows), tf.reduce_sum(d, rows)
            return tf.cast(d_inputs, inputs.dtype), tf.cast(d_gamma, gamma.dtype), tf.cast(d_beta, beta.dtype)

        return tf.cast(x * scale + tf.cast(beta, tf.float32), inputs.dtype), gradient

    return differentiable(inputs, gamma, beta)


@keras.saving.register_keras_serializable("asr")
class SequenceDropout(keras.layers.Dropout):  # type: ignore[misc]
    """Dropout (B, T, F) that drops the same inputs in every frame of an utterance; each replica draws its own."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return ``inputs`` (B, T, F); in training, a share of them is zero and the others are scaled up."""
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
    """Stacked recurrent layers over features, and a linear layer y_t = W_hy h_t to V logits, optionally a second to P.

    Args:
        num_features: F, the number of features in a frame.
        vocabulary_size: V, the number of character labels, the blank included.
        phones: P, the number of phone labels, their own blank included, which a second linear layer outputs; 0 for
            none.
        cell: the name of a recurrent cell in ``CELLS``: ``rnn``, ``lstm``, ``gru``.
        units: the number of units of each recurrent layer, in one direction.
        bidirectional: whether each layer also reads the utterance from its end.
        convolution: the convolutions before the recurrent layers, each
            ``{filters, kernel: [time, frequency], stride: [time, frequency]}``.
        dropout: the share of a layer's inputs that is dropped, the same inputs in every frame of an utterance.
        layer_norm: whether the inputs of each recurrent layer and of the output are normalised (Ba et al. 2016).
        dtype: Keras' name of the precision: ``float32``, ``mixed_bfloat16``, ``mixed_float16``. It is not part of
            ``options``, because the weights are float32 and can be used at any precision.

    Raises:
        ConfigError: ``units`` is empty, or there is no such cell.
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
        self.convolutions = [MaskedConv(**c, dtype="float32") for c in convolution]
        self.recurrent = [Recurrent(n, cell=cell, bidirectional=bidirectional, dtype=dtype) for n in units]
        places = len(units) + 1
        norm = {"epsilon": 1e-5, "dtype": dtype}
        self.norms = [LayerNorm(**norm) for _ in range(places)] if layer_norm else []
        self.dropouts = [SequenceDropout(dropout, dtype=dtype) for _ in range(places)]
        self.output_layer = keras.layers.Dense(vocabulary_size, use_bias=False, name="output", dtype="float32")
        self.phone_layer = keras.layers.Dense(phones, use_bias=False, dtype="float32") if phones else None
        self._make_weights()

    def _make_weights(self) -> None:
        self(tf.zeros((1, 1, self.options["num_features"])), tf.ones(1, tf.int32))

    @property
    def output_layers(self) -> list[keras.layers.Dense]:
        """The linear layer for characters, and the one for phones if the model has it."""
        return [self.output_layer, self.phone_layer] if self.phone_layer else [self.output_layer]

    @property
    def time_reduction(self) -> int:
        """The number of feature frames for one frame of logits."""
        product = 1
        for convolution in self.convolutions:
            product *= convolution.stride[0]
        return product

    def output_lengths(self, lengths: Any) -> Any:
        """Return T', the number of frames of logits, for T frames of features; both are integers or arrays."""
        for convolution in self.convolutions:
            lengths = convolution.shortened(lengths)
        return lengths

    def call(self, features: Any, lengths: Any, training: bool = False) -> Any:
        """Return logits (B, T', V + P) float32 for ``features`` (B, T, F) float32 with ``lengths`` (B,) int32."""
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
        """Return the inputs of a recurrent layer, or of the output, after layer normalisation and dropout."""
        x = self.norms[place](x) if self.norms else x
        return self.dropouts[place](x, training=training)

    def log_probs(self, features: Any, lengths: Any) -> Any:
        """Return natural log-probabilities (B, T', V + P): first V of characters, then P of phones.

        The probabilities of the characters sum to 1 in each frame, and so do those of the phones.
        """
        sizes = [layer.units for layer in self.output_layers]
        return tf.concat([tf.nn.log_softmax(part) for part in tf.split(self(features, lengths), sizes, axis=2)], axis=2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, which Keras serialises."""
        return self.options
