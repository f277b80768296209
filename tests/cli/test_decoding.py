"""The flags that say how to decode, by what is transcribed with them (fake_bundle.py spells tones)."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
import soundfile

from asr.cli.main import main
from asr.lm import train_ngram

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "tones")


@pytest.fixture
def read(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """What `asr transcribe` prints of somebody who says BAD CAB; a file for the name of each text."""
    monkeypatch.setattr("asr.inference.transcriber._shipped_detector", lambda: fake["loud"])
    recording = tmp_path / "said.wav"
    soundfile.write(recording, fake["speak"]("BAD CAB"), 16_000)

    def run(*flags: str, code: int = 0, **files: str) -> str:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        given = [str(tmp_path / flag) if flag in files or flag == "words.lm" else flag for flag in flags]
        assert main(["transcribe", str(recording), "--model", str(bundle), *given]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out.strip()

    return run


def test_nothing_said_is_as_the_bundle_has_it(read) -> None:
    assert read() == "BAD CAB"


def test_a_grammar_and_a_list_of_words(read) -> None:
    assert read("--grammar", "commands", commands="bad cage\nface\n") == "BAD CAGE"
    assert read("--words", "words", words="cab\nbag\n") == "BAG CAB"


def test_hotwords_with_weights_on_the_line_and_in_a_file(read) -> None:
    assert read("--hotwords", "Badd:10") == "BADD CAB"
    assert read("--hotwords_file", "names", names="badd\n\nbe") == "BADD CAB"
    assert read("--hotwords", "badd:0.1") == "BAD CAB"


def test_a_byte_order_mark_is_no_part_of_the_first_line(read) -> None:
    for flag in ("--grammar", "--words", "--hotwords_file"):
        assert read(flag, "phrases", phrases="\ufeffBAD\r\nCAB\r\n") == {"--grammar": "CAB"}.get(flag, "BAD CAB")


def test_a_language_model_and_its_weights(read, tmp_path: Path) -> None:
    train_ngram(["BADD CAB", "A BADD CAB"], order=2).save(tmp_path / "words.lm")
    assert read("--lm", "words.lm", "--alpha", "1") == "BADD CAB"
    assert " " not in read("--lm", "words.lm", "--alpha", "1", "--beta", "-200")
    assert read("--lm", "none") == "BAD CAB"


def test_readings_in_json(read) -> None:
    found = json.loads(read("-f", "json", "--n_best", "3"))["segments"][0]["n_best"]
    assert found[0]["text"] == "BAD CAB"
    assert len({reading["text"] for reading in found}) == 3


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--alpha", "1"], "alpha and beta weigh a language model"),
        (["--beam_size", "1", "--n_best", "2", "-f", "json"], "a beam of 1 is the best path alone"),
        (["--hotwords", "bad:very"], "hotword 'bad:very': after the colon a weight is needed"),
        (["--hotwords", "Úhu"], "'Úhu' has 'HU', and "),
        (["--lm", "nowhere.lm"], "nowhere.lm"),
        (["--grammar", "nowhere.txt"], "nowhere.txt cannot be read: No such file"),
        (["--grammar", "nothing"], "nothing has no lines"),
    ],
)
def test_flags_that_cannot_be_used(read, flags: list[str], message: str) -> None:
    assert message in read(*flags, code=1, nothing="\n")


def test_a_beam_of_nothing_is_a_wrong_command_line(read) -> None:
    assert "from 1 on is needed" in read("--beam_size", "0", code=2)
