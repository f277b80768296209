"""`asr align` as a user meets it: its files, its words on stderr, its exit code."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.bundle import read_card, write_decoder
from asr.data import Utterance, read_manifest, write_manifest
from asr.decoding import DecoderSettings

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "tones")


@pytest.fixture
def align(bundle: Path, tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", fake["speak"]("AB CAB"), 16_000)

    def run(*arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "asr", "align", "--model", bundle, *arguments]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            list(map(str, command)), env=environment, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
        )
        assert "Traceback" not in done.stderr
        return done

    return run


def write_two(folder: Path, second_text: str = "Cab") -> Path:
    for name, text in ("u1", "AB"), ("u2", "CAB"):
        soundfile.write(folder / f"{name}.wav", fake["speak"](text), 16_000)
    texts = {"u1": "Ab!", "u2": second_text}
    utterances = [Utterance(name, str(folder / f"{name}.wav"), 0.6, text, "me") for name, text in texts.items()]
    write_manifest(folder / "two.jsonl", utterances)
    return folder / "two.jsonl"


def fields(ctm: str) -> list[list[str]]:
    return [line.split() for line in ctm.splitlines()]


def test_words_on_stdout(align) -> None:
    done = align("a.wav", "--text", "ab, cab")
    assert (done.returncode, done.stderr) == (0, "")
    assert [(name, channel, word) for name, channel, _, _, word, _ in fields(done.stdout)] == [
        ("a", "1", "ab,"),
        ("a", "1", "cab"),
    ]
    (first, second) = fields(done.stdout)
    assert float(first[2]) < 0.25 and 0.55 < float(second[2]) < 0.65
    assert float(first[2]) + float(first[3]) <= float(second[2])


def test_a_text_file_makes_a_cue_a_line(align, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffAb …\r\n\r\nCab!\r\n", encoding="utf-8")
    assert align("a.wav", "a.txt", "-o", "out/a.srt").returncode == 0
    cues = (tmp_path / "out" / "a.srt").read_text(encoding="utf-8").strip().split("\n\n")
    assert [cue.split("\n")[2] for cue in cues] == ["Ab …", "Cab!"]


@pytest.mark.parametrize("name", ["a.json", "a.TextGrid", "a.textgrid", "a.ctm", "a.vtt", "a.tsv"])
def test_the_suffix_says_the_format(align, tmp_path: Path, name: str) -> None:
    assert align("a.wav", "--text", "ab cab", "-o", name).returncode == 0
    written = (tmp_path / name).read_text(encoding="utf-8")
    begins = {
        "json": '{"text": "ab cab"',
        "ctm": "a 1 ",
        "vtt": "WEBVTT",
        "tsv": "start\tend\ttext",
        "textgrid": "File",
    }
    assert written.startswith(begins[name.partition(".")[2].lower()])


def test_json_has_words_with_times_and_confidence(align, tmp_path: Path) -> None:
    align("a.wav", "--text", "ab cab", "-o", "a.json")
    (segment,) = json.loads((tmp_path / "a.json").read_text())["segments"]
    assert [word["word"] for word in segment["words"]] == ["ab", "cab"]
    assert all(word["start"] < word["end"] and word["confidence"] > 0.8 for word in segment["words"])


def test_a_manifest_into_one_file_or_a_folder(align, tmp_path: Path) -> None:
    manifest = write_two(tmp_path)
    assert align(manifest, "-o", "words.ctm").returncode == 0
    assert [(line[0], line[4]) for line in fields((tmp_path / "words.ctm").read_text())] == [
        ("u1", "Ab!"),
        ("u2", "Cab"),
    ]
    assert align(manifest, "-o", "grids", "-f", "TextGrid").returncode == 0
    assert sorted(p.name for p in (tmp_path / "grids").iterdir()) == ["u1.TextGrid", "u2.TextGrid"]
    assert align(manifest).stdout == (tmp_path / "words.ctm").read_text()


@pytest.mark.parametrize("name", ["words.jsonl", "words.json"])
def test_a_manifest_into_lines_of_json(align, tmp_path: Path, name: str) -> None:
    assert align(write_two(tmp_path), "-o", name).returncode == 0
    lines = [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
    assert [(line["utterance"], line["text"]) for line in lines] == [("u1", "Ab!"), ("u2", "Cab")]


def test_a_file_that_cannot_be_written_does_not_end_the_others(align, tmp_path: Path) -> None:
    (tmp_path / "out" / "u1.json").mkdir(parents=True)
    done = align(write_two(tmp_path), "-o", "out")
    assert (done.returncode, done.stderr) == (1, "asr: error[system]: out/u1.json: Is a directory\n")
    assert json.loads((tmp_path / "out" / "u2.json").read_text())["text"] == "Cab"


def test_an_utterance_that_cannot_be_aligned_does_not_end_the_others(align, tmp_path: Path) -> None:
    done = align(write_two(tmp_path, second_text="cab 9"), "-o", "words.ctm")
    assert done.returncode == 1
    assert [line[0] for line in fields((tmp_path / "words.ctm").read_text())] == ["u1"]
    assert done.stderr.startswith("asr: error[alignment]: u2: some words cannot be spelled with ' ABCDEFG'")


def test_words_are_cut_out_as_utterances_to_train_on(align, tmp_path: Path) -> None:
    """Of u1 AB, of u2, which has none of the words, nothing; of u3, 0.6 s into its recording, the first and last."""
    soundfile.write(tmp_path / "u3.wav", np.concatenate([fake["speak"]("GG"), fake["speak"]("AB CAB AB")]), 16_000)
    third = Utterance("u3", str(tmp_path / "u3.wav"), 2.0, "AB, cab AB", "you", offset=0.6)
    write_manifest(tmp_path / "all.jsonl", [*read_manifest(write_two(tmp_path, "cab 9")), third])
    done = align("all.jsonl", "--cut", "ab,dad", "-o", "cut.jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "cut.jsonl: 3 AB, 0 DAD\n", "")
    found = read_manifest(tmp_path / "cut.jsonl")
    assert [(u.id, u.text, u.speaker) for u in found] == [
        ("u1-w0", "AB", "me"),
        ("u3-w0", "AB", "you"),
        ("u3-w2", "AB", "you"),
    ]
    for one, start in zip(found, (0.2, 0.8, 2.2), strict=True):
        assert start - 0.25 < one.offset < start + 0.03
        assert start + 0.3 < one.offset + one.duration < start + 0.5


def test_words_are_cut_though_an_utterance_cannot_be_aligned(align, tmp_path: Path) -> None:
    done = align(write_two(tmp_path, "ab 9"), "--cut", "AB", "-o", "cut.jsonl")
    assert (done.returncode, done.stdout) == (1, "cut.jsonl: 1 AB\n")
    assert done.stderr.startswith("asr: error[alignment]: u2: some words cannot be spelled")


def test_the_language_model_of_the_bundle_is_not_opened(align, bundle: Path, tmp_path: Path) -> None:
    """Such as one of an older version; aligning needs none."""
    (tmp_path / "old.lm").write_bytes(b"ASR-NGRAM\nof another time")
    copy = shutil.copytree(bundle, tmp_path / "copy")
    write_decoder(copy, DecoderSettings(), tmp_path / "old.lm", read_card(copy))
    assert align("a.wav", "--text", "ab cab", "--model", copy).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav"], "error[config]: a.wav needs its text"),
        (["a.wav", "a.txt", "--text", "ab"], "error[config]: a.wav needs its text"),
        (["a.wav", "none.txt"], "error[alignment]: none.txt: cannot be read as UTF-8 text"),
        (["a.wav", "--text", "ab", "-o", "a.docx"], "error[config]: -o a.docx: the suffix says the format"),
        (["a.wav", "--text", "ab", "-f", "json"], "error[config]: -f is for a manifest's files in a folder"),
        (["two.jsonl", "--text", "ab"], "error[config]: two.jsonl has its texts itself"),
        (["two.jsonl", "-o", "a.srt"], "error[config]: -o a.srt: a manifest's utterances go to one file (.txt, .json"),
        (["two.jsonl", "--cut", "ab"], "error[config]: --cut needs words, such as YES,NO, and a manifest"),
        (["two.jsonl", "--cut", ",", "-o", "b.jsonl"], "error[config]: --cut needs words"),
        (["two.jsonl", "--cut", "ab", "-o", "./two.jsonl"], "error[config]: -o two.jsonl is the file two.jsonl"),
        (["two.jsonl", "-o", "two.jsonl"], "error[config]: -o two.jsonl is the file two.jsonl that is read"),
        (["two.jsonl", "--cut", "ab,9", "-o", "b.jsonl"], "error[config]: '9' is not one word of letters"),
        (["a.wav", "--text", "ab", "--cut", "ab"], "error[config]: --cut is of the utterances of a MANIFEST.jsonl"),
        (
            ["two.jsonl", "--cut", "gag", "-o", "b.jsonl"],
            "error[alignment]: two.jsonl: none of gag was heard (0 utterances could",
        ),
        (["none.wav", "--text", "ab"], "error[audio-not-found]: none.wav"),
        (["a.wav", "--text", "ab " * 90], "error[alignment]: a.wav: 71 frames cannot spell 269 labels (needs 269)"),
    ],
)
def test_errors_say_what_to_do(align, tmp_path: Path, arguments: list[str], message: str) -> None:
    write_two(tmp_path)
    done = align(*arguments)
    assert done.returncode == 1 and message in done.stderr
