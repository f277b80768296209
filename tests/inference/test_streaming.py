"""Streaming equals whole: whatever the packets, the segments are those of the finished recording."""

from __future__ import annotations

import runpy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asr
from asr.errors import AudioFormatError, AudioNotFiniteError, SampleRateError
from asr.inference import Segment, StreamingTranscriber, Transcriber, load_model
from asr.inference.acoustic_session import AcousticSession
from asr.inference.pipeline import Pipeline

fake = runpy.run_path(str(Path(__file__).with_name("fake_bundle.py")))
speak, RECORDINGS = fake["speak"], Path(__file__).parents[1] / "recordings"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "tones", margin=3)
    return load_model(folder, threads=1, speech_detector=fake["loud"])


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "r", recurrent=True)
    return load_model(folder, threads=1, speech_detector=fake["loud"])


@pytest.fixture(scope="module")
def forward(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "f", recurrent=True, directions=1)
    return load_model(folder, threads=1, speech_detector=fake["loud"])


AS_THE_WHOLE = {"endpoint_silence_s": None, "max_wait_s": None}


def stream(model: Transcriber, samples: np.ndarray, packet: int, **options: object) -> tuple[Segment, ...]:
    streaming = StreamingTranscriber(model, **(AS_THE_WHOLE | options))
    final: list[Segment] = []
    for at in range(0, len(samples), packet):
        final += streaming.accept(samples[at : at + packet]).final
    return (*final, *streaming.finish().final)


def spoken() -> np.ndarray:
    """Short and long silences, speech that must be cut within."""
    parts = [speak("FACE"), np.zeros(40_000), speak("AB CD " * 40), np.zeros(300_000), speak("G"), np.zeros(9_000)]
    return np.concatenate([*parts, speak("ABCDEFG" * 9)]).astype(np.float32)


@pytest.mark.parametrize("packet", [320, 1_777, 16_000, 10_000_000])
@pytest.mark.parametrize("kind", ["model", "recurrent", "forward"])
def test_the_segments_are_those_of_the_whole(packet: int, kind: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    assert stream(model, spoken(), packet, interval_s=5.0) == model.transcribe(spoken()).segments


def test_what_was_said_is_there_once(model: Transcriber) -> None:
    text = " ".join(s.text for s in stream(model, spoken(), 4_000, interval_s=9.0))
    assert text == "FACE " + "AB CD " * 40 + "G" + "ABCDEFG" * 9


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_packets_of_another_rate(model: Transcriber, rate: int) -> None:
    samples = np.concatenate([speak("FACE", rate), np.zeros(rate * 5), speak("BADE " * 10, rate)]).astype(np.float32)
    whole = model.transcribe(samples, sample_rate=rate)
    assert stream(model, samples, rate // 50, sample_rate=rate, interval_s=9.0) == whole.segments
    as_integers = (samples * 32768).astype(np.int16)
    assert " ".join(s.text for s in stream(model, as_integers, rate, sample_rate=rate)) == whole.text


def test_the_model_that_ships_hears_the_same_live() -> None:
    """Eight-bit weights, the detector that ships, words with and without pauses between them."""
    model = asr.load_model()
    sample, _ = soundfile.read(RECORDINGS / "sample.wav", dtype="float32")
    pause = np.random.default_rng(0).normal(0, 1e-3, 16_000).astype(np.float32)
    samples = np.concatenate([sample, pause, sample, sample, np.tile(pause, 4), *[sample] * 16, pause])
    whole = model.transcribe(samples)
    assert stream(model, samples, 3_200, interval_s=9.0) == whole.segments
    text = (RECORDINGS / "sample.txt").read_text(encoding="utf-8").strip()
    assert whole.text.startswith(text)


def test_a_partial_is_what_was_heard_so_far(model: Transcriber) -> None:
    streaming = StreamingTranscriber(model, interval_s=0.2)
    samples = np.concatenate([speak("AB CD AB"), np.zeros(64_000, np.float32)])
    updates = [streaming.accept(samples[at : at + 1_600]) for at in range(0, len(samples), 1_600)]
    partials = [u.partial for u in updates]
    assert partials[2] == "" and "AB C" in partials and "AB CD AB" in partials
    assert all(u.partial.startswith(u.stable) for u in updates)
    assert any(u.stable == "AB" for u in updates) and any(u.stable == "AB CD AB" for u in updates)
    for before, after in pairwise(updates):
        assert len(after.partial) >= len(before.partial) or after.final or not after.partial
    finals = [s for u in [*updates, streaming.finish()] for s in u.final]
    assert [s.text for s in finals] == ["AB CD AB"]


def test_a_partial_follows_the_final_before_it(model: Transcriber) -> None:
    streaming = StreamingTranscriber(model, interval_s=0.2)
    samples = np.concatenate([speak("FACADE" * 6), np.zeros(16_000, np.float32), speak("BAG" * 9)])
    final, partial = "", ""
    for at in range(0, len(samples), 1_600):
        update = streaming.accept(samples[at : at + 1_600])
        final += "".join(s.text for s in update.final)
        partial = update.partial
        assert not partial or not final or set(partial) <= set("BAG")
    assert (final, partial) == ("FACADE" * 6, "BAG" * 9)
    assert streaming.finish().partial == ""


@pytest.mark.parametrize(("kind", "is_exact"), [("forward", True), ("recurrent", False)])
def test_one_direction_never_takes_back_what_it_heard(
    kind: str, is_exact: bool, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a partial is read from begins what the final is read from, but for the two frames that are half heard."""
    read: list[np.ndarray] = []
    real = Pipeline.hypotheses
    monkeypatch.setattr(
        Pipeline,
        "hypotheses",
        lambda self, regions: read.extend(r.log_probs.characters for r in regions) or real(self, regions),
    )
    stream(request.getfixturevalue(kind), speak("CAB FEED BAD FACE " * 3), 1_600, interval_s=0.2)
    *partials, final = read
    assert len(partials) > 20
    assert all(np.allclose(p[:-2], final[: len(p) - 2], atol=1e-4) for p in partials) == is_exact


def test_partials_come_only_so_often(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = AcousticSession.log_probs
    monkeypatch.setattr(AcousticSession, "log_probs", lambda self, f: calls.append(len(f)) or real(self, f))
    samples = speak("A" * 25)[: 5 * 16_000]
    stream(model, samples, 160, interval_s=1.0)
    assert len(calls) == 5 + 1


def test_nothing_said(model: Transcriber) -> None:
    assert stream(model, np.zeros(200_000, np.float32), 1_600) == ()
    assert StreamingTranscriber(model).finish().final == ()


@pytest.mark.parametrize(
    ("packet", "error"),
    [(np.zeros((2, 160)), AudioFormatError), (np.full(160, np.nan), AudioNotFiniteError), (["A"], AudioFormatError)],
)
def test_packets_that_are_refused(model: Transcriber, packet: object, error: type) -> None:
    with pytest.raises(error):
        StreamingTranscriber(model).accept(packet)  # type: ignore[arg-type]


def test_a_rate_that_is_refused(model: Transcriber) -> None:
    with pytest.raises(SampleRateError, match="16 Hz"):
        StreamingTranscriber(model, 16)
