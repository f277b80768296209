"""A recording is the same whatever it is called and whatever it is kept in, and another one is not."""

import numpy as np
import pytest
import soundfile

from asr.data import Utterance
from asr.leaks import shared_recordings


@pytest.fixture
def record(tmp_path):
    def record(name, seed=0, seconds=1.0, rate=16000, **options):
        samples = (3000 * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.int16)
        as_given = samples / 32768 if options.get("subtype") == "FLOAT" else samples
        soundfile.write(tmp_path / name, as_given, rate, **options)
        return Utterance(name, str(tmp_path / name), seconds, "YES", "anna")

    return record


def pairs(train, test):
    return list(shared_recordings(train, test).pairs)


@pytest.mark.parametrize(
    "options", [{}, {"format": "FLAC"}, {"format": "WAV", "subtype": "FLOAT"}, {"format": "WAV", "subtype": "PCM_24"}]
)
def test_the_same_samples_are_found_in_any_container(record, options):
    assert pairs([record("a.wav"), record("c.wav", seed=1)], [record("b", **{"format": "WAV"} | options)]) == [
        ("a.wav", "b")
    ]


def test_other_samples_of_the_same_length_are_not(record):
    assert pairs([record("a.wav", seed=1)], [record("b.wav", seed=2)]) == []


def test_one_sample_makes_the_difference(record, tmp_path):
    train, test = record("a.wav"), record("b.wav")
    samples, rate = soundfile.read(test.audio_filepath, dtype="int16")
    samples[7] += 1
    soundfile.write(test.audio_filepath, samples, rate)
    assert pairs([train], [test]) == []


def test_every_pair_is_named(record):
    train, test = [record("a.wav"), record("b.wav")], [record("c.wav"), record("d.wav")]
    assert sorted(pairs(train, test)) == [(a, c) for a in ("a.wav", "b.wav") for c in ("c.wav", "d.wav")]


def test_a_span_of_a_long_file_is_what_was_cut_out_of_it(record, tmp_path):
    whole = record("whole.wav", seconds=3)
    samples, rate = soundfile.read(whole.audio_filepath, dtype="int16")
    soundfile.write(tmp_path / "cut.wav", samples[rate : 2 * rate], rate)
    cut = Utterance("cut", str(tmp_path / "cut.wav"), 1.0, "YES", "anna")
    spans = [Utterance(f"s{at}", whole.audio_filepath, 1.0, "YES", "anna", offset=at) for at in (0.0, 1.0, 2.0)]
    assert pairs(spans, [cut]) == [("s1.0", "cut")]
    assert pairs([cut], spans) == [("cut", "s1.0")]


def test_durations_written_with_two_decimals_hide_nothing(record):
    train = record("a.wav", seconds=1.0049)
    test = record("b.wav", seconds=1.0049)
    rough = Utterance(test.id, test.audio_filepath, 1.0, "YES", "anna")
    assert pairs([train], [rough]) == [("a.wav", "b.wav")]


def test_only_those_as_long_as_another_are_decoded(record, tmp_path):
    train = [record("a.wav", seconds=1), Utterance("none", str(tmp_path / "none.wav"), 2.0, "", "anna")]
    found = shared_recordings(train, [record("b.wav", seconds=1)])
    assert (found.decoded, found.failures) == (2, ())


def test_what_cannot_be_read_is_named(record, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"")
    broken = Utterance("broken", str(tmp_path / "broken.wav"), 1.0, "", "anna")
    found = shared_recordings([record("a.wav"), broken], [record("b.wav")])
    assert found.pairs == (("a.wav", "b.wav"),)
    assert [(name, error.code) for name, error in found.failures] == [("broken", "audio-empty")]
    assert found.decoded == 2


@pytest.mark.real_data
def test_flac_and_opus_of_one_recording_have_other_samples(real_data):
    """Why copies compressed with loss are looked for among the sentences."""
    name = "dev-clean/1272/128104/1272-128104-0000"
    paths = (real_data / "LibriSpeech-original" / f"{name}.flac", real_data / "LibriSpeech" / f"{name}.opus")
    flac, opus = (Utterance(path.suffix, str(path), 5.855, "", "1272") for path in paths)
    found = shared_recordings([flac], [opus])
    assert (found.pairs, found.decoded) == ((), 2)
    assert pairs([opus], [opus]) == [(".opus", ".opus")]
