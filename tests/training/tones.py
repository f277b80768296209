"""A corpus that can be learnt in seconds: each letter is a tone, 8 kHz, written to a folder with its manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from asr.data import Utterance, write_manifest

RATE = 8000
TONES_HZ = {"A": 400, "B": 900, "C": 1700, " ": 0}
TEXTS = ("AB", "BA C", "CAB", "A C", "BC", "CB A", "ABC", "C B", "AC", "BAC")
SPEAKERS = ("ann", "bob")
LEXICON = "".join(f"{word}  {' '.join(word.lower())}\n" for word in sorted({w for text in TEXTS for w in text.split()}))
"""Each word is said by its letters, a phone each."""


def spoken(text: str, seed: int, letter_s: float = 0.12) -> np.ndarray:
    """Samples (N,) of ``text``: a tone a letter, a gap after each, a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(letter_s * RATE)) / RATE
    gap = np.zeros(int(0.04 * RATE))
    parts = [p for letter in text for p in (0.3 * np.sin(2 * np.pi * TONES_HZ[letter] * time), gap)]
    samples = np.concatenate([gap, *parts])
    return (samples + rng.normal(0, 0.003, len(samples))).astype(np.float32)


def utterance(folder: Path, identity: str, text: str, speaker: str = "ann", seed: int = 0) -> Utterance:
    """One recording, written."""
    samples = spoken(text, seed)
    path = folder / f"{identity}.wav"
    soundfile.write(path, samples, RATE)
    return Utterance(identity, str(path), len(samples) / RATE, text, speaker)


def make_corpus(folder: Path) -> Path:
    """``train.jsonl``, every text by each speaker, ``dev.jsonl``, four of them by a third, and ``words.lexicon``."""
    folder.mkdir(parents=True, exist_ok=True)
    train = [
        utterance(folder, f"{s}-{i}", text, s, seed=i + 100 * j)
        for j, s in enumerate(SPEAKERS)
        for i, text in enumerate(TEXTS)
    ]
    dev = [utterance(folder, f"cy-{i}", text, "cy", seed=999 + i) for i, text in enumerate(TEXTS[:4])]
    write_manifest(folder / "train.jsonl", train)
    write_manifest(folder / "dev.jsonl", dev)
    (folder / "words.lexicon").write_text(LEXICON, encoding="utf-8")
    return folder


def tree(corpus: Path, run_dir: Path, **changes: Any) -> dict[str, Any]:
    """A configuration as ``asr train`` composes it, tiny; ``changes`` as ``trainer={"epochs": 3}``."""
    made: dict[str, Any] = {
        "data": {"train": [str(corpus / "train.jsonl")], "dev": str(corpus / "dev.jsonl"), "batch_s": 6.0}
        | {"cache_dir": None, "normaliser": "upper_letters"},
        "features": {"kind": "log_mel", "sample_rate": RATE, "n_fft": 256, "win_length": 200, "hop_length": 80}
        | {"n_mels": 12, "cmvn": "utterance"},
        "augment": {"time_stretch": 0.05, "time_masks": 1, "time_share": 0.05},
        "model": {"cell": "gru", "units": [8], "dropout": 0.1}
        | {"convolution": [{"filters": 4, "kernel": [3, 3], "stride": [2, 2]}]},
        "optimizer": {"learning_rate": 0.02},
        "trainer": {"epochs": 2, "average": 1},
        "run_dir": str(run_dir),
    }
    return {k: v | changes.get(k, {}) if isinstance(v, dict) else v for k, v in made.items()}
