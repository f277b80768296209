"""One long recording of a manifest's utterances, whose every word is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from asr.alignment.align import align_utterance
from asr.audio import load_audio
from asr.data import Utterance
from asr.inference import Transcriber, Word
from asr.text import normalise

GAPS_S = (0.3, 1.5)


@dataclass(frozen=True)
class Placed:
    """An utterance and the second of the long recording at which it begins."""

    utterance: Utterance
    start_s: float


def stitch(utterances: Sequence[Utterance], seconds: float, path: Path, rate: int, seed: int) -> list[Placed]:
    """Write a WAV of ``seconds`` or a little more, less where ``utterances`` are fewer; say where each of them is.

    Speakers come one after the other in an order drawn by ``seed``, each with his utterances in theirs. Between two
    utterances lies a gap of `GAPS_S`, drawn too: noise as loud as the pauses of the utterance before it.
    """
    random = np.random.default_rng(seed)
    placed: list[Placed] = []
    written = 0
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        for utterance in _by_speaker(utterances, random):
            if written >= seconds * rate:
                break
            placed.append(Placed(utterance, written / rate))
            span = {"offset_s": utterance.offset, "duration_s": utterance.duration}
            samples = load_audio(utterance.audio_filepath, rate, **span)
            gap = brown_noise(samples, round(random.uniform(*GAPS_S) * rate), rate, random)
            file.write(np.concatenate([samples, gap]))
            written += len(samples) + len(gap)
    return placed


def _by_speaker(utterances: Sequence[Utterance], random: np.random.Generator) -> list[Utterance]:
    speakers = sorted({u.speaker or "" for u in utterances})
    place = {speaker: i for i, speaker in enumerate(random.permutation(speakers).tolist())}
    return sorted(utterances, key=lambda u: place[u.speaker or ""])


def brown_noise(samples: np.ndarray, count: int, rate: int, random: np.random.Generator) -> np.ndarray:
    """Brown noise, slow waves removed, at the level of the quietest twentieth of ``samples``."""
    hop = rate // 100
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    level = np.percentile(np.sqrt((frames**2).mean(axis=1)), 5)
    walk = np.cumsum(random.normal(size=count))
    walk -= np.convolve(walk, np.full(200, 1 / 200), mode="same")
    return (walk / walk.std() * level).astype(np.float32)


def spoken_words(model: Transcriber, placed: Placed) -> list[Word]:
    """The reference's words at their seconds of the long recording, by forced alignment of the utterance alone."""
    text = normalise(placed.utterance.text, model.bundle.normaliser)
    aligned = align_utterance(model, replace(placed.utterance, text=text))
    shift = placed.start_s - placed.utterance.offset
    return [
        replace(word, start=word.start + shift, end=word.end + shift)
        for segment in aligned.segments
        for word in segment.words
    ]
