"""One update of the weights by a batch: loss, gradient, AdamW, on one device or the sum over several."""

from __future__ import annotations

import keras
import tensorflow as tf

from asr.models import AcousticModel
from asr.options import OptimizerOptions
from asr.training.ctc import ctc_loss
from asr.training.dataset import Batch
from asr.training.distribution import Devices
from asr.training.precision import LossScale
from asr.training.setup import named
from asr.training.tensor import Tensor, Variable

Gradients = list[tuple[Tensor, Variable]]
"""Gradients, each with its variable."""


class SummedAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW for gradients that are already summed over the replicas, as clipping by the global norm requires."""

    def _all_reduce_sum_gradients(self, grads_and_vars: Gradients) -> Gradients:
        """Return the gradients as they are; Keras would sum them again."""
        return grads_and_vars


class TrainStep:
    """A training step that updates ``model`` by a batch at a learning rate, traced to a graph once for all shapes.

    Attributes:
        optimizer: the optimizer with its moments.
        loss_scale: the loss scale for float16, None otherwise.
        traces: how often the graph has been traced.
    """

    def __init__(
        self, model: AcousticModel, *, optimizer: OptimizerOptions, clip_norm: float, precision: str, devices: Devices
    ) -> None:
        self.model, self.clip_norm, self.devices, self.traces = model, clip_norm, devices, 0
        with devices.strategy.scope():
            self.optimizer = SummedAdamW(0.0, weight_decay=optimizer.weight_decay)
            self.optimizer.build(model.trainable_variables)
            self.loss_scale = LossScale() if precision == "mixed_float16" else None
        self._graph = tf.function(self._step, input_signature=self._signature())

    @property
    def variables(self) -> dict[str, Variable]:
        """Variables that a step changes: weights, seeds of dropout, moments, the count of updates, the loss scale."""
        scale = self.loss_scale.variables if self.loss_scale else []
        groups = {"model": self.model.variables, "optimizer": self.optimizer.variables, "loss_scale": scale}
        return {f"{group}/{n}": v for group, variables in groups.items() for n, v in named(variables).items()}

    def __call__(self, batch: Batch, rate: float) -> tuple[float, float]:
        """Update the weights; return loss before and gradient norm of the batch, not finite if skipped."""
        self.optimizer.learning_rate.assign(rate)
        labels = (batch.labels, batch.label_lengths, batch.phones, batch.phone_lengths)
        rows = (batch.features, batch.feature_lengths, *labels, batch.weights)
        loss, norm = self._graph(*map(tf.convert_to_tensor, rows), tf.constant(batch.utterances, tf.float32))
        return float(loss), float(norm)

    def _signature(self) -> list[tf.TensorSpec]:
        """Leave every size open, so that the step is traced once and a resumed run computes by the same graph."""
        lengths = tf.TensorSpec((None,), tf.int32)
        features = tf.TensorSpec((None, None, self.model.options["num_features"]), tf.float32)
        labels, weights = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.float32)
        return [features, lengths, labels, lengths, labels, lengths, weights, tf.TensorSpec((), tf.float32)]

    def _step(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        self.traces += 1
        strategy = self.devices.strategy
        loss, norm, gradients = strategy.run(self._gradients, batch)
        loss, norm = self.devices.first(loss), self.devices.first(norm)
        if self.loss_scale is None:
            strategy.run(self._update, (gradients,))
        else:
            finite = tf.math.is_finite(norm)
            tf.cond(finite, lambda: strategy.run(self._update, (gradients,)), lambda: None)
            self.loss_scale.learn(finite)
        return loss, norm

    def _gradients(self, *batch: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Compute, on each replica, the batch's loss, the gradients' norm and the clipped gradients."""
        *rows, utterances = batch
        features, feature_lengths, *targets, weights = self.devices.own_rows(*rows)
        scale = self.loss_scale.value if self.loss_scale else None
        with tf.GradientTape() as tape:
            logits = self.model(features, lengths=feature_lengths, training=True)
            losses = self._losses(logits, self.model.output_lengths(feature_lengths), *targets)
            loss = tf.reduce_sum(losses * weights) / utterances
            target = loss if scale is None else loss * scale
        gradients = tape.gradient(target, self.model.trainable_variables)
        if scale is not None:
            gradients = [g / scale for g in gradients]
        loss, *gradients = self.devices.summed([loss, *gradients])
        gradients, norm = tf.clip_by_global_norm(gradients, self.clip_norm)
        return loss, norm, gradients

    def _losses(
        self,
        logits: Tensor,
        logit_lengths: Tensor,
        labels: Tensor,
        label_lengths: Tensor,
        phones: Tensor,
        phone_lengths: Tensor,
    ) -> Tensor:
        """Compute the losses (B,) of the characters, plus those of the phones where the model outputs them."""
        split = self.model.options["vocabulary_size"]
        losses = ctc_loss(logits[..., :split], logit_lengths, labels, label_lengths)
        if self.model.phone_layer is None:
            return losses
        return losses + ctc_loss(logits[..., split:], logit_lengths, phones, phone_lengths)

    def _update(self, gradients: list[Tensor]) -> None:
        self.optimizer.apply(gradients, self.model.trainable_variables)
