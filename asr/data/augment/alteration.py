"""A recording as it might have been made elsewhere: several transforms of samples, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from asr.data.augment.babble import Babble
from asr.data.utterance import Utterance

VERSION = 1
"""Raise it when a transform gives other samples for the same draws: what was kept is then computed anew."""


class SampleTransform(Protocol):
    """Samples (N,) float32 → (N',) float32, by the draws of a generator; what is given stays as it is."""

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator, /) -> np.ndarray:
        """Alter once."""


@dataclass(frozen=True)
class Step:
    """A transform, the name that people know it by, and the share of recordings that it alters."""

    name: str
    transform: SampleTransform
    share: float = 1.0


@dataclass(frozen=True)
class Alteration:
    """Steps that alter a recording, each time it is asked for the same copy in the same way.

    Attributes:
        steps: in the order in which sound meets them.
        seed: of all draws, together with the copy's number and the utterance's id.
    """

    steps: tuple[Step, ...]
    seed: int

    def __call__(self, samples: np.ndarray, sample_rate: int, identity: str, copy: int) -> np.ndarray:
        """(N,) → (N',) float32: version ``copy`` of the utterance called ``identity``.

        Raises:
            AudioError: a recording to be mixed in cannot be read.
        """
        rng = np.random.default_rng((self.seed, copy, *identity.encode()))
        for step in self.steps:
            if rng.random() < step.share:
                samples = _apart_from(identity, step.transform)(samples, sample_rate, rng)
        return samples

    @property
    def recordings(self) -> tuple[Utterance, ...]:
        """All that may be mixed in."""
        return tuple(r for step in self.steps for r in getattr(step.transform, "recordings", ()))

    def fingerprint(self, contents: Sequence[str | None]) -> str:
        """Changes with any setting, the seed, and ``contents``, which tell one of ``recordings`` from another."""
        return hashlib.sha256(repr((VERSION, self.seed, self.steps, contents)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Copy:
    """One of the copies that an alteration makes: samples, their rate and the utterance's id → samples."""

    alteration: Alteration
    number: int

    def __call__(self, samples: np.ndarray, sample_rate: int, identity: str) -> np.ndarray:
        """(N,) → (N',); errors as of `Alteration`."""
        return self.alteration(samples, sample_rate, identity, self.number)


def _apart_from(identity: str, transform: SampleTransform) -> SampleTransform:
    """``transform``, but nobody hears himself babble."""
    return partial(transform, own=identity) if isinstance(transform, Babble) else transform
