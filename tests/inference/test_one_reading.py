"""A recording has one transcript: whatever stands beside it, and whichever way it comes in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asr
from asr.audio import load_audio
from asr.bundle import shipped_bundles
from asr.corpora.prepare import prepare
from asr.data import read_manifest
from asr.inference import Transcriber, Transcript
from asr.inference.writers import render_transcript

pytestmark = pytest.mark.real_data

DEV_SPEAKERS = {"84", "1462", "1673", "1919", "174", "251", "422", "652"}
RATE = 16_000


@dataclass(frozen=True)
class Alone:
    """Recordings as WAV files of float samples, and the transcript of each by itself."""

    model: Transcriber
    name: str
    paths: list[Path]
    transcripts: list[Transcript]


@pytest.fixture(scope="module", params=[folder.name for folder in shipped_bundles()])
def alone(request: pytest.FixtureRequest, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """Recordings of AN4 and of LibriSpeech, half of each, and one of several of them that is cut into chunks."""
    folder, count = tmp_path_factory.mktemp("one_reading"), request.config.getoption("--recordings") // 2
    prepare("an4", real_data / "an4", folder)
    prepare("librispeech", real_data / "LibriSpeech" / "dev-clean", folder)
    sentences = [u for u in read_manifest(folder / "dev-clean.jsonl") if u.speaker in DEV_SPEAKERS]
    chosen = [some[:: len(some) // count][:count] for some in (read_manifest(folder / "test.jsonl"), sentences)]
    samples = [load_audio(u.audio_filepath, RATE) for some in chosen for u in some]
    samples.append(np.concatenate([*samples[-4:], np.zeros(2 * RATE, np.float32), *samples[:4]]))
    paths = [folder / f"{number}.wav" for number in range(len(samples))]
    for path, one in zip(paths, samples, strict=True):
        soundfile.write(path, one, RATE, subtype="FLOAT")
    model = asr.load_model(request.param)
    yield Alone(model, request.param, paths, [model.transcribe(path) for path in paths])


def test_something_is_said(alone: Alone) -> None:
    assert sum(bool(transcript.text) for transcript in alone.transcripts) >= 0.9 * len(alone.paths)
    assert len(alone.transcripts[-1].segments) > 1


@pytest.mark.parametrize("batch_size", [1, 2, 8, 32])
@pytest.mark.parametrize("order", ["forward", "backward", "shuffled"])
def test_beside_others_in_any_order_and_batch(alone: Alone, order: str, batch_size: int) -> None:
    places = np.arange(len(alone.paths))
    if order == "backward":
        places = places[::-1]
    elif order == "shuffled":
        places = np.random.default_rng(0).permutation(places)
    found = alone.model.transcribe_many([alone.paths[i] for i in places], batch_size)
    assert list(found) == [alone.transcripts[i] for i in places]


def test_from_samples_and_as_a_stream(alone: Alone) -> None:
    for path, transcript in zip(alone.paths, alone.transcripts, strict=True):
        samples, _ = soundfile.read(path, dtype="float32")
        assert alone.model.transcribe(samples) == transcript
        stream = asr.StreamingTranscriber(
            alone.model, interval_s=float("inf"), endpoint_silence_s=None, max_wait_s=None
        )
        final = [s for at in range(0, len(samples), 1777) for s in stream.accept(samples[at : at + 1777]).final]
        assert (*final, *stream.finish().final) == transcript.segments


def test_with_other_readings_beside_it(alone: Alone) -> None:
    """The first of several is the one, and the others are other texts."""
    several = asr.load_model(alone.name, decoding=asr.Decoding(n_best=5))
    for transcript, found in zip(alone.transcripts, several.transcribe_many(alone.paths), strict=True):
        assert isinstance(found, Transcript)
        assert [(s.text, s.words, s.confidence) for s in found.segments] == [
            (s.text, s.words, s.confidence) for s in transcript.segments
        ]
        for segment in found.segments:
            texts = [alternative.text for alternative in segment.n_best] or [segment.text]  # where there is no other
            assert texts[0] == segment.text and len(set(texts)) == len(texts)


def asr_transcribe(*arguments: str | Path, stdin: Path | None = None) -> str:
    command = [sys.executable, "-m", "asr", "transcribe", "-f", "json", *map(str, arguments)]
    with open(stdin or "/dev/null", "rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
    return done.stdout


def test_on_the_command_line(alone: Alone, tmp_path: Path) -> None:
    asr_transcribe(*alone.paths, "--model", alone.name, "-o", tmp_path)
    for path, transcript in zip(alone.paths, alone.transcripts, strict=True):
        assert (tmp_path / f"{path.stem}.json").read_text(encoding="utf-8") == render_transcript(transcript, "json")


def test_on_standard_input(alone: Alone) -> None:
    for path, transcript in list(zip(alone.paths, alone.transcripts, strict=True))[:: len(alone.paths) // 4]:
        assert asr_transcribe("-", "--model", alone.name, stdin=path) == render_transcript(transcript, "json")
