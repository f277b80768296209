"""Impulse responses of rooms by the image method: echoes are mirror images of the source (Allen & Berkley 1979).

A source in a box is heard directly and, for each wall or chain of walls, once more from its mirror image, later and
quieter: an image d metres away, mirrored by n walls, arrives d / 343 seconds later with amplitude (-r)^n / d. The walls
reflect with inverted sign, as in Lehmann & Johansson (2008); echoes of one sign would add up at frequencies below the
voice. r is searched so that the sound decays by 60 dB in the given time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPEED_OF_SOUND = 343.0
"""Speed of sound in metres per second."""

_SEARCHES = 3
"""Number of corrections of the reflection r; then nine decay times in ten are within 2 % of the target."""

_FIT_DB = (5, 25)
"""Levels in decibels below the total between which a line is fitted to the decay: T20 of ISO 3382."""


@dataclass(frozen=True)
class Box:
    """A box-shaped room with a source and a microphone; (length, width, height) in metres from one corner."""

    size: tuple[float, float, float]
    source: tuple[float, float, float]
    microphone: tuple[float, float, float]


def impulse_response(box: Box, rt60_s: float, sample_rate: int) -> np.ndarray:
    """Compute the impulse response (L,), from the direct sound (1 at sample 0) until ``rt60_s`` after the impulse."""
    distances, walls = _images(box, rt60_s * SPEED_OF_SOUND)
    reflection = _eyring(box, rt60_s)
    response = _response(distances, walls, reflection, sample_rate)
    for _ in range(_SEARCHES):
        reflection **= decay_time(response, sample_rate) / rt60_s
        response = _response(distances, walls, reflection, sample_rate)
    return response


def decay_time(response: np.ndarray, sample_rate: int) -> float:
    """Measure the seconds in which ``response`` (L,) decays by 60 dB, by Schroeder's (1965) backward integral."""
    level = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))
    first, last = np.searchsorted(-level, _FIT_DB)
    slope = np.polyfit(np.arange(first, last + 2) / sample_rate, level[first : last + 2], 1)[0]
    return float(-60 / slope)


def _images(box: Box, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return distances (I,) of the direct sound and all images within ``reach`` metres, and each one's reflections."""
    axes = [_images_along(*each, reach) for each in zip(box.size, box.source, box.microphone, strict=True)]
    (x, walls_x), (y, walls_y), (z, walls_z) = axes
    squared = (x**2)[:, None, None] + (y**2)[:, None] + z**2
    heard = squared <= max(reach**2, squared.min())
    walls = walls_x[:, None, None] + walls_y[:, None] + walls_z
    return np.sqrt(squared[heard]), walls[heard]


def _images_along(length: float, source: float, microphone: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of the images along one axis relative to the microphone, and each one's reflections."""
    periods = 2 * np.arange(-(most := int(reach / (2 * length)) + 1), most + 1)
    places = np.concatenate([periods * length + source, periods * length - source]) - microphone
    return places, np.abs(np.concatenate([periods, periods - 1]))


def _eyring(box: Box, rt60_s: float) -> float:
    """Return the reflection of sound pressure for which Eyring's formula gives ``rt60_s``."""
    length, width, height = box.size
    volume, surface = length * width * height, 2 * (length * width + length * height + width * height)
    return float(np.exp(-12 * np.log(10) * volume / (SPEED_OF_SOUND * surface * rt60_s)))


def _response(distances: np.ndarray, walls: np.ndarray, reflection: float, sample_rate: int) -> np.ndarray:
    """Place each echo at its delay after the direct sound, interpolated between the two nearest samples."""
    nearest = distances.min()
    amplitudes = ((-reflection) ** np.arange(walls.max() + 1))[walls] * nearest / distances
    times = (distances - nearest) * (sample_rate / SPEED_OF_SOUND)
    before = times.astype(int)
    share = times - before
    count = before.max() + 2
    return np.bincount(before, amplitudes * (1 - share), count) + np.bincount(before + 1, amplitudes * share, count)
