"""Float16 has five bits of exponent: a loss scale keeps small gradients from vanishing (Micikevicius et al. 2018).

bfloat16 has float32's exponent and needs none. The weights and the optimizer's moments are float32 in any case.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

PATIENCE = 2000
"""Steps without overflow after which the scale is tried twice as large."""


class LossScale:
    """The factor of the loss before the gradient is taken, which is divided by it: as large as nothing overflows.

    It halves at each overflow, doubles after ``PATIENCE`` steps without one, and is used up below one: where gradients
    overflow without any scale it is not the scale's doing.
    """

    def __init__(self) -> None:
        self.value = tf.Variable(2.0**15, trainable=False)
        self.good_steps = tf.Variable(0, trainable=False)

    @property
    def variables(self) -> list[Any]:
        """What a checkpoint holds of it."""
        return [self.value, self.good_steps]

    @property
    def used_up(self) -> bool:
        """Whether it has been halved below one."""
        return bool(self.value.numpy() < 1)

    def learn(self, finite: Any) -> None:
        """From one more step, whose gradients were all ``finite`` (bool, scalar) or not."""
        steps = tf.where(finite, self.good_steps + 1, 0)
        grown = tf.where(steps >= PATIENCE, 2.0, 1.0)
        self.value.assign(self.value * tf.where(finite, grown, 0.5))
        self.good_steps.assign(steps % PATIENCE)
