"""`asr leaks`, from manifests to an exit code."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from asr.cli.main import main
from asr.data import Utterance, write_manifest

LONG = "one two three four five six seven eight"


@pytest.fixture
def manifests(tmp_path):
    """train.jsonl by anna and bert; clean.jsonl by carl; copied.jsonl by carl too, with bert's recording in it."""
    for number in range(4):
        samples = np.random.default_rng(number).uniform(-0.5, 0.5, 8000)
        soundfile.write(tmp_path / f"{number}.wav", samples, 16000)
    (tmp_path / "copy.wav").write_bytes((tmp_path / "1.wav").read_bytes())

    def write(name, *rows):
        write_manifest(
            tmp_path / name, [Utterance(f"{name}-{wav}", f"{wav}.wav", 0.5, text, who) for wav, text, who in rows]
        )

    write("train.jsonl", (0, "yes", "anna"), (1, LONG, "bert"))
    write("clean.jsonl", (2, "no", "carl"), (3, "yes", "carl"))
    write("copied.jsonl", ("copy", "other words", "carl"))
    write("bert.jsonl", (2, LONG, "bert"))
    return tmp_path


def leaks(folder, *arguments):
    return main(["leaks", *(str(folder / a) if a.endswith((".jsonl", ".txt")) else a for a in arguments)])


def test_sentences_alone_are_told_and_are_no_fault(manifests, capsys):
    assert leaks(manifests, "train.jsonl", "--test", "clean.jsonl") == 0
    output = capsys.readouterr().out
    assert "1, 1: yes" in output
    assert output.splitlines()[-1] == "No speaker and no recording is in both training and test."
    assert "\x1b" not in output


@pytest.mark.parametrize("test", ["copied.jsonl", "bert.jsonl"])
def test_a_shared_recording_or_speaker_is_a_fault(manifests, capsys, test):
    assert leaks(manifests, "train.jsonl", "--test", "clean.jsonl", test) == 1
    output = capsys.readouterr().out
    assert ("copied.jsonl-copy is train.jsonl-1 in training" in output) == (test == "copied.jsonl")
    assert ("  bert: 1\n" in output) == (test == "bert.jsonl")
    assert output.splitlines()[-1].startswith("Leak: ")


@pytest.mark.parametrize("test", ["copied.jsonl", "bert.jsonl"])
def test_a_speaker_who_is_left_out_of_training_leaks_nothing(manifests, capsys, test):
    assert leaks(manifests, "train.jsonl", "--test", test, "--without_speakers", "bert") == 0


def test_the_language_models_text_is_looked_at_without_them_too(manifests, capsys):
    (manifests / "t.txt").write_text(f"Then {LONG}.\n")

    def share(*flags):
        leaks(manifests, "train.jsonl", "--test", "bert.jsonl", "--json", "--worst", "1", *flags)
        return json.loads(capsys.readouterr().out)["text"]["share"]

    assert share("--text", "t.txt") == 1
    assert share("--text", "train.jsonl") == 1
    assert share("--text", "train.jsonl", "--without_speakers", "bert") == 0
    leaks(manifests, "train.jsonl", "--test", "bert.jsonl", "--text", "t.txt")
    assert "bert.jsonl-2: 1 of 1 8-grams, such as one two" in capsys.readouterr().out


def test_json_names_everything(manifests, capsys):
    assert leaks(manifests, "train.jsonl", "--test", "copied.jsonl", "bert.jsonl", "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["train"], result["test"], result["serious"]) == (2, 2, True)
    assert result["speakers"]["shared"] == {"bert": 1}
    assert result["recordings"]["shared"] == [{"train": "train.jsonl-1", "test": "copied.jsonl-copy"}]
    assert result["sentences"]["shared_of_five_words_or_more"] == 1
    assert result["text"] is None


def test_what_cannot_be_read_is_named_and_no_clean_bill(manifests, capsys):
    (manifests / "2.wav").write_bytes(b"")
    assert leaks(manifests, "train.jsonl", "--test", "clean.jsonl") == 1
    output = capsys.readouterr().out
    assert "clean.jsonl-2: error[audio-empty]: " in output
    assert "not everything could be read" in output.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["train.jsonl"], 2, "--test"),
        (["train.jsonl", "--test", "none.jsonl"], 1, "error[manifest]"),
        (["train.jsonl", "--test", "clean.jsonl", "--text", "none.txt"], 1, "error[language-model]"),
        (
            ["train.jsonl", "--test", "clean.jsonl", "--without_speakers", "bret"],
            1,
            "no utterance to train on is by bret",
        ),
        (["train.jsonl", "--test", "clean.jsonl", "--worst", "-1"], 2, "a whole number, 0 or more"),
    ],
)
def test_what_is_wrong_is_named(manifests, capsys, arguments, code, reason):
    assert leaks(manifests, *arguments) == code
    assert reason in capsys.readouterr().err


def test_without_examples_there_is_the_table_only(manifests, capsys):
    leaks(manifests, "train.jsonl", "--test", "bert.jsonl", "--worst", "0")
    output = capsys.readouterr().out
    assert "ONE" not in output and "more" not in output.split("utterances in training")[1].split("\n\n")[-1]


def test_help_needs_no_numpy():
    code = "import sys, argparse, asr.cli.leaks as c; c.add_arguments(argparse.ArgumentParser()); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "rich", "asr.text", "asr.data"} & set(done.stdout.split())
