"""`asr augment`: what it writes, and what it says where something is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import load_audio
from asr.cli.main import main
from asr.data.augment import AugmentOptions, find_recordings

SAMPLE = str(Path(__file__).parents[1] / "recordings" / "sample.wav")


@pytest.fixture
def sounds(tmp_path: Path) -> str:
    """Nine seconds-long recordings, for noise and for voices."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    for seed in range(9):
        soundfile.write(folder / f"{seed}.wav", np.random.default_rng(seed).normal(0, 0.1, 16_000), 16_000)
    return str(folder)


def test_each_transform_alone_and_all_in_turn(sounds: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    settings = [f"augment.noise=['{sounds}']", f"augment.voices=['{sounds}']"]
    assert main(["augment", SAMPLE, "-o", str(out), "--copies", "2", *settings]) == 0
    names = ["original", "speed", "room", "noise", "babble", "volume", "telephone", "copy-1", "copy-2"]
    printed = capsys.readouterr()
    assert [line.split(".wav")[0] for line in printed.out.splitlines()[:-1]] == names
    assert printed.out.splitlines()[-1] == f"Written to {out}, with features.png"
    assert printed.err == ""
    assert {p.name for p in out.iterdir()} == {*(f"{n}.wav" for n in names), "features.png"}
    assert (out / "features.png").read_bytes().startswith(b"\x89PNG")
    original = load_audio(SAMPLE)
    np.testing.assert_allclose(load_audio(out / "original.wav"), original, atol=1e-4)
    for name in names[1:]:
        altered = load_audio(out / f"{name}.wav")
        assert altered.shape != original.shape or np.abs(altered - original).max() > 1e-3, name


def test_a_copy_is_the_one_that_training_makes(sounds: str, tmp_path: Path) -> None:
    noise = [f"augment.noise=['{sounds}']", "augment.noise_share=1", "augment.volume_db=0", "augment.babble_share=0"]
    assert main(["augment", SAMPLE, "-o", str(tmp_path / "out"), "--seed", "5", "--copies", "1", *noise]) == 0
    same = AugmentOptions(1, speed=0.1, room_share=0.3, noise_share=1, telephone_share=0.15, snr_db=[0, 20])
    alteration = same.alteration(5, find_recordings("noise", [sounds]), ())
    expected = alteration(load_audio(SAMPLE), 16_000, "sample", 1)
    np.testing.assert_allclose(load_audio(tmp_path / "out" / "copy-1.wav"), expected, atol=1e-4)


def test_what_has_no_recordings_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["augment", SAMPLE, "-o", str(tmp_path / "out"), "--copies", "1"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "no noise: name folders or manifests with augment.noise=[FOLDER]",
        "no babble: name manifests of speech with augment.voices=[MANIFEST]",
    ]
    assert not (tmp_path / "out" / "noise.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.wav"], "error[audio-not-found]: nothing.wav: no such file"),
        ([SAMPLE, "augment.noise=[/nowhere]"], "error[config]: augment.noise: /nowhere is not there; name a folder of"),
        ([SAMPLE, "augment.sped=0.2"], "error[config]: no setting 'augment.sped'; did you mean augment.speed?"),
        ([SAMPLE, "augment.speed=2"], "error[config]: augment.speed must be a number from 0 to 0.9, got 2"),
        ([SAMPLE, "+augment.echo=1"], "error[config]: no setting 'augment.echo'; did you mean"),
        ([SAMPLE, "augment=none"], "error[config]: augment.copies=3 would be as recorded; set augment.speed or"),
        ([SAMPLE, "augment=loud"], "error[config]: no augment 'loud'; "),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_written(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["augment", "-o", str(tmp_path / "out"), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
