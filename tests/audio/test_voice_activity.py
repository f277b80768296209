"""The detector hears speech, at any level, and nothing else; blocks give what the whole gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.audio import load_audio, voice_activity
from asr.audio.voice_activity import (
    CONTEXT_S,
    FRAME_S,
    HOP_LENGTH,
    SAMPLE_RATE,
    VoiceActivity,
    speech_spans,
)
from asr.errors import BundleCorruptError, BundleNotFoundError

NETWORK = Path(voice_activity.__file__).with_suffix(".onnx")
RECORDINGS = Path(__file__).parents[1] / "recordings"
CONTEXT = round(CONTEXT_S / FRAME_S)


@pytest.fixture(scope="module")
def detector() -> VoiceActivity:
    return VoiceActivity.load()


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    """Two seconds of synthetic speech."""
    return load_audio(RECORDINGS / "sample.wav")


def noise(seconds: float, level_db: float, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))
    return (samples * 10 ** (level_db / 20)).astype(np.float32)


def seconds(spans: list[tuple[int, int]]) -> float:
    return sum(stop - start for start, stop in spans) * FRAME_S


# --- what it hears ------------------------------------------------------------------------------------------------


def test_speech_is_heard(detector: VoiceActivity, sample: np.ndarray) -> None:
    loud = np.abs(sample) > 0.1 * np.abs(sample).max()
    found = speech_spans(detector(sample))
    inside = sum(int(loud[start * HOP_LENGTH : stop * HOP_LENGTH].sum()) for start, stop in found)
    assert inside == loud.sum()


@pytest.mark.parametrize("gain_db", [-40, -20, 10])
def test_a_change_of_level_changes_little(detector: VoiceActivity, sample: np.ndarray, gain_db: float) -> None:
    """Not nothing: what is near the floor of 16 bits changes its distance to it."""
    speaking = sample + noise(len(sample) / SAMPLE_RATE, -50)
    changed = detector(speaking * np.float32(10 ** (gain_db / 20)))
    assert np.abs(changed - detector(speaking)).mean() < 0.02


@pytest.mark.parametrize("level_db", [-100, -80, -60, -40, -20, 0])
def test_steady_white_noise_is_not_speech(detector: VoiceActivity, level_db: float) -> None:
    assert speech_spans(detector(noise(10, level_db))) == []


@pytest.mark.parametrize("frequency_hz", [50, 60, 440, 1000, 3000])
def test_hum_and_tones_are_not_speech(detector: VoiceActivity, frequency_hz: float) -> None:
    t = np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE
    assert speech_spans(detector((0.3 * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32))) == []


def test_digital_silence_and_a_constant_are_not_speech(detector: VoiceActivity) -> None:
    assert speech_spans(detector(np.zeros(5 * SAMPLE_RATE, np.float32))) == []
    assert speech_spans(detector(np.full(5 * SAMPLE_RATE, 0.2, np.float32))) == []


def test_silence_around_speech_is_left_out(detector: VoiceActivity, sample: np.ndarray) -> None:
    silence = np.zeros(5 * SAMPLE_RATE, np.float32)
    spans = speech_spans(detector(np.concatenate([silence, sample, silence])))
    start, stop = spans[0][0] * FRAME_S, spans[-1][1] * FRAME_S
    assert 4.5 < start < 5.5
    assert stop < 5 + len(sample) / SAMPLE_RATE + 0.5


# --- how it computes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 159, 160, 161, 400, 16_000, 16_001])
def test_one_probability_every_10_ms(detector: VoiceActivity, length: int) -> None:
    probabilities = detector(noise(length / SAMPLE_RATE, -20))
    assert probabilities.shape == (1 + length // 160,)
    assert probabilities.dtype == np.float32
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_no_samples_are_one_frame_of_silence(detector: VoiceActivity) -> None:
    assert detector(np.zeros(0, np.float32)).shape == (1,)


def test_blocks_with_context_equal_the_whole(detector: VoiceActivity, sample: np.ndarray) -> None:
    samples = np.tile(sample, 16) + noise(16 * len(sample) / SAMPLE_RATE, -40)
    whole = detector(samples)
    assert len(whole) > 2048, "more than one block within, too"
    for start in range(0, len(whole), 300):
        low = max(start - CONTEXT, 0)
        part = detector(samples[low * HOP_LENGTH : (start + 299 + CONTEXT) * HOP_LENGTH + 1])[start - low :][:300]
        np.testing.assert_allclose(part, whole[start : start + 300], atol=1e-5)


@pytest.mark.parametrize("beyond", [0, 1])
def test_what_is_farther_than_the_context_changes_nothing(
    detector: VoiceActivity, sample: np.ndarray, beyond: int
) -> None:
    """Beyond, one sample outside the reach on each side; not beyond, the last within it."""
    at, reach = 120, 47 * HOP_LENGTH + 200  # an odd frame, the mean of its neighbours, reaches one farther
    changed = sample.copy()
    changed[: at * HOP_LENGTH - reach + 1 - beyond] = 1.0
    changed[at * HOP_LENGTH + reach - 1 + beyond :] = 1.0
    assert reach + HOP_LENGTH <= CONTEXT_S * SAMPLE_RATE
    same = np.isclose(detector(changed)[at], detector(sample)[at], atol=1e-6)
    assert same or not beyond


def test_the_frozen_arrays_are_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    detector = VoiceActivity.load()
    samples = load_audio(RECORDINGS / "sample.wav")
    power = librosa.feature.melspectrogram(
        y=samples, sr=16_000, n_fft=512, win_length=400, hop_length=160, n_mels=40, fmin=60, fmax=7800, norm=None
    )
    ours = np.exp(detector.log_mel(samples))
    np.testing.assert_allclose(ours.T, power + 3e-8, rtol=1e-3, atol=1e-7)


def test_between_two_of_the_networks_frames_is_their_mean(detector: VoiceActivity, sample: np.ndarray) -> None:
    found = detector(sample)[: len(sample) // HOP_LENGTH // 2 * 2 + 1]
    np.testing.assert_allclose(found[1::2], (found[:-1:2] + found[2::2]) / 2, atol=1e-6)


def test_the_first_layer_is_blind_to_level() -> None:
    """Up to the rounding of its weights to 16 bits."""
    graph = onnx.load(NETWORK).graph
    (first,) = (onnx.numpy_helper.to_array(a) for a in graph.initializer if list(a.dims[1:]) == [40, 5])
    assert np.abs(first.astype(np.float32).sum((1, 2))).max() < 2e-3


def test_the_network_is_small() -> None:
    assert NETWORK.stat().st_size <= 200_000


def test_a_network_that_is_not_there_or_another(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError, match=r"none\.onnx"):
        VoiceActivity.load(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no")
    identity = onnx.helper.make_node("Identity", ["power"], ["other"])
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, 257]) for name in ("power", "other")
    ]
    graph = onnx.helper.make_graph([identity], "other", values[:1], values[1:])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "other.onnx")
    for name in ("text.onnx", "other.onnx"):
        with pytest.raises(BundleCorruptError, match=name):
            VoiceActivity.load(tmp_path / name)


# --- spans --------------------------------------------------------------------------------------------------------

PLAIN = {"onset": 0.5, "offset": 0.5, "min_speech_s": 0.0, "min_silence_s": 0.0, "pad_s": 0.0}


def frames(text: str) -> np.ndarray:
    """One frame a character: the probability in tenths."""
    return np.array([int(c) / 10 for c in text])


@pytest.mark.parametrize(
    ("text", "options", "spans"),
    [
        ("", {}, []),
        ("000", {}, []),
        ("999", {}, [(0, 3)]),
        ("0990090", {}, [(1, 3), (5, 6)]),
        ("0444000", {"offset": 0.3}, []),
        ("0454000", {"offset": 0.3}, [(1, 4)]),
        ("0999009990", {"min_silence_s": 0.02}, [(1, 4), (6, 9)]),
        ("0999009990", {"min_silence_s": 0.03}, [(1, 9)]),
        ("0099000", {"min_speech_s": 0.02}, [(2, 4)]),
        ("0099000", {"min_speech_s": 0.03}, []),
        ("0990990", {"min_speech_s": 0.05, "min_silence_s": 0.02}, [(1, 6)]),
        ("0990000", {"pad_s": 0.02}, [(0, 5)]),
        ("9000009", {"pad_s": 0.02}, [(0, 3), (4, 7)]),
        ("900009", {"pad_s": 0.02}, [(0, 6)]),
    ],
)
def test_spans(text: str, options: dict[str, float], spans: list[tuple[int, int]]) -> None:
    assert speech_spans(frames(text), **{**PLAIN, **options}) == spans


@given(st.text("0369", max_size=40), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_spans_are_in_order_apart_and_hold_all_certain_speech(text: str, speech: int, silence: int, pad: int) -> None:
    options = {"min_speech_s": speech * FRAME_S, "min_silence_s": silence * FRAME_S, "pad_s": pad * FRAME_S}
    spans = speech_spans(frames(text), onset=0.5, offset=0.3, **options)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < stop <= len(text) for start, stop in spans)
    covered = {t for start, stop in spans for t in range(start, stop)}
    certain = {t for t, c in enumerate(text) if c in "69"}
    assert certain <= covered or speech > 1


def test_an_offset_above_the_onset_is_refused() -> None:
    with pytest.raises(ValueError, match=r"offset=0\.6 and onset=0\.5"):
        speech_spans(frames("09"), offset=0.6, onset=0.5)


# --- real recordings ----------------------------------------------------------------------------------------------


def within_spans(detector: VoiceActivity, paths: list[Path]) -> tuple[float, float]:
    """Share of the energetic frames, and of all frames, that are within spans."""
    speech, inside, spanned = 0, 0, []
    for path in paths:
        samples = load_audio(path)
        found = np.zeros(1 + len(samples) // HOP_LENGTH, bool)
        for start, stop in speech_spans(detector(samples)):
            found[start:stop] = True
        energetic = standing_out(samples)
        speech, inside = speech + int(energetic.sum()), inside + int((energetic & found).sum())
        spanned.append(found.mean())
    return inside / speech, float(np.mean(spanned))


def standing_out(samples: np.ndarray) -> np.ndarray:
    """Frames (T,) within 25 dB of the recording's loud ones, and 12 dB above its quiet ones."""
    padded = np.pad(samples, (200, 200 + HOP_LENGTH))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 400)[::HOP_LENGTH][: 1 + len(samples) // HOP_LENGTH]
    level = 10 * np.log10((windows**2).mean(1) + 1e-10)
    quiet, loud = np.percentile(level, [5, 95])
    return level > max(min(quiet + 12, loud - 10), loud - 25)


def heard_by_nobody(real_data: Path) -> Iterator[tuple[str, list[Path]]]:
    """Recordings of speakers that the detector was not trained on."""
    yield "AN4", sorted((real_data / "an4" / "wav" / "an4test_clstk").rglob("*.flac"))
    for speaker in ("84", "422"):
        yield "LibriSpeech", sorted((real_data / "LibriSpeech" / "dev-clean" / speaker).rglob("*.opus"))[:10]
    yield "FSDD", sorted((real_data / "free-spoken-digit-dataset" / "recordings").glob("*_theo_1*.wav"))
    for speaker in ("0006", "1044", "2034"):
        yield "children", sorted((real_data / "speechocean762" / "WAVE" / f"SPEAKER{speaker}").glob("*.opus"))


@pytest.mark.real_data
def test_no_speech_of_unheard_speakers_is_lost(detector: VoiceActivity, real_data: Path) -> None:
    for name, paths in heard_by_nobody(real_data):
        assert len(paths) >= 10, name
        recall, _ = within_spans(detector, paths)
        assert recall >= 0.99, name


@pytest.mark.real_data
def test_most_sounds_never_heard_are_not_speech(detector: VoiceActivity, real_data: Path) -> None:
    """Fold 5 of ESC-10; babies, dogs and roosters have throats as well."""
    fold = sorted((real_data / "ESC-10").glob("*/5-*.opus"))
    assert len(fold) == 80
    _, share = within_spans(detector, fold)
    assert share < 0.06
