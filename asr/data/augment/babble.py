"""Babble noise: several other voices at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from asr.arrays import Samples
from asr.data.augment.mixing import mean_power, mixed
from asr.data.augment.recordings import excerpt
from asr.data.utterance import Utterance

VOICES = (3, 7)
"""Minimum and maximum number of voices, as in Kaldi's babble of MUSAN speech (Snyder et al. 2015)."""


@dataclass(frozen=True)
class Babble:
    """A transform that adds three to seven other utterances of equal power, each cut or looped to length.

    Attributes:
        recordings: recordings of speech, at least eight.
        snr_db: lowest and highest ratio of the mean powers of speech and babble, drawn uniformly in decibels.
    """

    recordings: tuple[Utterance, ...] = field(repr=False)
    snr_db: tuple[float, float]

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator, own: str | None = None) -> Samples:
        """Add babble: samples (N,) → (N,); the utterance with id ``own`` is not among the voices.

        Raises:
            AudioError: a recording drawn cannot be read.
        """
        count = int(rng.integers(VOICES[0], VOICES[1] + 1))
        drawn = [self.recordings[i] for i in rng.choice(len(self.recordings), count + 1, replace=False)]
        others = [r for r in drawn if r.id != own][:count]
        voices = [_even(excerpt(r, len(samples), sample_rate, rng)) for r in others]
        return mixed(samples, np.sum(voices, axis=0), rng.uniform(*self.snr_db))


def _even(samples: Samples) -> Samples:
    """Return ``samples`` scaled to mean power one; silence is unchanged."""
    return samples / np.float32(np.sqrt(mean_power(samples)) or 1)
