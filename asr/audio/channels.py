"""Several channels → one, in which nothing that is said is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from asr.errors import AudioError

HOP_S = 0.1
"""Seconds of which is decided at a time whether the channels cancel each other."""

_CANCELLED = 0.05
"""Share of two channels' mean energy below which their average is taken to be cancelled; of unlike ones it is 0.5."""


class Mixer:
    """Averages the channels; where two cancel each other, as one that is inverted does, takes the first alone.

    The result does not depend on how the samples are cut into blocks.

    Attributes:
        cancelled: samples a channel at which the first was taken alone.
    """

    def __init__(self, rate: int, channels: int) -> None:
        """Begin a recording of ``channels`` at ``rate`` Hz."""
        self.cancelled = 0
        self._hop = max(round(HOP_S * rate), 1)
        self._channels = channels
        self._rest = np.empty((0, channels), np.float32)

    def accept(self, block: np.ndarray) -> np.ndarray:
        """Take samples (n, C) float32; return (m,) of those that can be decided so far."""
        if self._channels != 2:
            return block[:, 0] if self._channels == 1 else _mean(block)
        block = np.concatenate([self._rest, block]) if len(self._rest) else block
        whole = len(block) // self._hop * self._hop
        self._rest = block[whole:]
        return self._mix(block[:whole], self._hop)

    def finish(self) -> np.ndarray:
        """Return the samples (m,) that are left."""
        rest, self._rest = self._rest, self._rest[:0]
        return self._mix(rest, len(rest))

    def over(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield every block (n, C) as one channel (n,); before an error, all of what was good."""
        try:
            for block in blocks:
                if len(mixed := self.accept(block)):
                    yield mixed
        except AudioError:
            if len(rest := self.finish()):
                yield rest
            raise
        if len(rest := self.finish()):
            yield rest

    def _mix(self, block: np.ndarray, hop: int) -> np.ndarray:
        if not len(block):
            return np.empty(0, np.float32)
        mono = _mean(block)
        with np.errstate(invalid="ignore", over="ignore"):  # infinite samples raise an error later
            loud = np.einsum("nc,nc->n", block, block).reshape(-1, hop).sum(1) / self._channels
            left = np.square(mono).reshape(-1, hop).sum(1)
        cancels = left < _CANCELLED * loud
        if cancels.any():
            self.cancelled += hop * int(np.count_nonzero(cancels))
            mono.reshape(-1, hop)[cancels] = block[:, 0].reshape(-1, hop)[cancels]
        return mono


def cancelled(seconds: float) -> str:
    """Return the words of the warning that channels cancelled each other for so long."""
    return f"its channels cancel each other for {seconds:.2f} s; the first one alone was read there"


def _mean(block: np.ndarray) -> np.ndarray:
    """Average the channels (n, C) to (n,)."""
    with np.errstate(invalid="ignore", over="ignore"):
        if block.shape[1] == 2:
            mono: np.ndarray = (block[:, 0] + block[:, 1]) * np.float32(0.5)
            return mono
        mono = block.mean(axis=1)
        return mono
