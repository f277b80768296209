"""Augmentation of a recording's samples by several transforms, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from asr.arrays import Samples
from asr.data.augment.babble import Babble
from asr.data.utterance import Utterance

VERSION = 1
"""Version of the transforms; raise it when one gives other samples for the same draws, to void cached features."""


class SampleTransform(Protocol):
    """A random transform of samples (N,) float32 → (N',) float32 that leaves its input unchanged."""

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator, /) -> Samples:
        """Return altered samples, by draws of ``rng``."""


@dataclass(frozen=True)
class Step:
    """A transform, its name for display, and the share of recordings that it alters."""

    name: str
    transform: SampleTransform
    share: float = 1.0


@dataclass(frozen=True)
class Alteration:
    """A chain of steps that alter a recording; equal copy numbers give equal samples.

    Attributes:
        steps: steps in the order of the signal path.
        seed: seed of all draws, together with the copy's number and the utterance's id.
    """

    steps: tuple[Step, ...]
    seed: int

    def __call__(self, samples: Samples, sample_rate: int, identity: str, copy: int) -> Samples:
        """Make augmented copy number ``copy`` of the utterance with id ``identity``: (N,) → (N',) float32.

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
        """Recordings that any of the steps may mix in."""
        return tuple(r for step in self.steps for r in getattr(step.transform, "recordings", ()))

    def fingerprint(self, contents: Sequence[str | None]) -> str:
        """Return a digest of all settings, the seed, and ``contents``, the cache keys of ``recordings``."""
        return hashlib.sha256(repr((VERSION, self.seed, self.steps, contents)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Copy:
    """One numbered copy of each utterance by an alteration."""

    alteration: Alteration
    number: int

    def __call__(self, samples: Samples, sample_rate: int, identity: str) -> Samples:
        """Alter the samples (N,) → (N',) of the utterance with id ``identity``.

        Raises:
            AudioError: a recording to be mixed in cannot be read.
        """
        return self.alteration(samples, sample_rate, identity, self.number)


def _apart_from(identity: str, transform: SampleTransform) -> SampleTransform:
    """Return ``transform``; babble then leaves out the utterance itself."""
    return partial(transform, own=identity) if isinstance(transform, Babble) else transform
