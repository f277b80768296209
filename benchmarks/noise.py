"""Words heard in sounds and silence, and what refusing them costs real speech, as a table in benchmarks/README.md.

    python benchmarks/noise.py DATA/ESC-10 MANIFEST [--model BUNDLE]

A recording of ten minutes is the 80 sounds of one fold of ESC-10 in random order, five seconds each, with 2.5 s of
silence after each: digital, or faint white noise. All folds but 5 taught the voice-activity detector. The utterances
of the manifest are read as they are, within three seconds of silence on either side, so that none is short enough to
be read without asking where speech is, and so with a sound of fold 5 running throughout, 10 dB below the speech.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile
from tables import write_table

from asr.audio import load_audio
from asr.audio.voice_activity import VoiceActivity
from asr.data import Utterance, read_manifest
from asr.evaluation import error_rate
from asr.inference import Transcriber, load_model, texts
from asr.inference.chunker import Chunker
from asr.provenance import provenance

RATE = 16_000
SILENCE_S, AROUND_S, SNR_DB = 2.5, 3.0, 10.0
FOLDS, UNHEARD = "12345", "5"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sounds", type=Path, help="the folder of ESC-10")
    parser.add_argument("manifest", type=Path, help="utterances that must survive")
    parser.add_argument("--model", help="default: the bundle that ships")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    folds = {fold: sounds_and_silence(arguments.sounds, fold, arguments.seed) for fold in FOLDS}
    words = {fold: words_in(model, samples) for fold, samples in folds.items()}
    minutes = sum(map(len, folds.values())) / RATE / 60
    utterances = list(read_manifest(arguments.manifest))
    rows = [
        f"| sounds never heard and silence, ten minutes | {words[UNHEARD]} words |",
        f"| all sounds and silence, per ten minutes | {sum(words.values()) * 10 / minutes:.1f} words |",
        *survival(model, utterances, arguments.sounds, arguments.seed),
        f"| where speech is, processor seconds a second | {cost(folds[UNHEARD]):.5f} |",
    ]
    made = provenance(arguments.seed)
    text = (
        f"`python benchmarks/noise.py ESC-10 {arguments.manifest}`, bundle {model.bundle.card.name}, "
        f"{len(utterances)} utterances.\n\n| what is heard | |\n|---|---|\n" + "\n".join(rows) + "\n\n"
        f"{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}."
    )
    write_table("noise.py", text)


def sounds_and_silence(folder: Path, fold: str, seed: int) -> np.ndarray:
    """Samples (N,): every sound of a fold, and a silence after each."""
    paths = sorted(folder.glob(f"*/{fold}-*.opus"))
    if not paths:
        raise SystemExit(f"{folder}: no sounds of fold {fold}, such as '001 - Dog bark/{fold}-….opus'")
    random = np.random.default_rng(seed)
    parts = []
    for i, place in enumerate(random.permutation(len(paths))):
        faint = random.normal(0, 1e-4, round(SILENCE_S * RATE)) * (i % 2)
        parts += [load_audio(paths[place]), faint.astype(np.float32)]
    return np.concatenate(parts)


def words_in(model: Transcriber, samples: np.ndarray) -> int:
    """Words that ``model`` reads in a file of these samples."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recording.wav")
        soundfile.write(path, samples, RATE, subtype="PCM_16")
        return len(model.transcribe(path).text.split())


def survival(model: Transcriber, utterances: Sequence[Utterance], sounds: Path, seed: int) -> list[str]:
    """Rows of the error rates of real speech."""
    random = np.random.default_rng(seed)
    unheard = [load_audio(path) for path in sorted(sounds.glob(f"*/{UNHEARD}-*.opus"))]
    alone = [load_audio(u.audio_filepath, RATE, offset_s=u.offset, duration_s=u.duration) for u in utterances]
    framed = [np.pad(samples, round(AROUND_S * RATE)) for samples in alone]
    noisy = [with_sound(samples, unheard[random.integers(len(unheard))]) for samples in framed]
    rows = [wer_row("utterances as they are", utterances, map(str, texts(model.transcribe_utterances(utterances))))]
    for name, recordings in [
        ("within silence", framed),
        (f"within silence, and throughout a sound at {SNR_DB:.0f} dB", noisy),
    ]:
        rows.append(wer_row(name, utterances, (model.transcribe(samples, RATE).text for samples in recordings)))
    return rows


def with_sound(samples: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """An utterance within silence (N,), and a sound throughout, `SNR_DB` below the utterance's mean power."""
    sound = np.resize(sound, len(samples))
    power = (samples**2).sum() / (len(samples) - 2 * AROUND_S * RATE)
    mixed = samples + sound * np.sqrt(power / max((sound**2).mean(), 1e-10) / 10 ** (SNR_DB / 10))
    return (mixed / max(np.abs(mixed).max(), 1)).astype(np.float32)


def wer_row(name: str, utterances: Sequence[Utterance], texts: Iterable[str]) -> str:
    """One error rate, as a row."""
    rate = error_rate([u.text for u in utterances], list(texts))
    return f"| {name} | {100 * rate.rate:.2f} % of words wrong |"


def cost(samples: np.ndarray) -> float:
    """Processor seconds of all threads, a second of samples, to cut them."""
    chunker = Chunker(VoiceActivity.load())
    begun = time.process_time()
    for at in range(0, len(samples), RATE):
        chunker.accept(samples[at : at + RATE])
    chunker.finish()
    return (time.process_time() - begun) / (len(samples) / RATE)


if __name__ == "__main__":
    main()
