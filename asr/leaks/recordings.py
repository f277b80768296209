"""Recordings shared by training and test, whatever their names and containers.

Decoded samples are compared, not the bytes of files: a WAV and the FLAC made from it are the same recording, and so are
files that differ in their tags only, or a span of a long file and a file cut from it. A copy compressed again with loss
has other samples and is not found here; it is found among the shared sentences, as a sentence of the same duration to a
few milliseconds. The samples are hashed at 16 kHz and 16 bits.

Equal samples have equal durations, so only utterances whose durations agree are decoded.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from asr.audio import audio_info, load_audio
from asr.data import Utterance
from asr.errors import AudioError

AGREE_S = 0.01
"""Largest difference between two manifests' durations of one recording: some round to two decimals."""

Watch = Callable[[list[tuple[Utterance, bool]]], Iterable[tuple[Utterance, bool]]]
"""Wraps the list of utterances to decode, each with whether it is of the test, to show progress."""


@dataclass(frozen=True)
class SharedRecordings:
    """Pairs of ids (training, test) with the same samples; ``decoded`` is the number of utterances compared.

    ``failures`` lists, by id, the recordings that could not be read and were not compared.
    """

    pairs: tuple[tuple[str, str], ...]
    decoded: int
    failures: tuple[tuple[str, AudioError], ...]


def shared_recordings(train: Sequence[Utterance], test: Sequence[Utterance], watch: Watch = iter) -> SharedRecordings:
    """Find utterances of ``test`` whose samples equal those of an utterance of ``train``.

    ``watch`` wraps the list of utterances to decode, to show progress.
    """
    tests, trains = _as_long(test, train), _as_long(train, test)
    failures: list[tuple[str, AudioError]] = []
    found: dict[str, list[tuple[str, bool]]] = {}
    for utterance, of_test in watch([*((u, True) for u in tests), *((u, False) for u in trains)]):
        try:
            found.setdefault(_hash(utterance), []).append((utterance.id, of_test))
        except AudioError as error:
            failures.append((utterance.id, error))
    pairs = [
        (train_id, test_id)
        for names in found.values()
        for test_id in (name for name, of_test in names if of_test)
        for train_id in (name for name, of_test in names if not of_test)
    ]
    return SharedRecordings(tuple(pairs), len(tests) + len(trains) - len(failures), tuple(failures))


def _as_long(some: Sequence[Utterance], others: Sequence[Utterance]) -> list[Utterance]:
    """Return the utterances of ``some`` whose duration agrees with one of ``others``."""
    durations = sorted(utterance.duration for utterance in others)

    def nearest(duration: float) -> float:
        at = bisect.bisect_left(durations, duration - AGREE_S)
        return durations[at] if at < len(durations) else float("inf")

    return [utterance for utterance in some if nearest(utterance.duration) <= utterance.duration + AGREE_S]


def _hash(utterance: Utterance) -> str:
    end = utterance.offset + utterance.duration
    to_the_end = abs(audio_info(utterance.audio_filepath).duration - end) <= AGREE_S
    samples = load_audio(
        utterance.audio_filepath,
        offset_s=utterance.offset,
        duration_s=None if to_the_end else utterance.duration,
    )
    return hashlib.sha256(np.round(samples * 32768).clip(-32768, 32767).astype("<i2").tobytes()).hexdigest()
