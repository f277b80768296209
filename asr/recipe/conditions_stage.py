"""The stage that alters the main test set, to evaluate bundles in noise, in a room and by telephone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from asr.audio import load_audio
from asr.data import Utterance
from asr.data.augment import Alteration, Step, find_recordings
from asr.data.augment.additive_noise import AdditiveNoise
from asr.data.augment.simulated_room import SimulatedRoom
from asr.data.augment.telephone import Telephone
from asr.files import write_atomically
from asr.recipe.evaluate_stage import EvaluationSet
from asr.recipe.plan import Condition

SEED = 0
_SAMPLE_RATE = 16_000


def in_condition(test: EvaluationSet, condition: Condition, noise: Sequence[Path], folder: Path) -> EvaluationSet:
    """Return ``test`` with its recordings altered; they are written to ``folder`` as FLAC, where they are not there.

    Args:
        test: the test set as recorded; the same bundles transcribe the altered one.
        condition: the alteration, drawn once for each utterance by its id.
        noise: the folders, patterns or manifests of noise.
        folder: the folder of the altered recordings.

    Raises:
        AudioError: a recording cannot be read.
        ConfigError: there is no noise where ``noise`` says.
    """
    alteration = alteration_of(condition, noise)
    folder.mkdir(parents=True, exist_ok=True)
    altered = {u.id: _altered(u, alteration, folder / f"{place:05}.flac") for place, u in enumerate(test.utterances)}
    readers = [(bundle, [altered[u.id] for u in utterances]) for bundle, utterances in test.readers]
    return EvaluationSet(f"{test.name}, {condition.name}", list(altered.values()), readers, test.tuned_on)


def alteration_of(condition: Condition, noise: Sequence[Path]) -> Alteration:
    """Return the alteration: the room first, then noise, then the telephone, as sound takes its way."""
    steps = []
    if condition.rt60_s is not None:
        steps.append(Step("room", SimulatedRoom(rt60_s=(condition.rt60_s, condition.rt60_s))))
    if condition.snr_db is not None:
        recordings = find_recordings("conditions.noise", [str(path) for path in noise])
        steps.append(Step("noise", AdditiveNoise(recordings, (condition.snr_db, condition.snr_db))))
    if condition.telephone:
        steps.append(Step("telephone", Telephone()))
    return Alteration(tuple(steps), SEED)


def _altered(utterance: Utterance, alteration: Alteration, path: Path) -> Utterance:
    if not path.is_file():
        samples = load_audio(
            utterance.audio_filepath, _SAMPLE_RATE, offset_s=utterance.offset, duration_s=utterance.duration
        )
        samples = alteration(samples, _SAMPLE_RATE, utterance.id, 0)
        with write_atomically(path) as temporary:
            loudest = max(1.0, float(np.abs(samples).max(initial=0.0)))  # what would be clipped is made softer
            soundfile.write(temporary, samples / loudest, _SAMPLE_RATE, format="FLAC")
    return replace(utterance, audio_filepath=str(path), offset=0.0)
