"""One step of a network that hears phones: both losses count alike, and both outputs learn."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from asr.data import Utterance
from asr.models import AcousticModel
from asr.options import OptimizerOptions
from asr.training.ctc import ctc_loss
from asr.training.dataset import Batch, Example, collate
from asr.training.distribution import Devices
from asr.training.step import TrainStep

V, P = 4, 6
SAID = [((1, 2, 3), (2, 3, 1, 5, 1)), ((3,), (4, 4, 1)), ((2, 2), (2, 1))]


def batch() -> Batch:
    """Three utterances of several lengths."""
    rng = np.random.default_rng(0)
    examples = [
        Example(
            Utterance(f"u{frames}", "x.wav", 1.0, "", "s"),
            rng.normal(size=(frames, 4)).astype(np.float32),
            np.array(labels, np.int32),
            phones=np.array(phones, np.int32),
        )
        for frames, (labels, phones) in zip((24, 15, 18), SAID, strict=True)
    ]
    return collate(examples)


def made(phones: int = P, clip_norm: float = 1e9) -> TrainStep:
    """A step for a model of random weights, the same with and without phones."""
    rng = np.random.default_rng(1)
    model = AcousticModel(
        4, V, phones=phones, cell="gru", units=[5], convolution=[{"filters": 2, "kernel": [3, 3], "stride": [2, 2]}]
    )
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    options = OptimizerOptions(0.1, weight_decay=0.0)
    return TrainStep(model, optimizer=options, clip_norm=clip_norm, precision="float32", devices=Devices())


def losses(model: AcousticModel, found: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    """Means over the batch, of characters and of phones, each by its own columns."""
    logits, lengths = model(found.features, lengths=found.feature_lengths), model.output_lengths(found.feature_lengths)
    characters = ctc_loss(logits[:, :, :V], lengths, found.labels, found.label_lengths)
    return tf.reduce_mean(characters), tf.reduce_mean(
        ctc_loss(logits[:, :, V:], lengths, found.phones, found.phone_lengths)
    )


def test_the_loss_is_that_of_the_characters_and_that_of_the_phones() -> None:
    step = made()
    characters, phones = (float(loss) for loss in losses(step.model, batch()))
    assert characters > 1 and phones > 1
    assert step(batch(), 0.0)[0] == pytest.approx(characters + phones, rel=1e-5)


def test_without_phones_it_is_that_of_the_characters_alone() -> None:
    """The same weights else: those of phones stand last."""
    alone, both = made(phones=0), made()
    characters, _ = losses(both.model, batch())
    assert alone(batch(), 0.0)[0] == pytest.approx(float(characters), rel=1e-5)
    assert len(alone.model.trainable_variables) == len(both.model.trainable_variables) - 1


def test_the_gradient_is_the_sum_of_both_and_reaches_both_outputs() -> None:
    step = made()
    with tf.GradientTape() as tape:
        total = tf.add_n(losses(step.model, batch()))
    gradients = tape.gradient(total, step.model.trainable_variables)
    for layer in step.model.output_layers:
        place = next(i for i, v in enumerate(step.model.trainable_variables) if v is layer.kernel)
        assert np.abs(gradients[place]).max() > 0.01
    assert step(batch(), 0.0)[1] == pytest.approx(float(tf.linalg.global_norm(gradients)), rel=1e-4)


def test_steps_bring_both_losses_down() -> None:
    step = made(clip_norm=1.0)
    before = [float(loss) for loss in losses(step.model, batch())]
    for _ in range(40):
        step(batch(), 0.03)
    after = [float(loss) for loss in losses(step.model, batch())]
    assert all(now < then / 2 for now, then in zip(after, before, strict=True))
    assert step.traces == 1
