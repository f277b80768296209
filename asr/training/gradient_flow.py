"""How far back in time a gradient reaches in a plain RNN, an LSTM and a GRU: the vanishing gradient, measured.

CTC's loss touches every frame, so nothing is at a distance from it. Here the loss is at one place: the negative
log-probability, at an utterance's last frame T, of the last letter of its transcript,

    L_T = -log softmax(W_hy h_T)[letter],

of one layer that reads forward only. The gradient that reaches the state k frames earlier is

    ∂L_T/∂h_{T-k} = ∂L_T/∂h_T · ∂h_T/∂h_{T-1} · … · ∂h_{T-k+1}/∂h_{T-k},

a product of k Jacobians, which for the plain RNN are diag(1 - h_t²) W_hh (Bengio et al. 1994, Pascanu et al. 2013).
An LSTM's state is the pair (h_t, c_t), and its Jacobian has a block diag(f_t) from cell to cell, which can stay near
one (Hochreiter & Schmidhuber 1997); a GRU's has a term diag(z_t) (Cho et al. 2014).

The measure is ‖∂L_T/∂h_{T-k}‖ / ‖∂L_T/∂h_T‖, one at k = 0, in float64, so that what is tiny does not become zero. It
is taken over real utterances from their first frame on, in networks as initialised, and after some epochs of CTC
training; the networks have equal parameter counts, thus unequal widths.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from asr.checks import check_number
from asr.errors import AudioError, ConfigError
from asr.features import LogMel, UtteranceCmvn
from asr.models import CELLS, AcousticModel
from asr.models.engines import loop
from asr.options import DataOptions, OptimizerOptions, TrainerOptions
from asr.text import Vocabulary, frames_needed
from asr.training.dataset import Example, TrainingSet, collate, compute_features
from asr.training.preflight import find_faults, refuse
from asr.training.reports import Observer
from asr.training.targets import Targets
from asr.training.trainer import Trainer

FEATURES = LogMel()
FRAME_MS = 1000 * FEATURES.hop_length / FEATURES.sample_rate
MEASURED = 200
"""Maximum number of utterances measured."""

_MEASURED_AT_ONCE = 20
_BATCH_FRAMES = 6000


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """The norms of the gradient that reached the earlier frames of each utterance.

    Attributes:
        cell: the name of the cell in ``CELLS``.
        units: number of units H.
        parameters: number of parameters of the recurrent and the output layer.
        epochs: number of epochs trained before; 0 means as initialised.
        norms: (N, K + 1) float64, ‖∂L_T/∂h_{T-k}‖ of N utterances for k = 0 … K.
    """

    cell: str
    units: int
    parameters: int
    epochs: int
    norms: np.ndarray

    def relative(self, quantile: float = 0.5) -> np.ndarray:
        """Return a quantile over utterances of the norms relative to the last frame's norm, (K + 1,)."""
        norms: np.ndarray = np.quantile(self.norms / self.norms[:, :1], quantile, axis=0)
        return norms

    def reach(self, fall: float = 1000.0) -> int | None:
        """Return the least distance in frames at which the median is below 1 / ``fall``, or None if there is none.

        >>> GradientFlow("rnn", 1, 1, 0, np.array([[8.0, 4.0, 2.0]])).reach(fall=3)
        2
        """
        below = np.flatnonzero(self.relative() < 1 / fall)
        return int(below[0]) if below.size else None


def record_gradient_flow(
    manifests: Sequence[str],
    *,
    epochs: int,
    parameters: int,
    reach: int,
    seed: int,
    observers: Sequence[Observer] = (),
) -> Iterator[GradientFlow]:
    """Measure the gradient flow of each cell as initialised and after training, and yield each result when measured.

    Args:
        manifests: manifests of the utterances to train on and to measure with.
        epochs: number of epochs of CTC training.
        parameters: maximum number of parameters of each network.
        reach: the largest distance K in frames; shorter utterances are not measured.
        seed: seed of weights, order and choice of measured utterances.
        observers: observers of the training's steps and epochs.

    Raises:
        PreflightError: utterances cannot be trained on.
        ConfigError: no utterance is long enough, there are too few parameters for one unit, or a number makes no sense.
    """
    options = TrainerOptions(epochs=epochs, average=1, seed=seed)
    check_number("--reach", reach, 1, whole=True)
    examples, vocabulary = _examples(manifests)
    measured = _measured(examples, reach, seed)
    for cell in CELLS:
        units = units_for(cell, parameters, FEATURES.n_mels, len(vocabulary))
        model = make_network(cell, units, len(vocabulary), seed)
        count = model.count_params()
        yield GradientFlow(cell, units, count, 0, gradient_norms(model, measured, reach))
        _train(model, examples, vocabulary, options, observers)
        yield GradientFlow(cell, units, count, epochs, gradient_norms(model, measured, reach))


def units_for(cell: str, parameters: int, num_features: int, vocabulary_size: int) -> int:
    """Return the largest number of units H with G·H·(F + H + biases) + V·H not above ``parameters``, for G gates.

    >>> [units_for(cell, 60_000, 40, 28) for cell in ("rnn", "lstm", "gru")]
    [212, 100, 118]
    """
    gates, biases = CELLS[cell].gates, 2 if CELLS[cell].has_recurrent_bias else 1
    linear = gates * (num_features + biases) + vocabulary_size
    units = int((math.sqrt(linear**2 + 4 * gates * parameters) - linear) / (2 * gates))
    if units < 1:
        raise ConfigError(f"{parameters} parameters make no {cell} of one unit, which has {gates + linear}; give more")
    return units


def make_network(cell: str, units: int, vocabulary_size: int, seed: int) -> AcousticModel:
    """Make a network of one unidirectional layer and the output layer, so that nothing else affects the gradient."""
    keras.utils.set_random_seed(seed)
    return AcousticModel(
        FEATURES.n_mels, vocabulary_size, cell=cell, units=[units], bidirectional=False, layer_norm=False
    )


def gradient_norms(model: AcousticModel, examples: Sequence[Example], reach: int) -> np.ndarray:
    """Compute ‖∂L_T/∂h_{T-k}‖ for k = 0 … ``reach``, (N, reach + 1) float64.

    Each example must have more than ``reach`` frames.
    """
    starts = range(0, len(examples), _MEASURED_AT_ONCE)
    return np.concatenate([_norms(model, examples[i : i + _MEASURED_AT_ONCE], reach) for i in starts])


def _norms(model: AcousticModel, examples: Sequence[Example], reach: int) -> np.ndarray:
    batch = collate(examples)
    last = tf.stack([batch.feature_lengths - 1, np.arange(len(examples), dtype=np.int32)], -1)
    letters = np.array([e.labels[-1] for e in examples])
    layer = model.recurrent[0]
    kernel, recurrent, bias, *recurrent_bias = (tf.cast(w, tf.float64) for w in layer.weights)
    projected = tf.einsum("btf,dfg->dtbg", tf.cast(batch.features, tf.float64), kernel) + bias[:, None, None]
    nudges = tf.zeros((*projected.shape[:3], layer.units), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(nudges)
        hidden = loop.run(layer.spec, projected, recurrent, *recurrent_bias, nudges=nudges)
        logits = tf.gather_nd(hidden[0], last) @ tf.cast(model.output_layer.kernel, tf.float64)
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(letters, logits))
    norms = tf.norm(tape.gradient(loss, nudges)[0], axis=-1).numpy()
    return np.stack([norms[n - 1 - reach : n, b][::-1] for b, n in enumerate(batch.feature_lengths)])


def _examples(manifests: Sequence[str]) -> tuple[list[Example], Vocabulary]:
    utterances, _ = DataOptions(train=manifests, normaliser="upper_letters").split()
    vocabulary = Vocabulary.from_texts(u.text for u in utterances)
    features = compute_features(utterances, FEATURES.front_end())
    refuse(find_faults(utterances, features, Targets(vocabulary), lambda frames: frames).values(), len(utterances))
    normalise = UtteranceCmvn()
    pairs = [(u, f) for u, f in zip(utterances, features, strict=True) if not isinstance(f, AudioError)]
    return [Example(u, normalise(f), vocabulary.encode(u.text)) for u, f in pairs], vocabulary


def _measured(examples: Sequence[Example], reach: int, seed: int) -> list[Example]:
    """Draw at most ``MEASURED`` of the examples with more than ``reach`` frames."""
    enough = [e for e in examples if len(e.features) > reach]
    if not enough:
        longest = max((len(e.features) for e in examples), default=0)
        raise ConfigError(f"no utterance has more than {reach} frames, the longest has {longest}; look less far back")
    drawn = np.random.default_rng(seed).permutation(len(enough))[:MEASURED]
    return [enough[i] for i in drawn]


def _train(
    model: AcousticModel,
    examples: Sequence[Example],
    vocabulary: Vocabulary,
    options: TrainerOptions,
    observers: Sequence[Observer],
) -> None:
    training_set = TrainingSet(examples, _BATCH_FRAMES, options.seed, (), [frames_needed(e.labels) for e in examples])
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            model,
            training_set,
            [],
            vocabulary,
            Path(folder),
            options=options,
            optimizer=OptimizerOptions(0.001),
            observers=observers,
        ).fit()
