"""Transforms of samples do to sound what they say, measured: pitch, band, level, ratio, decay."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from librosa.effects import trim

from asr.data import Utterance, write_manifest
from asr.data.augment import Alteration, AugmentOptions, Step, find_recordings
from asr.data.augment.additive_noise import AdditiveNoise
from asr.data.augment.babble import VOICES, Babble
from asr.data.augment.close_cut import CloseCut
from asr.data.augment.coloured_noise import ColouredNoise
from asr.data.augment.impulse_response import Box, impulse_response
from asr.data.augment.mixing import mixed
from asr.data.augment.recordings import excerpt
from asr.data.augment.simulated_room import SimulatedRoom, in_room
from asr.data.augment.speed import SpeedPerturbation, at_speed
from asr.data.augment.telephone import Telephone, through_mu_law
from asr.data.augment.volume import Volume
from asr.errors import AudioError, ConfigError, ManifestError

RATE = 16_000
SPEECH = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)


def tone(hz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def decibels(ratio: float) -> float:
    return 10 * np.log10(ratio)


def power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
    return float(np.fft.rfftfreq(1 << 18, 1 / RATE)[spectrum.argmax()])


@pytest.fixture
def sounds(tmp_path: Path) -> tuple[Utterance, ...]:
    """Nine recordings of noise of one second each, told apart by their pitch."""
    for number in range(9):
        soundfile.write(tmp_path / f"{number}.wav", tone(200 * (number + 1)), RATE)
    return find_recordings("noise", [str(tmp_path)])


# All of them


def test_a_seed_repeats_a_draw_and_the_input_stays(sounds: tuple[Utterance, ...]) -> None:
    every = [SpeedPerturbation(0.1), Volume(6), SimulatedRoom(), Telephone()]
    for transform in [*every, AdditiveNoise(sounds, (0, 20)), Babble(sounds, (0, 20))]:
        before = SPEECH.copy()
        once, again, other = (transform(SPEECH, RATE, np.random.default_rng(s)) for s in (1, 1, 2))
        np.testing.assert_array_equal(once, again)
        np.testing.assert_array_equal(SPEECH, before)
        assert once.dtype == np.float32
        if not isinstance(transform, Telephone):  # it draws nothing
            assert once.shape != other.shape or np.any(once != other)
        if not isinstance(transform, SpeedPerturbation):
            assert once.shape == SPEECH.shape


# Speed


@pytest.mark.parametrize("speed", [0.9, 0.954, 1.1])
def test_speed_changes_duration_and_pitch_alike(speed: float) -> None:
    played = at_speed(tone(1000), speed)
    assert len(played) == round(RATE / speed)
    assert peak_hz(played) == pytest.approx(1000 * speed, rel=1e-3)


def test_speeds_are_drawn_from_all_of_the_range() -> None:
    perturb = SpeedPerturbation(0.1)
    speeds = [RATE / len(perturb(tone(300), RATE, np.random.default_rng(s))) for s in range(300)]
    assert min(speeds) == pytest.approx(0.9, abs=0.005) and max(speeds) == pytest.approx(1.1, abs=0.005)
    assert np.median(speeds) == pytest.approx(1, abs=0.02)


# Volume


def test_gains_are_drawn_in_decibels() -> None:
    quiet = 0.01 * tone(300)
    gains = [decibels(power(Volume(6)(quiet, RATE, np.random.default_rng(s))) / power(quiet)) for s in range(300)]
    assert -6 <= min(gains) < -5.8 and 5.8 < max(gains) <= 6


def test_what_is_too_loud_is_cut() -> None:
    loud = np.abs(Volume(20)(tone(300), RATE, np.random.default_rng(0)))
    loudest = max(np.abs(Volume(20)(tone(300), RATE, np.random.default_rng(s))).max() for s in range(20))
    assert loudest == 1 and loud.max() <= 1


# Noise


@pytest.mark.parametrize("snr_db", [20, 10.5, 0, -5])
def test_the_ratio_measured_is_the_ratio_asked_for(snr_db: float, sounds: tuple[Utterance, ...]) -> None:
    for transform in (AdditiveNoise(sounds, (snr_db, snr_db)), Babble(sounds, (snr_db, snr_db))):
        for seed in range(5):
            noise = transform(SPEECH, RATE, np.random.default_rng(seed)) - SPEECH
            assert decibels(power(SPEECH) / power(noise)) == pytest.approx(snr_db, abs=0.1)


def test_ratios_are_drawn_from_all_of_the_range(sounds: tuple[Utterance, ...]) -> None:
    noisy = AdditiveNoise(sounds, (0, 20))
    speech = SPEECH[:4000]
    noises = [noisy(speech, RATE, np.random.default_rng(s)) - speech for s in range(200)]
    ratios = [decibels(power(speech) / power(noise)) for noise in noises]
    assert 0 <= round(min(ratios), 2) < 1 and 19 < max(ratios) <= 20.01


def test_silence_has_no_ratio() -> None:
    silence = np.zeros(100, np.float32)
    np.testing.assert_array_equal(mixed(SPEECH[:100], silence, 10), SPEECH[:100])
    np.testing.assert_array_equal(mixed(silence, SPEECH[:100], 10), silence)


def test_silent_noise_is_drawn_anew(tmp_path: Path) -> None:
    """A click in five seconds of silence: a tenth of a second drawn from it is silent more often than not."""
    click = np.zeros(5 * RATE)
    click[RATE : 2 * RATE] = tone(500)
    soundfile.write(tmp_path / "click.wav", click, RATE)
    noisy = AdditiveNoise(find_recordings("noise", [str(tmp_path)]), (10, 10))
    changed = [np.any(noisy(SPEECH[:1600], RATE, np.random.default_rng(s)) != SPEECH[:1600]) for s in range(50)]
    assert np.mean(changed) > 0.8


def test_a_short_recording_is_looped_and_a_long_one_cut(tmp_path: Path) -> None:
    ramp = np.arange(RATE, dtype=np.float64) / RATE
    soundfile.write(tmp_path / "ramp.wav", ramp, RATE, subtype="FLOAT")
    recording = find_recordings("noise", [str(tmp_path)])[0]
    longer = excerpt(recording, 2 * RATE + 7, RATE, np.random.default_rng(0))
    assert len(longer) == 2 * RATE + 7
    np.testing.assert_allclose(np.diff(longer) % 1, 1 / RATE, atol=1e-6)  # up by a step, or from the end to the start
    shorter = excerpt(recording, 4000, RATE, np.random.default_rng(0))
    np.testing.assert_allclose(np.diff(shorter), 1 / RATE, atol=1e-6)
    assert 0 < shorter[0] < 0.75
    assert len(excerpt(recording, 10, RATE, np.random.default_rng(0))) == 10


def test_babble_is_three_to_seven_others_and_never_oneself(sounds: tuple[Utterance, ...]) -> None:
    """Each voice is a tone of its own, so the spectrum counts them."""
    counts, heard = set(), set()
    for seed in range(60):
        babble = Babble(sounds, (0, 0))(SPEECH, RATE, np.random.default_rng(seed), own="4") - SPEECH
        spectrum = np.abs(np.fft.rfft(babble[:RATE]))  # a bin a hertz
        voices = {n for n in range(9) if spectrum[200 * (n + 1)] > 0.3 * spectrum.max()}
        counts.add(len(voices))
        heard |= voices
    assert counts == set(range(VOICES[0], VOICES[1] + 1)) == {3, 4, 5, 6, 7}
    assert heard == {0, 1, 2, 3, 5, 6, 7, 8}


# Telephone


def test_a_telephone_has_nothing_above_its_band() -> None:
    heard = Telephone()(SPEECH, RATE, np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) ** 2
    hz = np.fft.rfftfreq(len(heard), 1 / RATE)
    in_band = spectrum[(hz > 500) & (hz < 3200)].mean()
    assert decibels(spectrum[hz > 4100].max() / in_band) < -60
    assert decibels(spectrum[(hz > 20) & (hz < 150)].mean() / in_band) < -25  # what µ-law adds is there


@pytest.mark.parametrize(("hz", "low", "high"), [(100, 0, 0.001), (400, 0.9, 1.1), (3300, 0.9, 1.1), (3900, 0, 0.001)])
def test_a_telephone_passes_its_band(hz: float, low: float, high: float) -> None:
    heard = Telephone()(tone(hz), RATE, np.random.default_rng(0))[2000:-2000]  # without its abrupt ends
    assert low <= power(heard) / power(tone(hz)[2000:-2000]) <= high


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100])
def test_a_telephone_keeps_time(rate: int) -> None:
    speech = np.random.default_rng(0).normal(0, 0.1, rate + 1).astype(np.float32)
    heard = Telephone()(speech, rate, np.random.default_rng(0))
    assert len(heard) == len(speech)
    lag = np.correlate(heard, speech, "full").argmax() - (len(speech) - 1)
    assert lag == 0


# ITU-T G.711, table 2a: where each segment of the µ-law begins, and the first value that a decoder gives in it.
G711 = [(31, 33), (95, 99), (223, 231), (479, 495), (991, 1023), (2015, 2079), (4063, 4191)]
FULL = 8191.75
"""libsndfile's 1.0, in steps of the table; the largest value is 8159, its code is decoded to 8031."""


def test_mu_law_has_the_published_values() -> None:
    def decoded(*values: float) -> list[int]:
        return [round(v) for v in through_mu_law(np.array(values, np.float32) / np.float32(FULL)) * FULL]

    assert decoded(0, 1.6, 3.6, 5.6, 29.6) == [0, 2, 4, 6, 30]
    for decision, value in G711:
        assert decoded(decision + 1, -decision - 1) == [value, -value]
        assert decoded(decision - 1)[0] < value
    assert decoded(8159, 8191, -8191, 2 * 8191) == [8031, 8031, -8031, 8031]
    assert len(set(decoded(*range(-8159, 8160)))) == 255  # of 256 codes two are zero


# Rooms


def drawn_box(seed: int) -> tuple[Box, float]:
    rng = np.random.default_rng(seed)
    return SimulatedRoom()._box(rng), rng.uniform(0.15, 0.8)


def schroeder_rt60(response: np.ndarray) -> float:
    """By a straight line through the backward integral from -5 to -25 dB."""
    energy = np.cumsum(response[::-1] ** 2)[::-1]
    level = 10 * np.log10(energy / energy[0])
    fitted = (level <= -5) & (level >= -25)
    slope, _ = np.polyfit(np.flatnonzero(fitted) / RATE, level[fitted], 1)
    return -60 / slope


def test_sound_decays_in_the_time_asked_for() -> None:
    """Nine in ten within 3 %, all within 15 %, in rooms from 3 by 3 metres to 10 by 8, from 0.15 s to 0.8 s."""
    ratios = [schroeder_rt60(impulse_response(box, rt60, RATE)) / rt60 for box, rt60 in map(drawn_box, range(40))]
    assert 0.85 < min(ratios) and max(ratios) < 1.15
    assert 0.97 < np.quantile(ratios, 0.05) and np.quantile(ratios, 0.95) < 1.03


def test_echoes_are_those_of_every_mirror_image() -> None:
    """Against one sum over the images, their places and walls counted one by one."""
    box = Box((5.0, 4.0, 3.0), (1.0, 1.5, 1.2), (3.2, 2.0, 1.7))
    response = impulse_response(box, 0.05, 8000)
    images = []
    for mirrored in itertools.product((0, 1), repeat=3):
        for period in itertools.product(range(-3, 4), repeat=3):
            place = [
                (1 - 2 * p) * s + 2 * n * side
                for p, n, s, side in zip(mirrored, period, box.source, box.size, strict=True)
            ]
            walls = sum(abs(n - p) + abs(n) for p, n in zip(mirrored, period, strict=True))
            images.append((float(np.linalg.norm(np.subtract(place, box.microphone))), walls))
    heard = sorted(image for image in images if image[0] <= 0.05 * 343)
    nearest = heard[0][0]
    first_echo = next(distance for distance, walls in heard if walls == 1)
    at = (first_echo - nearest) / 343 * 8000
    reflection = -(response[int(at)] + response[int(at) + 1]) * first_echo / nearest  # nothing else arrives then
    expected = np.zeros(len(response))
    for distance, walls in heard:
        time = (distance - nearest) / 343 * 8000
        amplitude = (-reflection) ** walls * nearest / distance
        expected[int(time)] += amplitude * (1 - time % 1)
        expected[int(time) + 1] += amplitude * (time % 1)
    np.testing.assert_allclose(response, expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_direct_sound_stays_in_its_place(seed: int) -> None:
    box, rt60 = drawn_box(seed)
    response = impulse_response(box, rt60, RATE)
    assert response[0] == pytest.approx(1) == np.abs(response).max()
    click = np.zeros(RATE, np.float32)
    click[3000] = 0.5
    heard = in_room(click, response)
    assert np.abs(heard).argmax() == 3000
    assert np.abs(heard[:3000]).max() < 1e-6


def test_a_room_keeps_the_level() -> None:
    heard = SimulatedRoom()(SPEECH, RATE, np.random.default_rng(0))
    assert power(heard) == pytest.approx(power(SPEECH), rel=1e-3)
    assert not np.any(in_room(np.zeros(100, np.float32), np.ones(3)))


def test_source_and_microphone_are_in_the_room_and_apart() -> None:
    for box, _ in map(drawn_box, range(200)):
        places = np.array([box.source, box.microphone])
        assert np.all(places >= 0.4) and np.all(places <= np.array(box.size) - 0.4)
        assert np.linalg.norm(places[0] - places[1]) >= 0.3


# Recordings by folder and manifest


def test_recordings_come_from_folders_and_manifests(tmp_path: Path, sounds: tuple[Utterance, ...]) -> None:
    assert [s.id for s in sounds] == [str(n) for n in range(9)]
    assert sounds[0].duration == 1.0
    write_manifest(tmp_path / "two.jsonl", sounds[:2])
    named = find_recordings("augment.noise", [str(tmp_path / "two.jsonl"), str(tmp_path)])
    assert [s.id for s in named] == ["0", "1", *map(str, range(9))]
    assert [s.id for s in find_recordings("augment.noise", [str(tmp_path / "[2-4]*")])] == ["2", "3", "4"]
    assert find_recordings("augment.noise", [sounds[3].audio_filepath]) == (sounds[3],)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"augment\.noise: .*ESC-01 is not there; name a folder of recordings or a"):
        find_recordings("augment.noise", [str(tmp_path / "ESC-01")])
    for empty in (tmp_path, tmp_path / "*.wav"):
        with pytest.raises(ConfigError, match=r"augment\.noise: .* holds no recording \(\.flac, "):
            find_recordings("augment.noise", [str(empty)])
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        find_recordings("augment.noise", [str(tmp_path)])
    (tmp_path / "bad.jsonl").write_text("no manifest\n")
    with pytest.raises(ManifestError, match=r"bad\.jsonl"):
        find_recordings("augment.noise", [str(tmp_path / "bad.jsonl")])


# Close cuts


def quiet_loud_quiet(sides_db: float) -> np.ndarray:
    """Half a second of sound with as much on either side of it, so many decibels below."""
    whole = np.tile(tone(300)[: RATE // 2], 3)
    gains = np.repeat([10 ** (-sides_db / 20), 1, 10 ** (-sides_db / 20)], RATE // 2)
    return (whole * gains).astype(np.float32)


@pytest.mark.parametrize(("sides_db", "seconds"), [(20, 0.5), (40, 0.5), (10, 1.5)])
def test_what_is_below_the_drawn_level_is_cut_off_at_both_ends(sides_db: float, seconds: float) -> None:
    before = quiet_loud_quiet(sides_db)
    cut = CloseCut((15, 15))(before, RATE, np.random.default_rng(0))
    assert len(cut) / RATE == pytest.approx(seconds, abs=0.06)
    assert cut.dtype == np.float32 and np.abs(cut).max() == np.abs(before).max()


def test_levels_to_cut_at_are_drawn_from_all_of_the_range() -> None:
    cut = [len(CloseCut((10, 40))(quiet_loud_quiet(25), RATE, np.random.default_rng(s))) for s in range(60)]
    assert np.mean([n > RATE for n in cut]) == pytest.approx(0.5, abs=0.2)  # it is left where the level is below 25 dB


@pytest.mark.parametrize("seed", range(5))
def test_it_cuts_as_librosa_trims(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sound = (draw.normal(size=RATE + seed) * np.hanning(RATE + seed) ** 4).astype(np.float32)
    level = np.random.default_rng(seed).uniform(10, 40)
    cut = CloseCut((10, 40))(sound, RATE, np.random.default_rng(seed))
    np.testing.assert_array_equal(cut, trim(sound, top_db=level, frame_length=400, hop_length=160)[0])


def test_silence_is_left_as_it_is() -> None:
    assert len(CloseCut((10, 40))(np.zeros(RATE, np.float32), RATE, np.random.default_rng(0))) == RATE


# The chain


def chain(sounds: tuple[Utterance, ...], seed: int = 0) -> Alteration:
    options = AugmentOptions(
        copies=2,
        speed=0.1,
        room_share=0.5,
        noise_share=0.5,
        babble_share=0.5,
        volume_db=6,
        telephone_share=0.5,
        cut_share=0.5,
        noise=[str(Path(sounds[0].audio_filepath).parent)],
        snr_db=[0, 20],
        cut_db=[10, 40],
    )
    noise, voices = options.recordings()
    assert voices == ()
    return options.alteration(seed, noise, sounds)


def test_a_copy_is_that_of_seed_number_and_id(sounds: tuple[Utterance, ...]) -> None:
    first = chain(sounds)(SPEECH, RATE, "a", 1)
    np.testing.assert_array_equal(first, chain(sounds)(SPEECH, RATE, "a", 1))
    others = [chain(sounds)(SPEECH, RATE, "b", 1), chain(sounds)(SPEECH, RATE, "a", 2)]
    for other in [*others, chain(sounds, seed=1)(SPEECH, RATE, "a", 1)]:
        assert first.shape != other.shape or np.any(first != other)


def test_sound_meets_the_steps_in_order(sounds: tuple[Utterance, ...]) -> None:
    assert [s.name for s in chain(sounds).steps] == ["speed", "room", "noise", "babble", "volume", "telephone", "cut"]


def test_a_share_is_how_often_a_step_is_taken() -> None:
    def marked(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        return samples + 1

    alteration = Alteration((Step("mark", marked, 0.3),), 0)
    taken = [alteration(np.zeros(1), RATE, f"u{n}", 1)[0] for n in range(2000)]
    assert np.mean(taken) == pytest.approx(0.3, abs=0.03)


def test_nobody_hears_himself_babble(sounds: tuple[Utterance, ...]) -> None:
    alteration = Alteration((Step("babble", Babble(sounds, (0, 0))),), 0)
    for copy in range(30):
        babble = alteration(SPEECH, RATE, "4", copy) - SPEECH
        spectrum = np.abs(np.fft.rfft(babble[:RATE]))
        assert spectrum[1000] < 0.01 * spectrum.max()


def test_the_fingerprint_tells_settings_seed_and_recordings_apart(sounds: tuple[Utterance, ...]) -> None:
    contents = [r.id for r in sounds]
    made = chain(sounds)
    assert made.fingerprint(contents) == chain(sounds).fingerprint(contents)
    louder = replace(made, steps=(*made.steps[:-2], Step("volume", Volume(7)), made.steps[-1]))
    rarer = replace(made, steps=(replace(made.steps[0], share=0.9), *made.steps[1:]))
    different = [chain(sounds, 1), louder, rarer]
    prints = {made.fingerprint(contents), made.fingerprint(contents[1:]), *(d.fingerprint(contents) for d in different)}
    assert len(prints) == 5
    moved = [replace(r, audio_filepath=f"elsewhere/{r.id}.wav") for r in sounds]
    assert replace(made, steps=(Step("babble", Babble(tuple(moved), (0, 0))),)).fingerprint(contents) == replace(
        made, steps=(Step("babble", Babble(sounds, (0, 0))),)
    ).fingerprint(contents)


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"copies": 2}, r"augment\.copies=2 would be as recorded; set augment\.speed or augment\.room_share or"),
        ({"speed": 0.1}, r"augment\.speed alters copies, and there are none; set augment\.copies, such as 3, or leave"),
        ({"copies": -1}, r"augment\.copies must be a whole number from 0 on, got -1"),
        ({"speed": 1}, r"augment\.speed must be a number from 0 to 0\.9, got 1"),
        ({"telephone_share": 2}, r"augment\.telephone_share must be a number from 0 to 1, got 2"),
        ({"noise": "ESC-10"}, r"augment\.noise is a list of names, got 'ESC-10'; write augment\.noise=\[ESC-10\]"),
        ({"noise_share": 0.5}, r"augment\.snr_db must say how far"),
        ({"cut_share": 0.5}, r"augment\.cut_db must say how far"),
        ({"cut_db": [0, 10]}, r"augment\.cut_db\[0\] must be a number from 1 to 100, got 0"),
        ({"cut_db": [40, 10]}, r"augment\.cut_db\[1\] must be a number from 40 to 100, got 10"),
        ({"snr_db": 10}, r"augment\.snr_db must be a lowest and a highest number, such as \[0, 20\], got 10"),
        ({"snr_db": [20, 0]}, r"augment\.snr_db\[1\] must be a number from 20 to 100, got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AugmentOptions(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise_share": 0.5, "snr_db": [0, 20]}, r"augment\.noise names no recordings of noise; give folders"),
        ({"noise_share": 1, "snr_db": [0, 1], "noise": ["/nowhere"]}, r"augment\.noise: /nowhere is not there"),
        ({"babble_share": 1, "snr_db": [0, 1], "voices": ["/nowhere"]}, r"augment\.voices: /nowhere is not there"),
        ({"babble_share": 1, "snr_db": [0, 1]}, r"babble needs more than 7 utterances to draw from, got 3; name"),
    ],
)
def test_what_is_missing_is_said(options: dict, message: str, sounds: tuple[Utterance, ...]) -> None:
    made = AugmentOptions(copies=2, **options)
    with pytest.raises(ConfigError, match=message):
        made.alteration(0, made.recordings()[0], sounds[:3])


def test_without_a_share_no_recordings_are_needed() -> None:
    assert AugmentOptions(copies=1, speed=0.1, noise=["/nowhere"], voices=["/nowhere"]).recordings() == ((), ())


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_made_noise_has_its_colour_and_its_level(slope: float) -> None:
    quiet = 0.1 * tone(440.0, 8.0)
    noise = ColouredNoise((10.0, 10.0), (slope, slope))(quiet, RATE, np.random.default_rng(0)) - quiet
    assert decibels(power(quiet) / power(noise)) == pytest.approx(10, abs=0.01)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    low, high = (spectrum[(hertz > centre / 1.2) & (hertz < centre * 1.2)].mean() for centre in (200, 3200))
    assert decibels(low / high) == pytest.approx(slope * decibels(16), abs=1.0)
