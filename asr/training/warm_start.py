"""Training that begins with another run's weights: fine-tuning to one's own voices and words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from asr.errors import ConfigError
from asr.features import FrontEnd, Normaliser
from asr.models import AcousticModel
from asr.training.setup import Setup, assign, named

_FREE = {"dropout", "phones"}
"""Options of a model that the weights taken over do not depend on."""


def take_over(start: Setup, model: AcousticModel, front_end: FrontEnd, normaliser: Normaliser) -> Normaliser:
    """Give ``model`` the weights of ``start``; the normalisation to train with.

    That is the one the weights were trained with, unless this run's features are others, of telephone speech say: the
    layers that meet them first learn anew, those beyond go on, and ``normaliser`` fits them.

    A model that hears phones may begin with one that hears none, and its phones are then told apart from nothing.

    Raises:
        ConfigError: ``start`` is another kind of model, or has more or fewer features a frame; what differs is named.
    """
    theirs, ours = start.model.options, model.options
    others = [
        f"model.{k} is {theirs[k]!r} there, {ours[k]!r} here" for k in ours.keys() - _FREE if theirs[k] != ours[k]
    ]
    if others:
        raise ConfigError(f"init_from: {'; '.join(sorted(others))}; give this run the same")
    weights = named(start.model.trainable_variables)  # without the seeds of dropout
    taken = {n: v for n, v in named(model.trainable_variables).items() if n in weights}  # those of phones stand last
    assign(taken, {n: v.numpy() for n, v in weights.items() if n in taken})
    alike = _equal(start.front_end.to_arrays(), front_end.to_arrays()) and type(start.cmvn) is type(normaliser)
    return start.cmvn if alike else normaliser


def origin(start: Setup) -> dict[str, Any]:
    """How ``start`` was made, and a digest of its weights: a name may stand for others another day."""
    digest = hashlib.sha256()
    for name, value in sorted(named(start.model.trainable_variables).items()):
        digest.update(name.encode() + value.numpy().tobytes())
    return {**start.record, "weights_sha256": digest.hexdigest()}


def _equal(theirs: Mapping[str, np.ndarray], ours: Mapping[str, np.ndarray]) -> bool:
    return theirs.keys() == ours.keys() and all(np.array_equal(theirs[k], ours[k]) for k in ours)
