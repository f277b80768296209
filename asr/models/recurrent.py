"""A recurrent layer of any cell, in one direction or two.

The weights do not depend on the engine that computes the layer (``engines/``), so a checkpoint moves between machines.
Everything that is particular to a cell is in its own file (``cells/``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from asr.errors import ConfigError
from asr.models.cells import CELLS, CellSpec
from asr.models.engines import ENGINES, engine


def find_cell(name: str) -> CellSpec:
    """Return the cell of this name.

    Raises:
        ConfigError: there is no such cell.
    """
    if name not in CELLS:
        raise ConfigError(f"no recurrent cell {name!r}; there are {', '.join(CELLS)}")
    return CELLS[name]


@keras.saving.register_keras_serializable("asr")
class Recurrent(keras.layers.Layer):  # type: ignore[misc]
    """One recurrent layer over padded utterances.

    The weights are ``kernel`` (D, F, G·H), which is W_xh, ``recurrent_kernel`` (D, H, G·H), which is W_hh, and ``bias``
    (D, G·H); some cells also have ``recurrent_bias`` (D, G·H). D is 2 in a bidirectional layer, else 1, and G is the
    number of the cell's gates, in Keras' order.

    Args:
        units: H, the number of units of one direction.
        cell: the cell's name in ``CELLS``.
        bidirectional: whether the layer also reads each utterance from its end and concatenates the two outputs.

    Raises:
        ConfigError: there is no such cell.
    """

    def __init__(self, units: int, *, cell: str, bidirectional: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec, self.units, self.bidirectional = find_cell(cell), units, bidirectional

    @property
    def directions(self) -> int:
        """D, the number of directions."""
        return 2 if self.bidirectional else 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights: Glorot initialisation for W_xh, orthogonal for W_hh, the cell's initial bias."""
        width = self.spec.gates * self.units
        glorot, orthogonal = keras.initializers.GlorotUniform, keras.initializers.Orthogonal
        self.kernel = self._matrix("kernel", (input_shape[-1], width), glorot, autocast=True)
        self.recurrent_kernel = self._matrix("recurrent_kernel", (self.units, width), orthogonal, autocast=False)
        self.bias = self._bias("bias", width, self._initial_bias)
        if self.spec.has_recurrent_bias:
            self.recurrent_bias = self._bias("recurrent_bias", width, "zeros")
        super().build(input_shape)

    def _matrix(
        self, name: str, shape: tuple[int | None, int], initializer: Callable[..., Any], *, autocast: bool
    ) -> Any:
        """Add one matrix for each direction, each drawn by itself; without ``autocast`` it is always float32."""
        seeds = [keras.random.SeedGenerator() for _ in range(self.directions)]

        def initial(_shape: Any, dtype: Any = None) -> Any:
            return keras.ops.stack([initializer(seed=s)(shape, dtype=dtype) for s in seeds])

        return self.add_weight(name=name, shape=(self.directions, *shape), initializer=initial, autocast=autocast)

    def _bias(self, name: str, width: int, initializer: Callable[..., Any] | str) -> Any:
        return self.add_weight(name=name, shape=(self.directions, width), initializer=initializer, autocast=False)

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        if self.spec.initial_bias is None:
            return keras.ops.zeros(shape, dtype=dtype)
        one_direction = keras.ops.convert_to_tensor(self.spec.initial_bias(self.units), dtype=dtype)
        return keras.ops.broadcast_to(one_direction, shape)

    def call(self, inputs: Any, lengths: Any) -> Any:
        """Return the outputs (B, T, D·H) for ``inputs`` (B, T, F) with ``lengths`` (B,) int32; zero beyond each length.

        Under a mixed precision policy the products over all frames are computed in its compute dtype, and the time loop
        in float32.
        """
        lengths = tf.convert_to_tensor(lengths, tf.int32)
        biases = [self.bias, *([self.recurrent_bias] if self.spec.has_recurrent_bias else [])]
        weights = map(tf.convert_to_tensor, (self.kernel, self.recurrent_kernel, *biases))
        return ENGINES[engine()](self.spec, inputs, lengths, *weights)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, which Keras serialises."""
        own = {"units": self.units, "cell": self.spec.name, "bidirectional": self.bidirectional}
        config: dict[str, Any] = super().get_config() | own
        return config
