"""Training that begins with another run's weights, as in fine-tuning to other voices and words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np

from asr.card import NOT_STATED, DataSource, ModelCard
from asr.errors import ConfigError
from asr.features import FrontEnd, Normaliser
from asr.models import AcousticModel
from asr.run_record import Origin, RunRecord
from asr.training.setup import Setup, named
from asr.training.tensor import Variable

_FREE = {"dropout", "phones", "units"}
"""Model options in which the two models may differ; ``units`` by layers that follow the other's."""


def take_over(start: Setup, model: AcousticModel, front_end: FrontEnd, normaliser: Normaliser) -> Normaliser:
    """Copy the weights of ``start`` to ``model``, and return the normalisation to train with.

    This is the normalisation of ``start``, unless this run's front end or kind of normalisation differs (telephone
    speech, say); then it is ``normaliser``, which was fitted to this run's features.

    A model with a phone layer may begin with one without, and one of more recurrent layers with one of fewer: what is
    new then starts from its initial weights.

    Raises:
        ConfigError: the options of the models differ, such as the number of features; the message names them.
    """
    theirs, ours = start.model.options, model.options
    others = [
        f"model.{k} is {theirs[k]!r} there, {ours[k]!r} here" for k in ours.keys() - _FREE if theirs[k] != ours[k]
    ]
    lower, units = ([layer.units for layer in m.recurrent] for m in (start.model, model))
    if units[: len(lower)] != lower:
        others.append(f"model.units is {lower} there, {units} here")
    if others:
        raise ConfigError(f"init_from: {'; '.join(sorted(others))}; give this run the same")
    for source, target in _pairs(start.model, model):
        target.assign(source)
    same = _equal(start.front_end.to_arrays(), front_end.to_arrays()) and type(start.cmvn) is type(normaliser)
    return start.cmvn if same else normaliser


def _pairs(start: AcousticModel, model: AcousticModel) -> Iterator[tuple[Variable, Variable]]:
    """Yield each weight of ``start`` with the one of ``model`` that it is copied to; outputs stay outputs.

    Those of a top layer of another width are left out.
    """
    layers = [
        *zip(start.convolutions, model.convolutions, strict=True),
        *zip(start.recurrent, model.recurrent, strict=False),
        *zip(start.norms[:-1], model.norms[:-1], strict=False),
        *zip(start.norms[-1:], model.norms[-1:], strict=True),
        *zip(start.output_layers, model.output_layers, strict=False),
    ]
    for source, target in layers:
        pairs = zip(source.trainable_variables, target.trainable_variables, strict=True)
        yield from ((ours, theirs) for ours, theirs in pairs if ours.shape == theirs.shape)


def origin(start: Setup) -> Origin:
    """Return the commit and the corpora of ``start``, and a digest of its weights.

    Raises:
        ConfigError: the card in its configuration lacks a key, or one is unknown or not of its type.
    """
    digest = hashlib.sha256()
    for name, value in sorted(named(start.model.trainable_variables).items()):
        digest.update(name.encode() + value.numpy().tobytes())
    return Origin(*_made(start.record), digest.hexdigest())


def _made(record: RunRecord | ModelCard) -> tuple[str, tuple[DataSource, ...]]:
    """Return the commit that trained a model, and the corpora that it was trained on."""
    if isinstance(record, ModelCard):
        return record.trained.commit if record.trained else NOT_STATED, record.data
    return record.commit, record.corpora(record.card.data if record.card else ())


def _equal(theirs: Mapping[str, np.ndarray], ours: Mapping[str, np.ndarray]) -> bool:
    return theirs.keys() == ours.keys() and all(np.array_equal(theirs[k], ours[k]) for k in ours)
