"""Where what is heard is cut. Speech is noise here, and the ear for it hears loudness."""

from __future__ import annotations

import runpy
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio import resample
from asr.inference.chunker import Chunk, Chunker
from asr.inference.speech_probabilities import all_speech
from asr.inference.speech_tracker import ChunkingOptions

RATE = 16_000

loud = runpy.run_path(str(Path(__file__).with_name("fake_bundle.py")))["loud"]


def sound(*seconds: float, rate: int = RATE) -> np.ndarray:
    """Silence, noise, silence, noise, … of these lengths."""
    random = np.random.default_rng(0)
    parts = [random.uniform(-0.5, 0.5, round(s * rate)) * (i % 2) for i, s in enumerate(seconds)]
    return np.concatenate(parts).astype(np.float32)


def cut(samples: np.ndarray, packet: int | None = None, activity=loud, **options: object) -> list[Chunk]:
    chunker = Chunker(activity, **options)
    step = packet or max(len(samples), 1)
    chunks = [p for at in range(0, len(samples), step) for p in chunker.accept(samples[at : at + step])]
    return [*chunks, *chunker.finish()]


def cores_s(chunks: list[Chunk]) -> list[tuple[float, float]]:
    return [(p.span.core_start / RATE, p.span.core_stop / RATE) for p in chunks]


# Silence


def test_a_recording_of_six_seconds_is_one_chunk_where_it_has_speech() -> None:
    (chunk,) = cut(sound(1, 0.1, 3.2, 0.3, 1.4))
    span = chunk.span
    assert span.core_start == span.start and span.core_stop == span.stop
    assert (span.start / RATE, span.stop / RATE) == pytest.approx((0.5, 5.1), abs=0.02)
    np.testing.assert_array_equal(chunk.samples, sound(1, 0.1, 3.2, 0.3, 1.4)[span.start : span.stop])
    assert len(cut(sound(1, 0.1, 3.2, 0.3, 1.4001))) == 2
    assert len(cut(sound(1, 0.1, 4.9))) == 1
    assert cut(sound(1, 0.08, 4.92)) == []
    assert cut(np.zeros(96_001, np.float32)) == cut(np.zeros(96_000, np.float32)) == []


def test_a_short_recording_keeps_as_much_silence_as_a_chunk_of_a_longer_one() -> None:
    """Half a second before its speech, and after it what a live chunk has that a pause ends."""
    assert cores_s(cut(sound(0.4, 2, 0.4))) == [(0, 2.8)]
    assert cores_s(cut(sound(0.7, 2, 0.9))) == [pytest.approx((0.2, 2.96), abs=0.02)]
    assert cores_s(cut(sound(0.7, 2, 0.9), activity=all_speech)) == [(0, 3.6)]


def test_a_cut_is_in_the_silence() -> None:
    first, second = cores_s(cut(sound(0, 5, 0.8, 5)))
    assert first[0] == 0 and 5.2 < first[1] <= second[0] < 5.8 and second[1] == 10.8


def test_a_silence_shorter_than_half_a_second_is_no_end() -> None:
    assert len(cut(sound(0, 5, 0.47, 5))) == 1
    assert len(cut(sound(0, 5, 0.53, 5))) == 2


def test_a_silence_within_the_first_two_seconds_is_no_end() -> None:
    assert len(cut(sound(0, 1, 0.9, 5))) == 1
    assert len(cut(sound(0, 1.6, 0.9, 5))) == 2


def test_half_a_second_of_silence_stays_beside_speech_and_the_rest_is_skipped() -> None:
    (only,) = cores_s(cut(sound(60, 4, 60)))
    assert only[0] == pytest.approx(59.5, abs=0.02)
    assert 64.2 < only[1] < 64.6
    (first, second) = cores_s(cut(sound(60, 4, 20, 1)))
    assert second == pytest.approx((83.5, 85), abs=0.02)


# What is hardly speech


def unsure(samples: np.ndarray) -> np.ndarray:
    """Whatever sounds might be speech; what is loud is."""
    frames = loud(samples)
    return np.where(loud(samples / 40) > 0, frames, frames * np.float32(0.6))


@pytest.mark.parametrize(("confident_speech_s", "chunks"), [(0.0, 0), (0.08, 0), (0.12, 1)])
def test_what_is_confident_speech_speech_for_less_than_a_tenth_of_a_second_is_none(
    confident_speech_s: float, chunks: int
) -> None:
    samples = np.concatenate([sound(4, 2), sound(0, 1)])
    samples[: 7 * RATE] = np.sign(samples[: 7 * RATE]) * 0.2
    samples[5 * RATE : round((5 + confident_speech_s) * RATE)] *= 4
    assert len(cut(np.concatenate([samples, sound(4)]), activity=unsure)) == chunks


def test_nothing_is_open_until_it_is_confident_speech_speech() -> None:
    chunker, samples = Chunker(unsure), np.sign(sound(5, 5)) * np.float32(0.2)
    chunker.accept(samples)
    assert not chunker.foreseen().chunks
    chunker.accept(4 * samples[-2 * RATE :])
    assert chunker.foreseen().is_open


def test_a_minute_that_is_never_confident_speech_speech_is_none() -> None:
    assert cut(np.sign(sound(0, 60)) * np.float32(0.2), activity=unsure) == []


def test_what_is_confident_speech_speech_once_continues_being_speech() -> None:
    samples = np.sign(sound(0, 60)) * np.float32(0.2)
    samples[RATE : 2 * RATE] *= 4
    assert [p.span.continues for p in cut(samples, activity=unsure)] == [True, True, True, False]


# Speech without silence


def test_speech_of_a_minute_is_cut_with_what_is_around_heard_on_both_sides() -> None:
    samples = sound(0, 60)
    chunks = cut(samples)
    assert len(chunks) >= 3
    assert [p.span.continues for p in chunks] == [True] * (len(chunks) - 1) + [False]
    for left, right in pairwise(chunks):
        seam = left.span.core_stop
        assert right.span.core_start == seam
        assert (left.span.stop - seam, seam - right.span.start) == (24_000, 24_000)
    for chunk in chunks:
        assert len(chunk.samples) <= 27 * RATE
        np.testing.assert_array_equal(chunk.samples, samples[chunk.span.start : chunk.span.stop])


def test_the_seam_is_in_the_longest_pause() -> None:
    """Words 0.1 s apart, and at 17 s a pause of 0.3 s."""
    words = np.tile(sound(0.1, 0.6), 60)
    samples = np.concatenate([words[: 17 * RATE], np.zeros(4_800, np.float32), words[17 * RATE :]])
    first, *_ = cores_s(cut(samples))
    assert 17.05 < first[1] < 17.25


def test_where_nothing_is_less_like_speech_the_seam_is_where_it_is_quietest() -> None:
    samples = sound(0, 40)
    samples[round(18.5 * RATE) : round(18.8 * RATE)] *= 0.1
    first, *_ = cores_s(cut(samples, activity=all_speech))
    assert 18.55 < first[1] < 18.75


def test_all_speech_skips_nothing() -> None:
    chunks = cut(sound(30, 5, 40.3), activity=all_speech)
    spans = [p.span for p in chunks]
    assert spans[0].core_start == 0 and spans[-1].core_stop == round(75.3 * RATE)
    assert all(a.core_stop == b.core_start and a.continues for a, b in pairwise(spans))


def test_places_are_on_the_grid() -> None:
    for chunk in cut(sound(7.123, 30.4, 0.9, 3.3, 4), grid=480):
        places = [chunk.span.start, chunk.span.core_start, chunk.span.core_stop, chunk.span.stop]
        assert all(place % 480 == 0 for place in places[: 3 if chunk.span.continues else 2])


# Packets


recording = st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 9)), min_size=1, max_size=5)


@settings(max_examples=20)
@given(spoken=recording, packets=st.lists(st.integers(1, 40_000), min_size=1, max_size=6))
def test_packets_change_nothing(spoken: list[tuple[float, float]], packets: list[int]) -> None:
    samples = sound(*(s for pair in spoken for s in pair))
    whole = cut(samples, grid=320)
    chunker, parts, at = Chunker(loud, grid=320), [], 0
    while at < len(samples):
        for packet in packets:
            parts += chunker.accept(samples[at : at + packet])
            at += packet
    parts += chunker.finish()
    assert [p.span for p in parts] == [p.span for p in whole]
    for part, chunk in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(part.samples, chunk.samples)


@settings(max_examples=20)
@given(spoken=recording)
def test_what_sounds_is_in_exactly_one_core(spoken: list[tuple[float, float]]) -> None:
    samples = sound(*(s for pair in spoken for s in pair))
    held = np.zeros(len(samples), int)
    for chunk in cut(samples, options=ChunkingOptions(max_chunk_s=8)):
        held[chunk.span.core_start : chunk.span.core_stop] += 1
        assert chunk.span.core_stop - chunk.span.core_start <= 8 * RATE
    assert held.max() <= 1 and (held[samples != 0] == 1).all()


def test_another_rate_is_heard_at_16_khz() -> None:
    slow = sound(2, 5, 2, 20, rate=8_000)
    at_8 = cut(slow, sample_rate=8_000)
    at_16 = cut(resample(slow, 8_000, RATE))
    assert len(at_8) == len(at_16) == 2
    for a, b in zip(at_8, at_16, strict=True):
        assert 2 * a.span.core_start == pytest.approx(b.span.core_start, abs=320)
        assert 2 * a.span.core_stop == pytest.approx(b.span.core_stop, abs=320)


# What is not decided yet


def test_while_somebody_speaks_what_was_heard_since_the_last_cut_is_foreseen() -> None:
    chunker, samples = Chunker(loud), sound(0, 5, 1, 5)
    assert not chunker.foreseen().chunks
    chunker.accept(samples[: 2 * RATE])
    assert len(chunker.foreseen().chunks[0].samples) == 2 * RATE
    (first,) = chunker.accept(samples[2 * RATE : 10 * RATE])
    foreseen = chunker.foreseen()
    (chunk,) = foreseen.chunks
    assert foreseen.is_open and foreseen.pause_s == 0
    assert first.span.core_stop <= chunk.span.core_start == chunk.span.start < 6 * RATE
    np.testing.assert_array_equal(chunk.samples, samples[chunk.span.start : 10 * RATE])


@pytest.mark.parametrize("pause_s", [0.52, 0.7, 1.3, 4.0])
@pytest.mark.parametrize("seconds", [(0.3, 0.4), (0.3, 3), (9, 0.4), (9, 3, 0.2, 4), (1, 3, 1, 0.5), (1, 0.5, 1, 0.5)])
def test_what_is_foreseen_is_what_comes_if_silence_comes(seconds: tuple[float, ...], pause_s: float) -> None:
    """Two words in the first seconds with a second between are one chunk, as of the whole; the pause is not enough."""
    samples = sound(*seconds, 9)
    whole = cut(samples)
    said = round((sum(seconds) + pause_s) * RATE)
    chunker = Chunker(loud)
    done = chunker.accept(samples[:said])
    foreseen = chunker.foreseen()
    assert [c.span for c in [*done, *foreseen.chunks]] == [c.span for c in whole]
    for found, chunk in zip([*done, *foreseen.chunks], whole, strict=True):
        np.testing.assert_array_equal(found.samples, chunk.samples)
    assert foreseen.pause_s == pytest.approx(pause_s, abs=0.011)


def test_two_chunks_may_be_foreseen_and_the_first_is_not_open() -> None:
    chunker = Chunker(loud)
    chunker.accept(sound(0.2, 3, 0.6, 1))
    foreseen = chunker.foreseen()
    assert len(foreseen.chunks) == 2 and foreseen.is_open and foreseen.pause_s == 0


def test_nothing_is_foreseen_in_silence() -> None:
    chunker = Chunker(loud)
    chunker.accept(sound(9))
    assert not chunker.foreseen().chunks and chunker.foreseen().pause_s == 9.0


@pytest.mark.parametrize("seconds", [(9.0,), (0.0, 9.0), (0.3, 2.0), (3.0, 1.0)])
def test_memory_does_not_grow_with_what_is_heard(seconds: tuple[float, ...]) -> None:
    some = sound(*seconds)

    def peak(minutes: int) -> int:
        chunker = Chunker(loud)
        tracemalloc.start()
        try:
            for _ in range(round(minutes * 60 * RATE / len(some))):
                chunker.accept(some)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20) < 1.05 * peak(2) + 100_000


@pytest.mark.parametrize("wrong", [{"silence_s": 2.0}, {"context_s": 12.0}, {"min_chunk_s": 13.0}, {"silence_s": 0.0}])
def test_chunking_that_leaves_no_place(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="chunking needs"):
        ChunkingOptions(**wrong)
