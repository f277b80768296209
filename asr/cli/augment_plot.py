"""The picture of ``asr augment``: the features of a recording and of its augmented copies, one above the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from asr.features import FrontEnd
from asr.files import write_atomically

_RANGE_DB = 80
_DEVIATIONS = 2.5
"""Standard deviations of normalised features between mid-grey and black or white."""

_TICKS_HZ = (250, 1000, 4000)


@dataclass(frozen=True, eq=False)
class Row:
    """A copy of the recording: its name, its features (T, F), and these as an epoch may use them (T', F)."""

    name: str
    features: np.ndarray
    shown: np.ndarray


def draw_features(rows: Sequence[Row], front_end: FrontEnd, path: Path) -> None:
    """Draw ``rows`` into ``path`` (.png), on one time axis: features left, as an epoch may use them right."""
    figure = Figure(figsize=(13, 0.5 + 1.35 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), 2, sharex=True, sharey=True, squeeze=False)
    images, limits = _levels(rows) if front_end.centres_hz is not None else _cepstra(rows)
    for (left, right), row, image in zip(axes, rows, images, strict=True):
        _draw(left, image, front_end, limits)
        _draw(right, row.shown, front_end, (-_DEVIATIONS, _DEVIATIONS))
        left.set_ylabel(row.name, rotation=0, ha="right", va="center", labelpad=28, fontsize=11)
    axes[0, 0].set_title("features")
    axes[0, 1].set_title("as an epoch may show them")
    longest = max(max(len(row.features), len(row.shown)) for row in rows)
    axes[0, 0].set_xlim(0, longest * front_end.hop_length / front_end.sample_rate)
    for below in axes[-1]:
        below.set_xlabel("seconds")
    with write_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _levels(rows: Sequence[Row]) -> tuple[list[np.ndarray], tuple[float, float]]:
    """Return levels in decibels, and the range in which they are drawn."""
    loudest = max(float(row.features.max()) for row in rows)
    quietest = min(float(row.features.min()) for row in rows)
    return [row.features for row in rows], (max(quietest, loudest - _RANGE_DB), loudest)


def _cepstra(rows: Sequence[Row]) -> tuple[list[np.ndarray], tuple[float, float]]:
    """Standardise cepstra by the first row, since the lowest cepstra are many times as large as the others."""
    first = rows[0].features
    mean, deviation = first.mean(axis=0), np.maximum(first.std(axis=0), 1e-6)
    return [(row.features - mean) / deviation for row in rows], (-_DEVIATIONS, _DEVIATIONS)


def _draw(panel: Any, features: np.ndarray, front_end: FrontEnd, limits: tuple[float, float]) -> None:
    """Draw one image; the times are those of the frames' centres."""
    bands, frames = features.shape[1], len(features)
    end = frames * front_end.hop_length / front_end.sample_rate
    low, high = limits
    panel.imshow(
        features.T, origin="lower", aspect="auto", extent=(0, end, 0, bands), cmap="magma", vmin=low, vmax=high
    )
    if front_end.centres_hz is None:
        return
    heights = np.interp(_TICKS_HZ, front_end.centres_hz, np.arange(bands) + 0.5)
    inside = [i for i, hz in enumerate(_TICKS_HZ) if hz < front_end.centres_hz[-1]]
    panel.set_yticks([heights[i] for i in inside], [f"{_TICKS_HZ[i]} Hz" for i in inside], fontsize=7)
