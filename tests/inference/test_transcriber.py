"""Recordings to transcripts, by a bundle that spells tones (fake_bundle.py)."""

from __future__ import annotations

import io
import runpy
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asr
from asr.arrays import LogProbs
from asr.bundle import load_bundle
from asr.data import Utterance
from asr.decoding import BeamDecoder, BeamOptions
from asr.errors import (
    AudioEmptyError,
    AudioFormatError,
    AudioNotFiniteError,
    AudioNotFoundError,
    AudioTooShortError,
    AudioTruncatedError,
    AudioWarning,
    BundleCorruptError,
    BundleError,
    BundleNotFoundError,
    ConfigError,
)
from asr.inference import Segment, Transcriber, Transcript, load_model, texts
from asr.inference.acoustic_session import AcousticSession

fake = runpy.run_path(str(Path(__file__).with_name("fake_bundle.py")))
speak = fake["speak"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "tones")


@pytest.fixture(scope="module")
def model(bundle: Path) -> Transcriber:
    return load_model(bundle, threads=1, speech_detector=fake["loud"])


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "r", recurrent=True)
    return load_model(folder, threads=1, speech_detector=fake["loud"])


def write(path: Path, samples: np.ndarray, rate: int = 16_000, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **more)
    return path


# One recording


def test_a_transcript_is_text_segments_and_duration(model: Transcriber) -> None:
    transcript = model.transcribe(speak("AB CD"))
    assert transcript.text == "AB CD"
    assert transcript.duration == pytest.approx(1.2)
    (segment,) = transcript.segments
    assert segment.text == "AB CD"
    assert [word.text for word in segment.words] == ["AB", "CD"]
    first, second = segment.words
    assert 0 <= segment.start == first.start <= 0.2 and 0.5 <= first.end <= second.start <= 0.8
    assert 1.1 <= second.end == segment.end <= 1.2


def test_silence_has_no_segments(model: Transcriber) -> None:
    assert model.transcribe(np.zeros(16_000)) == Transcript("", (), 1.0)


def test_spaces_at_the_ends_are_no_text(model: Transcriber) -> None:
    assert model.transcribe(speak(" A  B ")).text == "A B"
    assert model.transcribe(speak("  ")).segments == ()


def test_the_same_from_python_s_front_door(bundle: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "recording.wav", speak("FACE"))
    assert asr.load_model(bundle).transcribe(path).text == "FACE"
    assert asr.load_model(str(bundle), precision="float32").transcribe(str(path)).text == "FACE"


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_any_rate_and_channels(model: Transcriber, tmp_path: Path, rate: int, channels: int, suffix: str) -> None:
    samples = np.repeat(speak("AC BA", rate)[:, None], channels, axis=1)
    assert model.transcribe(write(tmp_path / f"r.{suffix}", samples, rate)).text == "AC BA"


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("ogg", {"subtype": "VORBIS"}), ("opus", {"format": "OGG", "subtype": "OPUS"}), ("mp3", {})]
    + [("sph", {"format": "NIST"})],
)
def test_any_format(model: Transcriber, tmp_path: Path, suffix: str, options: dict) -> None:
    assert model.transcribe(write(tmp_path / f"r.{suffix}", speak("AC BA"), **options)).text == "AC BA"


def test_an_array_of_another_rate(model: Transcriber) -> None:
    assert model.transcribe(speak("AC BA", 8_000), sample_rate=8_000).text == "AC BA"
    as_integers = (32767 * speak("AC BA", 44_100)).astype(np.int16)
    assert model.transcribe(as_integers, sample_rate=44_100).text == "AC BA"


def test_a_file_says_its_own_rate(model: Transcriber, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sample_rate=8000 is for arrays"):
        model.transcribe(tmp_path / "r.wav", sample_rate=8_000)


@pytest.mark.parametrize(
    ("samples", "error"),
    [
        (np.zeros((1, 16_000)), AudioFormatError),
        (np.array(["A"]), AudioFormatError),
        (np.zeros(0), AudioEmptyError),
        (np.zeros(160), AudioTooShortError),
        (np.full(16_000, np.inf), AudioNotFiniteError),
    ],
)
def test_arrays_that_are_refused(model: Transcriber, samples: np.ndarray, error: type) -> None:
    with pytest.raises(error):
        model.transcribe(samples)


def test_the_shortest_recording(model: Transcriber) -> None:
    assert model.transcribe(np.zeros(400)).text == ""


# Long recordings


def test_a_long_recording_is_cut_where_it_is_quiet_and_nothing_is_lost(model: Transcriber) -> None:
    """Words of 2 s, 0.5 s apart: each is a segment, at its place."""
    words = ["ABCDEFGABC", "GFEDCBAGFE", "CCCDDDEEEF"] * 20
    spoken = np.concatenate([np.concatenate([speak(w, lead_s=0.0), np.zeros(8_000, np.float32)]) for w in words])
    segments = model.transcribe(spoken).segments
    assert [s.text for s in segments] == words
    for i, segment in enumerate(segments):
        assert 2.5 * i - 0.3 < segment.start <= 2.5 * i + 0.01 and 2.5 * i + 1.9 <= segment.end < 2.5 * i + 2.4


def test_speech_without_silence_is_one_segment_across_its_seams(model: Transcriber) -> None:
    """56 s: two cuts within speech, or three; no letter lost, none doubled, their times not moved."""
    text = "ABCDEFGBADCFE" * 20 + "ABCDEFGBADCFE" + "FACADE"
    (segment,) = model.transcribe(speak(text)).segments
    assert segment.text == text
    assert segment.start <= 0.2 and segment.end == pytest.approx(0.2 * len(text) + 0.1, abs=0.3)


def test_speech_of_minutes_is_parted_between_words(model: Transcriber) -> None:
    words = ["ABCDEFGABC", "GFEDCBAGFE", "CCCDDDEEEF"] * 40
    segments = model.transcribe(speak(" ".join(words))).segments
    assert len(segments) > 3
    assert [word for segment in segments for word in segment.text.split()] == words
    starts = [word.start for segment in segments for word in segment.words]
    assert starts == pytest.approx([0.2 + 2.2 * i for i in range(len(words))], abs=0.35)


def test_log_probs_of_a_long_recording_are_those_of_the_whole(model: Transcriber) -> None:
    """Silence is not skipped, no frame is missing, none moved at a seam."""
    samples = np.concatenate([speak("ABCDEFG" * 6), np.zeros(30 * 16_000, np.float32), speak("ABCDEFG" * 12)])
    whole = model.pipeline.session.log_probs(model.bundle.cmvn(model.bundle.front_end(samples)))
    np.testing.assert_allclose(model.log_probs(samples).characters, whole.characters, atol=1e-4)


def test_a_margin_of_repeated_frames_moves_no_times(model: Transcriber, tmp_path: Path) -> None:
    folder = fake["write_fake_bundle"](tmp_path / "wide", margin=5)
    wide = load_model(folder, threads=1, speech_detector=fake["loud"])
    for text in ("ABBA", "AB CD EF GA " * 20):
        plain, margined = model.transcribe(speak(text)), wide.transcribe(speak(text))
        assert (margined.text, len(margined.segments)) == (plain.text, len(plain.segments))
        for mine, theirs in zip(margined.segments, plain.segments, strict=True):
            assert (mine.start, mine.end) == pytest.approx((theirs.start, theirs.end), abs=0.021)


def test_memory_of_a_long_recording_is_of_chunks(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = AcousticSession.log_probs
    monkeypatch.setattr(AcousticSession, "log_probs", lambda self, f: seen.append(len(f)) or real(self, f))
    model.transcribe(speak("A" * 800))
    assert max(seen) <= 2700 and 16_021 <= sum(seen) <= 1.25 * 16_021


def test_silence_is_not_computed(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = AcousticSession.log_probs
    monkeypatch.setattr(AcousticSession, "log_probs", lambda self, f: seen.append(len(f)) or real(self, f))
    minute = np.zeros(60 * 16_000, np.float32)
    transcript = model.transcribe(np.concatenate([minute, speak("FACE"), minute, speak("BADE"), minute]))
    assert transcript.text == "FACE BADE"
    assert transcript.duration == pytest.approx(182)
    assert sum(seen) < 600
    assert [s.start for s in transcript.segments] == pytest.approx([60.2, 121.2], abs=0.25)


@pytest.mark.parametrize("spoken", ["ABCDEFG", "AB CD "])
def test_memory_does_not_grow_with_the_recording(model: Transcriber, tmp_path: Path, spoken: str) -> None:
    """The worst: speech without an end, in words or in one endless word."""

    def peak(minutes: int) -> int:
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 16_000, 1) as file:
            for _ in range(6 * minutes):
                file.write(speak(spoken * 50, lead_s=0)[:160_000])
        tracemalloc.start()
        try:
            assert sum(len(s.text) for s in model.segments(path)) > 200 * minutes
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert peak(8) < 1.3 * peak(2)


def test_segments_come_before_an_error(model: Transcriber, tmp_path: Path) -> None:
    words = [speak("FACADE"), np.zeros(16_000, np.float32)] * 20
    path = write(tmp_path / "r.flac", np.concatenate(words))
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 1  # no container tells of it before it is decoded
    path.write_bytes(data)
    got = []
    with pytest.raises(AudioTruncatedError):
        for segment in model.segments(path):
            got.append(segment.text)
    assert 12 <= len(got) <= 16 and set(got[:-1]) == {"FACADE"}
    (error,) = model.transcribe_many([path])
    assert isinstance(error, AudioTruncatedError)


def test_of_a_damaged_recording_what_is_good_comes_when_asked_for(model: Transcriber, tmp_path: Path) -> None:
    words = [speak("FACADE"), np.zeros(16_000, np.float32)] * 8
    path = write(tmp_path / "r.wav", np.concatenate(words))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    with pytest.warns(AudioWarning, match="s are missing"):
        whole = model.transcribe(path, salvage=True)
    assert set(whole.text.split()[:5]) == {"FACADE"}
    with pytest.warns(AudioWarning, match="s are missing"):
        assert list(model.transcribe_many([path], salvage=True)) == [whole]
    with pytest.warns(AudioWarning, match="s are missing"):
        assert tuple(model.segments(path, salvage=True)) == whole.segments


def test_segments_come_before_ctrl_c(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    real = AcousticSession.log_probs

    def log_probs(self: AcousticSession, features: np.ndarray) -> LogProbs:
        computed.append(len(features))
        if len(computed) == 4:
            raise KeyboardInterrupt
        return real(self, features)

    monkeypatch.setattr(AcousticSession, "log_probs", log_probs)
    got = []
    with pytest.raises(KeyboardInterrupt):
        for segment in model.segments(np.concatenate([speak("FACADE"), np.zeros(16_000, np.float32)] * 20)):
            got.append(segment.text)
    assert got == ["FACADE"] * 3


# Many recordings


def recordings(folder: Path, count: int = 30) -> tuple[list[Path], list[str]]:
    random = np.random.default_rng(3)
    said = ["".join(random.choice(list("ABCDEFG"), size=random.integers(1, 30))) for _ in range(count)]
    return [write(folder / f"{i}.wav", speak(t)) for i, t in enumerate(said)], said


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_many_are_in_order_whatever_the_batch(model: Transcriber, tmp_path: Path, batch_size: int) -> None:
    paths, said = recordings(tmp_path)
    assert [t.text for t in model.transcribe_many(paths, batch_size)] == said


def test_a_batch_of_mixed_lengths_is_each_alone(recurrent: Transcriber, tmp_path: Path) -> None:
    """The recurrent net sees the whole utterance: were padding to leak in, the texts would differ."""
    paths, _ = recordings(tmp_path, 20)
    alone = [recurrent.transcribe(path) for path in paths]
    assert len({t.text for t in alone}) > 15
    assert list(recurrent.transcribe_many(paths, 8)) == alone


def test_a_beam_over_many_is_each_alone(bundle: Path, tmp_path: Path) -> None:
    opened = load_bundle(bundle)
    beam = BeamDecoder(opened.vocabulary, options=BeamOptions(8), n_best=3)
    searching = Transcriber(opened, beam, threads=1, speech_detector=fake["loud"])
    said = ["CAB", "FACADE " * 8, "BAG", "A " * 12, "FEED BAG", "BEAD"]
    paths = [write(tmp_path / f"{i}.wav", speak(text)) for i, text in enumerate(said)]
    alone = [searching.transcribe(path) for path in paths]
    assert alone[1].segments[0].n_best
    assert list(searching.transcribe_many(paths, batch_size=4)) == alone


def test_log_probs_computed_side_by_side_are_those_of_each_alone(recurrent: Transcriber) -> None:
    random = np.random.default_rng(0)
    features = [random.normal(size=(t, 8)).astype(np.float32) for t in (1, 2, 50, 31, 30) * 20]
    session = recurrent.pipeline.session
    alone = [session.log_probs(one).characters for one in features]
    assert [one.shape for one in alone[:5]] == [(n, 9) for n in (1, 1, 25, 16, 15)]
    with ThreadPoolExecutor(4) as pool:
        for together, one in zip(pool.map(session.log_probs, features), alone, strict=True):
            np.testing.assert_array_equal(together.characters, one)


def test_long_ones_among_short_ones_are_each_alone(recurrent: Transcriber, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    said = ["".join(random.choice(list("ABCDEFG "), size=n)) for n in (3, 700, 20, 350, 5)]
    paths = [write(tmp_path / f"{i}.wav", speak(t)) for i, t in enumerate(said)]
    alone = [recurrent.transcribe(path) for path in paths]
    assert list(recurrent.transcribe_many(paths, 2)) == alone
    assert [t.duration for t in alone] == pytest.approx([0.2 * len(t) + 0.2 for t in said])


def test_errors_are_values_in_their_place(model: Transcriber, tmp_path: Path) -> None:
    good = write(tmp_path / "good.wav", speak("ABBA"))
    (tmp_path / "empty.wav").touch()
    (tmp_path / "cut.wav").write_bytes(good.read_bytes()[:-1])
    (tmp_path / "text.wav").write_text("not audio " * 100)
    names = ["good.wav", "empty.wav", "none.wav", "cut.wav", "good.wav", "text.wav"]
    results = list(model.transcribe_many([tmp_path / n for n in names], batch_size=2))
    kinds = [Transcript, AudioEmptyError, AudioNotFoundError, AudioTruncatedError, Transcript, AudioFormatError]
    assert [type(r) for r in results] == kinds
    assert all(str(tmp_path / n) in str(r) for n, r in zip(names, results, strict=True) if isinstance(r, Exception))


def test_no_recordings_are_no_results(model: Transcriber) -> None:
    assert list(model.transcribe_many([])) == []


def test_results_come_before_all_is_read(model: Transcriber, tmp_path: Path) -> None:
    paths, said = recordings(tmp_path, 3)

    def endless():
        while True:
            yield from paths

    results = model.transcribe_many(endless(), batch_size=1)
    assert [next(results).text for _ in range(7)] == (said * 3)[:7]
    results.close()


def test_utterances_are_spans_of_recordings(model: Transcriber, tmp_path: Path) -> None:
    path = write(tmp_path / "long.flac", np.concatenate([speak("AB"), speak("CDE"), speak("F")]))
    spans = [(0.0, 0.6), (0.6, 0.8), (1.4, 0.4), (9.0, 1.0)]
    utterances = [Utterance(str(i), str(path), d, "", "x", o) for i, (o, d) in enumerate(spans)]
    *found, error = texts(model.transcribe_utterances(utterances, batch_size=2))
    assert found == ["AB", "CDE", "F"]
    assert isinstance(error, AudioTruncatedError)


# Bundles


def test_no_such_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError):
        load_model(tmp_path / "nothing")


def test_a_precision_that_is_not_there(bundle: Path) -> None:
    with pytest.raises(BundleError, match="no int8 model"):
        load_model(bundle, precision="int8")


def test_a_graph_that_is_none(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleCorruptError, match=r"bad\.onnx: ONNX Runtime cannot load it") as caught:
        AcousticSession(tmp_path / "bad.onnx", 9)
    assert "\n" not in str(caught.value)
    assert load_bundle(bundle).precisions == ("float32",)


# What it needs


def test_it_runs_without_the_training_libraries(bundle: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "r.flac", speak("BEAD", 44_100), 44_100)
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"tensorflow", "keras", "librosa", "scipy", "hydra", "omegaconf", "onnx"}}:
            raise ImportError(f"{{name}} is not for transcription")
sys.meta_path.insert(0, Refuse())
import asr
print(asr.load_model({str(bundle)!r}).transcribe({str(path)!r}).text)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("BEAD\n", "")


def test_segments_are_values() -> None:
    assert Segment(0.0, 1.0, "A") == Segment(0.0, 1.0, "A")
    assert len({Segment(0.0, 1.0, "A"), Segment(0.0, 1.0, "A")}) == 1


def test_a_stream(model: Transcriber) -> None:
    file = io.BytesIO()
    soundfile.write(file, speak("CAB"), 16_000, format="FLAC")
    assert model.transcribe(file).text == "CAB"


@pytest.mark.parametrize("threads", [-1, 100_000])
def test_threads_that_no_machine_has_are_refused(threads: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"threads must be 0 to 512, got {threads}"):
        load_model(fake["write_fake_bundle"](tmp_path / "b"), threads=threads)
