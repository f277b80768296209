"""Loss scaling for float16, whose five exponent bits let small gradients vanish (Micikevicius et al. 2018).

bfloat16 has float32's exponent and needs no scaling. The weights and the optimizer's moments are float32 in any case.
"""

from __future__ import annotations

import tensorflow as tf

from asr.training.tensor import Tensor, Variable

PATIENCE = 2000
"""Steps without overflow after which the scale is tried twice as large."""


class LossScale:
    """A factor on the loss, as large as possible without overflow; the gradient is divided by it afterwards.

    It halves at each overflow and doubles after ``PATIENCE`` steps without one. Below 1 it is used up: gradients that
    overflow without any scaling have another cause.
    """

    def __init__(self) -> None:
        self.value = tf.Variable(2.0**15, trainable=False)
        self.good_steps = tf.Variable(0, trainable=False)

    @property
    def variables(self) -> list[Variable]:
        """Variables of the scale that a checkpoint stores."""
        return [self.value, self.good_steps]

    @property
    def used_up(self) -> bool:
        """Whether it has been halved below one."""
        return bool(self.value.numpy() < 1)

    def learn(self, finite: Tensor) -> None:
        """Update the scale after a step whose gradients were all ``finite`` (bool scalar) or not."""
        steps = tf.where(finite, self.good_steps + 1, 0)
        grown = tf.where(steps >= PATIENCE, 2.0, 1.0)
        self.value.assign(self.value * tf.where(finite, grown, 0.5))
        self.good_steps.assign(steps % PATIENCE)
