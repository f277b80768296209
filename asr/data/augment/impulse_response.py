"""What a room makes of a click: echoes from mirror images of the source behind its walls (Allen & Berkley 1979).

A source in a box is heard directly and, for each wall or chain of walls, once more from its mirror image, later and
quieter: an image d metres away, mirrored by n walls, arrives d / 343 seconds later with amplitude (-r)^n / d. The walls
reflect with the sign turned, as Lehmann & Johansson (2008) have it; echoes that all push the same way would pile up
below the voice. r is searched so that the sound decays by 60 dB in the time asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPEED_OF_SOUND = 343.0
"""Metres a second."""

_SEARCHES = 3
"""Corrections of the walls' reflection; after them nine decays in ten are within 2 % of what was asked."""

_FIT_DB = (5, 25)
"""How far below the whole a decay is measured from and to, by a straight line: T20 of ISO 3382."""


@dataclass(frozen=True)
class Box:
    """A room with a source and a microphone, all in metres from one corner: (length, width, height)."""

    size: tuple[float, float, float]
    source: tuple[float, float, float]
    microphone: tuple[float, float, float]


def impulse_response(box: Box, rt60_s: float, sample_rate: int) -> np.ndarray:
    """(L,) from the direct sound on, which is 1 at sample 0, until ``rt60_s`` after the click."""
    distances, walls = _images(box, rt60_s * SPEED_OF_SOUND)
    reflection = _eyring(box, rt60_s)
    response = _response(distances, walls, reflection, sample_rate)
    for _ in range(_SEARCHES):
        reflection **= decay_time(response, sample_rate) / rt60_s
        response = _response(distances, walls, reflection, sample_rate)
    return response


def decay_time(response: np.ndarray, sample_rate: int) -> float:
    """Seconds in which ``response`` (L,) falls by 60 dB, by Schroeder's (1965) backward integral."""
    level = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))
    first, last = np.searchsorted(-level, _FIT_DB)
    slope = np.polyfit(np.arange(first, last + 2) / sample_rate, level[first : last + 2], 1)[0]
    return float(-60 / slope)


def _images(box: Box, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances (I,) of all images within ``reach`` metres and the direct sound, and how many walls mirror each."""
    axes = [_images_along(*each, reach) for each in zip(box.size, box.source, box.microphone, strict=True)]
    (x, walls_x), (y, walls_y), (z, walls_z) = axes
    squared = (x**2)[:, None, None] + (y**2)[:, None] + z**2
    heard = squared <= max(reach**2, squared.min())
    walls = walls_x[:, None, None] + walls_y[:, None] + walls_z
    return np.sqrt(squared[heard]), walls[heard]


def _images_along(length: float, source: float, microphone: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Places of the images from the microphone along one axis, and the walls that mirror each."""
    periods = 2 * np.arange(-(most := int(reach / (2 * length)) + 1), most + 1)
    places = np.concatenate([periods * length + source, periods * length - source]) - microphone
    return places, np.abs(np.concatenate([periods, periods - 1]))


def _eyring(box: Box, rt60_s: float) -> float:
    """Reflection of sound pressure with which Eyring's formula gives ``rt60_s``."""
    length, width, height = box.size
    volume, surface = length * width * height, 2 * (length * width + length * height + width * height)
    return float(np.exp(-12 * np.log(10) * volume / (SPEED_OF_SOUND * surface * rt60_s)))


def _response(distances: np.ndarray, walls: np.ndarray, reflection: float, sample_rate: int) -> np.ndarray:
    """Echoes at their times after the direct sound, each shared by the two samples around it."""
    nearest = distances.min()
    amplitudes = ((-reflection) ** np.arange(walls.max() + 1))[walls] * nearest / distances
    times = (distances - nearest) * (sample_rate / SPEED_OF_SOUND)
    before = times.astype(int)
    share = times - before
    count = before.max() + 2
    return np.bincount(before, amplitudes * (1 - share), count) + np.bincount(before + 1, amplitudes * share, count)
