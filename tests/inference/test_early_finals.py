"""What is final before the whole reading could know: soon after a pause, before long, on request; and never changed."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import asr
from asr.errors import ConfigError, StreamFinishedError
from asr.inference import Decoding, Segment, StreamingTranscriber, Transcriber, load_model
from asr.inference.acoustic_session import AcousticSession

fake = runpy.run_path(str(Path(__file__).with_name("fake_bundle.py")))
speak, RECORDINGS = fake["speak"], Path(__file__).parents[1] / "recordings"
RATE, NO_PARTIALS = 16_000, {"interval_s": float("inf")}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "tones", margin=3)
    return load_model(folder, threads=1, speech_detector=fake["loud"])


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "tones")
    return load_model(folder, threads=1, speech_detector=fake["loud"], decoding=Decoding(n_best=3))


def said(*parts: str | float) -> np.ndarray:
    """Samples of texts, and of so many seconds of silence."""
    sounds = [speak(p, lead_s=0.0) if isinstance(p, str) else np.zeros(round(p * RATE), np.float32) for p in parts]
    return np.concatenate(sounds)


def finals(
    model: Transcriber, samples: np.ndarray, packet: int = 800, **options: object
) -> list[tuple[float, Segment]]:
    """Each final segment, and the seconds of samples that had come by then."""
    streaming = StreamingTranscriber(model, **(NO_PARTIALS | options))
    found = []
    for at in range(0, len(samples), packet):
        update = streaming.accept(samples[at : at + packet])
        found += [(streaming.heard_s, segment) for segment in update.final]
    return found + [(streaming.heard_s, segment) for segment in streaming.finish().final]


def texts(found: list[tuple[float, Segment]]) -> list[str]:
    return [segment.text for _, segment in found]


# After a pause


@pytest.mark.parametrize("silence_s", [0.2, 0.3, 0.5, 0.8, 1.2])
@pytest.mark.parametrize("before", [0.0, 0.1, 2.0, 7.0, 30.0])
def test_a_word_is_final_within_0_3_s_of_a_pause_that_is_long_enough(
    model: Transcriber, before: float, silence_s: float
) -> None:
    samples = said(before, "BAD", 3.0)
    ((final_s, segment),) = finals(model, samples, endpoint_silence_s=silence_s)
    assert segment.text == "BAD"
    assert min(silence_s, 1.0) <= final_s - (before + 0.5) <= silence_s + 0.3


def test_nothing_is_final_in_a_shorter_pause(model: Transcriber) -> None:
    samples = said(0.3, "BAD ", 0.35, "FACE ", 0.35, "DEAF", 3.0)
    assert texts(finals(model, samples)) == ["BAD FACE DEAF"]
    assert texts(finals(model, samples, endpoint_silence_s=0.2)) == ["BAD", "FACE", "DEAF"]


def test_the_finals_are_the_segments_of_the_whole_where_it_ends_its_chunks_there_too(model: Transcriber) -> None:
    """Pauses of half a second and more, 2 s or more of speech between them."""
    samples = said(0.6, "FACE BAD CAB A", 0.7, "DEAF BEG FADED", 1.5, "A BAD FACADE BAG", 4.0, "BAG FACE CAB A", 1.0)
    whole = model.transcribe(samples).segments
    found = finals(model, samples)
    assert tuple(segment for _, segment in found) == whole and len(whole) == 4
    assert all(final_s - segment.end < 1.0 for final_s, segment in found)


def test_a_recording_of_one_command_is_read_as_the_whole(model: Transcriber) -> None:
    samples = said(1.0, "BAG FADED", 1.4)
    ((final_s, segment),) = finals(model, samples)
    assert (segment,) == model.transcribe(samples).segments and final_s < len(samples) / RATE


@pytest.mark.parametrize("packet", [80, 1_111, 16_000, 1_000_000])
def test_packets_change_nothing(model: Transcriber, packet: int) -> None:
    samples = said(0.4, "BAD", 0.8, "FACE A", 0.6, "CAB " * 30, 2.0, "BEG")
    found = [segment for _, segment in finals(model, samples, 800, max_wait_s=6.0)]
    assert [segment for _, segment in finals(model, samples, packet, max_wait_s=6.0)] == found
    assert len(found) > 6


word = st.text("ABCDEFG", min_size=1, max_size=6)
turns = st.lists(st.tuples(st.lists(word, min_size=1, max_size=12), st.floats(0.0, 2.5)), min_size=1, max_size=6)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(turns=turns, lead_s=st.floats(0, 3), silence_s=st.sampled_from([0.2, 0.5, 0.9, None]), wait_s=st.floats(5, 12))
def test_the_text_of_the_finals_is_that_of_the_whole(
    model: Transcriber, turns: list[tuple[list[str], float]], lead_s: float, silence_s: float | None, wait_s: float
) -> None:
    """A network to which no word is another beside others hears each word once, however it is parted."""
    samples = said(lead_s, *(part for words, pause_s in turns for part in (" ".join([*words, ""]), pause_s)))
    found = finals(model, samples, 1_600, endpoint_silence_s=silence_s, max_wait_s=wait_s)
    assert " ".join(texts(found)) == model.transcribe(samples).text
    times = [s for _, segment in found for w in segment.words for s in (w.start, w.end)]
    assert times == sorted(times)


def test_the_model_that_ships_reads_the_same_after_pauses() -> None:
    model = asr.load_model()
    sample, _ = soundfile.read(RECORDINGS / "sample.wav", dtype="float32")
    pause = np.random.default_rng(0).normal(0, 1e-3, 20_000).astype(np.float32)
    samples = np.concatenate([pause, sample, pause, sample, np.tile(pause, 5), sample, pause])
    whole = model.transcribe(samples)
    found = finals(model, samples, 1_600)
    assert " ".join(texts(found)) == whole.text
    assert all(final_s - segment.end < 0.9 for final_s, segment in found) and len(found) >= 3


# Without a pause


def test_a_word_waits_no_longer_than_was_asked(model: Transcriber) -> None:
    samples = said(0.3, "CAB FACE BAD " * 20)
    found = finals(model, samples, 160, max_wait_s=6.0)
    assert " ".join(texts(found)) == model.transcribe(samples).text
    waits = [final_s - word.end for final_s, segment in found for word in segment.words]
    assert 5.0 < max(waits) <= 6.0
    assert max(f - w.end for f, s in finals(model, samples, max_wait_s=None) for w in s.words) > 40


def test_words_are_parted_at_the_longest_gap_whose_context_was_heard(model: Transcriber) -> None:
    samples = said(0.3, "CAB A " * 4, "FACE", 0.3, " BAD " + "CAB A " * 9)
    first, *_ = texts(finals(model, samples, max_wait_s=9.0))
    assert first == "CAB A " * 4 + "FACE"


def test_speech_without_a_word_that_ends_is_final_at_its_end(model: Transcriber) -> None:
    samples = said(0.3, "ABCDEFG" * 9, 1.0)
    assert texts(finals(model, samples, max_wait_s=5.0)) == ["ABCDEFG" * 9]


# On request


def test_what_was_said_is_final_on_request_and_is_not_said_again(model: Transcriber) -> None:
    streaming = StreamingTranscriber(model)
    streaming.accept(said(0.3, "FACE BAD"))
    update = streaming.finalise()
    assert [s.text for s in update.final] == ["FACE BAD"] and update.partial == update.stable == ""
    assert streaming.finalise().final == ()
    assert streaming.accept(said(" BEG CAB", 0.3)).partial == "BEG CAB"
    assert [s.text for s in streaming.finish().final] == ["BEG CAB"]


def test_nothing_is_final_on_request_where_nothing_was_said(model: Transcriber) -> None:
    streaming = StreamingTranscriber(model)
    assert streaming.finalise().final == ()
    streaming.accept(np.zeros(20_000, np.float32))
    assert streaming.finalise().final == ()


# Partials


def test_a_partial_is_what_was_said_since_the_last_final(model: Transcriber) -> None:
    streaming = StreamingTranscriber(model, interval_s=0.1)
    seen = []
    samples = said(0.3, "BAD", 0.7, "FACE A", 0.2)
    for at in range(0, len(samples), 1_600):
        update = streaming.accept(samples[at : at + 1_600])
        seen.append((" ".join(s.text for s in update.final), update.partial))
    at = seen.index(("BAD", ""))
    assert all(final == "" and "BAD".startswith(partial) for final, partial in seen[:at])
    assert all(final == "" and "FACE A".startswith(partial) for final, partial in seen[at + 1 :])
    assert seen[-1] == ("", "FACE A")


def test_silence_costs_no_network(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = AcousticSession.log_probs
    monkeypatch.setattr(AcousticSession, "log_probs", lambda self, f: calls.append(len(f)) or real(self, f))
    streaming = StreamingTranscriber(model, interval_s=0.1)
    streaming.accept(said(0.3, "BAD"))
    for _ in range(100):
        streaming.accept(said(0.1))
    assert len(calls) <= 10


# Alternatives


def test_parts_of_a_region_have_the_alternatives_of_their_words(several: Transcriber) -> None:
    found = finals(several, said(0.3, "BAD", 0.8, "FACE A CAB " * 8, 1.0), max_wait_s=5.0)
    assert texts(found)[0] == "BAD" and len(found) > 2
    for _, segment in found:
        alternatives = [alternative.text for alternative in segment.n_best]
        assert alternatives[0] == segment.text and len(set(alternatives)) == len(alternatives)
        assert sum(alternative.probability for alternative in segment.n_best) == pytest.approx(1)


# The end


def test_what_is_finished_is_not_said_again_and_does_not_go_on(model: Transcriber) -> None:
    streaming = StreamingTranscriber(model, endpoint_silence_s=None)
    streaming.accept(said(0.3, "BAD", 0.2))
    assert [s.text for s in streaming.finish().final] == ["BAD"]
    assert streaming.finish() == streaming.finish() == asr.inference.Update()
    for call in (lambda: streaming.accept(said("CAB")), streaming.finalise):
        with pytest.raises(StreamFinishedError, match="finished"):
            call()


@pytest.mark.parametrize(
    "wrong", [{"endpoint_silence_s": 0.1}, {"endpoint_silence_s": float("nan")}, {"max_wait_s": 1.0}]
)
def test_times_that_are_too_short(model: Transcriber, wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}=.*seconds are needed"):
        StreamingTranscriber(model, **wrong)
